"""Periods end when the law's clock says, across changes of the clocks, weekends and bank holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.duties.making import gb

CALENDAR = gb().calendar


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("began", "length", "unit", "ends"),
    [
        # the clocks go back on 25 October 2026 at 02:00 BST, forward on 28 March 2027 at 01:00 GMT
        ("2026-10-24T12:00:00+01:00", 48, "hours", "2026-10-26T11:00:00+00:00"),
        ("2026-10-24T12:00:00+01:00", 2, "days", "2026-10-26T12:00:00+00:00"),
        ("2027-03-27T12:00:00+00:00", 48, "hours", "2027-03-29T13:00:00+01:00"),
        ("2027-03-27T12:00:00+00:00", 2, "days", "2027-03-29T12:00:00+01:00"),
        ("2027-03-27T01:30:00+00:00", 1, "days", "2027-03-28T02:30:00+01:00"),  # 01:30 is skipped
        ("2026-10-24T01:30:00+01:00", 1, "days", "2026-10-25T01:30:00+01:00"),  # 01:30 comes twice: the first
        ("2026-10-22T09:00:00+01:00", 7, "days", "2026-10-29T09:00:00+00:00"),
        ("2026-06-30T23:30:00+00:00", 7, "days", "2026-07-07T23:30:00+00:00"),
        ("2027-01-31T10:00:00+00:00", 1, "months", "2027-02-28T10:00:00+00:00"),
        ("2028-02-29T10:00:00+00:00", 1, "years", "2029-02-28T10:00:00+00:00"),
        ("2026-11-28T23:40:00+00:00", 1, "years", "2027-11-28T23:40:00+00:00"),
        ("2026-12-31T10:00:00+00:00", 3, "months", "2027-03-31T10:00:00+01:00"),
        ("2026-12-24T10:00:00+00:00", 1, "working-days", "2026-12-29T10:00:00+00:00"),  # Thu, over Christmas
        ("2026-11-28T23:40:00+00:00", 1, "working-days", "2026-12-01T00:00:00+00:00"),  # a Saturday night
        ("2026-11-27T10:00:00+00:00", 1, "working-days", "2026-11-30T10:00:00+00:00"),
        ("2027-03-25T10:00:00+00:00", 1, "working-days", "2027-03-30T10:00:00+01:00"),  # over Easter and the clocks
    ],
)  # fmt: skip
def test_a_period_ends_then(began, length, unit, ends):
    found = CALENDAR.later(at(began), length, unit)
    assert found == at(ends)
    assert found.tzinfo is UTC


def test_the_day_of_the_place_counts_and_not_that_of_utc():
    late = at("2026-06-30T23:30:00+00:00")  # 00:30 on Wednesday 1 July in London
    assert CALENDAR.later(late, 1, "working-days") == at("2026-07-02T00:30:00+01:00")


@pytest.mark.parametrize(
    ("now", "office"),
    [
        ("2026-11-30T07:00:00+00:00", "open"),
        ("2026-11-30T06:59:59+00:00", "closed"),
        ("2026-11-30T17:00:00+00:00", "closed"),
        ("2026-06-30T06:00:00+00:00", "open"),  # 07:00 in summer
        ("2026-11-28T12:00:00+00:00", "closed"),  # a Saturday
        ("2026-12-28T12:00:00+00:00", "closed"),  # a bank holiday
        ("2031-01-07T12:00:00+00:00", "open"),
    ],
)
def test_the_office_is_open_on_working_days_by_its_own_clock(now, office):
    assert CALENDAR.office(at(now)) == office


MOMENTS = st.integers(0, 900 * 86_400).map(
    lambda one: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=one)
)


@given(MOMENTS, st.integers(1, 60), st.sampled_from(["hours", "days", "working-days", "months", "years"]))
def test_no_period_ends_before_it_begins_and_longer_ones_end_later(began, length, unit):
    if unit in {"months", "years"}:
        length = length % 12 + 1
    end = CALENDAR.later(began, length, unit)
    assert end > began
    assert CALENDAR.later(began, length + 1, unit) > end
    if unit == "days":
        assert abs(end - began - timedelta(days=length)) <= timedelta(hours=1), "the clocks change by an hour"
    if unit == "working-days":
        assert end.astimezone(CALENDAR.zone).weekday() < 5
        assert end.astimezone(CALENDAR.zone).date() not in CALENDAR.holidays


def test_a_day_is_a_day_here():
    assert gb().day(at("2026-04-06T23:30:00+00:00")) == date(2026, 4, 7)
