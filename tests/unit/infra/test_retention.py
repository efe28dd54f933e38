"""What is past its time is destroyed, with a record; what is on hold, or belongs to an exhibit, stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.servers import postgres, postgres_url, store_url  # noqa: F401 - fixtures

from lightship.checks.check_store import T0, case, exhibit_of
from lightship.core.cases import Case, Exhibit, Report
from lightship.core.errors import VaultError
from lightship.core.notes import SigningKey
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import upgrade
from lightship.infra.retention import Term, expire
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault

KEY = SigningKey.from_seed("example.org/vault", bytes(32))
YEAR = T0 + timedelta(days=365)


@pytest.fixture
def store(store_url):  # noqa: F811
    upgrade(store_url)
    with SqlStore(store_url) as opened:
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
    assert len(entries) == 1
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
    assert sum("forgotten" in entry for entry in journal(store)) == 2
    later = expire(store, vault, YEAR + timedelta(days=31), terms)
    assert later.forgotten == {"report": 1, "case": 1}
    assert "words" not in "".join(journal(store)), "what was forgotten is not written down"
