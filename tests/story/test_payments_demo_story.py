"""A newcomer plays the payments' chapter, reads what is claimed, and finds the first case where it says."""

import json
import sys
from pathlib import Path

import pytest

from lightship.cli import main
from lightship.demo import payments as chapter


@pytest.fixture
def lightship(tmp_path, monkeypatch, capsys):
    """Run the program in this process, on a small population; returns its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr(chapter, "CUSTOMERS", 2500)
    monkeypatch.setattr(chapter, "PAYERS", 80)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lightship", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return run


def test_a_newcomer_sees_why_and_why_not_and_the_first_case(lightship, tmp_path):
    code, said = lightship("payments", "demo", "--out", "seen")
    assert code == 0, said
    assert "The data are synthetic" in said
    assert "why not" in said
    assert said.count("  held  ") == 6
    assert "FAILED" not in said

    alerts = [json.loads(line) for line in (tmp_path / "seen/payments/alerts/alerts.jsonl").open()]
    assert alerts
    case = next((tmp_path / "seen/payments/case").glob("0001-*"))
    assert (case / "narrative.txt").read_text().startswith("DRAFT, NOT REPORTED")
    assert any(one["alert"].startswith(case.name.removeprefix("0001-")) for one in alerts) or case.is_dir()
    figures = json.loads((tmp_path / "seen/payments/payments.json").read_text())
    assert figures["synthetic"] is True
    assert 1 <= figures["burst_told_by_payment"] <= 5


def test_a_claim_that_does_not_hold_is_said_and_is_the_exit_code(lightship, monkeypatch):
    monkeypatch.setattr(chapter, "BURST_GBP", (30,))  # one payment is no burst
    monkeypatch.setattr(chapter, "BURST_RAILS", ("bank",))
    monkeypatch.setattr(
        chapter, "_truth", lambda _: chapter.defaultdict(frozenset)
    )  # nobody is what they seem
    code, said = lightship("payments", "demo", "--out", "seen")
    assert code == 1
    assert "FAILED  of the first alerts of livestreamed abuse, more than half are true" in said
    assert "FAILED  a burst out of a child's account" in said
    assert "Something did not hold." in said
