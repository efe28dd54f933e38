"""Lists, the exact index, and the detector that says which list a picture is on."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from lightship.core.errors import DetectorError, InputError
from lightship.detect.hash_list import load_list
from lightship.detect.index import ScanIndex
from lightship.detect.known_media import KnownMediaDetector, weight_db
from lightship.detect.pdq import pdq, to_hex

GOOD = "0123456789abcdef" * 4


def write(tmp_path, text, name="bank.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_hashes_qualities_references_comments_case_and_a_bom(tmp_path):
    other = "f" * 60 + "0000"
    path = write(
        tmp_path, f"# as-of: 2026-10-01\n{GOOD.upper()},87,case-7\n\n{other}\n", encoding="utf-8-sig"
    )
    loaded = load_list(path)
    assert [to_hex(one) for one in loaded.hashes] == [GOOD, other]
    assert loaded.references == ("case-7", "line 4")
    assert loaded.as_of == date(2026, 10, 1)
    assert loaded.digest.startswith("sha256:")


def test_low_quality_is_quarantined_and_duplicates_are_counted(tmp_path):
    loaded = load_list(write(tmp_path, f"{GOOD},100\n{GOOD},90\n{'a' * 64},49\n"))
    assert (len(loaded.hashes), loaded.duplicates, loaded.quarantined) == (1, 1, 1)


def test_bad_lines_are_named_by_number(tmp_path):
    path = write(tmp_path, f"{GOOD}\nnot a hash\n{GOOD[:-1]}\n{'b' * 64},high\n{'c' * 64},101\n")
    with pytest.raises(InputError) as caught:
        load_list(path)
    message = str(caught.value)
    assert "4 of the list's lines are bad" in message
    assert all(f"line {number}:" in message for number in (2, 3, 4, 5))
    assert "--skip-bad" in message


def test_the_good_lines_load_when_asked_and_the_bad_are_counted(tmp_path):
    loaded = load_list(write(tmp_path, f"{GOOD}\nnot a hash\n"), skip_bad=True)
    assert (len(loaded.hashes), loaded.skipped) == (1, 1)


def test_a_header_is_no_entry_and_a_reference_may_hold_commas(tmp_path):
    loaded = load_list(write(tmp_path, f'hash,quality,reference\n{GOOD},,"a, b\x1b[2J"\n'))
    assert loaded.references == ("a, b?[2J",)
    assert loaded.loaded_from == tmp_path / "bank.csv"


def test_an_endless_line_is_one_bad_line(tmp_path):
    path = write(tmp_path, f"{'0' * 1_000_000}\n{GOOD}\n")
    with pytest.raises(InputError, match="1 of the list's lines are bad: line 1:"):
        load_list(path)
    assert load_list(path, skip_bad=True).references == ("line 2",)


def test_a_date_that_is_none_is_a_bad_line(tmp_path):
    with pytest.raises(InputError, match="'yesterday' is not YYYY-MM-DD"):
        load_list(write(tmp_path, f"# as-of: yesterday\n{GOOD}\n"))


def test_only_the_first_bad_lines_are_shown_and_no_hash_is(tmp_path):
    with pytest.raises(InputError) as caught:
        load_list(write(tmp_path, f"{GOOD}0\n" * 40))
    assert "40 of the list's lines are bad" in str(caught.value)
    assert "and 35 more" in str(caught.value)
    assert GOOD not in str(caught.value)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=30), st.data())
def test_each_hash_is_kept_once_in_order(tmp_path_factory, entries, draw):
    again = entries + draw.draw(st.lists(st.sampled_from(entries), max_size=10))
    path = write(tmp_path_factory.mktemp("lists"), "".join(one.hex() + "\n" for one in again))
    loaded = load_list(path)
    assert [to_hex(one) for one in loaded.hashes] == [one.hex() for one in dict.fromkeys(again)]
    assert loaded.duplicates == len(again) - len(set(again))


@pytest.mark.parametrize("text", ["", "# only words\n", "\x00\x01\x02"])
def test_a_list_without_a_hash_is_refused(tmp_path, text):
    with pytest.raises(InputError):
        load_list(write(tmp_path, text), skip_bad=True)


def test_a_missing_list_says_so(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_list(tmp_path / "none.csv")


def near(hash_, bits, rng):
    flipped = hash_.copy()
    for bit in rng.choice(256, bits, replace=False):
        flipped[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return flipped


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_the_scan_finds_exactly_what_brute_force_finds(seed, entries):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, (entries, 4), dtype=np.uint64)
    queries = np.stack(
        [near(hashes[rng.integers(entries)], int(bits), rng) for bits in rng.integers(0, 40, 8)]
    )
    for query, found in zip(queries, ScanIndex(hashes).query(queries), strict=True):
        distances = np.bitwise_count(hashes ^ query).sum(axis=1)
        assert {(i, int(distances[i])) for i in np.flatnonzero(distances <= 31)} == set(found)


def test_across_block_borders_too():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, (40_000, 4), dtype=np.uint64)
    for entry in (0, 16_383, 16_384, 39_999):
        assert ScanIndex(hashes).query(near(hashes[entry], 31, rng)[None])[0] == [(entry, 31)]


def test_an_empty_index_finds_nothing_and_other_shapes_are_refused():
    empty = ScanIndex(np.empty((0, 4), np.uint64))
    assert len(empty) == 0
    assert empty.query(np.zeros((2, 4), np.uint64)) == [[], []]
    for wrong in (np.zeros(4, np.uint64), np.zeros((1, 5), np.uint64), np.zeros((1, 4), np.int64)):
        with pytest.raises(InputError, match="uint64"):
            empty.query(wrong)
        with pytest.raises(InputError, match="uint64"):
            ScanIndex(wrong)


@pytest.fixture
def bank(tmp_path):
    """A list that holds one benign photograph, as if it were known."""
    rng = np.random.default_rng(3)
    others = "".join(to_hex(one) + "\n" for one in rng.integers(0, 2**64, (500, 4), dtype=np.uint64))
    hash_, quality = pdq(data.camera())
    return write(tmp_path, others + f"{to_hex(hash_)},{quality},benign-photo\n")


def test_a_listed_picture_is_found_and_its_list_named_but_never_its_hash(bank):
    detector = KnownMediaDetector.load([str(bank)])
    ((reading,),) = detector.read([data.camera()])
    assert reading.detail == "list bank, entry benign-photo, distance 0, quality 100"
    assert reading.score == 90.0


def test_a_compressed_copy_is_found_with_a_little_less_weight(bank):
    import cv2

    copy = cv2.imdecode(cv2.imencode(".jpg", data.camera(), [1, 25])[1], 0)
    ((reading,),) = KnownMediaDetector.load([str(bank)]).read([copy])
    assert 80.0 <= reading.score <= 90.0


@pytest.mark.parametrize(
    "frame", [data.coins(), np.zeros((300, 400), np.uint8), np.full((64, 64), 255, np.uint8)]
)
def test_other_and_flat_pictures_are_not_found(bank, frame):
    assert KnownMediaDetector.load([str(bank)]).read([frame]) == [()]


def test_coverage_says_how_old_a_list_is(bank):
    loaded = load_list(write(bank.parent, f"# as-of: 2026-01-01\n{GOOD}\n", "old.csv"))
    detector = KnownMediaDetector([loaded], max_age_days=30, today=date(2026, 11, 24))
    (state,) = detector.coverage()
    assert state.stale
    assert state.entries == 1


def test_a_list_dates_itself_else_by_its_file_and_is_never_stale_without_a_limit(bank):
    (state,) = KnownMediaDetector.load(bank).coverage()
    assert state.age_days == 0
    assert not state.stale


def test_several_lists_are_matched_and_each_named(tmp_path, bank):
    hash_, _ = pdq(data.coins())
    second = write(tmp_path, f"{to_hex(hash_)},,coins\n", "second.txt")
    detector = KnownMediaDetector.load([str(bank), str(second)])
    details = [reading.detail for (reading,) in detector.read([data.camera(), data.coins()])]
    assert details[0].startswith("list bank, entry benign-photo")
    assert details[1].startswith("list second, entry coins")
    assert not any(to_hex(hash_)[:8] in detail for detail in details)


def test_the_version_names_the_lists_by_their_digests(bank):
    assert KnownMediaDetector.load(bank).version == load_list(bank).digest.removeprefix("sha256:")[:12]


def test_no_list_is_said():
    with pytest.raises(DetectorError, match="--list"):
        KnownMediaDetector.load()


@given(st.integers(0, 31), st.integers(0, 31), st.integers(1, 10**8))
def test_a_nearer_match_never_weighs_less(one, other, entries):
    near_bits, far_bits = sorted((one, other))
    assert weight_db(near_bits, entries) >= weight_db(far_bits, entries)
