"""Do the alarm budgets hold? Measured in a made-up benign world with bursts, confusing scenes and stream effects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.benign_world import FPS, World, frames, stream
from lightship.core.judge import Observation, bind, judge
from lightship.core.ladder import parse_policy
from lightship.core.poisson import poisson_lower, poisson_upper
from lightship.core.values import Reading
from lightship.core.watchkeeper import Budget, Kind, advance, session_level
from lightship.core.weight import BenignStream, Calibration, Calibrator, decibans

PICTURES = ("budgets", "delay")
RUNGS = (
    ("blur", "1 per hour", 2.0),
    ("pause", "1 per 100 hours", 600.0),
    ("end", "1 per 1000 hours", 1200.0),
)
"""The shipped policies' rungs: response, budget, block length in seconds."""
KINDS: tuple[Kind, ...] = ("cusum", "shiryaev-roberts")
STRENGTHS = {"weak": 2.0, "medium": 4.0, "strong": 6.0}
"""How far a true event lifts the score; a confusing scene's bursts lift it by 3."""


def calibration(streams: list[BenignStream]) -> Calibration:
    """Return a calibration of the made-up detector."""
    return Calibration(
        "exposure", "1", "exposed", float(FPS), tuple(streams), "2026-11-24", "bench/budgets.py"
    )


def alarms(made: Calibration, tests: list[BenignStream], budget: Budget, block_s: float, kind: Kind) -> int:
    """Return how often a rung fires over benign streams; after an alarm the level has to fall first."""
    threshold = budget.threshold(block_s)
    calibrator = Calibrator.for_rung(threshold, len(made.maxima(block_s)))
    alarm_db = max(decibans(threshold), session_level(made, budget, block_s, kind).level_db)
    fired = 0
    for one in tests:
        level_db, inside = -math.inf, False
        for maximum in one.merged(block_s):
            level_db = advance(level_db, decibans(calibrator.evalue(made.p_value(maximum, block_s))), kind)
            fired += level_db >= alarm_db and not inside
            inside = level_db >= alarm_db or (inside and level_db > 0.0)
    return fired


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured promise."""

    world: World
    calibration_h: int
    kind: Kind
    rung: str
    budget: Budget
    alarms: int
    hours: float
    per_calibration: tuple[int, ...]

    @property
    def ratio(self) -> float:
        """Measured rate over promised rate."""
        return self.alarms * self.budget.mean_time_s / 3600.0 / self.hours

    @property
    def bounds(self) -> tuple[float, float]:
        """Exact Poisson 95 % bounds of the ratio."""
        scale = self.budget.mean_time_s / 3600.0 / self.hours
        return poisson_lower(self.alarms) * scale, poisson_upper(self.alarms) * scale


def measure(
    world: World,
    calibration_h: int,
    *,
    calibrations: int,
    test_h: int,
    seed: int = 1,
    rungs: tuple[tuple[str, str, float], ...] = RUNGS,
) -> list[Cell]:
    """Measure every rung and e-detector over several independent calibrations, each with fresh test streams."""
    counts: dict[tuple[Kind, str], list[int]] = {}
    for number in range(calibrations):
        rng = np.random.default_rng([seed, number, calibration_h])
        made = calibration([stream(world, rng, f"c{i}") for i in range(calibration_h)])
        tests = [stream(world, rng, f"t{i}") for i in range(test_h)]
        for kind in KINDS:
            for rung, text, block_s in rungs:
                counts.setdefault((kind, rung), []).append(
                    alarms(made, tests, Budget.parse(text), block_s, kind)
                )
    budgets = {rung: Budget.parse(text) for rung, text, _ in rungs}
    return [
        Cell(
            world,
            calibration_h,
            kind,
            rung,
            budgets[rung],
            sum(found),
            float(calibrations * test_h),
            tuple(found),
        )
        for (kind, rung), found in counts.items()
    ]


_POLICY = """
name = "bench"
version = "1"
title = "bench"
jurisdiction = "gb"
audience = "all"
legal_basis = "made-up numbers only"
slow_fps = 4
fast_fps = 4
card_title = "-"
card_lines = []
[[detectors]]
name = "exposure"
labels = ["exposed"]
calibration = "made-up"
[[rungs]]
rung = "blur"
budget = "1 per hour"
block_s = 2
[[rungs]]
rung = "pause"
budget = "1 per 100 hours"
block_s = 600
after_s = 2
[[rungs]]
rung = "end"
budget = "1 per 1000 hours"
block_s = 1200
after_s = 30
"""


class _Scores:
    """Stands for a detector; its scores come from the world."""

    name, version, labels = "exposure", "1", frozenset({"exposed"})
    takes, evidence = "rgb", "calibrated"

    def read(self, _frames: object) -> list[tuple[Reading, ...]]:
        return []


def delays(calibration_h: int, lift: float, events: int, seed: int = 5) -> dict[str, list[float]]:
    """Return the seconds from onset to each response, by the real machine; infinity after half an hour."""
    world = World(0.5)
    rng = np.random.default_rng([seed, calibration_h])
    made = calibration([stream(world, rng, f"c{i}") for i in range(calibration_h)])
    machine = bind(parse_policy(_POLICY), [_Scores()], {"exposure": made})  # type: ignore[list-item]
    found: dict[str, list[float]] = {"blur": [], "pause": [], "end": []}
    for _ in range(events):
        scores, changes = frames(world, rng, 0.55)
        onset = int(rng.integers(60, 180)) * FPS
        shown = rng.random(len(scores)) < 0.8  # a fifth of the frames hides what is there
        scores[onset:] += lift * shown[onset:]
        standing, picture = machine.start(), 0
        reached: dict[str, float] = {}
        for number, score in enumerate(scores):
            picture += int(changes[number])
            look = (picture * 0x9E3779B97F4A7C15 % 2**64, picture * 0xC2B2AE3D27D4EB4F % 2**64, 0, 0)
            reading = (Reading("exposure", "exposed", float(score)),)
            standing, decision = judge(machine, standing, Observation(number / FPS, reading, look))
            if decision is not None and decision.rung is not None and number >= onset:
                reached.setdefault(decision.rung, (number - onset) / FPS)
            if "end" in reached:
                break
        for rung, seconds in found.items():
            seconds.append(reached.get(rung, math.inf))
    return found


def _draw(cells: list[Cell], found: dict[tuple[int, str], dict[str, list[float]]]) -> None:
    from matplotlib.figure import Figure

    Path("docs/pictures").mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(9, 0.6 + 0.24 * len(cells)), layout="constrained")
    axes = figure.subplots()
    for row, cell in enumerate(cells):
        lower, upper = cell.bounds
        axes.plot([max(lower, 3e-3), upper], [row, row], color="#1d70b8", lw=3)
        axes.plot(max(cell.ratio, 3e-3), row, "o", ms=4, color="#0b0c0c")
    labels = [
        f"{c.rung}, bursts {c.world.burst_s:g} s{', heavy' if c.world.heavy else ''}, {c.calibration_h} h, {c.kind}"
        for c in cells
    ]
    axes.set_yticks(range(len(cells)), labels, fontsize=7)
    axes.axvline(1.0, color="#d4351c", lw=1.5)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("false responses, measured over promised (bar: exact 95 %; red: the promise)")
    figure.savefig("docs/pictures/budgets.png", dpi=110)

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for hours, style in ((20, "--"), (200, "-")):
        for rung, colour in (("blur", "#1d70b8"), ("pause", "#f47738"), ("end", "#4c2c92")):
            values = [min(1800.0, float(np.median(found[hours, name][rung]))) for name in STRENGTHS]
            axes.plot(
                list(STRENGTHS),
                np.maximum(values, 0.1),
                style,
                marker="o",
                color=colour,
                label=f"{rung}, {hours} h",
            )
    axes.set_yscale("log")
    axes.set_ylabel("seconds from onset, median\n(1800 = not within half an hour)")
    axes.set_xlabel("strength of the detector; an analytic one acts in the first analysed frame")
    axes.legend(fontsize=8, ncols=2)
    figure.savefig("docs/pictures/delay.png", dpi=110)


def run() -> list[dict[str, str]]:
    """Return the table's rows, and draw docs/pictures/budgets.png and delay.png."""
    cells: list[Cell] = []
    for world in (World(0.5), World(2.0), World(0.5, heavy=True), World(2.0, heavy=True)):
        for calibration_h, calibrations, test_h in ((20, 6, 500), (200, 3, 700)):
            cells += measure(world, calibration_h, calibrations=calibrations, test_h=test_h)
    found = {
        (hours, name): delays(hours, lift, 30) for hours in (20, 200) for name, lift in STRENGTHS.items()
    }
    _draw(cells, found)
    rows = []
    for cell in cells:
        lower, upper = cell.bounds
        where = f"bursts {cell.world.burst_s:g} s{', heavy-tailed scenes' if cell.world.heavy else ''}"
        rows.append(
            {
                "what": f"false {cell.rung}, {where}, calibrated on {cell.calibration_h} h, {cell.kind}",
                "ours": f"{cell.alarms} in {cell.hours:.0f} h",
                "peer": f"promised {cell.hours * 3600 / cell.budget.mean_time_s:g}",
                "ratio": f"{cell.ratio:.2f} ({lower:.2f} to {upper:.2f})",
                "reach": "≤ 1",
                "met": "yes" if cell.ratio <= 1.0 else ("within bounds" if lower <= 1.0 else "NO"),
            }
        )
    for (hours, name), by_rung in found.items():
        for rung, seconds in by_rung.items():
            p50, p95 = (sorted(seconds)[int(share * (len(seconds) - 1))] for share in (0.5, 0.95))
            rows.append(
                {
                    "what": f"onset to {rung}, {name} detector, calibrated on {hours} h, p50 / p95",
                    "ours": " / ".join(
                        "not in 30 min" if math.isinf(v) else f"{v:.1f} s" for v in (p50, p95)
                    ),
                    "peer": "-",
                    "ratio": "-",
                    "reach": "printed",
                    "met": "-",
                }
            )
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
