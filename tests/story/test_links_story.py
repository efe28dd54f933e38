"""An analyst links two referrals of one person from the shell, sees why, and takes it back; and bundles repeats."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from lightship.cli import app
from lightship.core.errors import LightshipError
from lightship.infra.ledger_file import read_entries


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    runner = CliRunner()

    def cases(*words, fails=False):
        result = runner.invoke(app, ["cases", *map(str, words)])
        if fails:
            assert isinstance(result.exception, LightshipError)
            return str(result.exception)
        assert result.exception is None, result.output
        return result.output

    cases.folder = tmp_path
    return cases


def signal(folder, name, facts, *identifiers):
    """Write a platform's signal that names people by ``(kind, value, role, person)``."""
    row = {
        "id": name,
        "kind": "signal",
        "platform": "chat",
        "observed_at": datetime(2026, 11, 30, 6, tzinfo=UTC).isoformat(),
        "identifiers": [
            {"kind": kind, "value": value, "role": role, "person": person}
            for kind, value, role, person in identifiers
        ],
        "facts": facts,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(row))
    return path


def test_two_referrals_of_one_person_become_one_inquiry_and_are_parted_again(shell):
    suspect = ("email", "someone@mail.example", "suspect", "p1")
    one = signal(shell.folder, "one", ["live=now"], suspect, ("ip", "192.0.2.7", "suspect", "p1"))
    other = signal(
        shell.folder, "other", [], suspect, ("ip", "192.0.2.7", "suspect", "p1"),
        ("email", "child@mail.example", "child", "p2"),
    )  # fmt: skip
    child = signal(shell.folder, "child", [], ("ip", "192.0.2.7", "child", "p1"))
    shell("intake", one, other, child, "--form", "signal-json", "--sender", "chat", "--by", "ann")
    assert len(shell("list", "--by", "ann").split("urgency")) == 4

    assert "1 links proposed" in shell("link")
    assert "0 links proposed" in shell("link")
    (line, rival) = shell("link", "list", "--by", "ann").splitlines()
    id_ = line.split()[0]
    assert "proposed" in line
    assert "A mailbox that two people read." in rival

    why = shell("link", "explain", id_, "--by", "ann")
    assert "the same address" in why
    assert "the same line" in why
    assert "someone@mail.example" in why
    assert "machine proposes" in shell(
        "link", "accept", id_, "--by", "lightship", "--why", "sure", fails=True
    )

    assert "accepted" in shell("link", "accept", id_, "--by", "ann", "--why", "one mailbox, one line")
    queue = [row for row in shell("list", "--by", "ann").splitlines() if "urgency" in row]
    assert len(queue) == 2
    assert "urgency 1" in queue[0]
    assert "contested" in shell("link", "refuse", id_, "--by", "ben", "--why", "a shared mailbox")
    assert "contested: 2 more" in shell("link", "explain", id_, "--by", "ann")
    assert "contested" in shell("link", "undo", id_, "--by", "ben", "--why", "a shared mailbox")
    assert len([row for row in shell("list", "--by", "ann").splitlines() if "urgency" in row]) == 3

    kinds = [entry["kind"] for entry in read_entries(shell.folder / "state/cases/casework.ledger")]
    assert {"links-proposed", "link-voted", "inquiries-merged", "link-undone", "inquiries-parted"} <= set(
        kinds
    )


def test_one_file_that_goes_round_is_one_bundle_and_is_taken_apart(shell):
    files = [
        signal(shell.folder, f"viral{number}", [], ("hash", "ab" * 32, "unknown", "p1"),
               ("handle", f"sharer{number}", "suspect", "p2"))
        for number in range(3)
    ]  # fmt: skip
    shell("intake", *files, "--form", "signal-json", "--sender", "chat", "--by", "ann")
    line = next(row for row in shell("bundle").splitlines() if "referrals" in row)
    assert "3 referrals" in line
    assert len([row for row in shell("list", "--by", "ann").splitlines() if "urgency" in row]) == 3, (
        "none is closed"
    )
    assert "0 bundles made" in shell("bundle")
    assert "apart again" in shell("unbundle", line.split()[0], "--by", "ann", "--why", "three sharers")
    assert "taken apart already" in shell(
        "unbundle", line.split()[0], "--by", "ann", "--why", "again", fails=True
    )
