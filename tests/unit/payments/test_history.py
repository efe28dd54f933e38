"""Going on from an earlier history finds what one whole history finds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.contract.payment_history import random_history, write

from lightship import app_payments, app_payments_score
from lightship.core.errors import InputError, SinkError
from lightship.payments.baseline import Baseline
from lightship.payments.engine import DuckEngine
from lightship.payments.history import open_history
from lightship.payments.prepare import Window


def test_measures_are_the_same_for_all_whom_new_payments_concern(tmp_path: Path) -> None:
    history = random_history(random.Random(11), 180)
    at = next(place for place in range(150, 180) if history[place].at_us != history[place - 1].at_us)
    write(tmp_path / "whole", history)
    write(tmp_path / "old", history[:at])
    write(tmp_path / "new", history[at:])
    app_payments_score.score_dataset(tmp_path / "old", tmp_path / "first", "uk", keep=tmp_path / "kept")
    said: list[str] = []
    write(tmp_path / "overlap", history[at - 40 :])
    for folder in ("new", "overlap"):
        app_payments_score.score_dataset(
            tmp_path / folder,
            tmp_path / f"{folder}-scored",
            "uk",
            onto=tmp_path / "kept",
            baselines=tmp_path / "first" / "baseline",
            keep=tmp_path / f"{folder}-kept",
            say=said.append,
        )
    # What comes again with the new payments is counted once, and said.
    (line,) = said
    assert line.startswith("Told again and counted once: ")
    for path in (tmp_path / "new-scored").glob("alerts.*"):
        assert path.read_bytes() == (tmp_path / "overlap-scored" / path.name).read_bytes()
    for path in (tmp_path / "new-kept").glob("*.parquet"):
        rows = [
            sorted(map(str, pq.read_table(one / path.name).to_pylist()))
            for one in (path.parent, tmp_path / "overlap-kept")
        ]
        assert rows[0] == rows[1], path.name
    terms = app_payments.terms_of(tmp_path / "whole", "uk")
    values: dict[str, dict[str, Any]] = {}
    for folder, before in (("whole", None), ("new", tmp_path / "kept")):
        engine = DuckEngine()
        data = app_payments.open_dataset(engine, tmp_path / folder)
        for view, days in (("payer", 365), ("receiver", 365), ("burst", 365), ("mule", 90)):
            window = Window.ending(history[-1].at_us, days)
            ready = open_history(engine, data, terms, window, before=before)
            for row in engine.arrow(ready.rows(view)).to_pylist():
                values.setdefault(folder, {})[
                    view, row["subject"], row["payment"], row["credit"] if view == "mule" else 0
                ] = row
        engine.close()
    subjects = {(view, subject) for view, subject, _, _ in values["new"]}
    assert subjects
    expected = {key: row for key, row in values["whole"].items() if key[:2] in subjects}
    new = {key: {name: row[name] for name in expected[key]} for key, row in values["new"].items()}
    assert new == expected


def test_new_payments_alone_make_no_baseline(tmp_path: Path) -> None:
    write(tmp_path / "new", random_history(random.Random(1), 20))
    with pytest.raises(InputError, match="make no baseline"):
        app_payments_score.score_dataset(tmp_path / "new", tmp_path / "out", "uk", onto=tmp_path)
    with pytest.raises(InputError, match="There is nothing to go on from"):
        app_payments_score.score_dataset(
            tmp_path / "new", tmp_path / "out", "uk", onto=tmp_path, baselines=tmp_path
        )


def test_a_baseline_says_the_same_once_its_digest_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "data", random_history(random.Random(5), 120))
    app_payments_score.score_dataset(tmp_path / "data", tmp_path / "out", "uk")
    for path in (tmp_path / "out" / "baseline").glob("*.json"):
        told = json.loads(path.read_text())
        base = Baseline.from_json(told)
        assert base.digest.startswith("sha256:")
        assert json.loads(json.dumps(base.to_json())) == told


def test_scores_made_side_by_side_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    write(tmp_path / "data", random_history(random.Random(6), 180))
    for out in ("one", "two", "three"):
        app_payments_score.score_dataset(tmp_path / "data", tmp_path / out, "uk")
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*") if path.is_file()]
    assert len(files) >= 5
    for path in files:
        assert len({(tmp_path / out / path).read_bytes() for out in ("one", "two", "three")}) == 1, path


def test_too_little_memory_and_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    write(tmp_path / "data", random_history(random.Random(8), 60))
    with pytest.raises(SinkError, match="cannot be computed: Out of Memory"):
        app_payments_score.score_dataset(tmp_path / "data", tmp_path / "out", "uk", memory="1MB")
    assert not (tmp_path / "out" / "alerts.jsonl").exists()


def test_the_first_failure_stops_what_is_scored_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "data", random_history(random.Random(7), 60))
    stopped: list[DuckEngine] = []
    monkeypatch.setattr(DuckEngine, "interrupt", lambda self: stopped.append(self))  # noqa: PLW0108 - binds it

    def failing(*_: Any, **__: Any) -> None:
        raise InputError("No room.", "disk", "Make some.")

    monkeypatch.setattr(app_payments_score, "score", failing)
    with pytest.raises(InputError, match="No room"):
        app_payments_score.score_dataset(tmp_path / "data", tmp_path / "out", "uk")
    assert stopped
    assert not (tmp_path / "out" / "alerts.jsonl").exists()
