"""The log as static files: tiles and proofs against the tree's own, crashes, damage, forks and witnesses."""

import functools
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.errors import LedgerError, LogDamaged, LogForked, PackRolledBack
from lightship.core.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from lightship.core.notes import SigningKey, open_checkpoint, parse_note
from lightship.core.tiles import Tiles, bundle, check_extends, included, tile_path, tile_width, unbundle
from lightship.core.witnesses import WitnessKey, cosign, cosigned, parse_witnesses
from lightship.infra.tile_log import append, read_checkpoint, reader, verify_log
from lightship.infra.witness import witness

KEY = SigningKey.from_seed("log.example.org/packs", bytes(range(32)))
WITNESS = SigningKey.from_seed("witness.example.org/w1", bytes(range(1, 33)))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENTRIES = [b"entry %d" % number for number in range(70_000)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@functools.cache
def in_memory(size):
    """The files of a log of this size, as the specification defines them."""
    files = {}
    for level in range(3):
        for number in range(((size >> 8 * level) + 255) // 256):
            width = tile_width(level, number, size)
            span = 256**level
            hashes = [
                Frontier().extended(LEAVES[at * span : (at + 1) * span]).root()
                for at in range(number * 256, number * 256 + width)
            ]
            files[tile_path(level, number, width)] = b"".join(hashes)
    return files


def test_paths_are_those_of_the_specification():
    assert tile_path(0, 0, 256) == "tile/0/000"
    assert tile_path(63, 1_234_067, 1) == "tile/63/x001/x234/067.p/1"
    # Its own example: 70,000 entries.
    widths = [[tile_width(level, number, 70_000) for number in range(274)] for level in range(4)]
    assert [sum(width == 256 for width in row) for row in widths] == [273, 1, 0, 0]
    assert [[width for width in row if 0 < width < 256] for row in widths] == [[112], [17], [1], []]
    assert (tile_width(0, 0, 256), tile_width(1, 0, 256), tile_width(1, 0, 255)) == (256, 1, 0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000, 66_000, 70_000])
def test_roots_and_proofs_from_tiles_are_the_trees_own(size):
    tiles = Tiles(lambda path: in_memory(size)[path], size)
    root = Frontier().extended(LEAVES[:size]).root()
    assert tiles.root() == root
    for index in {0, size // 3, size - 1}:
        proof = tiles.inclusion_proof(index)
        assert verify_inclusion(LEAVES[index], index, size, proof, root)
        if size <= 1000:
            assert proof == inclusion_proof(LEAVES[:size], index)
    for old in {1, size // 2, size - 1, size} - {0}:
        old_root = Frontier().extended(LEAVES[:old]).root()
        proof = tiles.consistency_proof(old)
        assert verify_consistency(old, old_root, size, root, proof)
        if size <= 1000:
            assert proof == consistency_proof(LEAVES[:size], old)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_a_log_grown_in_any_steps_is_the_same_log(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("log")
    size = 0
    for step in steps:
        assert append(folder, KEY, ENTRIES[size : size + step]) == list(range(size, size + step))
        size += step
        tiles = Tiles(reader(folder), size)
        assert tiles.root() == Frontier().extended(LEAVES[:size]).root()
        assert list(tiles.entries()) == ENTRIES[:size]
    files = in_memory(size)
    assert all((folder / path).read_bytes() == data for path, data in files.items())
    assert verify_log(folder, KEY.verifier).ok


def test_an_entry_that_is_there_is_not_appended_again(tmp_path):
    assert append(tmp_path, KEY, [b"one", b"two", b"one"]) == [0, 1, 0]
    assert append(tmp_path, KEY, [b"three", b"two"]) == [2, 1]
    assert open_checkpoint(read_checkpoint(tmp_path), KEY.verifier).size == 3


def test_a_crash_before_the_checkpoint_leaves_the_log_as_it_was(tmp_path, monkeypatch):
    append(tmp_path, KEY, ENTRIES[:250])
    from lightship.infra import tile_log

    written = []

    def failing(path, data):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    with monkeypatch.context() as patched:
        patched.setattr(tile_log, "write_whole", failing)
        with pytest.raises(Exception, match="cannot be written"):
            append(tmp_path, KEY, ENTRIES[250:600])
    assert verify_log(tmp_path, KEY.verifier).size == 250
    append(tmp_path, KEY, ENTRIES[300:650])  # others than those that failed
    report = verify_log(tmp_path, KEY.verifier)
    assert (report.ok, report.size) == (True, 600)


def test_full_files_stand_in_for_partial_ones_that_were_dropped(tmp_path):
    append(tmp_path, KEY, ENTRIES[:100])
    old = open_checkpoint(read_checkpoint(tmp_path), KEY.verifier)
    append(tmp_path, KEY, ENTRIES[100:300])
    shutil.rmtree(tmp_path / "tile" / "0" / "000.p")
    shutil.rmtree(tmp_path / "tile" / "entries" / "000.p")
    tiles = Tiles(reader(tmp_path), 100)
    assert tiles.root() == old.root
    assert list(tiles.entries()) == ENTRIES[:100]


def test_truncated_and_missing_files_are_named(tmp_path):
    append(tmp_path, KEY, ENTRIES[:300])
    note = open_checkpoint(read_checkpoint(tmp_path), KEY.verifier)
    tile = tmp_path / "tile" / "0" / "001.p" / "44"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    with pytest.raises(LogDamaged, match="cut short"):
        included(ENTRIES[299], note, Tiles(reader(tmp_path), 300))
    tile.write_bytes(whole[:-32] + bytes(32))
    with pytest.raises(LogDamaged, match="do not give the root"):
        included(ENTRIES[299], note, Tiles(reader(tmp_path), 300))
    tile.unlink()
    with pytest.raises(LogDamaged, match="missing"):
        included(ENTRIES[299], note, Tiles(reader(tmp_path), 300))
    with pytest.raises(LogDamaged, match="missing"):
        append(tmp_path, KEY, [b"more"])
    bundle_file = tmp_path / "tile" / "entries" / "000"
    bundle_file.write_bytes(bundle_file.read_bytes()[:-1])
    with pytest.raises(LogDamaged, match="256 whole entries"):
        verify_log(tmp_path, KEY.verifier)
    (tmp_path / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(LogDamaged, match="checkpoint cannot be read"):
        verify_log(tmp_path, KEY.verifier)


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_a_bundle_is_read_as_it_was_written_and_a_cut_one_is_refused(entries, data):
    whole = bundle(entries)
    assert unbundle(whole, len(entries), "here") == entries
    if whole:
        with pytest.raises(LogDamaged):
            unbundle(whole[: data.draw(st.integers(0, len(whole) - 1))], len(entries), "here")


def test_an_entry_too_long_for_the_format_is_refused(tmp_path):
    with pytest.raises(LogDamaged, match="longer than 65535"):
        append(tmp_path, KEY, [bytes(65536)])


def test_no_path_leaves_the_folder(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "log").mkdir()
    for path in ("../secret", "tile/0/../../../secret", "/etc/hostname", "tile/0/000.p/1/../1"):
        with pytest.raises(OSError, match="no file of a log"):
            reader(tmp_path / "log")(path)


def test_a_fork_is_told_from_an_old_copy_and_from_damage(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    append(mine, KEY, ENTRIES[:10])
    old = open_checkpoint(read_checkpoint(mine), KEY.verifier)
    shutil.copytree(mine, other)
    append(mine, KEY, [b"for everyone"])
    seen = open_checkpoint(read_checkpoint(mine), KEY.verifier)
    append(other, KEY, [b"for one device"])
    check_extends(old, seen, Tiles(reader(mine), 11))
    for more in ([], [b"and more"]):
        append(other, KEY, more)
        forked = open_checkpoint(read_checkpoint(other), KEY.verifier)
        with pytest.raises(LogForked):
            check_extends(seen, forked, Tiles(reader(other), forked.size))
    with pytest.raises(PackRolledBack, match="has 10 entries, and this device has seen 11"):
        check_extends(seen, old, Tiles(reader(mine), 10))
    append(mine, KEY, [b"next"])
    shutil.copy(other / "tile" / "0" / "000.p" / "12", mine / "tile" / "0" / "000.p" / "12")
    with pytest.raises(LogDamaged):
        check_extends(seen, open_checkpoint(read_checkpoint(mine), KEY.verifier), Tiles(reader(mine), 12))
    report = verify_log(other, KEY.verifier, [read_checkpoint(mine)])
    assert not report.ok
    assert any("fork" in problem.what or "not match" in problem.what for problem in report.problems)


# Witnesses -------------------------------------------------------------------------------------


def test_cosignatures_are_those_of_the_specification():
    example = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    _, lines = parse_note(example)
    name, key_id, signature = lines[1]
    assert (name, key_id.hex(), len(signature)) == ("witness.example.com/w1", "8d66cf3f", 72)
    assert int.from_bytes(signature[:8], "big") == 1679315147  # the time that the specification shows


def test_a_witness_cosigns_what_extends_and_nothing_else(tmp_path):
    log, state = tmp_path / "log", tmp_path / "witness"
    append(log, KEY, ENTRIES[:3])
    key = WitnessKey.of(WITNESS)
    witness(log, KEY.verifier, WITNESS, state, NOW)
    assert cosigned(read_checkpoint(log), [key]) == {key.name: int(NOW.timestamp())}
    forked = tmp_path / "forked"
    shutil.copytree(log, forked)
    append(log, KEY, [b"more"])
    assert cosigned(read_checkpoint(log), [key]) == {}  # the new checkpoint has to be seen again
    witness(log, KEY.verifier, WITNESS, state, NOW)
    witness(log, KEY.verifier, WITNESS, state, NOW)
    assert read_checkpoint(log).count("witness.example.org") == 1
    append(forked, KEY, [b"other", b"things"])
    with pytest.raises(LogForked):
        witness(forked, KEY.verifier, WITNESS, state, NOW)
    assert cosigned(read_checkpoint(forked), [key]) == {}
    (evidence,) = state.glob("*.forked-*")
    assert evidence.read_text() == read_checkpoint(forked)
    (state / f"{KEY.verifier.key_id.hex()}.checkpoint").write_text("gone")
    with pytest.raises(LedgerError, match="must stop"):
        witness(log, KEY.verifier, WITNESS, state, NOW)


def test_a_cosignature_over_another_text_counts_as_none(tmp_path):
    append(tmp_path, KEY, [b"one"])
    note = cosign(read_checkpoint(tmp_path), WITNESS, 5)
    append(tmp_path, KEY, [b"two"])
    moved = read_checkpoint(tmp_path) + note.rpartition("\n\n")[2].splitlines(keepends=True)[-1]
    assert cosigned(note, [WitnessKey.of(WITNESS)]) == {WITNESS.name: 5}
    assert cosigned(moved, [WitnessKey.of(WITNESS)]) == {}
    assert open_checkpoint(moved, KEY.verifier).size == 2  # the log's own signature stands


def test_a_witness_has_a_key_of_its_own_kind():
    key = WitnessKey.of(WITNESS)
    assert parse_witnesses([str(key), str(key)]) == (key,)
    with pytest.raises(LedgerError, match="type 4"):
        WitnessKey.parse(str(WITNESS.verifier))
    other = WitnessKey("other.example.org", key.public)
    with pytest.raises(LedgerError, match="Two witnesses have one key"):
        parse_witnesses([str(key), str(other)])


APPENDING = """
import sys
from pathlib import Path
from lightship.core.notes import SigningKey
from lightship.infra.tile_log import append
key = SigningKey.from_seed("log.example.org/packs", bytes(range(32)))
for number in range(int(sys.argv[2]), 10**9, 7):
    append(Path(sys.argv[1]), key, [b"entry %d" % one for one in range(number, number + 7)])
    print(number + 7, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_log_that_verifies_with_all_that_was_said_to_be_in_it(tmp_path):
    said = 0
    for wait in (1, 9, 40):  # appends before the kill, which then comes somewhere inside one
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDING, str(tmp_path), str(said)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(wait):
            said = int(process.stdout.readline())
        process.kill()
        said = max([said, *map(int, process.stdout.read().split())])
        process.wait()
        process.stdout.close()
        report = verify_log(tmp_path, KEY.verifier)
        assert report.ok, str(report)
        assert said <= report.size <= said + 7
        said = report.size
    assert said > 256
