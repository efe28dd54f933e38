"""What is past its time is destroyed, with a record; what is on hold, or belongs to an exhibit, stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.servers import postgres, postgres_model, postgres_tables, tables_url  # noqa: F401 - fixtures

from lightship import packs
from lightship.checks.check_store import T0, case, exhibit_of
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Round, Stream
from lightship.core.errors import PolicyError, VaultError
from lightship.core.notes import SigningKey
from lightship.core.people import Look, Session
from lightship.core.retention import Term, parse_retention
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.retention import expire
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault

KEY = SigningKey.from_seed("example.org/vault", bytes(32))
YEAR = T0 + timedelta(days=365)


@pytest.fixture
def store(tables_url):  # noqa: F811
    with SqlStore(tables_url) as opened:
        yield opened


@pytest.fixture
def vault(tmp_path):
    with LedgerFile(tmp_path / "log", KEY) as log:
        yield FileVault(tmp_path / "vault", log)


def journal(store: SqlStore) -> list[str]:
    with store.look() as work:
        return list(work.connection.execute(sa.select(store.schema.journal.c.entry)).scalars())


def test_exhibits_past_their_time_are_destroyed_unless_on_hold(store, vault):
    old, held, young = b"old", b"held", b"young"
    exhibits = [
        exhibit_of(old),
        exhibit_of(held, hold="court order"),
        exhibit_of(young, expires_at=YEAR + timedelta(days=1)),
    ]
    for data, exhibit in zip((old, held, young), exhibits, strict=True):
        vault.seal(data, exhibit)
    with store.begin() as work:
        work.save(*exhibits)
    assert expire(store, vault, YEAR - timedelta(seconds=1)).destroyed == ()
    done = expire(store, vault, YEAR)
    assert done.destroyed == (exhibits[0].id,)
    assert done.failed == {}
    assert expire(store, vault, YEAR).destroyed == ()
    with pytest.raises(VaultError, match="was destroyed"):
        vault.open(exhibits[0], by="m", purpose="x")
    assert vault.open(exhibits[1], by="m", purpose="x") == held
    assert vault.open(exhibits[2], by="m", purpose="x") == young
    with store.begin() as work:
        gone = work.get(Exhibit, exhibits[0].id)
        assert gone is not None
        assert gone.destroyed_at == YEAR
        assert work.change(Exhibit, gone.id, {"destroyed_at": None}, hold="too late") is None
    entries = journal(store)
    assert len(entries) == 2, (
        "the exhibit's destruction, and the run's sum; a run that did nothing is not on record"
    )
    assert '"destroyed":1' in entries[1]
    assert '"held":1' in entries[1]
    assert vault.destroy(exhibits[0], by="x", reason="x", now=YEAR) in entries[0], (
        "the record is named on the ledger"
    )


def test_a_job_that_died_after_the_vault_goes_on(store, vault):
    exhibit = exhibit_of(b"old")
    vault.seal(b"old", exhibit)
    with store.begin() as work:
        work.save(exhibit)
    record = vault.destroy(exhibit, by="retention", reason="its time is over", now=YEAR)
    assert expire(store, vault, YEAR).destroyed == (exhibit.id,)
    assert record in journal(store)[0]


def test_what_the_vault_cannot_destroy_is_said_and_tried_again(store, vault):
    missing, fine = exhibit_of(b"never sealed"), exhibit_of(b"fine")
    vault.seal(b"fine", fine)
    with store.begin() as work:
        work.save(missing, fine)
    done = expire(store, vault, YEAR)
    assert done.destroyed == (fine.id,)
    assert done.failed == {missing.id: "The vault holds no such exhibit."}
    with store.look() as work:
        found = work.get(Exhibit, missing.id)
    assert found == missing
    assert any("expiry-failed" in entry for entry in journal(store))
    vault.seal(b"never sealed", missing)
    assert expire(store, vault, YEAR).destroyed == (missing.id,)


def test_rows_past_their_term_go_with_their_exhibits_and_not_before(store, vault):
    exhibit = exhibit_of(b"kept", case_id="case-0002", expires_at=YEAR + timedelta(days=30))
    vault.seal(b"kept", exhibit)
    reports = [Report(f"r{n}", "s", "other", "words", T0, f"case-000{n}") for n in range(4)]
    young = replace(reports[0], id="young", received_at=YEAR)
    closed = {"state": "closed"}
    with store.begin() as work:
        work.save(*reports, young, exhibit, case(0), *(case(n, **closed) for n in (1, 2)))
    terms = [Term(Report, "received_at", 90), Term(Case, "opened_at", 180, closed)]
    assert expire(store, vault, YEAR, terms).forgotten == {"report": 3, "case": 1}
    with store.look() as work:
        assert [one.id for one in work.find(Report)] == ["r2", "young"]
        assert [one.id for one in work.find(Case)] == ["case-0000", "case-0002"]
    assert sum('"kind":"forgotten"' in entry for entry in journal(store)) == 2
    later = expire(store, vault, YEAR + timedelta(days=31), terms)
    assert later.forgotten == {"report": 1, "case": 1}
    assert "words" not in "".join(journal(store)), "what was forgotten is not written down"


def everything(number: int, **more: object) -> list[object]:
    """Return a stream that ended, with a case and all that can belong to it."""
    id_, of = f"s{number}", f"case-{number:04}"
    return [
        Stream(id_, "rtmp://x", "h", "public", "terms", "p", T0, T0),
        case(number, stream_id=id_, **({"state": "decided"} | more)),
        Report(f"r{number}", id_, "other", "words", T0, of),
        Judgement(f"j{number}", of, "mo", T0, "abuse", "c", "r"),
        Effect(f"e{number}", of, id_, "stop-stream", "mo", T0, T0, "done"),
        Look(f"l{number}", "mo", "shift", of, "e", "still", "review", T0),
    ]


def left(store: SqlStore, kind: type) -> set[str]:
    with store.look() as work:
        return {one.id for one in work.find(kind)}


def test_the_terms_that_come_with_it_forget_all_in_time_and_nothing_that_is_held_or_open(store, vault):
    plan = packs.retention("gb")
    held = exhibit_of(b"held", case_id="case-0001", stream_id="s1", hold="court order")
    vault.seal(b"held", held)
    bare = Stream("bare", "rtmp://x", "h", "public", "terms", "p", T0, T0)
    live = replace(bare, id="live", ended_at=None)
    with store.begin() as work:
        for values in (everything(0), everything(1), everything(2, state="open")):
            work.save(*values)
        work.save(held, bare, live, Session("s", "mo", "moderator", "c", T0, T0, T0), Round("w", T0, 5))

    def run(days: float):
        now = T0 + timedelta(days=days)
        return expire(store, vault, now, plan.on(now.date()), under=plan.name)

    run(29)
    assert left(store, Stream) == {"s0", "s1", "s2", "bare", "live"}
    assert left(store, Round) == set()
    run(31)
    assert left(store, Stream) == {"s0", "s1", "s2", "live"}
    run(1095)
    assert left(store, Case) == {"case-0000", "case-0001", "case-0002"}
    run(1097)
    assert left(store, Case) == {"case-0001", "case-0002"}, "held, and open"
    assert left(store, Report) == {"r1"}
    assert left(store, Effect) == {"e1"}
    assert left(store, Stream) == {"s1", "s2", "live"}
    assert left(store, Judgement) == {"j1"}, "a held case keeps all that belongs to it"
    assert left(store, Look) == {"l1"}
    assert vault.open(held, by="m", purpose="x") == b"held"
    runs = [entry for entry in journal(store) if "retention-run" in entry]
    assert all('"under":"gb"' in entry for entry in runs)
    assert '"held":1' in runs[-1]


def test_terms_are_dated(store, vault):
    text = TERMS.format(days=1, more="from = 2026-12-01\nuntil = 2027-01-01")
    plan = parse_retention(text, "x")
    counts = [len(plan.on((T0 + timedelta(days=days)).date())) for days in (0, 29, 30, 60, 61)]
    assert counts == [0, 0, 1, 1, 0]


TERMS = """
name = "x"
title = "x"
version = "1"
source = "x"
[[terms]]
id = "a"
says = "x"
kind = "case"
since = "opened_at"
days = {days}
grade = "P"
{more}
"""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (TERMS.format(days=0, more="from = 2026-12-01"), "days = 0"),
        (TERMS.format(days="nan", more="from = 2026-12-01"), "days = nan"),
        (TERMS.format(days=1, more="from = 2026-12-01").replace("opened_at", "words"), "words"),
        (TERMS.format(days=1, more="from = 2026-12-01").replace('"case"', '"account"'), "account"),
        (TERMS.format(days=1, more="from = 2026-12-01\nwhere = {stat = 'open'}"), "stat"),
        (TERMS.format(days=1, more="from = 2026-12-01\nform = 1"), "form"),
        (TERMS.format(days=1, more="from = 'today'"), "no days"),
        (TERMS.format(days=1, more=""), "from"),
        ("terms = 1", "missing or unknown"),
        ("terms =", "not TOML"),
    ],
)
def test_terms_that_say_something_unknown_are_refused(text, named):
    with pytest.raises(PolicyError, match=named):
        parse_retention(text, "here")
