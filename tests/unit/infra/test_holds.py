"""An exhibit is kept while any hold stands on it, whoever places and lifts them in whatever order."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers import postgres, postgres_model, postgres_tables, tables_url  # noqa: F401 - fixtures
from tests.tables import tables

from lightship.checks.check_store import T0, case, exhibit_of
from lightship.core import holds
from lightship.core.cases import Exhibit
from lightship.core.duties import Hold
from lightship.core.errors import AccessDenied, StoreError
from lightship.core.notes import SigningKey
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.retention import expire
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault

KEY = SigningKey.from_seed("example.org/vault", bytes(32))
YEAR = T0 + timedelta(days=366)


@pytest.fixture
def store(tables_url):  # noqa: F811
    with SqlStore(tables_url) as opened:
        yield opened


@pytest.fixture
def vault(tmp_path):
    with LedgerFile(tmp_path / "log", KEY) as log:
        yield FileVault(tmp_path / "vault", log)


def kept(store, data=b"still"):
    one = exhibit_of(data)
    with store.begin() as work:
        work.save(one)
    return one


def hold_of(store, exhibit):
    with store.look() as work:
        return work.get(Exhibit, exhibit.id).hold


def place(store, exhibit, basis, by="lee"):
    with store.begin() as work:
        return holds.place(work, exhibit.id, basis=basis, reason="it is asked for", by=by, now=T0)


def lift(store, hold, reason="the order is over"):
    with store.begin() as work:
        return holds.lift(work, hold.id, reason=reason, by="lee", now=T0)


def entries(store):
    with store.look() as work:
        return [
            json.loads(one)
            for one in work.connection.execute(sa.select(store.schema.journal.c.entry)).scalars()
        ]


def test_an_exhibit_is_kept_until_its_last_hold_is_lifted(store, vault):
    one = kept(store)
    vault.seal(b"still", one)
    order, question = place(store, one, "court order 7"), place(store, one, "question of the authority")
    assert hold_of(store, one) == "court order 7; question of the authority"
    assert expire(store, vault, YEAR).held == 1
    lift(store, order)
    assert hold_of(store, one) == "question of the authority"
    assert expire(store, vault, YEAR).destroyed == ()
    lift(store, question)
    assert hold_of(store, one) == ""
    assert expire(store, vault, YEAR).destroyed == (one.id,)
    with pytest.raises(StoreError, match="destroyed"):
        place(store, one, "too late")
    told = [(one["kind"], one["basis"]) for one in entries(store) if one["kind"].startswith("hold-")]
    assert told == [
        ("hold-placed", "court order 7"),
        ("hold-placed", "question of the authority"),
        ("hold-lifted", "court order 7"),
        ("hold-lifted", "question of the authority"),
    ]


def test_a_form_that_is_sent_twice_places_one_hold_and_lifts_it_once(store):
    one = kept(store)
    first = place(store, one, "court order 7")
    assert place(store, one, " court order 7 ") == first
    lift(store, first)
    with pytest.raises(StoreError, match="lifted already"):
        lift(store, first)
    assert place(store, one, "court order 7").id != first.id, "it may be placed anew"


@pytest.mark.parametrize(("basis", "reason"), [("", "why"), ("order", ""), (" ", "why"), ("order", "\n")])
def test_a_hold_needs_its_basis_and_reason(store, basis, reason):
    one = kept(store)
    with pytest.raises(AccessDenied, match="basis and its reason"), store.begin() as work:
        holds.place(work, one.id, basis=basis, reason=reason, by="lee", now=T0)
    with pytest.raises(AccessDenied, match="needs a reason"):
        lift(store, place(store, one, "order"), reason=" ")


def test_a_case_is_held_with_all_that_it_has(store):
    both = [kept(store, b"one"), kept(store, b"two")]
    with store.begin() as work:
        work.save(case(9))
        placed = holds.place_on_case(work, both[0].case_id, basis="order", reason="why", by="lee", now=T0)
    assert {one.exhibit_id for one in placed} == {one.id for one in both}
    for id_, words in (("case-0009", "nothing in the vault"), ("nobody", "no such case")):
        with pytest.raises(StoreError, match=words), store.begin() as work:
            holds.place_on_case(work, id_, basis="order", reason="why", by="lee", now=T0)


def test_holds_placed_and_lifted_side_by_side_never_free_what_one_still_stands_on(store):
    one = kept(store)
    for turn in range(12):
        old = place(store, one, f"old {turn}")
        start = threading.Barrier(2)

        def placing(turn=turn, start=start):
            start.wait()
            place(store, one, f"new {turn}")

        def lifting(old=old, start=start):
            start.wait()
            lift(store, old)

        threads = [threading.Thread(target=act) for act in (placing, lifting)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.look() as work:
            stand = holds.standing(work, one.id)
        assert hold_of(store, one) == holds.shown(stand)
        assert f"new {turn}" in hold_of(store, one)
        for each in stand:
            lift(store, each)


@given(acts=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12))
@settings(max_examples=25, deadline=None)
def test_what_is_shown_is_what_stands_after_any_acts(tmp_path_factory, acts):
    with SqlStore(tables(tmp_path_factory.mktemp("holds") / "store.db")) as store:
        one, model = kept(store), {}
        for placing, number in acts:
            if placing:
                model[number] = place(store, one, f"basis {number}")
            elif number in model:
                lift(store, model.pop(number))
        assert bool(hold_of(store, one)) == bool(model)
        with store.look() as work:
            assert {hold.id for hold in work.find(Hold, {"lifted_at": None})} == {
                hold.id for hold in model.values()
            }
