"""A newcomer plays the payments' chapter, reads what is claimed, and finds the first case where it says."""

import json
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lightship.cli import main
from lightship.demo import payments as chapter
from lightship.exchange.alerts_file import read_alerts


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play the chapter once; returns its folder, exit code and what it said."""
    here = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("COLUMNS", "400")
        patch.setattr(sys, "argv", ["lightship", "payments", "demo", "--out", "seen"])
        said, code = [], 0
        patch.setattr(sys.stderr, "write", said.append)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return here / "seen/payments", code, "".join(said)


def test_a_newcomer_sees_why_and_why_not_and_the_first_case(played):
    folder, code, said = played
    assert code == 0, said
    assert "The data are synthetic" in said
    assert "why not" in said
    assert (said.count("  held  "), said.count("FAILED")) == (6, 0)
    alerts = read_alerts(folder / "alerts" / "alerts.jsonl")
    (narrative,) = folder.glob("case/*/narrative.txt")
    about = narrative.read_text()
    assert about.startswith("DRAFT, NOT REPORTED")
    assert any(alert.alert in about for alert in alerts)
    figures = json.loads((folder / "payments.json").read_text())
    assert figures["synthetic"] is True
    assert 1 <= figures["burst_told_by_payment"] <= 5


def test_its_claims_can_fail(played, tmp_path):
    folder, _, _ = played
    alerts = read_alerts(folder / "alerts" / "alerts.jsonl")
    ids = sorted({one for alert in alerts for reason in alert.reasons for one in reason.payments})
    pq.write_table(pa.table({"payment": ids}), tmp_path / "payments.parquet")
    bare = replace(alerts[0], reasons=(replace(alerts[0].reasons[0], payments=()),))
    unsourced = replace(alerts[0], reasons=(replace(alerts[0].reasons[0], source=""),))
    assert chapter._sourced(alerts, tmp_path)[1]
    assert not any(chapter._sourced([*alerts, one], tmp_path)[1] for one in (bare, unsourced))
    alone = replace(alerts[0], reasons=alerts[0].reasons[:1])  # one family alone carries it
    assert chapter._unprotected(alerts)[1]
    assert not chapter._unprotected([*alerts, alone])[1]
    assert not chapter._case([], tmp_path, tmp_path)[1]
