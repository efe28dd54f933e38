"""A process that is killed while it seals leaves nothing in the vault that is on no record and on no ledger."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.duties.making import store_in
from tests.unit.infra.crashes import Steps, die

from lightship.checks.check_store import T0, case, exhibit_of
from lightship.core import holds
from lightship.core.cases import Exhibit
from lightship.core.errors import StoreError, VaultError
from lightship.core.notes import SigningKey
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.orphans import BASIS, GRACE, Orphans, sweep
from lightship.infra.retention import expire
from lightship.infra.vault import FileVault
from lightship.watch import evidence
from lightship.watch.ring import Still

CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.infra.test_orphans"])
KEY = SigningKey.from_seed("example.org/vault", bytes(32))
STILL = Still(3.0, b"a synthetic still")
ID = exhibit_of(STILL.jpeg).id
LATER = datetime.now(UTC) + 2 * GRACE


def keep_until_killed(folder: str, at: int) -> None:
    steps = Steps(at, die)
    with store_in(Path(folder)) as store, LedgerFile(Path(folder) / "log", KEY) as log:
        vault = FileVault(Path(folder) / "vault", log)
        vault.seal = steps.around(vault.seal)
        vault._write = steps.around(vault._write)
        evidence.keep(steps.within(store), vault, [STILL], "case-0001", T0)


def seal_until_killed(folder: str) -> None:
    """Die before the key has its name; that of the data is given before."""
    steps, replace = Steps(2, die), Path.replace
    Path.replace = lambda part, target: (steps(), replace(part, target))[1]
    with LedgerFile(Path(folder) / "log", KEY) as log:
        Path(folder, "vault").mkdir()
        vault = FileVault(Path(folder) / "vault", log)
        steps.count = 0
        vault.seal(STILL.jpeg, exhibit_of(STILL.jpeg, case_id="case-0001"))


def kinds(store, kind):
    with store.look() as work:
        rows = work.connection.execute(sa.select(store.schema.journal.c.entry)).scalars()
        return [one for one in map(json.loads, rows) if one["kind"] == kind]


@pytest.fixture
def opened(tmp_path):
    with store_in(tmp_path) as store, LedgerFile(tmp_path / "log", KEY) as log:
        with store.begin() as work:
            work.save(case(1))
        yield store, FileVault(tmp_path / "vault", log)


def on_record(store):
    with store.look() as work:
        return {one.id for one in work.find(Exhibit, {"destroyed_at": None})}


def test_killed_at_any_step_a_still_is_on_record_or_never_was(tmp_path):
    """The process really dies; in some of the steps it leaves an orphan, and the next sweep puts it on record."""
    left = ended = 0
    for at in range(1, 40):
        folder = tmp_path / str(at)
        folder.mkdir()
        with store_in(folder) as store, store.begin() as work:
            work.save(case(1))
        child = CHILDREN.Process(target=keep_until_killed, args=(str(folder), at))
        child.start()
        child.join()
        with store_in(folder) as store, LedgerFile(folder / "log", KEY) as log:
            vault = FileVault(folder / "vault", log)
            sealed = set(vault.sealed(LATER))
            orphan = sealed - on_record(store)
            left += bool(orphan)
            assert sweep(store, vault, datetime.now(UTC)).recovered == (), "whoever seals now is given time"
            done = sweep(store, vault, LATER, recover=True)
            assert set(done.recovered) == orphan
            assert [one["exhibit"] for one in kinds(store, "exhibit-recovered")] == list(orphan)
            assert set(vault.sealed(LATER)) == on_record(store) == sealed
            assert not any(path.name.startswith(".") for path in (folder / "vault" / "data").glob("*/*"))
            for id_ in sealed:
                with store.look() as work:
                    kept = work.get(Exhibit, id_)
                assert vault.open(kept, by="mo", purpose="test") == STILL.jpeg
                assert (kept.media, kept.from_s, kept.stream_id) == ("image/jpeg", 3.0, case(1).stream_id)
                assert kept.expires_at == T0 + evidence.KEEP
            assert sweep(store, vault, LATER).recovered == ()
        if child.exitcode == 0:
            ended = at
            break
    assert left > 0, "so the crash is real"
    assert ended > 5


def test_nothing_is_destroyed_because_the_store_does_not_know_it(opened):
    """The store may be an older copy, or another one: what was sent to an authority would be lost for good."""
    store, vault = opened
    own = exhibit_of(b"{}", media="application/vnd.lightship.submission+json", case_id="case-0001")
    strange = exhibit_of(b"strange", case_id="gone", hold="")
    for data, one in ((b"{}", own), (b"strange", strange)):
        vault.seal(data, one)
    with pytest.raises(StoreError, match="knows 0 of the 2 exhibits"):
        sweep(store, vault, LATER)
    assert on_record(store) == set(), "so nothing was done"
    done = sweep(store, vault, LATER, recover=True)
    assert set(done.recovered) == {own.id, strange.id}
    with store.look() as work:
        assert {work.get(Exhibit, one.id).media for one in (own, strange)} == {own.media, strange.media}
        assert {work.get(Exhibit, one.id).expires_at for one in (own, strange)} == {own.expires_at}
    assert sweep(store, vault, LATER) == type(done)()


def test_what_another_store_has_on_hold_no_run_on_this_one_destroys_before_a_person_lifts_the_hold(opened):
    store, vault = opened
    one = exhibit_of(b"held elsewhere", case_id="case-0001")
    vault.seal(b"held elsewhere", one)
    past = LATER + timedelta(days=3660)
    sweep(store, vault, past, recover=True)
    assert expire(store, vault, past).destroyed == ()
    with store.begin() as work:
        (hold,) = holds.standing(work, one.id)
        assert (hold.basis, work.get(Exhibit, one.id).hold) == ("recovered: a person decides",) * 2
        holds.lift(work, hold.id, reason="looked at", by="ann", now=past)
    assert expire(store, vault, past).destroyed == (one.id,)


def test_a_store_that_knows_half_of_the_vault_is_the_vaults(opened):
    store, vault = opened
    known, other, third = (exhibit_of(data, case_id="case-0001") for data in (b"1", b"2", b"3"))
    with store.begin() as work:
        work.save(known)
    for data, one in ((b"1", known), (b"2", other)):
        vault.seal(data, one)
    assert sweep(store, vault, LATER).recovered == (other.id,)
    with store.begin() as work:
        work.change(Exhibit, other.id, {}, id="0" * 64)
    vault.seal(b"3", third)
    with pytest.raises(StoreError, match="knows 1 of the 3"):
        sweep(store, vault, LATER)


def parts(vault):
    return list((vault.folder / "keys").glob(".part-*"))


@pytest.fixture
def cut(tmp_path):
    """Return a store and a vault in which a process was killed before the key of a still had its name."""
    child = CHILDREN.Process(target=seal_until_killed, args=(str(tmp_path),))
    child.start()
    child.join()
    assert child.exitcode == -9
    with store_in(tmp_path) as store, LedgerFile(tmp_path / "log", KEY) as log:
        vault = FileVault(tmp_path / "vault", log)
        assert len(parts(vault)) == 1
        assert list(vault.sealed(LATER)) == [], "it is listed nowhere"
        yield store, vault, log


def test_a_key_that_a_kill_left_without_its_name_gets_it_and_its_exhibit_is_on_record(cut):
    store, vault, log = cut
    assert sweep(store, vault, datetime.now(UTC)) == Orphans(), "whoever seals now is given time"
    assert sweep(store, vault, LATER) == Orphans(recovered=(ID,))
    with store.look() as work:
        row = work.get(Exhibit, ID)
    assert (row.case_id, row.hold) == ("case-0001", BASIS)
    assert vault.open(row, by="mo", purpose="test") == STILL.jpeg
    assert [one["exhibit"] for one in log.entries() if one["kind"] == "exhibit-key-finished"] == [ID]
    assert (parts(vault), sweep(store, vault, LATER)) == ([], Orphans())


@pytest.mark.parametrize("how", ["sealed again", "destroyed since", "data gone", "half"])
def test_a_key_without_its_name_that_nothing_lacks_is_shredded(cut, how):
    store, vault, _ = cut
    (part,) = parts(vault)
    data = vault.folder / "data" / ID[:2] / ID
    if how == "sealed again":
        vault.seal(STILL.jpeg, exhibit_of(STILL.jpeg, case_id="case-0001"))
    elif how == "destroyed since":
        (part.parent / f"{ID}.destroyed").write_text("sha256:0")
    elif how == "data gone":
        data.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-1])
    has_key = how == "sealed again"
    assert sweep(store, vault, LATER, recover=True) == Orphans((ID,) if has_key else (), (), 1)
    assert parts(vault) == []
    assert (part.parent / ID).exists() == has_key
    assert kinds(store, "vault-cleared")[0]["files"] == 1


def test_a_key_without_its_name_that_opens_nothing_is_left_for_its_master_key_or_a_copy_of_the_data(
    cut, tmp_path
):
    store, vault, log = cut
    other = FileVault(vault.folder, log, tmp_path / "other.key")
    data = vault.folder / "data" / ID[:2] / ID
    whole = data.read_bytes()
    assert sweep(store, other, LATER) == Orphans(left=1)
    data.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert sweep(store, vault, LATER) == Orphans(left=1)
    assert len(parts(vault)) == 1
    data.write_bytes(whole)
    assert sweep(store, vault, LATER).recovered == (ID,)


def destroyed(store, vault, one):
    """Seal a still of a case and let its key be destroyed, with its row."""
    gone_at = datetime.now(UTC)
    vault.seal(STILL.jpeg, one)
    with store.begin() as work:
        work.save(one)
        work.change(Exhibit, one.id, {}, destroyed_at=gone_at)
        vault.destroy(one, by="retention", reason="its time is over", now=gone_at)
    return gone_at


def test_what_was_destroyed_and_met_again_before_a_crash_is_on_record_for_its_new_case(opened):
    store, vault = opened
    gone_at = destroyed(store, vault, exhibit_of(STILL.jpeg, case_id="case-0000"))
    again = exhibit_of(STILL.jpeg, case_id="case-0001", expires_at=T0 + timedelta(days=900))
    vault.seal(STILL.jpeg, again)
    done = sweep(store, vault, LATER)
    assert (done.recovered, done.destroyed) == ((ID,), ())
    with store.look() as work:
        row = work.get(Exhibit, ID)
        assert (row.case_id, row.expires_at, row.destroyed_at) == ("case-0001", again.expires_at, None)
        assert [one.basis for one in holds.standing(work, ID)] == [BASIS]
    assert vault.open(row, by="mo", purpose="test") == STILL.jpeg
    (said,) = kinds(store, "exhibit-met-again")
    assert (said["case_before"], said["destroyed_at"]) == ("case-0000", gone_at.isoformat())


def test_a_still_that_was_destroyed_and_is_met_again_is_kept_for_its_new_case(opened):
    store, vault = opened
    destroyed(store, vault, exhibit_of(STILL.jpeg, case_id="case-0000"))
    now = datetime.now(UTC)
    (kept,) = evidence.keep(store, vault, [STILL], "case-0001", now)
    with store.look() as work:
        assert work.get(Exhibit, ID) == kept
    assert (kept.case_id, kept.expires_at) == ("case-0001", now + evidence.KEEP)
    assert vault.open(kept, by="mo", purpose="test") == STILL.jpeg
    assert len(kinds(store, "exhibit-met-again")) == len(kinds(store, "pinned")) == 1
    assert sweep(store, vault, LATER) == Orphans(), "nothing is left to be settled"
    assert evidence.keep(store, vault, [STILL], "case-0001", now) == (), "what is there is left as it is"


def test_what_the_log_does_not_know_is_on_record_for_a_year(opened, tmp_path):
    store, vault = opened
    one = exhibit_of(b"old", case_id="case-0001")
    vault.seal(b"old", one)
    with LedgerFile(tmp_path / "new log", KEY) as log:
        done = sweep(store, FileVault(vault.folder, log), LATER, recover=True)
    assert done.recovered == (one.id,)
    with store.look() as work:
        found = work.get(Exhibit, one.id)
    assert (found.media, found.expires_at) == ("application/octet-stream", LATER + timedelta(days=365))


def test_unfinished_files_are_removed_and_what_was_destroyed_stays_destroyed(opened):
    store, vault = opened
    one = exhibit_of(b"old", case_id="case-0001")
    vault.seal(b"old", one)
    with store.begin() as work:
        work.save(one)
        work.change(Exhibit, one.id, {}, destroyed_at=datetime.now(UTC))
    part = vault.folder / "data" / "aa"
    part.mkdir()
    (part / ".aa.1234").write_bytes(b"half")
    (part / ("aa" * 32)).write_bytes(b"its key may be restored later")
    done = sweep(store, vault, LATER)
    assert (done.recovered, done.destroyed, done.removed) == ((), (one.id,), 1)
    assert kinds(store, "vault-cleared")[0]["files"] == 1
    assert (part / ("aa" * 32)).exists()
    assert sweep(store, vault, LATER + timedelta(days=1)) == type(done)()
    with pytest.raises(VaultError, match="was destroyed"):
        vault.open(one, by="mo", purpose="test")
