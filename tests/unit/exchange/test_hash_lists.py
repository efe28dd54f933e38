"""Every format of lists, good and bad lines, and nothing that takes the memory of a whole file."""

import json
import tracemalloc
from datetime import date

import pytest

from lightship import packs
from lightship.core.errors import InputError
from lightship.core.known import BadLine, Entry
from lightship.exchange.addresses import normalise, prefixes
from lightship.exchange.hash_lists import read, vpdq_json

HASH = "0123456789abcdef" * 4
MD5 = "0123456789abcdef" * 2


def file(tmp_path, text, name="list.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def all_of(tmp_path, form, text, name="list.txt"):
    return list(read(file(tmp_path, text, name), form))


def test_digests_of_each_length_have_their_kind(tmp_path):
    found = all_of(tmp_path, "digests", f"{MD5},a\n{MD5 + MD5[:8]}\n{HASH.upper()},c\n{MD5[:-1]}\n")
    assert [one.kind for one in found[:3]] == ["md5", "sha1", "sha256"]
    assert [one.reference for one in found[:3]] == ["a", "line 2", "c"]
    assert isinstance(found[3], BadLine)


def test_vpdq_is_read_back_as_it_was_written(tmp_path):
    frames = [Entry("pdq", bytes([n]) * 32, 80 + n, f"clip at {n:.3f} s", "clip", float(n)) for n in range(5)]
    assert all_of(tmp_path, "vpdq", vpdq_json(frames), "clip.json") == frames


def test_vpdq_of_the_program_and_bad_frames(tmp_path):
    text = f"0,99,{HASH},0.000\n30,97,{HASH},1.001\n60,97,{HASH}\n61,97,{HASH},nan\n"
    first, second, *bad = all_of(tmp_path, "vpdq", text, "clip.txt")
    assert (first.video, first.quality, second.at_s) == ("clip", 99, 1.001)
    assert [type(one) for one in bad] == [BadLine, BadLine]


def test_addresses_are_normalised(tmp_path):
    (entry, bad) = all_of(tmp_path, "urls", "HTTP://WWW.Example.org:80/a/../b#x case-3\nhttps:///no-host\n")
    assert (entry.value, entry.reference) == (b"example.org/b", "case-3")
    assert isinstance(bad, BadLine)


@pytest.mark.parametrize(
    ("typed", "one_form"),
    [
        ("https://Example.org/", "example.org"),
        ("example.org:443", "example.org"),
        ("http://example.org:8080/x/", "example.org:8080/x/"),
        ("https://exämple.org/%7ea?q=%41", "xn--exmple-cua.org/~a?q=A"),
        ("https://example.org/a//b/./c", "example.org/a/b/c"),
    ],
)
def test_one_form_for_every_way_of_typing(typed, one_form):
    assert normalise(typed) == one_form
    assert normalise(one_form) == one_form


def test_folders_hosts_and_parent_domains_are_looked_up_too():
    assert prefixes("a.b.example.org/x/y?z=1") == (
        "a.b.example.org/x/y?z=1",
        "a.b.example.org/x/y",
        "a.b.example.org/x/",
        "a.b.example.org",
        "b.example.org",
        "example.org",
    )


def test_a_mapping_reads_a_schema_that_is_not_in_the_code(tmp_path):
    vics = str(packs.root() / "lists" / "vics.toml")
    records = [
        {"MediaID": 7, "Category": 1, "MD5": MD5, "SHA1": MD5 + MD5[:8]},
        {"MediaID": 8, "Category": 5, "MD5": MD5},
        {"MediaID": 9, "Category": 2},
        {"MediaID": 10, "Category": 2, "MD5": "zz"},
    ]
    found = all_of(tmp_path, vics, json.dumps({"value": records}), "export.json")
    assert [(one.kind, one.reference) for one in found[:2]] == [("md5", "7"), ("sha1", "7")]
    assert [type(one) for one in found[2:]] == [BadLine, BadLine]


def test_a_mapping_that_names_other_things_is_refused(tmp_path):
    mapping = file(tmp_path, '[fields]\nface = "F"\nmd5 = "M"\n', "mine.toml")
    with pytest.raises(InputError, match="face"):
        list(read(file(tmp_path, "{}", "x.json"), str(mapping)))


def test_an_unknown_format_lists_the_known(tmp_path):
    with pytest.raises(InputError, match="vpdq"):
        list(read(file(tmp_path, ""), "photodna"))


def test_a_day_and_case_and_a_byte_order_mark(tmp_path):
    day, entry = all_of(tmp_path, "pdq", f"\ufeff# as-of: 2026-10-01\n{HASH.upper()},87,case-7\n")
    assert day == date(2026, 10, 1)
    assert (entry.value.hex(), entry.quality, entry.reference) == (HASH, 87, "case-7")


def test_a_long_file_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "long.txt"
    with path.open("w", encoding="utf-8") as out:
        for _ in range(60):
            out.write(f"{HASH}\n" * 1000)
        out.write("f" * 5_000_000)
    tracemalloc.start()
    count = sum(1 for _ in read(path, "pdq"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60_001
    assert most < 1_000_000
