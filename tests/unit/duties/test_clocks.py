"""Questions are answered in seven days, intimate images are down in 48 hours, and what is late says why."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.duties.making import T0, gb, store_in

from lightship.core.errors import AccessDenied, InputError, PolicyError
from lightship.duties import clocks


def at(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def work(tmp_path, database):
    with store_in(tmp_path) as store, store.begin() as work:
        yield work


@pytest.mark.parametrize(
    ("kind", "began", "due"),
    [
        ("nca-question", "2026-12-22T16:00:00+00:00", "2026-12-29T16:00:00+00:00"),  # over Christmas
        ("nca-question", "2026-10-23T09:00:00+01:00", "2026-10-30T09:00:00+00:00"),  # the clocks go back
        (
            "intimate-image",
            "2026-10-24T12:00:00+01:00",
            "2026-10-26T11:00:00+00:00",
        ),  # 48 hours, not two days
        ("intimate-image", "2027-03-27T12:00:00+00:00", "2027-03-29T13:00:00+01:00"),
        ("data-protection-complaint", "2026-11-28T23:40:00+00:00", "2026-12-28T23:40:00+00:00"),
        ("erasure-request", "2027-01-31T10:00:00+00:00", "2027-02-28T10:00:00+00:00"),
        ("risk-assessment", "2026-11-30T10:00:00+00:00", "2027-11-30T10:00:00+00:00"),
        ("correction", "2026-11-28T23:40:00+00:00", "2026-12-01T00:00:00+00:00"),  # a Saturday night
    ],
)
def test_a_clock_is_due_then(work, kind, began, due):
    clock = clocks.begin(work, gb(), kind, about="x", began_at=at(began), by="ann")
    assert clock.due_at == at(due)


def test_a_clock_begun_twice_is_one_and_the_next_one_due_comes_first(work):
    first = clocks.begin(work, gb(), "nca-question", about="d1", began_at=T0, by="ann", reference="Q1")
    assert (
        clocks.begin(work, gb(), "nca-question", about="d1", began_at=T0, by="bob", reference="Q1") == first
    )
    image = clocks.begin(work, gb(), "intimate-image", about="c1", began_at=T0, by="ann")
    assert clocks.running(work) == [image, first]
    clocks.close(work, image, outcome="down, and four near copies", by="ann", now=T0)
    assert clocks.running(work) == [first]
    with pytest.raises(AccessDenied):
        clocks.close(work, image, outcome="down", by="ann", now=T0)


@pytest.mark.parametrize("outcome", ["", "  ", "x" * 2001])
def test_a_clock_ends_with_an_outcome_in_bounded_words(work, outcome):
    clock = clocks.begin(work, gb(), "nca-question", about="c1", began_at=T0, by="ann")
    with pytest.raises(InputError, match="why it is late"):
        clocks.end(work, clock.id, outcome=outcome, by="ann", now=T0 + timedelta(days=8))
    with pytest.raises(InputError):
        clocks.end(work, "nobody", outcome="x", by="ann", now=T0)


def test_what_no_law_asked_for_then_has_no_clock(work):
    with pytest.raises(PolicyError, match="intimate-image"):
        clocks.begin(
            work, gb(), "intimate-image", about="c1", began_at=datetime(2026, 6, 1, tzinfo=UTC), by="ann"
        )
    with pytest.raises(InputError):
        clocks.begin(work, gb(), "nca-question", about=" ", began_at=T0, by="ann")


def test_an_opened_cybertip_is_dropped_at_the_later_of_two_times():
    assert clocks.cybertip_dropped_at(gb(), T0, T0 + timedelta(hours=2)) == T0 + timedelta(hours=24)
    late = T0 + timedelta(hours=23, minutes=30)
    assert clocks.cybertip_dropped_at(gb(), T0, late) == late + timedelta(hours=1)
