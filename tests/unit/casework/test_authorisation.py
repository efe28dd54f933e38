from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.unit.casework.undercover_cases import FULL, TOP, URGENT, asked, at, granted, rules, soon

from lightship import packs
from lightship.casework import authorisation as law
from lightship.casework.authorisation_clocks import (
    authorised_days,
    hours_end,
    is_long_term,
    months_after,
    period_end,
    standing,
    warned,
)
from lightship.casework.authorisation_rules import NEEDED, parse_rules
from lightship.core.errors import AccessDenied, InputError, LightshipError, PolicyError
from lightship.core.undercover import Authorisation, Review

LONDON = ZoneInfo("Europe/London")
ZONES = [
    LONDON,
    ZoneInfo("UTC"),
    ZoneInfo("Asia/Manila"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Pacific/Chatham"),
]

MOMENTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(ZONES),
)


def reviewed(one: Authorisation, moment: datetime) -> Authorisation:
    done = Review(
        moment, "Dale", "one account kept", "none beyond those granted", "two handles", soon(moment)
    )
    return law.review(one, done, rules())


# The clocks, each against the domain file's table -------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "end"),
    [
        ("2026-11-30T10:00", "2027-11-29T23:59"),
        ("2026-06-15T23:30", "2027-06-15T22:59"),  # 00:30 on the 16th in London: that is the day of effect
        (
            "2026-03-29T00:59",
            "2027-03-28T22:59",
        ),  # a minute before the clocks go forward; 28 March 2027 is summer
        ("2026-10-25T01:30", "2027-10-24T22:59"),  # within the hour that comes twice
        ("2024-02-29T12:00", "2025-02-28T23:59"),  # the anniversary of a leap day is 1 March
        ("2023-03-01T12:00", "2024-02-29T23:59"),
        ("2026-01-01T00:00", "2026-12-31T23:59"),
    ],
)
def test_a_written_authorisation_ends_at_2359_on_the_day_before_the_anniversary(
    effect: str, end: str
) -> None:
    assert granted(at(effect)).ends_at == at(end)


@pytest.mark.parametrize(
    ("effect", "end"),
    [
        ("2026-11-30T10:00:00", "2026-12-03T10:00"),
        ("2026-11-30T10:00:59.9", "2026-12-03T10:00"),  # to the minute, never a second more
        ("2026-03-28T12:00", "2026-03-31T12:00"),  # 72 hours pass, whatever the clocks on the wall do
        ("2026-10-24T12:00", "2026-10-27T12:00"),
    ],
)
def test_an_oral_authorisation_ends_72_hours_after_its_minute(effect: str, end: str) -> None:
    moment = at(effect)
    new = law.apply_for("A-1", asked(), moment, rules(), oral=True)
    one = law.grant(
        new, "Fir", FULL, moment, soon(moment), (), rules(), oral=True, urgent="a child is expected tonight"
    )
    assert one.ends_at == at(end)
    assert standing(one, at(end) - timedelta(microseconds=1)) == "active"
    assert standing(one, at(end)) == "lapsed"


def test_every_day_of_eight_years_has_its_end_in_every_zone() -> None:
    """Exhaustive: 2,922 days, leap days and changes of clocks among them, five zones, four hours of the day."""
    for zone in ZONES:
        day = date(2024, 1, 1)
        while day < date(2032, 1, 1):
            for hour in (0, 2, 12, 23):
                effect = datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone)
                end = period_end(effect, 12, zone).astimezone(zone)
                assert (end.hour, end.minute) == (23, 59)
                assert end.date() + timedelta(days=1) == months_after(effect.astimezone(zone).date(), 12)
            day += timedelta(
                days=7 if (day.month, day.day) not in {(2, 22), (2, 29), (3, 22), (10, 18)} else 1
            )


@given(
    MOMENTS,
    st.integers(1, 24),
)
def test_a_period_of_months_never_runs_past_the_anniversary(effect: datetime, months: int) -> None:
    zone = effect.tzinfo
    assert isinstance(zone, ZoneInfo)
    end = period_end(effect, months, zone)
    assert end > effect or effect.astimezone(zone).hour == 23
    anniversary = months_after(effect.date(), months)
    assert end.astimezone(zone).date() == anniversary - timedelta(days=1)
    assert months_after(effect.date(), months - 1) <= end.astimezone(zone).date()


@given(MOMENTS)
def test_seventy_two_hours_are_never_more(effect: datetime) -> None:
    lasts = hours_end(effect, 72) - effect.astimezone(UTC)
    assert timedelta(hours=72) - timedelta(minutes=1) < lasts <= timedelta(hours=72)


def test_months_after_is_the_corresponding_day() -> None:
    assert months_after(date(2026, 10, 31), 4) == date(2027, 3, 1)
    assert months_after(date(2026, 12, 31), 12) == date(2027, 12, 31)
    assert months_after(date(2026, 1, 31), 1) == date(2026, 3, 1)


def test_warnings_come_at_28_14_and_7_days() -> None:
    end = at("2027-11-29T23:59")
    days = rules().on(date(2026, 11, 30), "warnings").values["days"]
    assert [warned(end, end - timedelta(days=one), days) for one in (29, 28, 15, 14, 8, 7, 1)] == [
        0, 28, 28, 14, 14, 7, 7
    ]  # fmt: skip
    assert warned(end, end, days) == 0


# Who may grant what -------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["Ash", "Birch", "Cedar", "Dale", "S-17", " ash "])
def test_nobody_decides_on_what_they_are_part_of(by: str) -> None:
    moment = at("2026-11-30T10:00")
    new = law.apply_for("A-1", asked(), moment, rules())
    with pytest.raises(AccessDenied):
        law.grant(new, by, FULL, moment, soon(moment), (), rules())
    with pytest.raises(AccessDenied):
        law.refuse(new, by, "no", moment, rules())


@pytest.mark.parametrize(
    ("rank", "oral", "urgent", "form"),
    [
        (FULL, False, "", "written"),
        (TOP, False, "", "written"),
        (FULL, True, "tonight", "oral_urgent"),
        (URGENT, False, "tonight", "written_urgent_only"),
        (FULL, True, "", InputError),
        (URGENT, False, "", InputError),
        (URGENT, True, "tonight", AccessDenied),
        ("inspector", False, "", AccessDenied),
        ("inspector", True, "tonight", AccessDenied),
    ],
)
def test_the_form_follows_from_rank_and_urgency(
    rank: str, oral: bool, urgent: str, form: str | type[LightshipError]
) -> None:
    moment = at("2026-11-30T10:00")
    new = law.apply_for("A-1", asked(), moment, rules(), oral=oral)
    if isinstance(form, str):
        one = law.grant(new, "Fir", rank, moment, soon(moment), (), rules(), oral=oral, urgent=urgent)
        assert one.spans[0].form == form
        assert one.ends_at == (at("2027-11-29T23:59") if form == "written" else at("2026-12-03T10:00"))
    else:
        with pytest.raises(form):
            law.grant(new, "Fir", rank, moment, soon(moment), (), rules(), oral=oral, urgent=urgent)


@pytest.mark.parametrize(
    "field", ["handler", "cover", "controller", "record_keeper", "applicant", *law.TEXTS]
)
def test_what_the_law_asks_for_must_be_there(field: str) -> None:
    with pytest.raises(InputError):
        law.apply_for("A-1", asked(**{field: " "}), at("2026-11-30T10:00"), rules())


def test_a_source_under_18_is_refused() -> None:
    with pytest.raises(AccessDenied, match="2000/2793"):
        law.apply_for("A-1", asked(source_kind="juvenile"), at("2026-11-30T10:00"), rules())


def test_the_handler_is_not_the_controller() -> None:
    with pytest.raises(AccessDenied):
        law.apply_for("A-1", asked(handler="Dale"), at("2026-11-30T10:00"), rules())


def test_the_next_review_is_mandatory_and_near() -> None:
    moment = at("2026-11-30T10:00")
    new = law.apply_for("A-1", asked(), moment, rules())
    for days in (0, -1, 92):
        with pytest.raises(InputError, match="review"):
            law.grant(new, "Fir", FULL, moment, soon(moment, days), (), rules())


# Long term ----------------------------------------------------------------------------------------


def test_a_second_year_waits_for_a_judicial_commissioner_and_is_never_active_before() -> None:
    first, moment = granted(at("2025-11-30T10:00")), at("2026-12-01T09:00")
    new = law.apply_for("A-2", asked(), moment, rules())
    with pytest.raises(AccessDenied, match="long term"):
        law.grant(new, "Fir", FULL, moment, soon(moment), (first,), rules())
    waits = law.grant(new, "Gale", TOP, moment, soon(moment), (first,), rules())
    assert waits.state == "awaiting_jc"
    assert not waits.spans
    assert all(standing(waits, moment + timedelta(days=days)) == "awaiting_jc" for days in range(400))
    notice = ("grounds", "conduct", "renewals", "reviews")
    with pytest.raises(AccessDenied, match="reviews"):
        law.approve_jc(waits, "JC/26/14", notice[:3], moment, rules())
    approved = law.approve_jc(waits, "JC/26/14", notice, at("2026-12-04T15:00"), rules())
    assert standing(approved, at("2026-12-04T14:59")) == "pending"
    assert standing(approved, at("2026-12-04T15:00")) == "active"
    assert approved.ends_at == at("2027-12-03T23:59")


def test_time_on_another_investigation_or_of_another_source_is_not_counted() -> None:
    first, moment = granted(at("2025-11-30T10:00")), at("2026-12-01T09:00")
    for changes in ({"investigation": "INV-2"}, {"source": "S-18"}, {"source_kind": "other"}):
        new = law.apply_for("A-2", asked(**changes), moment, rules())
        assert law.grant(new, "Fir", FULL, moment, soon(moment), (first,), rules()).state == "granted"


def test_the_counter_is_of_days_per_person_and_investigation_not_per_form() -> None:
    """Three short ones, cancelled early: each day counts once, however many forms name it."""
    zone, moment = rules().zone, at("2026-01-05T09:00")
    short = law.cancel(granted(moment, "A-1"), "Fir", "not needed", at("2026-01-14T17:00"), rules())
    also = law.cancel(
        granted(at("2026-01-10T09:00"), "A-2"), "Fir", "not needed", at("2026-01-20T17:00"), rules()
    )
    assert len(authorised_days(short, zone)) == 10
    assert len(authorised_days(short, zone) | authorised_days(also, zone)) == 16
    new = law.apply_for("A-3", asked(), at("2026-02-01T09:00"), rules())
    waits = law.grant(new, "Gale", TOP, at("2026-02-01T09:00"), date(2026, 3, 1), (short, also), rules())
    assert waits.state == "awaiting_jc"
    assert waits.waiting is not None
    assert waits.waiting.total_days == 16 + 365


@given(st.dates(date(2024, 1, 1), date(2032, 1, 1)), st.integers(0, 40))
def test_twelve_months_are_not_more_than_twelve_months_and_a_day_more_is(first: date, gap: int) -> None:
    year = {first + timedelta(days=one) for one in range((months_after(first, 12) - first).days)}
    assert not is_long_term(year, 12)
    assert is_long_term(year | {max(year) + timedelta(days=1 + gap)}, 12)
    assert not is_long_term(set(), 12)


def test_an_urgent_way_to_a_long_term_one_is_refused() -> None:
    first, moment = granted(at("2025-11-30T10:00")), at("2026-11-30T12:00")
    new = law.apply_for("A-2", asked(), moment, rules(), oral=True)
    with pytest.raises(AccessDenied, match="no urgent way"):
        law.grant(new, "Gale", TOP, moment, soon(moment), (first,), rules(), oral=True, urgent="tonight")


# Renewal, review, cancellation --------------------------------------------------------------------


def test_a_renewal_needs_a_review_and_begins_when_the_old_one_ends() -> None:
    one = granted(at("2026-11-30T10:00"), source_kind="other")
    later = at("2027-11-20T10:00")
    with pytest.raises(AccessDenied, match="not been reviewed"):
        law.renew(one, "Fir", FULL, later, soon(later), (), rules())
    renewed = law.renew(reviewed(one, later), "Fir", FULL, later, soon(later), (), rules())
    assert renewed.spans[-1].first_at == at("2027-11-30T00:00")
    assert renewed.ends_at == at("2028-11-29T23:59")
    assert standing(renewed, at("2027-11-29T23:59:30")) == "active"


def test_an_officers_renewal_waits_and_the_old_one_runs_on_to_its_own_end() -> None:
    later = at("2027-11-20T10:00")
    one = reviewed(granted(at("2026-11-30T10:00")), later)
    waits = law.renew(one, "Gale", TOP, later, soon(later), (), rules())
    assert (waits.state, standing(waits, later)) == ("granted", "active")
    assert standing(waits, at("2027-11-29T23:59")) == "lapsed"
    with pytest.raises(AccessDenied, match="lapsed"):
        law.approve_jc(
            waits, "JC/27/9", ("grounds", "conduct", "renewals", "reviews"), at("2027-11-30T09:00"), rules()
        )
    done = law.approve_jc(waits, "JC/27/9", ("grounds", "conduct", "renewals", "reviews"), later, rules())
    assert done.ends_at == at("2028-11-29T23:59")
    assert law.refuse_jc(waits, "JC/27/9", "not proportionate", later, rules()).state == "granted"


def test_what_has_lapsed_cannot_be_renewed_reviewed_or_revived() -> None:
    one = reviewed(granted(at("2026-11-30T10:00"), source_kind="other"), at("2027-11-20T10:00"))
    after = at("2027-11-29T23:59")
    with pytest.raises(AccessDenied, match="lapsed"):
        law.renew(one, "Fir", FULL, after, soon(after), (), rules())
    with pytest.raises(AccessDenied, match="lapsed"):
        reviewed(one, after)


def test_an_oral_grant_is_written_down_before_it_is_renewed() -> None:
    moment, later = at("2026-11-30T10:00"), at("2026-12-01T10:00")
    spoken = asked(
        necessity="", proportionality="", collateral="", confidential="", conduct="", source_kind="other"
    )
    new = law.apply_for("A-1", spoken, moment, rules(), oral=True)
    one = law.grant(
        new, "Fir", FULL, moment, soon(moment), (), rules(), oral=True, urgent="a child is expected tonight"
    )
    with pytest.raises(AccessDenied, match="no written record"):
        law.renew(one, "Fir", FULL, later, soon(later), (), rules())
    with pytest.raises(AccessDenied, match="others"):
        law.write_down(one, asked(source_kind="other", handler="Gale"), "Ash", later, rules())
    written = reviewed(law.write_down(one, asked(source_kind="other"), "Ash", later, rules()), later)
    renewed = law.renew(written, "Fir", FULL, later, soon(later), (), rules())
    assert renewed.spans[-1].first_at == at("2026-12-03T10:00")
    assert renewed.ends_at == at("2027-12-02T23:59")


def test_a_cancelled_one_is_over_and_stays_so() -> None:
    one = law.cancel(
        granted(at("2026-11-30T10:00")), "anyone", "no longer needed", at("2026-12-05T09:00"), rules()
    )
    assert standing(one, at("2026-12-05T08:59")) == "active"
    assert standing(one, at("2026-12-05T09:00")) == "cancelled"
    with pytest.raises(AccessDenied):
        law.cancel(one, "Fir", "again", at("2026-12-06T09:00"), rules())


def test_no_step_is_dated_before_the_one_it_follows() -> None:
    one = granted(at("2026-11-30T10:00"))
    with pytest.raises(AccessDenied, match="dated before"):
        law.cancel(one, "Fir", "no longer needed", at("2026-11-30T09:59"), rules())


def test_every_step_names_its_law_and_the_version_of_the_rules() -> None:
    one = law.cancel(granted(at("2026-11-30T10:00")), "Fir", "done", at("2026-12-05T09:00"), rules())
    assert [step.act for step in one.transitions] == ["apply", "grant", "cancel"]
    for step in one.transitions:
        assert step.sections
        assert step.version == rules().version
        assert step.digest == rules().digest
    grant = one.transitions[1]
    assert "RIPA 2000 s.43(3)(b)" in grant.sections
    assert any(mark.startswith("ranks:") for mark in grant.unverified)


# The rules ----------------------------------------------------------------------------------------


def test_every_rule_has_its_source_or_says_that_it_is_a_choice() -> None:
    for one in rules().rules:
        assert one.section
        assert one.source or one.grade == "choice"
        assert one.grade == "P" or one.tbv or one.grade == "choice"


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_file_without_a_rule_is_refused(name: str) -> None:
    _, text = packs.read("undercover", "gb", ".toml", "rules")
    with pytest.raises(PolicyError, match=name):
        parse_rules(text.replace(f'id = "{name}"', 'id = "gone"'), "test")


def test_a_rule_that_is_not_in_force_is_not_gone_by() -> None:
    with pytest.raises(PolicyError, match="in force"):
        rules().on(date(2010, 1, 1), "long-term")


# Any order of acts --------------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Whatever people try, in whatever order and however much time passes between: what is active had authority."""

    @initialize(kind=st.sampled_from(["officer", "other"]), oral=st.booleans())
    def begin(self, kind: str, oral: bool) -> None:
        self.now = at("2026-03-20T22:40")
        self.kind = kind
        self.one = law.apply_for("A-1", asked(source_kind=kind), self.now, rules(), oral=oral)
        self.approved = 0

    def attempt(self, step: object) -> None:
        before = self.one
        try:
            self.one = step()  # type: ignore[operator]
        except (AccessDenied, InputError):
            assert self.one is before
        else:
            assert self.one.transitions[:-1] == before.transitions
            assert self.one.transitions[-1].sections

    @rule(hours=st.sampled_from([0, 1, 71, 72, 24 * 28, 24 * 180, 24 * 366]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(
        rank=st.sampled_from([FULL, TOP, URGENT, "inspector"]),
        oral=st.booleans(),
        by=st.sampled_from(["Fir", "Dale"]),
    )
    def grant(self, rank: str, oral: bool, by: str) -> None:
        self.attempt(
            lambda: law.grant(
                self.one, by, rank, self.now, soon(self.now), (), rules(), oral=oral, urgent="tonight"
            )
        )

    @rule(rank=st.sampled_from([FULL, TOP, URGENT]), oral=st.booleans())
    def renew(self, rank: str, oral: bool) -> None:
        self.attempt(
            lambda: law.renew(
                self.one, "Fir", rank, self.now, soon(self.now), (), rules(), oral=oral, urgent="now"
            )
        )

    @rule()
    def review(self) -> None:
        self.attempt(lambda: reviewed(self.one, self.now))

    @rule()
    def write_down(self) -> None:
        self.attempt(lambda: law.write_down(self.one, self.one.application, "Ash", self.now, rules()))

    @rule()
    def approve(self) -> None:
        had = len(self.one.spans)
        notice = ("grounds", "conduct", "renewals", "reviews")
        self.attempt(lambda: law.approve_jc(self.one, "JC/26/1", notice, self.now, rules()))
        self.approved += len(self.one.spans) - had

    @rule()
    def cancel(self) -> None:
        self.attempt(lambda: law.cancel(self.one, "Fir", "not needed", self.now, rules()))

    @invariant()
    def active_means_authority(self) -> None:
        if not hasattr(self, "one"):
            return
        now = standing(self.one, self.now)
        if now == "active":
            assert self.one.state == "granted"
            assert any(span.first_at <= self.now for span in self.one.spans)
            assert self.one.ends_at is not None
            assert self.now < self.one.ends_at
        if self.one.state == "awaiting_jc":
            assert not self.one.spans
        for earlier, later in zip(self.one.spans, self.one.spans[1:], strict=False):
            gap = later.first_at - earlier.ends_at
            assert timedelta() <= gap <= timedelta(minutes=1)

    @invariant()
    def more_than_twelve_months_had_a_commissioner(self) -> None:
        if hasattr(self, "one") and self.kind == "officer":
            whole = replace(self.one, cancelled_at=None)
            long = is_long_term(authorised_days(whole, rules().zone), 12)
            assert not long or self.approved


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyOrder = AnyOrder.TestCase
