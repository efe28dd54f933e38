"""The rules of a jurisdiction are read strictly, and decide every case on every day."""

from datetime import date, datetime, timedelta
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
        ("clocks", "added = []", 'added = ["2026-12-01"]', "no day"),
        ("clocks", 'country = "GB"', 'country = "XQ"', "No bank holidays"),
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


def test_bank_holidays_are_those_of_england_and_wales():
    told = """
        2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28
        2027-01-01 2027-03-26 2027-03-29 2027-05-03 2027-05-31 2027-08-30 2027-12-27 2027-12-28
    """
    days = gb().calendar.holidays
    year = [date(2026, 1, 1) + timedelta(days=one) for one in range(730)]
    free = [one for one in year if one.weekday() < 5 and not days.is_working_day(one)]
    assert free == [date.fromisoformat(one) for one in told.split()]


def test_a_day_proclaimed_at_short_notice_is_added_in_the_pack():
    law = parse(texts(clocks=("added = []", "added = [2026-12-01]")))
    assert not law.calendar.holidays.is_working_day(date(2026, 12, 1))
    assert gb().calendar.holidays.is_working_day(date(2026, 12, 1))


def test_a_clock_that_does_not_run_is_told_with_those_that_do():
    with pytest.raises(PolicyError, match="nca-question"):
        gb().period("intimate-image", date(2026, 6, 28))
    assert gb().period("intimate-image", date(2026, 6, 29)).length == 48
    assert gb().day(datetime.fromisoformat("2026-06-28T23:30:00+00:00")) == date(2026, 6, 29), "summer time"
