"""The bench's arithmetic of allowances: what a share of bursts said in time costs in false alerts, and back."""

from __future__ import annotations

import math

import numpy as np
from bench.payments_lane import UNSEEN, Ranked, pooled, ranked, words
from bench.payments_lane import _way as way

from lightship.payments.backtest_lane import Moments
from lightship.payments.prepare import DAY_US

CHILDREN = 8_334  # children of whom a year's alert is one for 100,000 a month


def moments(*rows: tuple[str, int, int]) -> Moments:
    rows = tuple(sorted(rows))
    subject, day, total = (np.array(column) for column in zip(*rows, strict=True))
    return Moments(subject, day * DAY_US, total)


def world() -> Ranked:
    """Return two bursts, one said late only, and three innocents, one of whom is looked at twice within a week."""
    found = moments(
        ("a", 1, 10), ("a", 2, 50), ("b", 1, 20), ("b", 4, 90), ("x", 1, 40), ("x", 5, 45), ("y", 1, 30), ("z", 9, 15)
    )  # fmt: skip
    days = {"a": [1, 2, 3], "b": [1, 2, 3, 4], "gone": [5, 6]}
    bursts = {who: [day * DAY_US for day in burst] for who, burst in days.items()}
    return ranked(found, bursts, CHILDREN)


def test_a_burst_counts_by_what_it_weighs_up_to_its_third_payment() -> None:
    assert sorted(world().said) == [-math.inf, 20.0, 50.0]


def test_an_allowance_says_a_share_and_a_share_takes_an_allowance() -> None:
    found = world()
    assert [round(found.share(rate), 2) for rate in (0, 1, 2, 3)] == [0.33, 0.33, 0.67, 0.67]
    assert [round(found.rate(share)) for share in (0.3, 0.6)] == [0, 2]
    assert found.rate(0.8) == math.inf
    assert words(found).endswith("80% never")


def test_populations_taken_together_have_one_threshold() -> None:
    both = pooled([world(), world()])
    assert len(both.said) == 6
    assert round(both.share(2), 2) == 0.67
    assert round(both.rate(0.6)) == 2


def test_a_burst_is_told_by_how_it_is_paid_or_why_it_cannot_be_seen() -> None:
    card, coin, here, there = (
        {"rail": rail, "payer_country": "GB", "payee_country": country}
        for rail, country in (("gift-card", None), ("crypto", None), ("bank", "GB"), ("wallet", "NG"))
    )
    assert way([card, coin], 2, False) == "in part by crypto"
    assert way([card, card], 2, False) == "by gift card alone"
    assert way([card, there], 2, False) == "to people abroad"
    assert way([here, card], 2, False) == "to people at home"
    assert way([here, here], 1, False) == UNSEEN[1]
    assert way([here, here], 0, True) == UNSEEN[0]
