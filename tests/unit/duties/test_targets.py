"""Targets, what became of them and why, from the ledger alone; replayed, it gives the same order."""

import json
import random
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from tests.unit.duties.making import ABROAD, T0, UK, detection, gb, store_in

from lightship.core.duties import Duty
from lightship.duties import desk
from lightship.duties.owed import standing, words
from lightship.duties.targets import actuals

SINCE, UNTIL = date(2026, 11, 1), date(2026, 12, 1)


def entries(store):
    columns = store.schema.journal.c
    with store.look() as work:
        return [
            json.loads(one)
            for one in work.connection.execute(sa.select(columns.entry).order_by(columns.number)).scalars()
        ]


def at(minutes):
    return (T0 + timedelta(minutes=minutes)).isoformat()


def found(log, now=T0 + timedelta(days=2)):
    return {one.target.id: one for one in actuals(log, gb(), SINCE, UNTIL, now)}


def opened(case, minutes=0):
    return {"kind": "case-opened", "case": case, "aware_at": at(minutes), "at": at(minutes)}


def verdict(case, minutes, said="abuse"):
    return {"kind": "verdict", "case": case, "at": at(minutes), "verdict": said}


def test_stopping_is_counted_with_what_kept_it():
    log = [
        opened("c1"), {"kind": "effect-done", "case": "c1", "at": at(0), "aware_to_stopped_s": 4.0},
        opened("c2"), {"kind": "effect-not-confirmed", "case": "c2", "at": at(1)},
        {"kind": "effect-done", "case": "c2", "at": at(2), "aware_to_stopped_s": 90.0},
    ]  # fmt: skip
    one = found(log)["aware-to-stopped"]
    assert (one.of, one.met, one.kept) == (2, 1, False)
    assert (one.misses[0].case_id, one.misses[0].took_s) == ("c2", 90.0)
    assert "did not confirm at first (1 ×)" in one.misses[0].cause


def test_deciding_is_counted_with_the_stretch_that_took_longest_and_what_still_waits():
    log = [
        opened("c1"), {"kind": "claim", "case": "c1", "at": at(40)}, verdict("c1", 45),
        opened("c2"), {"kind": "claim", "case": "c2", "at": at(1)}, verdict("c2", 50),
        opened("c3"), verdict("c3", 29), opened("c4"), opened("c5", 60 * 24 * 10),
    ]  # fmt: skip
    one = found(log)["aware-to-decided"]
    assert (one.of, one.met) == (4, 1), "c5 is of another month"
    causes = {miss.case_id: miss.cause for miss in one.misses}
    assert "until somebody claimed it, 40 min" in causes["c1"]
    assert "until it was decided, 49 min" in causes["c2"]
    assert "until somebody claimed it" in causes["c4"]
    early = found(log, T0 + timedelta(minutes=10))["aware-to-decided"]
    assert "c4" not in {miss.case_id for miss in early.misses}, "its time is not over"


def test_what_a_second_person_or_an_appeal_overturned_does_not_count_as_upheld():
    log = [opened(f"c{n}") for n in range(4)] + [verdict(f"c{n}", 1) for n in range(4)]
    log += [
        {"kind": "second-person-declined", "case": "c1", "at": at(2)},
        {"kind": "appeal-answered", "case": "c2", "at": at(3), "overturned": True},
        {"kind": "appeal-answered", "case": "c3", "at": at(3), "overturned": False},
    ]
    one = found(log)["upheld"]
    assert (one.of, one.met) == (4, 2)
    assert {miss.cause for miss in one.misses} == {
        "A second person did not agree.",
        "An appeal overturned it.",
    }
    assert found([])["upheld"].kept is None


def test_filing_is_counted_by_priority_and_what_hung_on_a_fact_says_so(tmp_path):
    with store_in(tmp_path) as store:
        with store.begin() as work:
            desk.detect(work, detection(1, live_danger=True), T0)
            desk.decide(work, "d0000001", gb(), provider=UK, by="law", now=T0)
            desk.file(work, "d0000001", reference="N1", by="ann", now=T0 + timedelta(minutes=10))
            desk.detect(work, detection(2, live_danger=True), T0)
            desk.decide(work, "d0000002", gb(), provider=ABROAD, by="law", now=T0)
            desk.tell(work, "d0000002", ["uk-link=yes"], gb(), by="ann", now=T0)
            later = T0 + timedelta(hours=3)
            desk.decide(work, "d0000002", gb(), provider=ABROAD, by="ann", now=later)
            desk.file(work, "d0000002", reference="N2", by="ann", now=later)
            desk.detect(work, detection(3), T0)
            desk.decide(work, "d0000003", gb(), provider=(*UK, "uk-link=no"), by="law", now=T0)
            desk.tell(work, "d0000003", ["csea=no"], gb(), by="ann", now=T0)
            desk.decide(work, "d0000003", gb(), provider=("provider=uk",), by="law", now=T0)
        one = found(entries(store))["p1-filed"]
        assert (one.of, one.met) == (2, 1)
        assert "until it was known whom it is owed to, 178 min" in one.misses[0].cause
        assert found(entries(store))["p3-filed"].of == 0, "what was not owed has no time to be filed in"


@pytest.mark.parametrize("seed", range(3))
def test_the_ledger_replayed_gives_the_same_order(tmp_path, seed):
    chance = random.Random(seed)
    with store_in(tmp_path) as store:
        with store.begin() as work:
            for number in chance.sample(range(40), 30):
                danger, live = chance.random() < 0.3, chance.choice(["live=yes", "live=no"])
                desk.detect(work, detection(number, live_danger=danger, facts=(live,)), T0)
                provider = chance.choice([UK, ABROAD])
                duty, _ = desk.decide(work, f"d{number:07}", gb(), provider=provider, by="law", now=T0)
                if duty.state == "owed" and chance.random() < 0.3:
                    desk.file(work, duty.id, reference="N", by="ann", now=T0)
        with store.look() as work:
            shown = standing(work, gb(), T0 + timedelta(days=1))
            kept = work.find(Duty)
        replayed = desk.in_order(desk.replayed(entries(store)).values())
        assert replayed == list(shown.waiting) == desk.in_order(kept)
        assert [one.priority for one in replayed] == sorted(one.priority for one in replayed)
        assert shown.oldest == min(replayed, key=lambda one: one.aware_at)
        assert sum(shown.counts.values()) == 30
        assert set(shown.late) <= set(replayed)
        assert all(words(one, gb()) for one in kept)
