"""The evaluation card: what a policy promised, beside what it did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lightship.core.ladder import COVERING
from lightship.core.poisson import poisson_lower, poisson_upper
from lightship.core.ports import Picture
from lightship.core.values import Rung
from lightship.detect.loop import Loop, Sensors
from lightship.media.sampler import Cadence

FAIRNESS = ("skin tone", "age", "sex", "dress: swimwear", "dress: religious", "breastfeeding", "sport")
REPHRAIN = (
    (
        "human rights impact",
        "acts on the device alone, undo by the person where the policy allows, no report channel",
    ),
    (
        "security",
        "no socket, no program, no file but the sink and the log: tests/story/test_privacy_story.py",
    ),
    ("explainability", "every decision with its reasons in plain words: lightship guard --explain"),
    ("transparency", "policies, cards and calibrations are open and named by digest"),
    ("fairness", "slots below, for partners with lawful footage of each group"),
    ("accountability", "a signed log that verifies from the file and the public key alone"),
    ("privacy", "a positive run looks like a benign one from outside: tests/story/test_privacy_story.py"),
    ("provenance", "detector versions and calibrations are digests in the log"),
    ("maintainability", "recipes for every figure in bench/"),
    ("disputability", "a log the person can read; what they ask for is an event in it"),
)


@dataclass(frozen=True, slots=True)
class Marked:
    """When a stream is sensitive, seconds; an empty tuple means it is benign."""

    spans_s: tuple[tuple[float, float], ...] = ()


@dataclass
class RungResult:
    """What happened on one rung.

    Parameters
    ----------
    rung, budget, mean_time_h
        The response and its promised mean time between false ones, hours.
    alarm_db, extrapolated
        The level that fires it, and whether the calibration's hours are too few to show the budget.
    false
        False responses over the benign hours.
    delays_s
        From each onset to the response (or a graver one); infinity where it never came.
    """

    rung: Rung
    budget: str
    mean_time_h: float
    alarm_db: float
    extrapolated: bool
    false: int = 0
    delays_s: list[float] = field(default_factory=list)


@dataclass
class EvaluationCard:
    """The result of an evaluation.

    Parameters
    ----------
    policy, digest
        Which policy was evaluated.
    absent
        Detectors that were not there.
    rungs
        What happened, rung by rung.
    benign_hours, benign_streams, marked_streams
        What it was evaluated on.
    sensitive_left_s
        Sensitive seconds that left uncovered, hold-back taken into account, of ``sensitive_s``.
    look_ms
        Processor milliseconds a look.
    """

    policy: str
    digest: str
    hold_back_s: float
    absent: dict[str, str]
    rungs: list[RungResult]
    benign_hours: float = 0.0
    benign_streams: int = 0
    marked_streams: int = 0
    sensitive_s: float = 0.0
    sensitive_left_s: float = 0.0
    looks: int = 0
    look_ms: float = 0.0

    def per_hour(self, result: RungResult) -> tuple[float, float, float]:
        """Return the false responses an hour: seen, and the exact Poisson 95 % bounds below and above."""
        hours = max(self.benign_hours, 1e-9)
        return result.false / hours, poisson_lower(result.false) / hours, poisson_upper(result.false) / hours

    def holds(self, result: RungResult) -> bool:
        """Return whether what happened is consistent with the budget: its exact lower bound is inside."""
        return self.per_hour(result)[1] <= 1.0 / result.mean_time_h

    def to_json(self) -> dict[str, Any]:
        """Return the card as a JSON object."""
        rungs = []
        for result in self.rungs:
            seen, lower, upper = self.per_hour(result)
            rungs.append(
                {
                    "rung": result.rung,
                    "promised_per_hour": 1.0 / result.mean_time_h,
                    "false": result.false,
                    "seen_per_hour": seen,
                    "lower_95_per_hour": lower,
                    "upper_95_per_hour": upper,
                    "consistent": self.holds(result),
                    "shown": self._shown(result),
                    "alarm_db": result.alarm_db,
                    "extrapolated": result.extrapolated,
                    "delay_s": _quantiles(result.delays_s),
                }
            )
        return {
            "policy": self.policy,
            "policy_digest": self.digest,
            "hold_back_s": self.hold_back_s,
            "absent": self.absent,
            "benign_hours": self.benign_hours,
            "benign_streams": self.benign_streams,
            "marked_streams": self.marked_streams,
            "sensitive_s": self.sensitive_s,
            "sensitive_left_s": self.sensitive_left_s,
            "looks": self.looks,
            "look_ms": self.look_ms,
            "rungs": rungs,
            "fairness": dict.fromkeys(FAIRNESS, "not measured: a partner with lawful footage fills this"),
            "rephrain": dict(REPHRAIN),
        }

    def _shown(self, result: RungResult) -> bool:
        """Whether the hours are enough to show the budget by themselves: the upper bound is inside it."""
        return self.per_hour(result)[2] <= 1.0 / result.mean_time_h

    def to_markdown(self) -> str:
        """Return the card as Markdown."""
        lines = [
            f"# Evaluation card: policy “{self.policy}”",
            "",
            f"Policy {self.digest[:19]}…, hold-back {self.hold_back_s:g} s.",
            "",
            f"{self.benign_hours:.1f} benign hours, {self.benign_streams} streams; {self.marked_streams} marked ones.",
            "",
            "## False interruptions",
            "",
            "| rung | promised | seen | an hour, 95 % (exact Poisson) | consistent | shown by these hours |",
            "|---|---|---|---|---|---|",
        ]
        for result in self.rungs:
            _, lower, upper = self.per_hour(result)
            shown = "yes" if self._shown(result) else "no: *extrapolated*, more hours are needed"
            lines.append(
                f"| {result.rung} | {result.budget} | {result.false} | {lower:.4f} to {upper:.4f} | "
                f"{'yes' if self.holds(result) else '**NO**'} | {shown} |"
            )
        lines += ["", "## Time to act", "", "| rung | onsets | p50 | p95 |", "|---|---|---|---|"]
        for result in self.rungs:
            found = _quantiles(result.delays_s)
            lines.append(
                f"| {result.rung} | {len(result.delays_s)} | {_said(found['p50'])} | {_said(found['p95'])} |"
            )
        lines += [
            "",
            f"Sensitive seconds that left: {self.sensitive_left_s:.2f} of {self.sensitive_s:.1f}.",
            "",
            f"Cost of a look: {self.look_ms:.1f} ms of one core ({self.looks} looks).",
            "",
            "## Coverage",
            "",
            *(
                [f"- absent: {name}: {reason}" for name, reason in self.absent.items()]
                or ["- every detector was there"]
            ),
            "",
            "## Fairness",
            "",
            *(f"- {group}: not measured; a partner with lawful footage fills this" for group in FAIRNESS),
            "",
            "## REPHRAIN criteria: measures present",
            "",
            *(f"- {name}: {evidence}" for name, evidence in REPHRAIN),
            "",
        ]
        return "\n".join(lines)

    def draw(self, path: Path) -> None:
        """Draw the promised rates beside what happened, with the exact Poisson bounds."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 1.2 + 0.7 * len(self.rungs)), layout="constrained")
        axes = figure.subplots()
        for row, result in enumerate(self.rungs):
            seen, lower, upper = self.per_hour(result)
            axes.plot([max(lower, 1e-5), upper], [row, row], color="#1d70b8", lw=4, solid_capstyle="butt")
            if seen > 0:
                axes.plot(seen, row, "o", color="#0b0c0c", zorder=3)
            axes.plot(1.0 / result.mean_time_h, row, "|", color="#d4351c", ms=22, mew=3, zorder=4)
        axes.set_yticks(range(len(self.rungs)), [result.rung for result in self.rungs])
        axes.set_xscale("log")
        axes.invert_yaxis()
        axes.set_xlabel(
            f"false responses an hour over {self.benign_hours:.1f} h (bar: exact 95 %, dot: seen, red: promised)"
        )
        axes.set_title(f"Promised and happened: “{self.policy}”", loc="left", fontsize=11)
        figure.savefig(path, dpi=120)


def _quantiles(delays_s: list[float]) -> dict[str, float | None]:
    if not delays_s:
        return {"p50": None, "p95": None}
    ordered = sorted(delays_s)
    found = {
        name: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def _said(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.2f} s"


def evaluate(
    sensors: Sensors,
    streams: Iterable[tuple[Iterable[Picture], Marked]],
    progress: Callable[[EvaluationCard], None] = lambda _card: None,
) -> EvaluationCard:
    """Run streams through a policy and return the card.

    Parameters
    ----------
    streams
        Pictures in order, and when they are sensitive. Streams without a mark are benign.
    progress
        Told the card so far after each stream.
    """
    policy = sensors.bound.policy
    card = EvaluationCard(
        policy.name,
        policy.digest,
        policy.hold_back_s,
        {absence.detector: absence.reason for absence in sensors.absent},
        [
            RungResult(
                judged.rule.rung,
                str(judged.rule.budget),
                judged.rule.budget.mean_time_s / 3600.0,
                judged.alarm_db,
                judged.extrapolated,
            )
            for judged in sensors.bound.rungs
        ],
    )
    for pictures, marked in streams:
        _watch(card, sensors, pictures, marked)
        progress(card)
    return card


def _watch(card: EvaluationCard, sensors: Sensors, pictures: Iterable[Picture], marked: Marked) -> None:
    policy = sensors.bound.policy
    loop, cadence = Loop(sensors), Cadence(policy.slow_fps, policy.fast_fps)
    entered: list[tuple[float, Rung]] = []
    covered_from_s: float | None = None
    covers: list[tuple[float, float]] = []
    last_s, spent_s, looks = 0.0, 0.0, 0
    for picture in pictures:
        last_s = picture.at_s
        if not cadence.due(picture.at_s):
            continue
        picture.rgb()  # conversion belongs to the medium, not to the look
        began_s = time.process_time()
        decision = loop.look(picture)
        spent_s += time.process_time() - began_s
        looks += 1
        cadence.hasten(loop.odd_camera or loop.standing.rising(picture.at_s))
        if decision is None:
            continue
        if decision.rung is not None:
            entered.append((decision.at_s, decision.rung))
        if decision.rung in COVERING and covered_from_s is None:
            covered_from_s = decision.at_s - policy.hold_back_s
        elif decision.rung is None and covered_from_s is not None:
            covers.append((covered_from_s, decision.at_s))
            covered_from_s = None
    if covered_from_s is not None:
        covers.append((covered_from_s, last_s + 1e9))
    card.look_ms = (card.look_ms * card.looks + spent_s * 1000.0) / max(1, card.looks + looks)
    card.looks += looks
    if marked.spans_s:
        card.marked_streams += 1
        _count_marked(card, entered, covers, marked)
    else:
        card.benign_streams += 1
        card.benign_hours += last_s / 3600.0
        counts = Counter(rung for _, rung in entered)
        for result in card.rungs:
            result.false += counts[result.rung]


def _count_marked(
    card: EvaluationCard, entered: list[tuple[float, Rung]], covers: list[tuple[float, float]], marked: Marked
) -> None:
    order = [result.rung for result in card.rungs]
    for from_s, to_s in marked.spans_s:
        for index, result in enumerate(card.rungs):
            times = [
                at_s for at_s, rung in entered if order.index(rung) >= index and from_s - 1e-6 <= at_s < to_s
            ]
            result.delays_s.append(min(times) - from_s if times else float("inf"))
        card.sensitive_s += to_s - from_s
        hidden_s = sum(max(0.0, min(to_s, end) - max(from_s, start)) for start, end in covers)
        card.sensitive_left_s += max(0.0, to_s - from_s - hidden_s)
