"""An authorising officer sees every authority and its clock; two bodies find out what they must, and no more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightship.cli import app
from lightship.core.errors import AccessDenied, InputError, LightshipError

TODAY = datetime.now(UTC).date()
REVIEW = (TODAY + timedelta(days=28)).isoformat()
UNTIL = (TODAY + timedelta(days=90)).isoformat()
ACC = "assistant chief constable"

SOURCE = """
id = "S-17"
identity = "Jo Example"
identity_used = "a name on one platform"
other_authorities = ["none"]
referred_to_as = ["unit: S-17"]
security_and_welfare = "weekly call"
risks_explained = "by Fir, understood"
recruited = "volunteered after training"
"""
APPLICATION = """
source = "S-17"
source_kind = "officer"
investigation = "INV-1"
operation_id = "OP-1"
applicant = "Ash"
handler = "Birch"
cover = "Cedar"
controller = "Dale"
record_keeper = "Elm"
ground = "prevent-or-detect-crime-or-disorder"
conduct = "Keep one account in use for the investigation."
necessity = "The paying customer is known only by this handle."
proportionality = "Two months of records gave nothing."
collateral = "Others in the room are not recorded."
confidential = "None is likely."
"""
INTERESTS = "kind,identifier,value,platform,reference,contact,urgency,until\n"
AGREEMENT = """
partner = "{name}"
key = "{key}"
size = 16
least = 3
list_size = 16
round_size = 8
bases = ["Data Protection Act 2018 s.31"]
"""


class Place:
    """One body's machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, monkeypatch
        folder.mkdir()

    def run(self, *words: str) -> str:
        self._patch.setenv("LIGHTSHIP_STATE", str(self.folder))
        result = CliRunner().invoke(app, list(words), catch_exceptions=True)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def prepared(self) -> None:
        self.run("undercover", "found", "Fir", "Gale")
        self.run(
            "undercover", "operation", "OP-1", "--name", "Example", "--investigation", "INV-1", "--by", "Fir"
        )
        self.run("undercover", "source", self.file("source.toml", SOURCE), "--by", "Fir")
        self.run("undercover", "apply", "A-1", self.file("asked.toml", APPLICATION), "--by", "Gale")

    def outside(self) -> list[str]:
        """What one who is not inside is given by every command."""
        asked = self.file("asked.toml", APPLICATION)
        seen = []
        for words in (
            ["undercover", "show", "A-1"],
            ["undercover", "show", "nothing"],
            ["undercover", "due"],
            ["undercover", "apply", "A-1", asked],
            ["undercover", "authorise", "A-1", "--rank", ACC, "--next-review", REVIEW],
            [
                "undercover",
                "contact",
                "A-1",
                "--at",
                "2026-01-01T00:00+00:00",
                "--means",
                "call",
                "--words",
                "x",
            ],
            ["undercover", "agree", "see-identity", "S-17", "--why", "x"],
            ["deconflict", "desk"],
        ):
            with pytest.raises(LightshipError) as refused:
                self.run(*words, "--by", "Zed")
            seen.append(json.dumps([type(refused.value).__name__, refused.value.diagnostics()]))
        return seen


def test_an_authorising_officer_sees_the_state_the_end_and_the_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Place(tmp_path / "unit", monkeypatch)
    unit.prepared()
    told = unit.run("undercover", "authorise", "A-1", "--rank", ACC, "--next-review", REVIEW, "--by", "Fir")
    assert "now granted" in told
    assert "RIPA 2000 s.43(3)(b)" in told
    shown = json.loads(unit.run("undercover", "show", "A-1", "--by", "Fir"))
    assert shown["standing"] == "active"
    assert shown["spans"][0]["authoriser"] == "Fir"
    now = (datetime.now(UTC)).isoformat()
    unit.run(
        "undercover", "contact", "A-1", "--at", now, "--means", "call", "--words", "well", "--by", "Gale"
    )
    unit.run("undercover", "cancel", "A-1", "--why", "not needed", "--by", "Fir")
    with pytest.raises(AccessDenied, match="possible error"):
        unit.run(
            "undercover", "contact", "A-1", "--at", datetime.now(UTC).isoformat(), "--means", "online",
            "--words", "seen", "--use", "--by", "Gale",
        )  # fmt: skip
    assert "while the authorisation was cancelled" in unit.run("undercover", "due", "--by", "Fir")
    assert "Closed" in unit.run("undercover", "close", "OP-1", "--by", "Fir")


def test_an_oral_grant_ends_after_72_hours_and_wants_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Place(tmp_path / "unit", monkeypatch)
    unit.prepared()
    asked = unit.file("asked.toml", APPLICATION)
    told = unit.run(
        "undercover", "oral", "A-2", asked, "--rank", ACC, "--urgent", "a child is expected tonight",
        "--next-review", REVIEW, "--by", "Fir",
    )  # fmt: skip
    assert "s.43(3)(a)" in told
    due = unit.run("undercover", "due", "--by", "Fir")
    assert "ends within 72 hours" in due
    assert "an oral grant has no record" in due
    unit.run("undercover", "oral", "A-2", asked, "--write-down", "--by", "Gale")
    assert "no record" not in unit.run("undercover", "due", "--by", "Fir")


def test_two_people_let_a_third_in_as_what_both_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Place(tmp_path / "unit", monkeypatch)
    unit.run("undercover", "found", "Fir", "Gale")
    ivy = ("undercover", "agree", "admit", "Ivy", "--why", "joins")
    unit.run(*ivy, "--role", "unit", "--by", "Fir")
    unit.run(*ivy, "--role", "authorising-officer", "--by", "Gale")
    with pytest.raises(AccessDenied, match="nothing here"):
        unit.run("undercover", "due", "--by", "Ivy")
    unit.run(*ivy, "--role", "unit", "--by", "Gale")
    unit.run("undercover", "due", "--by", "Ivy")
    with pytest.raises(InputError, match="inside already"):
        unit.run(*ivy, "--role", "authorising-officer", "--by", "Fir")


def test_from_outside_every_command_answers_alike_whatever_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = Place(tmp_path / "none", monkeypatch)
    empty = Place(tmp_path / "empty", monkeypatch)
    empty.run("undercover", "found", "Fir", "Gale")
    full = Place(tmp_path / "full", monkeypatch)
    full.prepared()
    full.run("undercover", "authorise", "A-1", "--rank", ACC, "--next-review", REVIEW, "--by", "Fir")
    views = [one.outside() for one in (none, empty, full)]
    assert views[0] == views[1] == views[2]
    assert len(set(views[0])) == 1


def test_a_caseworker_asks_and_learns_nothing_of_covert_work_and_the_covert_desk_learns_what_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = Place(tmp_path / "ann", monkeypatch), Place(tmp_path / "ben", monkeypatch)
    keys = {one: one.run("deconflict", "key", f"{one.folder.name}.example").strip() for one in (ann, ben)}
    for one, other in ((ann, ben), (ben, ann)):
        (one.folder / "deconflict" / "agreements").mkdir()
        text = AGREEMENT.format(name=f"{other.folder.name}.example", key=keys[other])
        (one.folder / "deconflict" / "agreements" / f"{other.folder.name}.toml").write_text(text)
    ben.run("undercover", "found", "Fir", "Gale")
    mail = tmp_path / "mail"
    overt = ben.file("overt.csv", f"{INTERESTS}child,handle,@Heron,Chat,R-9,desk@ben.example,1,{UNTIL}\n")
    covert = ben.file("covert.csv", f"{INTERESTS}persona,handle,@Otter,Chat,C-4,desk@ben.example,1,{UNTIL}\n")
    ben.run("deconflict", "prepare", "ann", "--interests", overt, "--out", f"{mail}/list")
    ann.run("deconflict", "open", "ben", f"{mail}/list")
    ben.run("deconflict", "prepare", "ann", "--interests", covert, "--by", "Fir", "--out", f"{mail}/round")
    ann.run("deconflict", "answer", "ben", f"{mail}/round", "--out", f"{mail}/round-back")
    ben.run("deconflict", "open", "ann", f"{mail}/round-back", "--by", "Fir")

    asked = ann.file(
        "ask.csv", "identifier,value,platform\nhandle,OTTER,chat\nhandle,heron,chat\nemail,ivy@example.org,\n"
    )
    ann.run(
        "deconflict", "ask", "ben", asked, "--basis", "Data Protection Act 2018 s.31", "--reference", "REF-1",
        "--contact", "desk@ann.example", "--until", UNTIL, "--urgency", "2", "--out", f"{mail}/question",
    )  # fmt: skip
    ben.run("deconflict", "answer", "ann", f"{mail}/question", "--out", f"{mail}/answer")
    told = json.loads(ann.run("deconflict", "open", "ben", f"{mail}/answer"))
    assert list(told) == ["handle|chat|heron"]
    assert told["handle|chat|heron"][0]["reference"] == "R-9"

    [notice] = [json.loads(line) for line in ben.run("deconflict", "desk", "--by", "Fir").splitlines()]
    assert (notice["kind"], notice["asker"], notice["contact"]) == (
        "persona",
        "ann.example",
        "desk@ann.example",
    )
    assert "otter" not in json.dumps(notice)
    logged = ben.run("deconflict", "log") + ann.run("deconflict", "log")
    assert "Data Protection Act 2018 s.31" in logged
    assert "otter" not in logged.casefold()
    assert "persona" not in logged
    ben.run(
        "ledger",
        "verify",
        str(ben.folder / "deconflict" / "log"),
        "--key",
        str(ben.folder / "deconflict" / "own.pub"),
    )
