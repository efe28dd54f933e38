"""The vault: every changed byte is found, what was destroyed is gone, two people for an export, and every act on the log."""

from __future__ import annotations

import io
import multiprocessing
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.infra.crashes import die

from lightship.checks.check_store import T0, check_vault, exhibit_of
from lightship.core.canonical import digest
from lightship.core.errors import VaultError
from lightship.core.notes import SigningKey
from lightship.infra import exhibit_file
from lightship.infra import vault as vault_module
from lightship.infra.ledger_file import LedgerFile, read_entries, verify_file
from lightship.infra.vault import FileVault

KEY = SigningKey.from_seed("example.org/vault", bytes(32))
DATA = b"a span of a stream " * 100
EXHIBIT = exhibit_of(DATA)
CHILDREN = multiprocessing.get_context("forkserver")


@pytest.fixture
def log(tmp_path):
    with LedgerFile(tmp_path / "log", KEY) as ledger:
        yield ledger


@pytest.fixture
def vault(tmp_path, log):
    return FileVault(tmp_path / "vault", log, tmp_path / "master.key")


def files(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file() and one.stat().st_size}


def test_it_keeps_what_it_is_given(tmp_path, log):
    check_vault(lambda: FileVault(tmp_path / "vault", log))
    assert verify_file(log.path, KEY.verifier).ok


def test_nothing_readable_is_on_the_disk_and_nobody_else_can_read_it(vault, tmp_path):
    vault.seal(DATA, EXHIBIT)
    for path, data in files(vault.folder).items():
        assert b"span of a stream" not in data, path
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert len(files(vault.folder)) == 2, "the data and its key"


def test_every_look_is_on_the_log_before_it(vault, log):
    vault.seal(DATA, EXHIBIT)
    vault.open(EXHIBIT, by="m1", purpose="review")
    kinds = [(entry["kind"], entry.get("by"), entry.get("purpose")) for entry in log.entries()]
    assert kinds == [("exhibit-sealed", None, None), ("exhibit-opened", "m1", "review")]
    log.close()
    with pytest.raises(VaultError, match="log cannot be written"):
        vault.open(EXHIBIT, by="m1", purpose="review")
    with pytest.raises(VaultError, match="log cannot be written"):
        vault.destroy(EXHIBIT, by="m1", reason="x", now=T0)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_changed_byte_is_found(vault, data):
    vault.seal(DATA, EXHIBIT)
    path, before = data.draw(st.sampled_from(sorted(files(vault.folder).items())))
    at = data.draw(st.integers(0, len(before) - 1))
    changed = bytearray(before)
    changed[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        with pytest.raises(VaultError):
            vault.open(EXHIBIT, by="m", purpose="review")
    finally:
        path.write_bytes(before)
    assert vault.open(EXHIBIT, by="m", purpose="review") == DATA


@given(
    size=st.integers(0, 70),
    piece=st.sampled_from([1, 7, 16, 64]),
    cut=st.integers(0, 200),
    order=st.randoms(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_pieces_cannot_be_left_out_added_or_moved(size, piece, cut, order, monkeypatch):
    monkeypatch.setattr(exhibit_file, "PIECE", piece)
    plain, key = bytes(range(size)), bytes(32)
    name, sealed = exhibit_of(plain).id, io.BytesIO()
    assert exhibit_file.seal([plain[:9], plain[9:]], sealed, key, name) == size
    whole = sealed.getvalue()
    assert b"".join(exhibit_file.pieces(io.BytesIO(whole), key, name)) == plain
    head, step = whole[:8], piece + 16
    parts = [whole[at : at + step] for at in range(8, len(whole), step)]
    moved = order.sample(parts, len(parts))
    for wrong in (whole[:cut], whole + whole[8:24], head + b"".join(moved), head + b"".join(parts[:-1])):
        if wrong != whole:
            with pytest.raises(VaultError, match="not as it was sealed"):
                list(exhibit_file.pieces(io.BytesIO(wrong), key, name))


def test_a_large_exhibit_comes_and_goes_in_pieces(vault):
    data = bytes(5 << 20) + b"end"
    exhibit = exhibit_of(data)
    vault.seal_pieces((data[at : at + 100_000] for at in range(0, len(data), 100_000)), exhibit)
    sizes = [len(one) for one in vault.open_pieces(exhibit, by="m", purpose="review")]
    assert sum(sizes) == len(data)
    assert max(sizes) == exhibit_file.PIECE
    assert vault.open(exhibit, by="m", purpose="review") == data


def test_after_destroying_nothing_opens_also_not_from_a_copy_of_the_data(vault, tmp_path, log):
    vault.seal(DATA, EXHIBIT)
    other = exhibit_of(b"other")
    vault.seal(b"other", other)
    shutil.copytree(vault.folder / "data", tmp_path / "copy")
    record = vault.destroy(EXHIBIT, by="retention", reason="its time is over", now=T0)
    shutil.rmtree(vault.folder / "data")
    shutil.copytree(tmp_path / "copy", vault.folder / "data")
    for again in (vault, FileVault(vault.folder, log, tmp_path / "master.key")):
        with pytest.raises(VaultError, match="was destroyed"):
            again.open(EXHIBIT, by="m", purpose="review")
    wrapped = (vault.folder / "keys" / other.id).read_bytes()
    (vault.folder / "keys" / EXHIBIT.id).write_bytes(wrapped)
    with pytest.raises(VaultError, match="key cannot be opened"):
        vault.open(EXHIBIT, by="m", purpose="review")
    assert vault.open(other, by="m", purpose="review") == b"other"
    entry = next(one for one in log.entries() if one["kind"] == "exhibit-destroyed")
    assert digest({**entry, "at": T0.isoformat()}) == record, "the digest is that of the record"


def test_the_same_bytes_may_come_again_after_they_were_destroyed(vault):
    vault.seal(DATA, EXHIBIT)
    first = vault.destroy(EXHIBIT, by="job", reason="x", now=T0)
    vault.seal(DATA, EXHIBIT)
    assert vault.open(EXHIBIT, by="m", purpose="review") == DATA
    assert vault.destroy(EXHIBIT, by="job", reason="x", now=T0 + timedelta(days=1)) != first


def leave(vault, by="auditor", purpose="court", now=T0):
    return b"".join(vault.export(EXHIBIT, by=by, purpose=purpose, now=now))


def test_an_export_needs_two_people_for_its_purpose_within_the_time_and_once(vault, log):
    vault.seal(DATA, EXHIBIT)
    with pytest.raises(VaultError, match="0 of two"):
        leave(vault)
    assert vault.approve(EXHIBIT, by="lead", purpose="court", now=T0) == 1
    assert vault.approve(EXHIBIT, by="lead", purpose="court", now=T0) == 1, "one person is one person"
    with pytest.raises(VaultError, match="1 of two"):
        leave(vault)
    assert vault.approve(EXHIBIT, by="counsel", purpose="training", now=T0) == 2
    with pytest.raises(VaultError, match="1 of two"):
        leave(vault)
    later = T0 + timedelta(hours=25)
    vault.approve(EXHIBIT, by="counsel", purpose="court", now=later)
    with pytest.raises(VaultError, match="1 of two"):
        leave(vault, now=later)
    vault.approve(EXHIBIT, by="lead", purpose="court", now=later)
    log.append_all(
        {"kind": "other", "n": n, "at": later.isoformat()} for n in range(1200)
    )  # many pages of others
    assert leave(vault, now=later) == DATA
    with pytest.raises(VaultError, match="0 of two"):
        leave(vault, now=later)
    exported = next(one for one in log.entries() if one["kind"] == "exhibit-exported")
    assert exported["approved_by"] == ["counsel", "lead"]


def test_wrong_exhibits_and_keys_are_named(vault, tmp_path, log):
    with pytest.raises(VaultError, match="no SHA-256"):
        vault.seal(DATA, replace(EXHIBIT, id="../../../etc/passwd"))
    with pytest.raises(VaultError, match="1900 came"):
        vault.seal(DATA, replace(EXHIBIT, size=5))
    assert files(vault.folder) == {}
    vault.seal(DATA, EXHIBIT)
    with pytest.raises(VaultError, match="of another master key"):
        FileVault(vault.folder, log, tmp_path / "other.key").open(EXHIBIT, by="m", purpose="x")
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(VaultError, match="Others can read"):
        FileVault(vault.folder, log, tmp_path / "master.key")


def destroy_until_killed(folder: str, name: str, nth: int) -> None:
    """Die before or after one of the vault's steps."""
    here, count = Path(folder), [0]
    with LedgerFile(here / "log", KEY) as log:
        vault = FileVault(here / "vault", log, here / "master.key")

        def stepped(function):
            def call(*args, **kwargs):
                for act in (lambda: None, lambda: function(*args, **kwargs)):
                    result = act()
                    count[0] += 1
                    if count[0] == nth:
                        die()
                return result

            return call

        vault._put, vault._write = stepped(vault._put), stepped(vault._write)
        vault_module._shred = stepped(vault_module._shred)
        if name == "seal":
            vault.seal(DATA, EXHIBIT)
        else:
            vault.destroy(EXHIBIT, by="job", reason="x", now=T0)


@pytest.mark.parametrize("act", ["seal", "destroy"])
def test_killed_between_any_two_steps_it_is_done_at_the_next_run(tmp_path, act):
    code, nth = -9, 0
    while code == -9:
        nth += 1
        shutil.rmtree(tmp_path / "vault", ignore_errors=True)
        with LedgerFile(tmp_path / "log", KEY) as log:
            vault = FileVault(tmp_path / "vault", log, tmp_path / "master.key")
            if act == "destroy":
                vault.seal(DATA, EXHIBIT)
        child = CHILDREN.Process(target=destroy_until_killed, args=(str(tmp_path), act, nth))
        child.start()
        child.join(30)
        code = child.exitcode
        with LedgerFile(tmp_path / "log", KEY) as log:
            vault = FileVault(tmp_path / "vault", log, tmp_path / "master.key")
            if act == "seal":
                vault.seal(DATA, EXHIBIT)
                assert vault.open(EXHIBIT, by="m", purpose="x") == DATA
                continue
            if not (vault.folder / "keys" / EXHIBIT.id).exists():
                kinds = [one["kind"] for one in read_entries(tmp_path / "log")]
                last = len(kinds) - 1 - kinds[::-1].index("exhibit-sealed")
                assert "exhibit-destroyed" in kinds[last:], "no key is gone without its record"
            vault.destroy(EXHIBIT, by="job", reason="x", now=T0)
            with pytest.raises(VaultError, match="was destroyed"):
                vault.open(EXHIBIT, by="m", purpose="x")
    assert code == 0
    assert nth > 4
