"""Every claim that ships has its source, day and review; a claim without them fails."""

from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from lightship.casework import knowledge
from lightship.cli import app
from lightship.core.errors import PolicyError

TODAY = date(2026, 11, 30)
CARD = """kind = "typology"
title = "T"
links = ["typologies/livestream-payer:C7"]

[[claims]]
id = "a"
text = "Something is so."
source = "https://example.org"
grade = "S"
date = 2026-11-30
review_by = 2027-05-31
tbv = false
"""


def _checked(text, today=TODAY):
    return knowledge.check([knowledge.read_card("c", text, "here")], today)


def test_what_ships_is_sound_and_covers_what_was_asked():
    cards = knowledge.shipped()
    assert knowledge.check(cards, TODAY) == ()
    assert {card.kind for card in cards} == {
        "typology",
        "evidence",
        "routes",
        "country",
        "assessment",
        "training",
        "glossary",
    }
    assert {card.country for card in cards if card.country} == {"gb", "ph", "ro", "xx"}
    assert sum(card.kind == "typology" for card in cards) == 5


def test_what_is_overdue_is_said():
    late = knowledge.check(knowledge.shipped(), TODAY + timedelta(days=400))
    assert len(late) == sum(len(card.claims) for card in knowledge.shipped())


@pytest.mark.parametrize("key", ["id", "text", "source", "grade", "date", "review_by", "tbv"])
def test_a_claim_without_one_of_its_parts_is_refused(key):
    head, _, claim = CARD.partition("[[claims]]")
    lines = [line for line in claim.splitlines() if not line.startswith(f"{key} =")]
    with pytest.raises(PolicyError, match="cannot be read"):
        _checked(head + "[[claims]]" + "\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("https://example.org", "a book", "no source that can be opened"),
        ("Something is so.", " ", "says nothing"),
        ("date = 2026-11-30", "date = 2026-12-30", "a day to come"),
        ("2027-05-31", "2026-11-30", "before it was looked at"),
        (":C7", ":C99", "which is not there"),
        ("typologies/livestream-payer", "../secrets", "which is not there"),
        ('links = ["typologies/livestream-payer:C7"]', "", "links to what acts on it"),
    ],
)
def test_what_is_wrong_is_named(old, new, what):
    assert _checked(CARD) == ()
    assert any(what in one for one in _checked(CARD.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('grade = "S"', 'grade = "X"'),
        ("tbv = false", 'tbv = "no"'),
        ("2027-05-31", '"soon"'),
        ('"typology"', '"x"'),
    ],
)
def test_what_is_of_another_kind_is_refused(old, new):
    with pytest.raises(PolicyError):
        _checked(CARD.replace(old, new))


def test_on_the_command_line(tmp_path):
    run = CliRunner()
    assert "to be verified." in run.invoke(app, ["knowledge", "check"]).output
    found = run.invoke(app, ["knowledge", "search", "data access AGREEMENT"]).output
    assert "routes:daa" in found
    assert "https://www.gov.uk" in found
    run.invoke(app, ["knowledge", "export", str(tmp_path / "out")])
    assert "Not known yet: offences." in (tmp_path / "out" / "country-ro.txt").read_text()
    (tmp_path / "bad.toml").write_text(CARD.replace("https://example.org", "a book"))
    bad = run.invoke(app, ["knowledge", "check", "--cards", str(tmp_path)])
    assert (bad.exit_code, "c:a" in bad.output or "bad:a" in bad.output) == (3, True)
