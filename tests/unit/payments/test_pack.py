"""Packs are closed: what they may say, and how a wrong one is refused."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from lightship import app_payments, packs
from lightship.core.errors import InputError, PolicyError
from lightship.payments.explain import explained
from lightship.payments.money import parse_currencies, rate_of
from lightship.payments.pack_file import parse_jurisdiction, parse_pack

PAYER = (packs.root() / "typologies" / "livestream-payer.toml").read_text(encoding="utf-8")


def test_every_published_indicator_has_a_row() -> None:
    found = {one.id for name in app_payments.TYPOLOGIES for one in app_payments.typology(name).indicators}
    wanted = [f"C{n}" for n in range(1, 21)] + [f"F{n}" for n in range(1, 9)] + [f"V{n}" for n in range(1, 8)]
    assert not set(wanted) - found


@pytest.mark.parametrize("name", app_payments.TYPOLOGIES)
def test_a_pack_says_where_each_sign_is_published_and_why_one_is_off(name: str) -> None:
    text = explained(app_payments.typology(name))
    for one in app_payments.typology(name).indicators:
        assert one.source.startswith("https://")
        assert one.source in text
        assert bool(one.feature) != bool(one.off)
    assert "The corridor itself weighs nothing." in " ".join(text.split())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('view = "payer"', 'view = "people"', "is not one of payer, receiver, burst, mule"),
        ("budget = 50", "budget = 50\nsecret = 1", "Unknown key secret"),
        ("budget = 50", 'budget = "many"', "is of the wrong type"),
        ("floor_db = 5", "floor_db = -1", "is outside 0.1 to 100"),
        ('feature = "round_share"', 'feature = "skin_share"', "is not in the vocabulary"),
        ("mean = 0.8,", "mean = 1.5,", "is outside 0.001 to 0.999"),
        ('grade = "P"', 'grade = "X"', "is not one of P, S, M, C, A"),
        ("habit = [2, 4, 10, 30]", "habit = [4, 2]", "does not rise"),
        ('family = "rhythm"', 'family = "amount"', "holds evidence and counter-evidence"),
        ('id = "C2"\n', 'id = "C1"\n', "two have one id"),
        (
            "{count} of {of} payments were round",
            "{name} of {of} payments were round",
            "place for something unknown",
        ),
        ("[0.93, 0.04, 0.03]", "[0.93, 0.04]", "not one a bin"),
        ('currency = "EUR"\n', "", "has no currency"),
        ("window_days = 365", "window_days = ", "It is not TOML"),
        ("window_days = 365", "window_days = " + "[" * 9999, "It is not TOML"),
        ("window_days = 365", "window_days = " + "9" * 9999, "It is not TOML"),
        ("[0.93, 0.04, 0.03]", "[0.93, nan, 0.07]", "not one a bin"),
        ("{value} different", "{value:>99999999} different", "place for something unknown"),
        ("{value} different", "{value!z} different", "place for something unknown"),
        ("since = 2025-03-13", "since = 2025-03-13T00:00:00", "is a time"),
        ("since = 2025-03-13", "since = 2025-03-13\nuntil = 2025-03-13", "is not after since"),
        ('id = "livestream-payer"', 'id = "../../livestream-payer"', "is no name"),
        ('id = "C12"', 'id = "c1"', "two have one id"),
        ("low = 10\nhigh = 200", "low = 200\nhigh = 10", "low is above high"),
        ('source = "https://preda.org', 'source = "javascript:preda.org', "is no address"),
    ],
)
def test_a_wrong_pack_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    assert old in PAYER
    with pytest.raises(PolicyError, match=re.escape(said)):
        parse_pack(PAYER.replace(old, new, 1))


def test_the_digest_is_over_what_a_pack_says_not_how_it_is_written() -> None:
    assert parse_pack("# a comment\n" + PAYER).digest == parse_pack(PAYER).digest
    assert parse_pack(PAYER.replace("cap_db = 14", "cap_db = 13")).digest != parse_pack(PAYER).digest


def test_an_indicator_is_in_force_from_its_day() -> None:
    pack = parse_pack(PAYER)
    assert "C18" not in {one.id for one in pack.in_force(date(2025, 10, 31)).indicators}
    assert "C18" in {one.id for one in pack.in_force(date(2025, 11, 1)).indicators}


def test_the_watchkeeper_has_those_of_its_traits_that_are_in_force() -> None:
    pack = parse_pack(PAYER)
    assert pack.keeper is not None
    early = pack.in_force(date(2024, 6, 1)).keeper
    assert early is not None
    assert set(early.traits) == {"C6", "N1"}
    assert pack.without(pack.keeper.traits).keeper is None
    assert pack.in_force(date(2026, 6, 1)).keeper == pack.keeper


@pytest.mark.parametrize("name", ["uk", "au", "ca", "se"])
def test_each_corridor_has_its_day_and_source(name: str) -> None:
    found = app_payments.jurisdiction(name)
    assert found.corridors
    assert all(one.source.startswith("https://") for one in (*found.corridors, *found.extortion))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('country = "PH"', 'country = "Philippines"', "is no country code"),
        ('country = "PH"', 'country = "XX"', "is no country code"),
        ('currency = "GBP"', 'currency = "GBX"', "is no currency"),
        ("since = 2020-01-01", "since = 2020-01-01\nuntil = 2019-01-01", "is not after since"),
        ("since = 2020-01-01", "since = 2020-01-01T00:00:00Z", "is a time"),
        ("handle = '", "handle = '(", "is no regular expression"),
        ("handle = '", "handle = '(?=x)", "not every engine knows"),
        ("handle = '", r"handle = '(a)\1", "not every engine knows"),
        ("handle = '", "handle = 'a++", "not every engine knows"),
    ],
)
def test_a_wrong_jurisdiction_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    text = (packs.root() / "typologies" / "jurisdictions" / "uk.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(PolicyError, match=said):
        parse_jurisdiction(text.replace(old, new, 1))


def test_currencies_are_read_strictly_and_a_missing_rate_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no table of currencies"):
        parse_currencies("[EUR]\nround = 2")
    with pytest.raises(InputError, match="There is no rate for XYZ"):
        rate_of("XYZ", app_payments.currencies())
