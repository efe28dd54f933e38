"""Entries of the record are found by what an auditor knows of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lightship.console import record
from lightship.console.prose import GROUPS
from lightship.console.record import Sought, find, place_at, sought_of

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
    before, found = 0, []
    while True:
        page = find(ledger, sought, before=before, most=most)
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


def test_one_request_looks_through_a_bounded_number(monkeypatch):
    monkeypatch.setattr(record, "SEARCHED", 2_000)
    ledger = Entries([entry(0, by="ada"), *(entry(n) for n in range(1, 5_000))])
    page = find(ledger, Sought(by="ada"))
    assert (page.entries, page.before, page.full) == ((), 3_000, False)
    assert ledger.read == 2_000
    assert [number for number, _ in pages(ledger, Sought(by="ada"))] == [0]


def test_a_time_is_found_without_reading_everything():
    ledger = Entries(entry(number) for number in range(100_000))
    assert place_at(ledger, NOW + timedelta(seconds=77_000)) == 77_000
    assert ledger.read < 20


def test_what_cannot_be_read_of_an_address_is_left_out():
    asked = sought_of({"kind": "nothing", "since": "yesterday", "until": "2026-11-24T12:30", "by": " mo "})
    assert asked == Sought(by="mo", until=datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
    assert all(sought_of({"kind": name}).kind == name for name in GROUPS)
