"""A newcomer tries the payments part: makes a population, runs the packs over it, reads the card, sets somebody aside."""

import csv
import json
import sys

import pytest

from lightship.cli import main


@pytest.fixture
def lightship(tmp_path, monkeypatch, capsys):
    """Run the program in this process; returns its exit code and what it said on both outputs."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lightship", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def sampled(folder):
    lines = (folder / "livestream-payer.samples.csv").read_text().splitlines()
    return [row["subject"] for row in csv.DictReader(lines)]


def test_a_newcomer_generates_backtests_reads_the_card_and_sets_somebody_aside(lightship, tmp_path):
    code, out, err = lightship(
        "payments", "generate", "--out", "people", "--customers", 4000, "--payers", 30, "--seed", 4
    )
    assert code == 0
    assert "overseas-family" in out
    assert "Nobody in it exists" in err

    one = ("payments", "backtest", "people", "--typology", "livestream-payer", "--months", 2)
    code, out, err = lightship(*one, "--out", "cards", "--budget", 10, "--budget", 20)
    assert code == 0, err
    for heading in ("made-up customers", "## Budgets", "## False alerts by group", "## Parity", "## Drift"):
        assert heading in out
    card = json.loads((tmp_path / "cards" / "livestream-payer.json").read_text())
    assert [at["size"] for at in card["sweep"]] == [10, 20]
    assert card["at_k"][0]["hits"] > 0
    assert {group["group"] for group in card["groups"]} >= {"overseas-family", "irregular-helper", "gamer"}
    assert (tmp_path / "cards" / "livestream-payer.png").read_bytes().startswith(b"\x89PNG")

    first = sampled(tmp_path / "cards")[0]
    (tmp_path / "aside.toml").write_text(
        f'[[suppress]]\nsubject = "{first}"\ntypology = "livestream-payer"\nreason = "seen: pays two tutors"\n'
        'by = "analyst 7"\nuntil = 2027-01-01\n'
    )
    code, out, err = lightship(*one, "--out", "again", "--suppressed", "aside.toml")
    assert code == 0, err
    assert f"{first}, until 2027-01-01: seen: pays two tutors (analyst 7)" in out
    assert first not in sampled(tmp_path / "again")


def test_what_cannot_be_used_is_said_in_a_sentence(lightship, tmp_path):
    code, _, err = lightship("payments", "generate", "--out", "people", "--customers", 10)
    assert (code, "at least 500 customers" in err) == (2, True)
    lightship("payments", "generate", "--out", "people", "--customers", 600, "--payers", 3)
    (tmp_path / "aside.toml").write_text('[[suppress]]\nsubject = "x"\n')
    code, _, err = lightship("payments", "backtest", "people", "--out", "cards", "--suppressed", "aside.toml")
    assert (code, "aside.toml, row 1" in err) == (2, True)
    code, _, err = lightship("payments", "backtest", "people", "--out", "cards", "--outcomes", "none.parquet")
    assert (code, "outcomes cannot be read" in err) == (2, True)
