"""Decisions become cases and effects; verdicts stop or restore; nothing is lost, doubled, or undone in name only."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.watch.making import sighting, stream
from tests.unit.watch.memory import NOW, Crash, MemoryStore, Time

from lightship.core.cases import Case, Effect, Judgement, Report, Stream
from lightship.core.errors import AccessDenied, SinkError, StoreError
from lightship.detect.matcher import Flood
from lightship.watch import desk, effects, outbox, priority, reports
from lightship.watch.effects import Windows
from lightship.watch.outbox import Retry

STILL = f"{(1 << 255) | 0xABCDEF:064x}"
NEAR = f"{(1 << 255) | 0xABCDE0:064x}"


def kept(store, of, /, **where):
    with store.begin() as work:
        return work.find(of, where)


def filed(store, **more):
    with store.begin() as work:
        return desk.file(work, sighting(**more), NOW)


def decided(store, case_id, verdict="abuse", by="ann", now=NOW, **more):
    with store.begin() as work:
        clause = "none" if verdict == "not-abuse" else "4.1"
        return desk.decide(
            work, case_id, by=by, verdict=verdict, clause=clause, reason="seen", now=now, **more
        )


@pytest.fixture
def store():
    found = MemoryStore()
    with found.begin() as work:
        for id_ in ("s1", "s2"):
            work.save(stream(id_))
    return found


def test_a_decision_opens_a_case_whose_words_come_first(store):
    found = filed(store)
    assert found.case.words == (
        "A picture on a list of known abuse material. Found by known-media v1 (60 dB: about one in a million benign scenes "
        "look like this). List demo, entry 7. Seen 0:10 into the stream, for 2 seconds so far. Response: end."
    )
    assert [one.kind for one in found.ordered] == ["stop-stream"]
    assert (found.case.aware_at, found.case.severity) == (NOW, 1.0)
    assert [entry["kind"] for entry in store.ledger] == ["decision", "case-opened", "effect-ordered"]


def test_to_look_more_often_opens_no_case_and_a_second_decision_joins_the_first(store):
    assert filed(store, rung="observe").case is None
    first = filed(store, rung="blur", at_s=13.0)
    second = filed(store, rung="end", before="blur", at_s=14.0, db=70.0)
    assert first.case.id == second.case.id
    assert [one.kind for one in kept(store, Effect)] == ["cover", "stop-stream"]
    assert kept(store, Case)[0].weight_db == 70.0
    filed(store, rung="end", at_s=14.0)
    assert len(kept(store, Effect)) == 2


def test_a_cover_is_lifted_when_the_evidence_is_gone_and_a_stop_is_not(store):
    filed(store, rung="blur")
    with store.begin() as work:
        desk.file(work, sighting(rung=None, before="blur", by="benign", at_s=20.0), NOW)
    assert kept(store, Effect)[0].state == "undone"
    assert kept(store, Case)[0].state == "open"


def test_a_wrong_stop_is_really_restored(store):
    clock = Time()
    case = filed(store).case
    sent = []
    assert outbox.send_due(store, sent.append, clock) == 1
    assert kept(store, Case)[0].stopped_at == NOW
    decided(store, case.id, "not-abuse")
    assert outbox.send_due(store, sent.append, clock) == 1
    assert [(one.kind, one.undoes == sent[0].id) for one in sent] == [
        ("stop-stream", False),
        ("restore", True),
    ]
    (done,) = [entry for entry in store.kinds("effect-done") if entry["act"] == "stop-stream"]
    assert done["aware_to_stopped_s"] == 0.0


def test_a_persons_act_waits_out_its_window_unless_a_child_is_in_danger_now(store):
    with store.begin() as work:
        _, report = reports.receive(work, "s1", kind="other", text="odd", report_id="k", now=NOW)
    decided(store, report.case_id)
    (stop,) = kept(store, Effect, kind="stop-stream")
    assert stop.due_at == NOW + timedelta(seconds=10)
    with store.begin() as work:
        assert effects.undo(work, stop.id, by="ann", now=NOW) is None
        _, danger = reports.receive(
            work, "s2", kind="child-at-risk-now", text="help", report_id="k2", now=NOW
        )
    decided(store, danger.case_id)
    (now,) = kept(store, Effect, kind="stop-stream", stream_id="s2")
    assert now.due_at == NOW
    sent = []
    outbox.send_due(store, sent.append, Time(NOW + timedelta(seconds=60)))
    assert stop.id not in {one.id for one in sent}


def test_a_report_of_danger_ends_the_wait_of_a_stop_that_was_ordered(store):
    verdict = decided(store, filed(store, rung="blur").case.id, acts=("revoke-key",))
    assert kept(store, Effect, kind="stop-stream")[0].due_at > NOW
    with store.begin() as work:
        reports.receive(work, "s1", kind="child-at-risk-now", text="help", report_id="k", now=NOW)
    assert kept(store, Effect, kind="stop-stream")[0].due_at == NOW
    assert kept(store, Effect, kind="revoke-key")[0].due_at == effects.HELD
    assert verdict.second_by == ""


def test_a_grave_act_needs_another_person(store):
    case = filed(store).case
    verdict = decided(store, case.id, acts=("revoke-key",))
    sent = []
    outbox.send_due(store, sent.append, Time(NOW + timedelta(days=3650)))
    assert "revoke-key" not in {one.kind for one in sent}
    with store.begin() as work:
        with pytest.raises(AccessDenied, match="another"):
            desk.second(work, verdict.id, by="ann", agrees=True, now=NOW)
        (held,) = work.find(Effect, {"kind": "revoke-key"})
        with pytest.raises(AccessDenied):
            effects.agree(work, held.id, by="ann", now=NOW)
    with store.begin() as work:
        assert desk.second(work, verdict.id, by="bob", agrees=True, now=NOW).second_by == "bob"
    outbox.send_due(store, sent.append, Time())
    assert sent[-1].kind == "revoke-key"
    with store.begin() as work, pytest.raises(StoreError):
        desk.second(work, verdict.id, by="cat", agrees=False, now=NOW)


def test_without_agreement_a_grave_act_never_happens(store):
    verdict = decided(store, filed(store).case.id, acts=("revoke-key",))
    with store.begin() as work:
        desk.second(work, verdict.id, by="bob", agrees=False, now=NOW)
        assert work.find(Effect, {"kind": "revoke-key"})[0].state == "undone"


def test_a_verdict_needs_clause_and_reason_and_is_given_once(store):
    case = filed(store).case
    with store.begin() as work, pytest.raises(AccessDenied, match="clause"):
        desk.decide(work, case.id, by="ann", verdict="abuse", clause="", reason="x", now=NOW)
    with pytest.raises(AccessDenied):
        decided(store, case.id, "not-abuse", acts=("revoke-key",))
    decided(store, case.id, "unsure")
    decided(store, case.id, "abuse", by="bob")
    with pytest.raises(StoreError, match="not open"):
        decided(store, case.id, "not-abuse")
    assert len(kept(store, Judgement)) == 2


def test_a_near_duplicate_takes_over_the_earlier_verdict_unseen(store):
    first = filed(store, still=STILL).case
    second = filed(store, id_="s2", still=NEAR).case
    assert second.near_of == first.id
    with store.begin() as work, pytest.raises(StoreError, match="No earlier"):
        desk.reuse(work, second.id, by="bob", now=NOW)
    earlier = decided(store, first.id)
    with store.begin() as work:
        found = desk.reuse(work, second.id, by="bob", now=NOW)
    assert (found.reused_of, found.verdict) == (earlier.id, "abuse")
    assert not kept(store, Case, id=second.id)[0].seen
    assert filed(store, id_="s3", still="f" * 64).case.near_of == ""


def test_an_appeal_is_answered_by_somebody_else_and_an_overturned_one_undoes_everything(store):
    case = filed(store).case
    verdict = decided(store, case.id, acts=("revoke-key",))
    with store.begin() as work:
        desk.second(work, verdict.id, by="bob", agrees=True, now=NOW)
    sent = []
    outbox.send_due(store, sent.append, Time())
    with store.begin() as work:
        desk.appeal(work, case.id, text="it was a film\x00", now=NOW)
    for by in ("ann", "bob"):
        with store.begin() as work, pytest.raises(AccessDenied, match="did not decide"):
            desk.answer(work, case.id, by=by, overturn=True, reason="r", now=NOW)
    with store.begin() as work:
        assert desk.answer(work, case.id, by="cat", overturn=True, reason="r", now=NOW).state == "reversed"
    outbox.send_due(store, sent.append, Time())
    undone = {one.undoes for one in sent if one.undoes}
    assert {one.kind for one in sent if one.id in undone} == {"stop-stream", "revoke-key"}
    with store.begin() as work, pytest.raises(StoreError):
        desk.appeal(work, case.id, text="again", now=NOW)


def test_the_queue_puts_a_child_in_danger_on_a_live_stream_first(store):
    filed(store)
    with store.begin() as work:
        reports.receive(
            work, "s2", kind="child-at-risk-now", text="x", report_id="k", now=NOW + timedelta(hours=1)
        )
    with store.begin() as work:
        found = work.find(Case, {}, order=priority.ORDER)
    assert [one.danger_now for one in found] == [True, False]
    assert all(0.0 <= part <= 1.0 for one in found for part in (one.reach, one.severity, one.likelihood))


def test_a_report_is_one_however_often_it_is_sent_and_its_clock_ends_with_a_person(store):
    with store.begin() as work:
        first = reports.receive(work, "s1", kind="other", text="<b>a</b>\n\u202e", report_id="k", now=NOW)
        assert reports.receive(work, "s1", kind="other", text="z", report_id="k", now=NOW) == first
    (report,) = kept(store, Report)
    assert report.text == "<b>a</b>"
    with store.begin() as work:
        assert reports.shown(work, report.case_id, NOW + timedelta(seconds=0.5)) == [0.5]
        assert reports.shown(work, report.case_id, NOW + timedelta(seconds=9)) == []


def test_what_the_receiver_does_not_confirm_is_tried_again_and_at_last_said_to_have_failed(store):
    clock = Time()
    filed(store)
    tries = []

    def refuse(effect):
        tries.append(effect.id)
        raise SinkError("no")

    for _ in range(6):
        outbox.send_due(store, refuse, clock, Retry(attempts=3))
        clock.pass_(301)
    assert len(tries) == 3
    assert kept(store, Effect)[0].state == "failed"
    assert len(store.kinds("effect-failed")) == 1


class Life(RuleBasedStateMachine):
    """People, machines and a sender that dies at any moment, against one platform that acts once per id."""

    def __init__(self):
        super().__init__()
        self.store, self.clock = MemoryStore(), Time()
        self.happened, self.log = {}, []
        self.at_s, self.promised = 0.0, set()
        with self.store.begin() as work:
            for id_ in ("a", "b"):
                work.save(stream(id_))

    def platform(self, effect):
        if effect.id not in self.happened:
            self.happened[effect.id] = effect
            self.log.append(effect)

    @rule(id_=st.sampled_from("ab"), rung=st.sampled_from(["blur", "end", None]))
    def machine(self, id_, rung):
        self.at_s += 1.0
        shot = sighting(id_, rung=rung, at_s=self.at_s, by="evidence" if rung else "benign")
        with self.store.begin() as work:
            filed = desk.file(work, shot, self.clock())
            self.promised |= {one.id for one in filed.ordered}

    @rule(id_=st.sampled_from("ab"), danger=st.booleans())
    def viewer(self, id_, danger):
        with self.store.begin() as work:
            kind = "child-at-risk-now" if danger else "other"
            reports.receive(work, id_, kind=kind, text="x", report_id=f"{id_} {self.at_s}", now=self.clock())

    @rule(
        data=st.data(),
        verdict=st.sampled_from(["abuse", "not-abuse", "unsure"]),
        grave=st.booleans(),
    )
    def person(self, data, verdict, grave):
        found = kept(self.store, Case, state="open")
        if found:
            case = data.draw(st.sampled_from(sorted(found, key=lambda one: one.id)))
            acts = ("revoke-key",) if grave and verdict == "abuse" else ()
            decided(self.store, case.id, verdict, now=self.clock(), acts=acts)

    @rule(data=st.data(), agrees=st.booleans())
    def second(self, data, agrees):
        found = kept(self.store, Judgement, second_by="")
        if found:
            one = data.draw(st.sampled_from(sorted(found, key=lambda one: one.id)))
            with contextlib.suppress(StoreError), self.store.begin() as work:
                desk.second(work, one.id, by="bob", agrees=agrees, now=self.clock())

    @rule(data=st.data(), overturn=st.booleans())
    def appeal(self, data, overturn):
        found = kept(self.store, Case, state="decided")
        if found:
            case = data.draw(st.sampled_from(sorted(found, key=lambda one: one.id)))
            with self.store.begin() as work:
                desk.appeal(work, case.id, text="x", now=self.clock())
            with self.store.begin() as work:
                desk.answer(work, case.id, by="cat", overturn=overturn, reason="r", now=self.clock())

    @rule(n=st.integers(1, 3), moment=st.sampled_from(["before", "after"]))
    def send_and_die(self, n, moment):
        self.store.crash_in = (n, moment)
        with contextlib.suppress(Crash):
            outbox.send_due(self.store, self.platform, self.clock)
        self.store.crash_in = None

    @rule(seconds=st.sampled_from([1, 15, 40]))
    def wait(self, seconds):
        self.clock.pass_(seconds)

    def settle(self):
        for _ in range(60):
            outbox.send_due(self.store, self.platform, self.clock)
            self.clock.pass_(31)

    @invariant()
    def nothing_held_was_sent(self):
        held = kept(self.store, Effect, due_at=effects.HELD)
        assert not {one.id for one in held} & set(self.happened)

    def teardown(self):
        self.settle()
        found = {one.id: one for one in kept(self.store, Effect)}
        assert self.promised <= set(found)
        assert all(one.state in {"done", "undone"} or one.due_at == effects.HELD for one in found.values())
        assert {id_ for id_, one in found.items() if one.state == "done"} == set(self.happened)
        order = [one.id for one in self.log]
        for one in found.values():
            if one.undoes and one.state == "done":
                assert found[one.undoes].state == "done"
                assert order.index(one.undoes) < order.index(one.id)
        for case in kept(self.store, Case, state="reversed"):
            reversed_ids = {one.undoes for one in found.values() if one.undoes}
            mine = [one for one in found.values() if one.case_id == case.id and one.kind in effects.REVERSALS]
            assert all(one.undoes or one.state == "undone" or one.id in reversed_ids for one in mine)
        for id_ in "ab":
            for kind in effects.REVERSALS:
                living = [
                    one
                    for one in found.values()
                    if one.stream_id == id_
                    and one.kind == kind
                    and one.state == "done"
                    and one.id not in {other.undoes for other in found.values()}
                ]
                assert len(living) <= 1
        assert len(self.store.kinds("effect-done")) == len(self.happened)
        assert len(self.store.kinds("case-opened")) + len(
            {one.case_id for one in kept(self.store, Report)}
            - {e["case"] for e in self.store.kinds("case-opened")}
        ) == len(kept(self.store, Case))


Life.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase


def test_the_streams_end_is_told_to_its_cases(store):
    filed(store)
    with store.begin() as work:
        desk.ended(work, "s1", NOW)
    assert not kept(store, Case)[0].live
    assert kept(store, Stream, id="s1")[0].ended_at == NOW
    assert Windows().machine_s == 0.0


def test_an_entry_that_floods_is_on_the_ledger_and_in_the_cases_that_rest_on_it():
    store = MemoryStore()
    with store.begin() as work:
        work.save(stream("s1"), stream("s2"))
    resting, other = filed(store, id_="s1").case, filed(store, id_="s2").case
    with store.begin() as work:
        work.change(
            Case, other.id, {}, matched=("demo/70",), words="List demo, entry 7, distance 4, quality 90."
        )
        desk.set_aside(Flood("demo", "7", 50, 9.0, ("h1",)), work)
    cases = {one.id: one.words for one in kept(store, Case)}
    assert "entry 7 of the list demo is set aside" in cases[resting.id]
    assert "set aside" not in cases[other.id]
    [entry] = [one for one in store.ledger if one["kind"] == "entry-set-aside"]
    assert (entry["list"], entry["entry"], entry["places"], entry["cases"]) == ("demo", "7", 50, [resting.id])
