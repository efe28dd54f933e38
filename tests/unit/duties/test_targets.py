"""Targets and what became of them, as the figures of a month tell it; replayed, the ledger gives the same order."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.unit.duties.book_making import LONDON
from tests.unit.duties.making import ABROAD, T0, UK, detection, gb, store_in

from lightship.core.cases import Case, Effect, Judgement
from lightship.core.duties import Duty
from lightship.duties import desk
from lightship.duties.measures_figures import targets_of
from lightship.duties.measures_period import period_of
from lightship.duties.owed import standing, words
from lightship.duties.targets import SHOWN, in_words
from lightship.infra.period import StoredPeriod

NOVEMBER = period_of("2026-11", LONDON)
LATER = T0 + timedelta(days=30)


class Told:
    """A ledger that says what it was given."""

    def __init__(self, entries):
        self._entries = sorted(entries, key=lambda one: one["at"])
        self.size = len(self._entries)

    def entries(self, start=0, stop=None):
        return iter(self._entries[start:stop])


def entries(store):
    columns = store.schema.journal.c
    with store.look() as work:
        return [
            json.loads(one)
            for one in work.connection.execute(sa.select(columns.entry).order_by(columns.number)).scalars()
        ]


def at(minutes):
    return T0 + timedelta(minutes=minutes)


def case(id_, minutes=0, **more):
    given = {"state": "decided", "opened_at": at(minutes), "aware_at": at(minutes), **more}
    rest = {"words": "", "weight_db": 1.0, "rung": "end", "reach": 0.0, "severity": 0.0, "likelihood": 0.0}
    return Case(id_, f"s{id_}", "machine", **{**rest, **given})


def verdict(id_, minutes, said="abuse"):
    return Judgement(f"j{id_}{minutes}", id_, "mo", at(minutes), said, "x", "x")


def said(kind, id_, minutes, **more):
    return {"kind": kind, "case": id_, "at": at(minutes).isoformat(), **more}


@pytest.fixture
def ask(tmp_path, database):
    """Keep values, and say what became of the targets in a month."""

    def asked(values=(), log=(), period=NOVEMBER, now=LATER):
        with store_in(tmp_path) as store:
            with store.begin() as work:
                work.save(*values)
            found = targets_of(StoredPeriod(store, Told(log)), period, gb(), now)
        return {one["id"]: one for one in found["targets"]}

    return asked


def counted(one):
    return one["cases"], one["met"]


def causes(one):
    return {miss["case"]: miss["cause"] for miss in one["longest"]}


def test_stopping_is_counted_with_what_kept_it_and_what_still_runs(ask):
    waiting = Effect("e3", "c3", "sc3", "stop-stream", "mo", at(0), at(0), "sending")
    found = ask(
        [
            case("c1", stopped_at=at(0.1)), case("c2", stopped_at=at(1.5)), case("c3"), waiting,
            case("c4", 60 * 24 * 10, stopped_at=at(60 * 24 * 10)),
        ],
        [said("effect-not-confirmed", "c2", 1)],
    )["aware-to-stopped"]  # fmt: skip
    assert counted(found) == (3, 1), "c4 is of another month"
    assert found["waiting_past_its_time"] == 1
    assert causes(found) == {
        "c2": "the platform did not confirm at first",
        "c3": "from awareness to the order, or on its way",
    }
    assert "MISSED" in in_words(found)
    assert "100.0% of 3" in in_words({**found, "share": 1}), "as it comes back from canonical JSON"


def test_deciding_is_counted_with_the_stretch_that_took_longest_and_what_still_waits(ask):
    values = [
        case("c1"), verdict("c1", 45), case("c2"), verdict("c2", 50), case("c3"), verdict("c3", 29),
        case("c4", state="open"), case("c5", 60 * 24 * 2 + 5, state="open"), case("c6"), verdict("c6", 60 * 24 * 5),
    ]  # fmt: skip
    found = ask(values, [said("claim", "c1", 40), said("claim", "c2", 1)])["aware-to-decided"]
    assert counted(found) == (5, 1), "c5's time was not over when the month was"
    assert found["waiting_past_its_time"] == 2, "c6 was decided after the month, and waited at its end"
    assert causes(found) == {
        "c1": "until somebody claimed it",
        "c2": "until a person decided it",
        "c4": "until somebody claimed it",
        "c6": "until somebody claimed it",
    }
    assert found["causes"] == {"until a person decided it": 1, "until somebody claimed it": 3}


def test_an_appeal_that_is_answered_months_later_is_no_late_decision_and_no_case_that_waited(ask):
    """Rows come in no order, and a reversal is a verdict of its own: only the first one decided the case."""
    reversal = Judgement("r", "c1", "lee", at(60 * 24 * 40), "not-abuse", "none", "x")
    again = Judgement("a", "c2", "lee", at(60), "not-abuse", "none", "x")
    values = [
        reversal,
        again,
        case("c1", state="reversed"),
        verdict("c1", 5),
        case("c2", state="reversed"),
        verdict("c2", 5),
    ]
    found = ask(values, now=at(60 * 24 * 60))["aware-to-decided"]
    assert (*counted(found), found["waiting_past_its_time"]) == (2, 2, 0)
    assert counted(ask(period=period_of("2027-01", LONDON), now=at(60 * 24 * 60))["aware-to-decided"]) == (
        0,
        0,
    )


def test_a_stop_that_failed_for_good_is_told_of_once(ask):
    failed = Effect("e3", "c3", "sc3", "stop-stream", "mo", at(0), at(0), "failed")
    assert counted(ask([case("c3"), failed])["aware-to-stopped"]) == (1, 0)
    assert counted(ask(period=period_of("2026-12", LONDON), now=at(60 * 24 * 60))["aware-to-stopped"]) == (
        0,
        0,
    )


def test_while_the_month_runs_nothing_is_late_before_its_time(ask):
    found = ask([case("c1", state="open")], now=at(10))["aware-to-decided"]
    assert counted(found) == (0, 0)
    assert in_words(found).endswith("Nothing to count.")


def test_a_month_is_the_regulators_and_nobody_falls_between_two(ask):
    """Half past eleven at night, UTC, on 30 September is October in London; decided then, it counts there once."""
    moment = datetime(2026, 9, 30, 23, 30, tzinfo=UTC)
    one = Case("c1", "s", "machine", moment, moment, "", 1.0, "end", 0, 0, 0, "decided")
    ask([one, Judgement("j1", "c1", "mo", moment, "abuse", "x", "x")])
    months = {
        name: ask(period=period_of(name, LONDON))["aware-to-decided"]["cases"]
        for name in ("2026-09", "2026-10", "2026-11", "2026-Q3", "2026-Q4", "2026")
    }
    assert months == {"2026-09": 0, "2026-10": 1, "2026-11": 0, "2026-Q3": 0, "2026-Q4": 1, "2026": 1}


def test_what_a_second_person_or_an_appeal_overturned_does_not_count_as_upheld(ask):
    values = [one for n in range(4) for one in (case(f"c{n}"), verdict(f"c{n}", 1))]
    log = [
        said("second-person-declined", "c1", 2),
        said("appeal-answered", "c2", 3, overturned=True),
        said("appeal-answered", "c3", 3, overturned=False),
        said("appeal-answered", "old", 4, overturned=True),
    ]
    found = ask(values, log)["upheld"]
    assert counted(found) == (5, 2), "what an earlier month decided is missed where it is overturned"
    assert set(causes(found).values()) == {"a second person did not agree", "an appeal overturned it"}


def test_of_many_misses_all_are_counted_and_the_longest_named(ask):
    values = [one for n in range(30) for one in (case(f"c{n:02}"), verdict(f"c{n:02}", 31 + n))]
    found = ask(values)["aware-to-decided"]
    assert counted(found) == (30, 0)
    assert [one["case"] for one in found["longest"]] == [f"c{n:02}" for n in range(29, 29 - SHOWN, -1)]


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
            desk.detect(work, detection(4, live_danger=True), T0)
            desk.decide(work, "d0000004", gb(), provider=UK, by="law", now=T0)
        source = StoredPeriod(store, Told(entries(store)))
        found = {one["id"]: one for one in targets_of(source, NOVEMBER, gb(), LATER)["targets"]}
    assert counted(found["p1-filed"]) == (3, 1)
    assert causes(found["p1-filed"]) == {
        "c2": "until it was known whom it is owed to",
        "c4": "until it was filed",
    }
    assert found["p3-filed"]["cases"] == 0, "what was not owed has no time to be filed in"


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
