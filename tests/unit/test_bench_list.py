"""`make bench` runs every benchmark there is: one that is left out of its list would lose its figures in silence."""

from pathlib import Path

import bench
from bench.__main__ import BENCHES


def test_make_bench_runs_every_benchmark_there_is() -> None:
    folder = Path(bench.__path__[0])
    there = {path.stem for path in folder.glob("*.py") if "\ndef run(" in path.read_text(encoding="utf-8")}
    assert there == set(BENCHES)
    assert len(BENCHES) == len(set(BENCHES))
