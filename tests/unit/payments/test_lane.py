"""A child's account, moment by moment, by the live step: what counts for a burst and what speaks against one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from lightship import app_payments
from lightship.core.payments import Payment
from lightship.payments import derive
from lightship.payments.baseline import expected
from lightship.payments.engine import DuckEngine
from lightship.payments.features import marked
from lightship.payments.live import Profile, World, replay
from lightship.payments.prepare import Terms, Window
from lightship.payments.rows import Moment
from lightship.payments.vocabulary import FEATURES

START_US = int(datetime(2026, 5, 4, 18, tzinfo=UTC).timestamp()) * 1_000_000
HOUR_US = 3_600_000_000


def moments(*payments: tuple[str, str, int, str | None], ties: tuple[str, ...] = ()) -> list[Moment]:
    """Return the moments of a child's payments, an hour apart: (payee, rail, pence, country)."""
    child = Profile("person", date(2020, 1, 1), "GB", "Europe/London", 2011, frozenset(ties))
    pack = app_payments.typology("extortion-victim")
    terms = Terms(app_payments.jurisdiction("uk"), app_payments.currencies())
    world = World(terms, (pack,), {}, {"kim": child}.get, lambda _: ())
    rows = [
        Payment(
            f"p{number}",
            START_US + number * HOUR_US,
            "kim",
            payee,
            pence,
            "GBP",
            rail,
            payer_country="GB",
            payee_country=country,
            merchant_code="5816" if rail == "gaming" else None,
        )
        for number, (payee, rail, pence, country) in enumerate(payments)
    ]
    state, _ = replay(_without_weighing(world), rows)
    outs = state["kim"].outs
    found = [derive.moment(outs, 0, out, lambda _: set(), lambda _: 0) for out in outs]
    return [one for one in found if one is not None]


def _without_weighing(world: World) -> World:
    return World(world.terms, (), {}, world.profile, world.markers)


def of(feature: str, moment: Moment) -> Any:
    return FEATURES[feature].measure.hit(moment, {})


def test_a_listed_country_counts_only_where_nothing_known_ties_the_account_to_it() -> None:
    burst = (("mule", "wallet", 4000, "NG"), ("mule", "wallet", 5000, "NG"))
    assert of("burst_untied", moments(*burst)[-1]) == 2
    assert of("burst_untied", moments(*burst, ties=("NG",))[-1]) == 0
    assert of("burst_untied", moments(*burst, ties=("PL",))[-1]) == 2
    assert of("burst_untied", moments(("shop", "wallet", 4000, "FR"))[-1]) == 0


def test_the_smallest_sum_and_the_share_to_one_receiver_are_of_the_whole_burst() -> None:
    last = moments(("a", "bank", 4000, None), ("b", "bank", 500, None), ("a", "bank", 9000, None))[-1]
    assert last.least < last.opener < last.spent
    assert last.least == min(one.ref for one in moments(("b", "bank", 500, None)))
    assert of("burst_same_share", last) == 666


def test_games_are_counted_and_gift_cards_are_not_games() -> None:
    last = moments(("g", "gaming", 800, None), ("c", "gift-card", 2500, None), ("g", "gaming", 800, None))[-1]
    assert of("burst_games", last) == 2
    assert of("burst_gifts", last) == 1


def test_one_payment_alone_is_no_burst_whatever_the_population() -> None:
    pack = app_payments.typology("extortion-victim")
    number = next(one for one in pack.computed if one.feature == "burst_payments")
    alone, *several = expected(number, pack)[0]
    assert alone < 0.01 < min(several)


def test_money_goes_on_only_where_it_came_in_shortly_before() -> None:
    day_us = 24 * HOUR_US
    passing = [
        derive.Passing("in", START_US, "kit", 5000, 1, 2009),
        derive.Passing("soon", START_US + day_us, "exchange", 4800, 0, 0),
        derive.Passing("late", START_US + 20 * day_us, "exchange", 4800, 0, 0),
    ]
    rows = derive.flow_rows(passing, Window(START_US - 1, START_US + 30 * day_us))
    assert [of("onward_payments", row) for row in rows] == [False, True, False]


def test_whose_an_account_is_is_no_marker_of_something_before() -> None:
    engine = DuckEngine()
    rows = engine.lookup("rows", pa.table({"subject": ["ann", "bob"]}))
    marks = pa.table({"subject": ["ann", "bob", "bob"], "marker": ["child-parent", "exit", "child-account"]})
    found = engine.arrow(marked(rows, engine.lookup("marks", marks))).to_pylist()
    engine.close()
    assert {row["subject"]: row["markers"] for row in found} == {"ann": 0, "bob": 1}
