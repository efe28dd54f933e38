"""A list's file becomes a bank: what counts, what is set aside, and what is said of bad lines."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.entries import collect
from lightship.core.errors import InputError
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build, load
from lightship.detect.pdq import to_hex

GOOD = "0123456789abcdef" * 4
FAR = int("a" * 64, 16)


def listed(bank):
    return [to_hex(one) for part in bank.parts for one in part.table.hashes()]


def references(bank):
    return tuple(one for part in bank.parts for one in part.table.references)


def write(tmp_path, text, name="bank.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_hashes_qualities_references_comments_case_and_a_bom(tmp_path):
    other = "f" * 60 + "0000"
    path = write(
        tmp_path, f"# as-of: 2026-10-01\n{GOOD.upper()},87,case-7\n\n{other}\n", encoding="utf-8-sig"
    )
    loaded = load(path)
    assert listed(loaded) == [GOOD, other]
    assert references(loaded) == ("case-7", "line 4")
    assert loaded.as_of == date(2026, 10, 1)
    assert loaded.digest.startswith("sha256:")


def test_low_quality_is_quarantined_and_duplicates_are_counted(tmp_path):
    loaded = load(write(tmp_path, f"{GOOD},100\n{GOOD},90\n{'a' * 64},49\n"))
    assert (loaded.hashes, loaded.duplicates, loaded.quarantined) == (1, 1, 1)


def test_bad_lines_are_named_by_number(tmp_path):
    path = write(tmp_path, f"{GOOD}\nnot a hash\n{GOOD[:-1]}\n{'b' * 64},high\n{'c' * 64},101\n")
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert "4 of the list's lines are bad" in message
    assert all(f"line {number}:" in message for number in (2, 3, 4, 5))
    assert "--skip-bad" in message


def test_the_good_lines_load_when_asked_and_the_bad_are_counted(tmp_path):
    loaded = load(write(tmp_path, f"{GOOD}\nnot a hash\n"), skip_bad=True)
    assert (loaded.hashes, loaded.skipped) == (1, 1)


def test_a_header_is_no_entry_and_a_reference_may_hold_commas(tmp_path):
    loaded = load(write(tmp_path, f'hash,quality,reference\n{GOOD},,"a, b\x1b[2J"\n'))
    assert references(loaded) == ("a, b?[2J",)


def test_an_endless_line_is_one_bad_line(tmp_path):
    path = write(tmp_path, f"{'0' * 1_000_000}\n{GOOD}\n")
    with pytest.raises(InputError, match="1 of the list's lines are bad: line 1:"):
        load(path)
    assert references(load(path, skip_bad=True)) == ("line 2",)


def test_a_date_that_is_none_is_a_bad_line(tmp_path):
    with pytest.raises(InputError, match="'yesterday' is not YYYY-MM-DD"):
        load(write(tmp_path, f"# as-of: yesterday\n{GOOD}\n"))


def test_only_the_first_bad_lines_are_shown_and_no_hash_is(tmp_path):
    with pytest.raises(InputError) as caught:
        load(write(tmp_path, f"{GOOD}0\n" * 40))
    assert "40 of the list's lines are bad" in str(caught.value)
    assert "and 35 more" in str(caught.value)
    assert GOOD not in str(caught.value)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=30), st.data())
def test_each_hash_is_kept_once_in_order(tmp_path_factory, entries, draw):
    again = entries + draw.draw(st.lists(st.sampled_from(entries), max_size=10))
    path = write(tmp_path_factory.mktemp("lists"), "".join(one.hex() + "\n" for one in again))
    loaded = load(path)
    assert listed(loaded) == [one.hex() for one in dict.fromkeys(again)]
    assert loaded.duplicates == len(again) - len(set(again))


@pytest.mark.parametrize("text", ["", "# only words\n", "\x00\x01\x02"])
def test_a_list_without_a_hash_is_refused(tmp_path, text):
    with pytest.raises(InputError):
        load(write(tmp_path, text), skip_bad=True)


def test_a_missing_list_says_so(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.csv")


def entry(number, reference="", quality=100):
    return Entry("pdq", number.to_bytes(32, "big"), quality, reference or f"case-{number}")


def bank_of(*entries, **terms):
    return build(Terms("ours", **terms), collect(entries, "ours"), date(2026, 11, 1))


def hashes(*numbers):
    return np.array([[0, 0, 0, number] for number in numbers], dtype=np.uint64)


def test_entries_come_and_go_without_building_anew():
    bank = bank_of(entry(0), entry(FAR))
    added = bank.plus(collect([entry(2**100 - 1, "late")], "more").entries)
    assert [hit.reference for hit in added.near(np.array([[0, 0, 2**36 - 1, 2**64 - 1]], np.uint64))[0]] == [
        "late"
    ]
    gone = added.without({"pdq": np.array([(0).to_bytes(32, "big")], dtype="V32")})
    assert gone.near(hashes(0)) == [[]]
    assert bank.near(hashes(0))[0][0].reference == "case-0", (
        "the bank that was searched before has not changed"
    )
    assert (len(bank), len(added), len(gone)) == (2, 3, 2)


def test_a_disabled_entry_does_not_match_whatever_comes_later():
    bank = bank_of(entry(0, "false-positive"), entry(FAR, "other")).disabled(frozenset({"false-positive"}))
    assert bank.near(hashes(0)) == [[]]
    again = bank.plus(collect([entry(1, "false-positive")], "more").entries)
    assert again.near(hashes(1)) == [[]]


def test_a_list_matches_only_as_far_as_its_terms_say():
    bank = bank_of(entry(0), distance=3)
    assert [len(hits) for hits in bank.near(hashes(0b111, 0b1111))] == [1, 0]


def test_digests_and_addresses_are_found_exactly():
    from hashlib import md5, sha256

    twin = md5(b"a", usedforsecurity=False).digest()[:8] + bytes(8)  # the same first half, and another digest
    bank = bank_of(
        Entry("md5", md5(b"a", usedforsecurity=False).digest(), reference="a"),
        Entry("md5", twin, reference="twin"),
        Entry("url", b"example.org/x", reference="page"),
    )
    assert bank.equal("md5", md5(b"a", usedforsecurity=False).digest()).reference == "a"
    assert bank.equal("md5", twin).reference == "twin"
    assert bank.equal("md5", bytes(16)) is None
    assert bank.equal("url", sha256(b"example.org/x").digest()).reference == "page"
    assert bank.equal("sha1", bytes(20)) is None
    assert bank.disabled(frozenset({"page"})).equal("url", sha256(b"example.org/x").digest()) is None
