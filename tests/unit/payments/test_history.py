"""Going on from an earlier history finds what one whole history finds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.contract.payment_history import random_history, write

from lightship import app_payments
from lightship.core.errors import InputError
from lightship.payments.engine import DuckEngine


def test_measures_are_the_same_for_all_whom_new_payments_concern(tmp_path: Path) -> None:
    history = random_history(random.Random(11), 180)
    at = next(place for place in range(150, 180) if history[place].at_us != history[place - 1].at_us)
    write(tmp_path / "whole", history)
    write(tmp_path / "old", history[:at])
    write(tmp_path / "new", history[at:])
    app_payments.score_dataset(tmp_path / "old", tmp_path / "first", "uk", keep=tmp_path / "kept")
    said: list[str] = []
    write(tmp_path / "overlap", history[at - 40 :])
    for folder in ("new", "overlap"):
        app_payments.score_dataset(
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
            window = app_payments.Window.ending(history[-1].at_us, days)
            ready = app_payments.open_history(engine, data, terms, window, before=before)
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
        app_payments.score_dataset(tmp_path / "new", tmp_path / "out", "uk", onto=tmp_path)
    with pytest.raises(InputError, match="There is nothing to go on from"):
        app_payments.score_dataset(
            tmp_path / "new", tmp_path / "out", "uk", onto=tmp_path, baselines=tmp_path
        )
