"""The store beside its contract: further kinds, named errors, migrations, and readers that wait for nobody."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.servers import postgres, postgres_url, store_url  # noqa: F401 - fixtures
from tests.unit.infra.crashes import Steps, die

from lightship.checks.check_store import T0, case
from lightship.core.cases import Case
from lightship.core.errors import StoreError
from lightship.core.people import Account, Look, Session, Shift
from lightship.infra.engine import engine_of
from lightship.infra.migrate import downgrade, upgrade
from lightship.infra.store import SqlStore
from lightship.infra.tables import SCHEMA, tables_of

CHILDREN = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class AccountNote:
    id: str
    roles: tuple[str, ...]
    secret: bytes
    at: datetime
    left_at: datetime | None = None
    counted: int = 0


def test_further_frozen_values_are_kept_in_tables_of_their_own(store_url):  # noqa: F811
    schema = tables_of([AccountNote], {AccountNote: [("left_at",)]})
    assert schema.of[AccountNote].name == "account_notes"
    engine = engine_of(store_url)
    schema.metadata.create_all(engine)
    engine.dispose()
    note = AccountNote("n", ("lead", "auditor"), b"\0\xff", datetime(2026, 1, 1, tzinfo=UTC))
    with SqlStore(store_url, schema) as store, store.begin() as work:
        work.save(note, case(1))
        assert work.get(AccountNote, "n") == note
        assert work.change(AccountNote, "n", {"counted": 0}, roles=()) == replace(note, roles=())
        assert work.count(AccountNote) == 1
        assert work.count(Case, {"state": ("open", "decided")}) == 1


def test_who_works_at_the_console_and_what_they_saw_come_back_as_they_were(store_url):  # noqa: F811
    upgrade(store_url)
    values = (
        Account("mo", "Mo", "moderator", "hash", "sealed", T0, T0, active=False, locked_until=T0, keys="off"),
        Session("s", "mo", "lead", "csrf", T0, T0),
        Shift("sh", "mo", T0, seconds=1.5, items=2, severity=0.7, opted_out=True, handover="all calm"),
        Look("l", "mo", "sh", "case-0001", "e", "blurred", "review", T0, granted_s=5.0, covered_at=T0),
        case(1, still="f0" * 32),
    )
    with SqlStore(store_url) as store:
        with store.begin() as work:
            work.save(*values)
        with store.look() as work:
            assert tuple(work.get(type(one), one.id) for one in values) == values
            assert work.find(Shift, {"account": "mo", "ended_at": None}, order=("-began_at",)) == [values[2]]


def test_a_value_that_no_column_fits_is_refused():
    @dataclass(frozen=True)
    class Odd:
        id: str
        what: dict[str, int] | list[int]

    with pytest.raises(StoreError, match="No column fits the field what"):
        tables_of([Odd])


def test_what_cannot_be_used_is_named(tmp_path):
    for url in ("nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(StoreError, match=r"address|cannot be kept"):
            SqlStore(url)
    with SqlStore(f"sqlite:///{tmp_path / 'new'}") as store:
        with pytest.raises(StoreError, match="tables are not there"), store.look() as work:
            work.get(Case, "x")
        upgrade(f"sqlite:///{tmp_path / 'new'}")
        with store.begin() as work:
            with pytest.raises(StoreError, match="inside another"), store.begin():
                pass
            with pytest.raises(StoreError, match="no field 'colour'"):
                work.find(Case, {"colour": "red"})
            with pytest.raises(StoreError, match="no field 'colour'"):
                work.change(Case, "x", {}, colour="red")
            with pytest.raises(StoreError, match="is gone"):
                work.find(Case, after="nobody")
            with pytest.raises(StoreError, match="keeps no AccountNote"):
                work.find(AccountNote)
    (tmp_path / "text").write_text("not a database at all, but a text of some length\n" * 50)
    text = SqlStore(f"sqlite:///{tmp_path / 'text'}")
    with pytest.raises(StoreError, match="not a store"), text.look() as work:
        work.get(Case, "x")
    text.close()
    with pytest.raises(StoreError, match="does not answer"), SqlStore("postgresql://x@127.0.0.1:1/x").begin():
        pass
    with SqlStore("postgresql://nobody:secret@127.0.0.1:1/none") as store:
        assert "secret" not in store.where


def test_who_reads_does_not_wait_for_who_writes(store_url):  # noqa: F811
    upgrade(store_url)
    with SqlStore(store_url) as store, store.begin() as work:
        work.save(case(1))
        began = time.monotonic()
        seen: list[int] = []

        def look() -> None:
            with store.look() as looking:
                seen.append(looking.count(Case))

        reader = threading.Thread(target=look)
        reader.start()
        reader.join(10)
        assert seen == [0]
        assert time.monotonic() - began < 2


def count_up(url: str, times: int) -> None:
    with SqlStore(url) as store:
        for _ in range(times):
            while True:
                with store.begin() as work:
                    now = work.get(Case, "case-0001")
                    assert now is not None
                    if work.change(Case, now.id, {"weight_db": now.weight_db}, weight_db=now.weight_db + 1):
                        break


def test_processes_at_once_lose_no_change(store_url):  # noqa: F811
    upgrade(store_url)
    with SqlStore(store_url) as store:
        with store.begin() as work:
            work.save(case(1, weight_db=0.0))
        children = [CHILDREN.Process(target=count_up, args=(store_url, 20)) for _ in range(3)]
        for one in children:
            one.start()
        for one in children:
            one.join(60)
            assert one.exitcode == 0
        with store.look() as work:
            found = work.get(Case, "case-0001")
        assert found is not None
        assert found.weight_db == 60


def write_until_killed(url: str, nth: int) -> None:
    with Steps(nth, die).within(SqlStore(url)) as store:
        for n in range(3):
            with store.begin() as work:
                work.save(case(nth * 10 + n), case(nth * 10 + n + 5))
                work.record({"kind": "opened", "n": nth * 10 + n})


def test_killed_at_any_step_a_transaction_is_there_whole_or_not_at_all(tmp_path):
    url = f"sqlite:///{tmp_path / 's'}"
    upgrade(url)
    nth, code = 0, -9
    while code == -9:
        nth += 1
        child = CHILDREN.Process(target=write_until_killed, args=(url, nth))
        child.start()
        child.join(30)
        code = child.exitcode
    assert code == 0
    assert nth > 9
    with SqlStore(url) as store, store.look() as work:
        ids = {int(one.id[5:]) for one in work.find(Case)}
        entries = work.connection.execute(sa.select(sa.func.count()).select_from(SCHEMA.journal)).scalar_one()
    firsts = {n for n in ids if n % 10 < 5}
    assert ids == firsts | {n + 5 for n in firsts}
    assert entries == len(firsts)


def described(engine: sa.Engine) -> dict[str, list[object]]:
    """Return all that a database says of its tables."""
    with engine.connect() as connection:
        here = sa.inspect(connection)
        return {
            name: [
                sorted(
                    (one["name"], repr(one["type"]), one["nullable"], one["default"] is None)
                    for one in here.get_columns(name)
                ),
                sorted(
                    (one["name"], one["unique"], tuple(one["column_names"])) for one in here.get_indexes(name)
                ),
                here.get_pk_constraint(name)["constrained_columns"],
                sorted(tuple(one["column_names"]) for one in here.get_unique_constraints(name)),
            ]
            for name in here.get_table_names()
            if name != "alembic_version"
        }


def test_the_steps_lead_to_the_tables_and_back(store_url):  # noqa: F811
    newest = upgrade(store_url)
    assert upgrade(store_url) == newest, "twice is once"
    engine = engine_of(store_url)
    migrated = described(engine)
    assert downgrade(store_url) == "base"
    assert described(engine) == {}
    SCHEMA.metadata.create_all(engine)
    assert described(engine) == migrated
    SCHEMA.metadata.drop_all(engine)
    assert upgrade(store_url) == newest
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="This release knows 000"):
        upgrade(store_url)


def test_several_processes_may_migrate_at_once(store_url):  # noqa: F811
    children = [CHILDREN.Process(target=upgrade, args=(store_url,)) for _ in range(3)]
    for one in children:
        one.start()
    for one in children:
        one.join(60)
    assert [one.exitcode for one in children] == [0, 0, 0]
    with SqlStore(store_url) as store, store.begin() as work:
        work.save(case(1))


def test_what_the_words_of_earlier_cases_named_becomes_facts(store_url):  # noqa: F811
    words = "Found by known-media v1 (60 dB). List a.b, entry r, 1, distance 3, quality 99, mirrored. Seen 0:05 in."
    upgrade(store_url, "0005")
    with SqlStore(store_url) as store, store.begin() as work:
        old = replace(case(1), words=words)
        values = {name: getattr(old, name) for name in Case.__slots__ if name not in {"detectors", "matched"}}
        table = sa.table("cases", *(sa.column(name, store.schema.of[Case].c[name].type) for name in values))
        for id_, said in (("c1", words), ("c2", "A viewer says that something is wrong here.")):
            work.connection.execute(sa.insert(table).values({**values, "id": id_, "words": said}))
    upgrade(store_url)
    with SqlStore(store_url) as store, store.look() as work:
        found = {one.id: (one.detectors, one.matched) for one in work.find(Case)}
    assert found == {"c1": (("known-media",), ("a.b/r, 1",)), "c2": ((), ())}
