"""Entries of the record are found by what an auditor knows of them."""

import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lightship.console import record
from lightship.console.prose import GROUPS, KINDS
from lightship.console.record import Record, Sought, sought_of, terms_of
from lightship.console.trace import traced
from lightship.core.cases import Stream
from lightship.core.entry_time import place_at

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Entries:
    """A ledger that counts what is read of it."""

    def __init__(self, entries):
        self.kept, self.read = list(entries), 0

    @property
    def size(self):
        return len(self.kept)

    def entries(self, start=0, stop=None):
        found = self.kept[start:stop]
        self.read += len(found)
        return iter(found)


def entry(number, **own):
    usual = {"kind": "look", "by": "mo", "case": f"c{number % 7}", "stream": f"s{number % 3}"}
    return {**usual, "at": (NOW + timedelta(seconds=number)).isoformat(), **own}


def pages(ledger, sought, most=50):
    before, found, kept = 0, [], Record(ledger)
    while True:
        page = kept.find(sought, before=before, most=most)
        found += page.entries
        before = page.before
        if not before:
            return found


kinds = st.sampled_from(["look", "claim", "verdict", "coverage"])
people = st.sampled_from(["mo", "lee", ""])


@given(
    st.lists(st.tuples(kinds, people, st.integers(-200, 200)), max_size=120),
    st.builds(
        Sought,
        st.sampled_from(["", "look", "Decisions", "Watch"]),
        st.sampled_from(["", "c1", "s2"]),
        people,
        st.none() | st.integers(0, 100).map(lambda one: NOW + timedelta(seconds=one)),
        st.none() | st.integers(0, 100).map(lambda one: NOW + timedelta(seconds=one)),
    ),
    st.integers(1, 9),
)
def test_the_pages_together_are_all_that_fit_newest_first(rows, sought, most):
    """Times may be out of order by less than the slack."""
    ledger = Entries(
        entry(n, kind=kind, by=by, at=(NOW + timedelta(seconds=n + late / 2)).isoformat())
        for n, (kind, by, late) in enumerate(rows)
    )
    fitting = [(n, one) for n, one in enumerate(ledger.kept) if sought.fits(one)]
    assert pages(ledger, sought, most) == fitting[::-1]


def test_an_entry_about_several_of_those_sought_is_found_once():
    ledger = Entries(
        [
            entry(0, inquiry="i1", referral="r1"),
            entry(1, referral="r2"),
            entry(2, inquiry="i2"),
            entry(3, referral="r1"),
        ]
    )
    assert pages(ledger, Sought(about="i1", also=("r1", "r2")), 2) == [(n, ledger.kept[n]) for n in (3, 1, 0)]


def test_a_search_reads_what_it_shows_and_hardly_more():
    ledger = Entries([entry(0, by="ada"), *(entry(n) for n in range(1, 1_900)), entry(1_900, by="ada")])
    kept = Record(ledger)
    with kept.still() as left:
        assert left == 0
    before = ledger.read
    assert [number for number, _ in kept.find(Sought(by="ada")).entries] == [1_900, 0]
    assert ledger.read - before == 2


def test_a_long_record_is_read_by_itself_and_it_is_said_meanwhile(monkeypatch):
    monkeypatch.setattr(record, "AT_ONCE", 500)
    seen = []
    ledger = Entries(entry(n, by="ada" if n == 4_000 else "mo") for n in range(5_000))
    kept = Record(ledger, lambda one: seen.append(one["at"]))
    assert kept.find(Sought(by="ada")).left > 0
    until = time.monotonic() + 10
    while kept.find(Sought(by="ada")).left and time.monotonic() < until:
        time.sleep(0.01)
    assert [number for number, _ in kept.find(Sought(by="ada")).entries] == [4_000]
    assert seen == [one["at"] for one in ledger.kept]


def test_what_the_timeline_tells_is_what_the_index_keeps_for_it():
    """A kind that is drawn but not indexed would never be seen; both are asked of every kind."""
    usual = {"stream": "s", "effect": "e", "gap_s": 1.0, "absent": {}, "reason": "x", "at": NOW.isoformat()}
    stream = Stream("s", "a", "h", "public", "t", "p", NOW)
    for kind in KINDS:
        one = {"kind": kind, **usual}
        drawn = [mark for mark in traced([one], stream, {}, NOW, whole=False) if mark.words]
        indexed = "line s" in set(terms_of(one))
        assert bool(drawn) is indexed, kind


def test_a_time_is_found_without_reading_everything():
    ledger = Entries(entry(number) for number in range(100_000))
    assert place_at(ledger, NOW + timedelta(seconds=77_000)) == 77_000
    assert ledger.read < 20


def test_what_cannot_be_read_of_an_address_is_left_out():
    asked = sought_of({"kind": "nothing", "since": "yesterday", "until": "2026-11-24T12:30", "by": " mo "})
    assert asked == Sought(by="mo", until=datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
    assert all(sought_of({"kind": name}).kind == name for name in GROUPS)
