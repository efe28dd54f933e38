"""What a compliance lead does at month's end, in the shell."""

import json
import tomllib
from datetime import datetime

import pytest
from typer.testing import CliRunner

from lightship.cli import app
from lightship.core.errors import AccessDenied, InputError, StoreError
from lightship.duties.measures_period import period_of
from tests.unit.duties.book_making import LONDON, assessment_text, filled, measures_text

NOW = period_of(f"{datetime.now(LONDON):%Y-%m}", LONDON)
LAST = NOW.before(1)[0]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("LIGHTSHIP_LISTS", raising=False)
    made = filled(tmp_path / "kept", count=80, begins=LAST.begins, days=28)
    made.store.close()

    def run(*words):
        done = CliRunner().invoke(app, ["duties", *words, "--folder", str(made.folder)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def test_from_empty_forms_to_an_approved_book_an_answer_and_a_report(ask, tmp_path):
    """Papers are taken, approved by somebody else, and the month's documents are written from them."""
    empty = CliRunner().invoke(app, ["duties", "record-book", "form", "assessment"]).stdout
    assert tomllib.loads(empty)["form"] == "assessment"
    file = tmp_path / "assessment.toml"
    file.write_text(empty, encoding="utf-8")
    checked = ask("record-book", "check", str(file))
    assert checked.exit_code == InputError.exit_code
    assert "names none of Ofcom's Risk Profiles" in checked.stdout

    for name, text in (("assessment", assessment_text()), ("measures", measures_text())):
        file = tmp_path / f"{name}.toml"
        file.write_text(text, encoding="utf-8")
        taken = ask("record-book", "take", str(file), "--by", "nia")
        paper = taken.stdout.split()[2]
        with pytest.raises(AccessDenied, match="cannot approve"):
            ask("record-book", "approve", paper, "--by", "nia")
        assert f"{name} 1 is approved by lee" in ask("record-book", "approve", paper, "--by", "lee").stdout

    out = tmp_path / "out"
    stated = ask("statement", "--out", str(out), "--service", "Example Live")
    book = ask("record-book", "--period", NOW.name, "--out", str(out), "--by", "nia")
    page, found = (out / "book.html").read_text(), json.loads((out / "book.json").read_text())
    assert found["flags"] == []
    assert found["configuration"] in stated.stdout
    assert {one["stands"] for one in found["measures"]} == {"taken", "does-not-apply"}
    assert "something is missing of" in book.stdout
    assert "Not approved yet" in page
    assert "The period was not over" in page
    paper = book.stdout.split("book.json: ")[1].split()[0]
    ask("record-book", "approve", paper, "--by", "lee")
    ask("record-book", "show", paper, "--out", str(out))
    assert "Approved by lee" in (out / "book.html").read_text()

    first = ask("notice", "answer", "--period", LAST.name, "--out", str(out / "one"))
    again = ask("notice", "answer", "--period", LAST.name, "--out", str(out / "two"))
    assert (out / "one" / "answer.json").read_bytes() == (out / "two" / "answer.json").read_bytes()
    assert "version 1" in first.stdout
    assert "version 1" in again.stdout

    ask("transparency", "--period", LAST.name[:4], "--reasons", "de, fr", "--out", str(out))
    assert (out / "report.html").stat().st_size > 20_000
    assert all(
        json.loads(line)["territorial_scope"] == ["DE", "FR"]
        for line in (out / "reasons.jsonl").read_text().splitlines()
    )
    ask("drift", "--period", LAST.name, "--out", str(out))
    assert (out / "note.md").read_text().startswith(f"# Rises and new patterns, {LAST.name}")
    listed = ask("record-book", "papers").stdout
    assert [line.split()[1] for line in listed.splitlines()] == [
        "configuration",
        "assessment",
        "measures",
        "statement",
    ]


def test_what_cannot_be_done_says_why(ask, tmp_path):
    with pytest.raises(InputError, match="Which period"):
        ask("record-book")
    with pytest.raises(InputError, match="is not over"):
        ask("notice", "answer", "--period", "2099-01", "--out", str(tmp_path / "x"))
    with pytest.raises(InputError, match="no state of the EEA"):
        ask("transparency", "--period", LAST.name[:4], "--reasons", "GB", "--out", str(tmp_path / "x"))
    incomplete = tmp_path / "half.toml"
    incomplete.write_text(measures_text(), encoding="utf-8")
    with pytest.raises(InputError, match="says which measures bind"):
        ask("record-book", "take", str(incomplete), "--by", "nia")
    nowhere = CliRunner().invoke(app, ["duties", "statement", "--folder", str(tmp_path / "nowhere")])
    assert isinstance(nowhere.exception, StoreError)
    assert not (tmp_path / "nowhere").exists()


def test_a_lists_owner_is_told_once_what_people_found(ask, tmp_path):
    """Entries that a governed list holds are remarked on; the second time there is nothing new to tell."""
    rows = [f"{n:02x}{'5a' * 31},90,A-{n}" for n in range(9)]
    (tmp_path / "iwf.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    added = CliRunner().invoke(app, ["lists", "add", "iwf", str(tmp_path / "iwf.csv")])
    assert added.exit_code == 0, added.output
    first = ask("feedback", "--by", "nia").stdout
    assert "iwf, entry A-2: false-positive" in first
    assert "iwf, entry A-1: confirmed" in first
    assert ask("feedback", "--by", "nia").stdout == "0 remarks.\n"
    out = tmp_path / "for-the-owner.json"
    CliRunner().invoke(app, ["lists", "feedback", "iwf", "--export", str(out)])
    told = json.loads(out.read_text())["feedback"]
    assert {one["entry"] for one in told} == {f"A-{n}" for n in range(9)}
    book = ask("record-book", "--period", NOW.name, "--out", str(tmp_path / "book"), "--by", "nia")
    assert book.exit_code == 0
    lists = json.loads((tmp_path / "book" / "book.json").read_text())["figures"]["lists"]["lists"]
    assert lists["iwf"]["told_to_the_owner"]["confirmed"] == 9
