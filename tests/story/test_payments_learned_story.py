"""An institution with decided cases trains a model and reads it beside the pack's weights; the queue stays the pack's."""

import json
import sys

import pytest

from lightship.cli import main

PAYER = "livestream-payer"


@pytest.fixture
def lightship(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lightship", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_model_is_trained_and_told_beside_each_alert(lightship, tmp_path):
    for name, seed in (("past", 4), ("now", 5)):
        code, said = lightship(
            "payments", "generate", "--out", name, "--customers", 4000, "--payers", 60, "--seed", seed
        )
        assert code == 0, said
    code, said = lightship("payments", "train", "past", "--typology", PAYER, "--out", "model.json")
    assert code == 0, said
    assert "changes no queue" in said

    score = ("payments", "score", "now", "--typology", PAYER)
    assert lightship(*score, "--out", "plain")[0] == 0
    code, said = lightship(*score, "--out", "both", "--model", "model.json")
    assert code == 0, said
    assert "The queue is the pack's" in said
    alerts = (tmp_path / "both" / "alerts.jsonl").read_bytes()
    assert alerts == (tmp_path / "plain" / "alerts.jsonl").read_bytes()

    beside = [json.loads(line) for line in (tmp_path / "both" / "learned.jsonl").read_text().splitlines()]
    queue = [json.loads(line) for line in alerts.splitlines()]
    assert queue
    for told, alert in zip(beside, queue, strict=True):
        assert (told["alert"], told["pack_mdb"]) == (alert["alert"], alert["total_mdb"])
        shown = {name: weight for name, weight, _ in told["parts"]}
        assert "C9" not in shown
        assert {one["indicator"]: one["weight_mdb"] for one in alert["reasons"]}.items() <= {
            **shown,
            "C9": told["fixed_mdb"],
        }.items()
        parts = sum(own for *_, own in told["parts"])
        assert told["start_mdb"] + parts + told["fixed_mdb"] == told["learned_mdb"]

    code, said = lightship("payments", "bundle", "both", "--dataset", "now", "--out", "cases")
    assert code == 0, said
    pages = sorted((tmp_path / "cases").glob("*/index.html"))
    assert len(pages) == len(queue)
    assert all("What your own outcomes say" in page.read_text() for page in pages)
    (tmp_path / "both" / "learned.jsonl").write_text('{"alert": 1}')
    code, said = lightship("payments", "bundle", "both", "--dataset", "now", "--out", "cases")
    assert code != 0
    assert "learned.jsonl, line 1" in said

    code, said = lightship("payments", "score", "now", "--out", "x", "--typology", "livestream-receiver",
                           "--model", "model.json")  # fmt: skip
    assert code != 0
    assert "not scored" in said
    code, said = lightship(*score, "--out", "x", "--model", "model.json", "--onto", "kept")
    assert code != 0
    assert "whole history" in said
    (tmp_path / "model.json").write_text("{")
    code, said = lightship(*score, "--out", "x", "--model", "model.json")
    assert code != 0
    assert "cannot be read" in said
    (tmp_path / "past" / "truth.parquet").unlink()
    code, said = lightship("payments", "train", "past", "--typology", PAYER, "--out", "m.json")
    assert code != 0
    assert "no outcomes" in said
