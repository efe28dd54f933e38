"""The rules of a jurisdiction are read strictly, and decide every case on every day."""

from datetime import date, datetime
from pathlib import Path

import pytest
from tests.unit.duties.making import gb

from lightship import packs
from lightship.core.errors import PolicyError
from lightship.duties.law import MATTERS, load, parse

FOLDER = packs.root() / "duties" / "gb"


def texts(**changed):
    found = {one: (FOLDER / f"{one}.toml").read_text(encoding="utf-8") for one in MATTERS}
    for matter, (old, new) in changed.items():
        assert old in found[matter]
        found[matter] = found[matter].replace(old, new, 1)
    return found


def test_every_rule_has_words_a_source_and_a_grade_and_what_is_not_sure_says_so():
    law = gb()
    rules = [*law.owed, *law.criteria, *law.periods.values(), *law.keeping, *law.prompts, *law.targets]
    assert len(rules) > 30
    assert all(one.says.endswith(".") and one.source.startswith("https://") for one in rules)
    assert all(one.tbv for one in law.criteria), (
        "the priority tests of SI 2026/268 have not been read by a person"
    )
    assert law.kept("content", date(2026, 11, 30)).years == 1
    assert law.kept("reference", date(2026, 11, 30)).years == 5
    assert law.kept("look-back", date(2026, 11, 30)).back_days == 14
    assert law.kept("content", date(2026, 4, 6)) is None


def test_the_digest_names_exactly_these_rules():
    assert parse(texts()).digest == load("gb").digest
    assert parse(texts(authorities=("(s.66(1))", "(s. 66(1))"))).digest != load("gb").digest


@pytest.mark.parametrize(
    ("matter", "old", "new", "said"),
    [
        ("authorities", 'arrangements = ["group"]', 'arangements = ["group"]', "no fact here"),
        ("authorities", 'arrangements = ["group"]', 'arrangements = ["grup"]', "no fact here"),
        ("authorities", 'authority = "nca"', 'authority = "ncaa"', "not there"),
        ("authorities", 'provider = ["abroad"], uk-link = ["no"]', 'provider = ["abroad"], uk-link = ["yes"]', "undecided"),
        ("authorities", "until = 2026-04-07", "until = 2026-04-06", "undecided"),
        ("authorities", "from = 2023-10-26", 'from = "2023-10-26"', "no days"),
        ("authorities", 'grade = "P"', 'grade = "sure"', "no grade"),
        ("authorities", "https://www.legislation.gov.uk/uksi/2026/262/made", "", "no source"),
        ("authorities", 'id = "not-csea"', 'id = "uk-link"', "one id"),
        ("priorities", "when = {}", 'when = { live = ["no"] }', "undecided"),
        ("priorities", "target_min = 15", "target_min = 0", "above 0"),
        ("priorities", "file_first", "file_frst", "unknown"),
        ("clocks", 'unit = "days"', 'unit = "day"', "unknown"),
        ("clocks", 'zone = "Europe/London"', 'zone = "Europe/Londres"', "time zone"),
        ("clocks", "2025-12-26,", "2024-12-26,", "no day of the years"),
        ("clocks", "opens = 07:00:00", "opens = 18:00:00", "no times"),
        ("keep", "years = 5", "", "missing"),
        ("keep", 'what = "basis"', 'what = "bases"', "unknown"),
        ("prompts", 'priority = ["P1"]', "priority = []", "no list"),
        ("targets", "within_s = 60", "", "a time within which"),
        ("targets", "share = 0.95", "share = 95", "a share"),
        ("targets", "[[targets]]", "[[target]]", "unknown"),
        ("keep", 'name = "gb"', 'name = "gb', "not TOML"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say_is_refused_by_name(matter, old, new, said):
    with pytest.raises(PolicyError, match=said):
        parse(texts(**{matter: (old, new)}))


def test_a_jurisdiction_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(PolicyError, match="cannot be read"):
        load(f"{tmp_path}/xx")


def test_bank_holidays_fit_easter_and_fall_on_working_days():
    days = {one.item() for one in gb().calendar.holidays}
    for year in gb().calendar.years:
        a, b, c = year % 19, year // 100, year % 100  # the anonymous Gregorian computus
        h = (19 * a + b - b // 4 - ((b - (b + 8) // 25 + 1) // 3) + 15) % 30
        l = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7  # noqa: E741
        month, day = divmod(h + l - 7 * ((a + 11 * h + 22 * l) // 451) + 114, 31)
        easter = date(year, month, day + 1).toordinal()
        assert {date.fromordinal(easter - 2), date.fromordinal(easter + 1)} <= days, year
        assert sum(one.year == year for one in days) == 8
    assert all(one.weekday() < 5 for one in days)


def test_a_clock_that_does_not_run_is_told_with_those_that_do():
    with pytest.raises(PolicyError, match="nca-question"):
        gb().period("intimate-image", date(2026, 6, 28))
    assert gb().period("intimate-image", date(2026, 6, 29)).length == 48
    assert gb().day(datetime.fromisoformat("2026-06-28T23:30:00+00:00")) == date(2026, 6, 29), "summer time"
