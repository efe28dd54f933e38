"""Every detection has one duty, and none is closed but filed where owed, or not owed by a rule for a reason."""

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from tests.unit.duties.making import ABROAD, T0, UK, detection, gb, store_in

from lightship.core.duties import Detection, Duty
from lightship.core.errors import AccessDenied, InputError
from lightship.duties import desk, states
from lightship.duties.chooser import Choice
from lightship.infra.tables import SCHEMA

DIGEST = gb().digest
FACTS = ["uk-link=yes", "uk-link=no", "reported-to=ncmec", "reported-to=nobody", "csea=no", "csea=yes"]


def choice(owed):
    return Choice(owed, "nca" if owed else "", "r", DIGEST, "Because.", ())


def test_a_duty_goes_from_open_to_owed_to_filed_to_closed():
    duty = states.begun(detection())
    assert (duty.state, states.unsound(duty)) == ("open", "")
    owed = states.decided(duty, choice(True), by="law", now=T0, priority="P1")
    filed = states.filed(owed, reference=" NCA-1 ", now=T0)
    closed = states.closed(filed, now=T0)
    assert [one.state for one in (owed, filed, closed)] == ["owed", "filed", "closed"]
    assert closed.reference == "NCA-1"
    assert states.unsound(closed) == ""


@pytest.mark.parametrize("state", ["open", "owed"])
def test_what_waits_cannot_be_closed(state):
    duty = states.begun(detection())
    if state == "owed":
        duty = states.decided(duty, choice(True), by="law", now=T0)
    with pytest.raises(AccessDenied, match="cannot be closed"):
        states.closed(duty, now=T0)


def test_what_is_not_owed_cannot_be_filed_nor_anything_without_a_reference():
    duty = states.begun(detection())
    with pytest.raises(AccessDenied):
        states.filed(states.decided(duty, choice(False), by="law", now=T0), reference="x", now=T0)
    with pytest.raises(AccessDenied, match="reference"):
        states.filed(states.decided(duty, choice(True), by="law", now=T0), reference=" ", now=T0)


def test_a_decision_needs_a_reason_and_a_rule_and_cannot_follow_a_filing():
    duty = states.begun(detection())
    for wrong in (Choice(False, "", "r", DIGEST, " ", ()), Choice(False, "", "r", "", "Because.", ())):
        with pytest.raises(AccessDenied):
            states.decided(duty, wrong, by="law", now=T0)
    filed = states.filed(states.decided(duty, choice(True), by="law", now=T0), reference="x", now=T0)
    for one in (filed, states.closed(filed, now=T0)):
        with pytest.raises(AccessDenied, match="supplement"):
            states.decided(one, choice(False), by="law", now=T0)


class Duties(RuleBasedStateMachine):
    """People and the follower act on duties in any order, on a real store."""

    ids = Bundle("ids")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = store_in(Path(self.folder.name))
        self.number, self.now = 0, T0

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def act(self, what):
        self.now += timedelta(seconds=1)
        with suppress(AccessDenied, InputError), self.store.begin() as work:
            what(work)

    @rule(target=ids, danger=st.booleans(), same=st.booleans())
    def detect(self, danger, same):
        self.number += not (same and self.number)
        found = detection(self.number, live_danger=danger)
        self.act(lambda work: desk.detect(work, found, self.now))
        return found.id

    @rule(id_=ids, provider=st.sampled_from([UK, ABROAD]))
    def decide(self, id_, provider):
        self.act(lambda work: desk.decide(work, id_, gb(), provider=provider, by="law", now=self.now))

    @rule(id_=ids, fact=st.sampled_from(FACTS))
    def tell(self, id_, fact):
        self.act(lambda work: desk.tell(work, id_, [fact], gb(), by="ann", now=self.now))

    @rule(id_=ids, reference=st.sampled_from(["", "NCA-1", "NCA-2"]))
    def file(self, id_, reference):
        self.act(lambda work: desk.file(work, id_, reference=reference, by="ann", now=self.now))

    @rule(id_=ids)
    def close(self, id_):
        self.act(lambda work: desk.close(work, id_, by="ann", now=self.now))

    @invariant()
    def every_detection_has_one_duty_and_none_is_closed_unanswered(self):
        with self.store.look() as work:
            duties = {one.id: one for one in work.find(Duty)}
            assert sorted(duties) == sorted(one.id for one in work.find(Detection)), "no orphans"
            table = SCHEMA.journal
            rows = work.connection.execute(table.select().order_by(table.c.number)).mappings()
            import json

            entries = [json.loads(row["entry"]) for row in rows]
        for one in duties.values():
            assert states.unsound(one) == ""
            if one.state == "closed":
                assert (one.reference and one.authority and one.filed_at) or (
                    not one.authority and one.reason
                )
                assert one.rule == DIGEST
        assert desk.replayed(entries) == duties, "the ledger alone gives the same duties"
        references = {}
        for entry in entries:  # what was filed once stays as it was filed
            if entry["kind"] == "duty-filed":
                assert references.setdefault(entry["duty"], entry["value"]["reference"])
        assert {one.id: one.reference for one in duties.values() if one.reference} == references


Duties.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestDuties = Duties.TestCase


def test_of_two_who_act_at_once_one_is_told(tmp_path):
    with store_in(tmp_path) as store:
        with store.begin() as work:
            desk.detect(work, detection(), T0)
            desk.decide(work, "d0000000", gb(), provider=UK, by="law", now=T0)
        with store.look() as work:
            old = work.get(Duty, "d0000000")
        with store.begin() as work:
            desk.file(work, old.id, reference="NCA-1", by="ann", now=T0)
            desk.file(work, old.id, reference="NCA-1", by="ann", now=T0)
        with store.begin() as work, pytest.raises(AccessDenied, match="Somebody else"):
            desk.put(work, old, choice(False), by="bob", now=T0)
        with store.begin() as work, pytest.raises(AccessDenied):
            desk.file(work, old.id, reference="NCA-2", by="bob", now=T0)


def test_a_duty_that_is_open_for_want_of_a_fact_is_decided_when_it_is_told(tmp_path):
    with store_in(tmp_path) as store, store.begin() as work:
        desk.detect(work, detection(live_danger=True), T0)
        duty, found = desk.decide(work, "d0000000", gb(), provider=ABROAD, by="law", now=T0)
        assert (duty.state, duty.priority, found.missing) == ("open", "P1", ("uk-link",))
        desk.tell(work, duty.id, ["uk-link=yes"], gb(), by="ann", now=T0)
        duty, _ = desk.decide(work, duty.id, gb(), provider=ABROAD, by="ann", now=T0)
        assert (duty.state, duty.authority) == ("owed", "nca")
        assert "uk-link=yes" in duty.facts
        desk.tell(work, duty.id, ["uk-link=no"], gb(), by="ann", now=T0)
        duty, _ = desk.decide(work, duty.id, gb(), provider=ABROAD, by="ann", now=T0)
        assert (duty.state, duty.authority) == ("not-owed", "")
        with pytest.raises(InputError):
            desk.tell(work, duty.id, ["uk-link=perhaps"], gb(), by="ann", now=T0)
        with pytest.raises(InputError):
            desk.tell(work, "nobody", ["uk-link=no"], gb(), by="ann", now=T0)
