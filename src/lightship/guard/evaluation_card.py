"""The evaluation card: what a policy promised, beside what it did.

What is on it, and what its figures can and cannot show: docs/reference/evaluation-card.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightship.core.judge import Bound, BoundRung
from lightship.core.ladder import COVERING
from lightship.core.poisson import poisson_lower, poisson_upper
from lightship.core.values import Rung
from lightship.core.watchkeeper import Kind, advance
from lightship.detect.loop import Sensors

FAIRNESS = ("skin tone", "age", "sex", "dress: swimwear", "dress: religious", "breastfeeding", "sport")
"""Groups that a partner with lawful benign footage is asked to fill; others may be added by name."""

UNMEASURED = "not measured: a partner with lawful footage fills this"

REPHRAIN = (
    (
        "human rights impact",
        "partly",
        "no report channel, undo by the person where allowed; no impact assessment with children and parents",
    ),
    (
        "security",
        "present",
        "no socket, no program, no file but the sink and the log: tests/story/test_privacy_story.py",
    ),
    (
        "explainability",
        "present",
        "every decision with its reasons in plain words: lightship guard --explain",
    ),
    (
        "transparency",
        "present",
        "policies, model cards and calibrations are open files, named by digest: packs/",
    ),
    ("fairness", "absent", "the slots above; only a partner with lawful footage of each group can fill them"),
    (
        "accountability",
        "present",
        "a signed log that verifies from the file and the public key alone: docs/reference/ledger.md",
    ),
    (
        "privacy",
        "present",
        "a positive run looks like a benign one from outside: tests/story/test_privacy_story.py",
    ),
    (
        "provenance",
        "present",
        "detector versions, policy and calibrations are digests in the log and in this card",
    ),
    ("maintainability", "present", "recipes for every figure in bench/"),
    (
        "disputability",
        "partly",
        "a log the person can read, and what they ask for is an event in it; nobody independent to turn to yet",
    ),
)
"""Each criterion, whether its measure is present, and where its evidence is."""

_NOISELESS_BLOCKS = 10_000


def finite(value: float) -> float | None:
    """Return the value, or None where it is infinite: JSON has no infinity."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Marked:
    """What is known of a stream beforehand.

    Parameters
    ----------
    spans_s
        When it is sensitive, stream seconds; an empty tuple means it is benign.
    group
        The group of people or situations that a benign stream stands for, one of :data:`FAIRNESS` or another name.
    """

    spans_s: tuple[tuple[float, float], ...] = ()
    group: str = ""


@dataclass(frozen=True)
class StreamResult:
    """What happened on one stream.

    Parameters
    ----------
    marked, seconds
        What was known of it, and its length.
    entered
        How often each rung was entered.
    delays_s
        For each rung, from each onset until it or a graver one was in force; infinity where it never was.
    sensitive_s, sensitive_left_s
        Sensitive seconds, and those of them that left uncovered.
    looks, look_s
        Looks taken, and their processor seconds.
    """

    marked: Marked
    seconds: float
    entered: Mapping[str, int]
    delays_s: Mapping[str, tuple[float, ...]]
    sensitive_s: float
    sensitive_left_s: float
    looks: int
    look_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object (a delay that never ended as null)."""
        return {
            "spans_s": [list(span) for span in self.marked.spans_s],
            "group": self.marked.group,
            "seconds": self.seconds,
            "entered": dict(self.entered),
            "delays_s": {rung: [finite(one) for one in delays] for rung, delays in self.delays_s.items()},
            "sensitive_s": self.sensitive_s,
            "sensitive_left_s": self.sensitive_left_s,
            "looks": self.looks,
            "look_s": self.look_s,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StreamResult:
        """Read :meth:`to_json` back."""
        spans = tuple((float(from_s), float(to_s)) for from_s, to_s in value["spans_s"])
        delays = {
            rung: tuple(math.inf if one is None else float(one) for one in found)
            for rung, found in value["delays_s"].items()
        }
        return cls(
            Marked(spans, value["group"]),
            float(value["seconds"]),
            dict(value["entered"]),
            delays,
            float(value["sensitive_s"]),
            float(value["sensitive_left_s"]),
            int(value["looks"]),
            float(value["look_s"]),
        )


@dataclass
class RungResult:
    """What happened on one rung.

    Parameters
    ----------
    rung, budget, mean_time_h
        The response and its promised mean time between false ones, hours.
    alarm_db, extrapolated
        The level that fires it, and whether the calibration's hours are too few to show the budget.
    earliest_s
        Stream seconds after which graded evidence, were it as strong as the calibration can tell, could fire it;
        0 where only analytic evidence counts, infinity where graded evidence alone never can.
    false
        False responses over the benign hours: each entry counts once.
    delays_s
        From each onset to the response (or a graver one); infinity where it never came.
    """

    rung: Rung
    budget: str
    mean_time_h: float
    alarm_db: float
    extrapolated: bool
    earliest_s: float = 0.0
    false: int = 0
    delays_s: list[float] = field(default_factory=list)


@dataclass
class GroupResult:
    """Covers on benign footage of one group.

    Parameters
    ----------
    hours
        Benign hours of the group.
    covers
        Times that a covering rung was entered.
    """

    hours: float = 0.0
    covers: int = 0


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
    longest_benign_s
        Length of the longest benign stream, seconds.
    sensitive_left_s
        Sensitive seconds that left uncovered, hold-back taken into account, of ``sensitive_s``.
    looks, look_s, watched_s
        Looks taken, their processor seconds, and the stream seconds they were taken over.
    groups
        Benign footage by group, where its group was named.
    footage
        What it was evaluated on, in words.
    """

    policy: str
    digest: str
    hold_back_s: float
    absent: dict[str, str]
    rungs: list[RungResult]
    benign_hours: float = 0.0
    benign_streams: int = 0
    marked_streams: int = 0
    longest_benign_s: float = 0.0
    sensitive_s: float = 0.0
    sensitive_left_s: float = 0.0
    looks: int = 0
    look_s: float = 0.0
    watched_s: float = 0.0
    groups: dict[str, GroupResult] = field(default_factory=dict)
    detectors: dict[str, str] = field(default_factory=dict)
    calibrations: dict[str, str] = field(default_factory=dict)
    footage: str = ""

    @property
    def look_ms(self) -> float:
        """Processor milliseconds a look."""
        return 1000.0 * self.look_s / max(1, self.looks)

    @property
    def core(self) -> float:
        """Processor seconds of detection a second of stream."""
        return self.look_s / max(1e-9, self.watched_s)

    def per_hour(self, result: RungResult) -> tuple[float, float, float]:
        """Return the false responses an hour: seen, and the exact one-sided 95 % bounds below and above."""
        return _rate(result.false, self.benign_hours)

    def holds(self, result: RungResult) -> bool:
        """Return whether what happened is consistent with the budget: its exact lower bound is inside."""
        return self.per_hour(result)[1] <= 1.0 / result.mean_time_h

    def reachable(self, result: RungResult) -> bool:
        """Return whether a benign stream was long enough for graded evidence to fire the rung at all."""
        return result.earliest_s <= self.longest_benign_s

    def shown(self, result: RungResult) -> bool:
        """Return whether these hours show the budget by themselves: it could have fired, and the bound is inside."""
        return self.reachable(result) and self.per_hour(result)[2] <= 1.0 / result.mean_time_h

    def add(self, found: StreamResult) -> None:
        """Take in what happened on one stream."""
        self.looks += found.looks
        self.look_s += found.look_s
        self.watched_s += found.seconds
        if found.marked.spans_s:
            self.marked_streams += 1
            self.sensitive_s += found.sensitive_s
            self.sensitive_left_s += found.sensitive_left_s
            for result in self.rungs:
                result.delays_s.extend(found.delays_s[result.rung])
            return
        self.benign_streams += 1
        self.benign_hours += found.seconds / 3600.0
        self.longest_benign_s = max(self.longest_benign_s, found.seconds)
        for result in self.rungs:
            result.false += found.entered.get(result.rung, 0)
        if found.marked.group:
            group = self.groups.setdefault(found.marked.group, GroupResult())
            group.hours += found.seconds / 3600.0
            group.covers += sum(found.entered.get(rung, 0) for rung in COVERING)

    def fairness(self) -> dict[str, Any]:
        """Return, for each group, its false covers an hour with bounds and the ratio to all other named groups."""
        found: dict[str, Any] = dict.fromkeys(FAIRNESS, UNMEASURED)
        for name, group in self.groups.items():
            seen, lower, upper = _rate(group.covers, group.hours)
            others = [other for key, other in self.groups.items() if key != name]
            rest = _rate(sum(one.covers for one in others), sum(one.hours for one in others))[0]
            found[name] = {
                "benign_hours": group.hours,
                "false_covers": group.covers,
                "per_hour": seen,
                "lower_95_per_hour": lower,
                "upper_95_per_hour": upper,
                "ratio_to_other_groups": seen / rest if rest > 0.0 else None,
            }
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the card as a JSON object."""
        return {
            "format": "lightship.evaluation/1",
            "policy": self.policy,
            "policy_digest": self.digest,
            "detectors": self.detectors,
            "calibrations": self.calibrations,
            "footage": self.footage,
            "hold_back_s": self.hold_back_s,
            "absent": self.absent,
            "benign_hours": self.benign_hours,
            "benign_streams": self.benign_streams,
            "longest_benign_s": self.longest_benign_s,
            "marked_streams": self.marked_streams,
            "sensitive_s": self.sensitive_s,
            "sensitive_left_s": self.sensitive_left_s,
            "looks": self.looks,
            "look_ms": self.look_ms,
            "cpu_s_per_stream_s": self.core,
            "rungs": [self._rung_json(result) for result in self.rungs],
            "fairness": self.fairness(),
            "rephrain": {
                name: {"measure": presence, "evidence": evidence} for name, presence, evidence in REPHRAIN
            },
        }

    def _rung_json(self, result: RungResult) -> dict[str, Any]:
        seen, lower, upper = self.per_hour(result)
        return {
            "rung": result.rung,
            "promised_per_hour": 1.0 / result.mean_time_h,
            "false": result.false,
            "seen_per_hour": seen,
            "lower_95_per_hour": lower,
            "upper_95_per_hour": upper,
            "consistent": self.holds(result),
            "could_fire": self.reachable(result),
            "shown": self.shown(result),
            "alarm_db": result.alarm_db,
            "earliest_s": finite(result.earliest_s),
            "extrapolated": result.extrapolated,
            "onsets": len(result.delays_s),
            "reached": sum(math.isfinite(one) for one in result.delays_s),
            "delay_s": _quantiles(result.delays_s),
        }

    def to_markdown(self) -> str:
        """Return the card as Markdown."""
        benign = f"{self.benign_hours:.2f} benign hours in {_counted(self.benign_streams, 'stream')}"
        marked = _counted(self.marked_streams, "marked stream")
        lines = [
            f"# Evaluation card: policy “{self.policy}”",
            "",
            f"Policy {self.digest[:19]}…, hold-back {self.hold_back_s:g} s.",
            "",
            f"{benign}, the longest {self.longest_benign_s / 60:.0f} min; {marked}.",
            *([f"Footage: {self.footage}."] if self.footage else []),
            "",
            *self._interruptions(),
            *self._time_to_act(),
            *self._coverage(),
            *self._fairness(),
            "## REPHRAIN criteria",
            "",
            "| criterion | measure | evidence |",
            "|---|---|---|",
            *(f"| {name} | {presence} | {evidence} |" for name, presence, evidence in REPHRAIN),
            "",
        ]
        return "\n".join(lines)

    def _interruptions(self) -> list[str]:
        lines = ["## False interruptions", ""]
        lines += [
            "| rung | promised | seen | an hour, exact 95 % bounds | consistent | shown by these hours |"
        ]
        lines += ["|---|---|---|---|---|---|"]
        for result in self.rungs:
            _, lower, upper = self.per_hour(result)
            lines.append(
                f"| {result.rung} | {result.budget} | {result.false} | {lower:.4f} to {upper:.4f} | "
                f"{'yes' if self.holds(result) else '**NO**'} | {self._verdict(result)} |"
            )
        lines += ["", "Graded evidence, as strong as its calibration can tell, could fire:"]
        lines += ["", *(f"- {result.rung} {_from(result)}" for result in self.rungs), ""]
        return lines

    def _verdict(self, result: RungResult) -> str:
        if not self.benign_hours:
            return "no: no benign hours"
        if not self.reachable(result):
            return "no: every stream was too short for it to fire"
        if self.shown(result):
            return "yes"
        if not self.holds(result):
            return "no: more than promised"
        return f"no: *extrapolated*, {math.ceil(poisson_upper(0) * result.mean_time_h)} h without one would show it"

    def _time_to_act(self) -> list[str]:
        lines = ["## Time to act", "", "| rung | onsets | p50 | p95 |", "|---|---|---|---|"]
        for result in self.rungs:
            found, some = _quantiles(result.delays_s), bool(result.delays_s)
            p50, p95 = (_said(found[name], some=some) for name in ("p50", "p95"))
            lines.append(f"| {result.rung} | {len(result.delays_s)} | {p50} | {p95} |")
        lines += ["", f"Latency added by holding back: {self.hold_back_s:g} s.", ""]
        if self.sensitive_s:
            left = f"{self.sensitive_left_s:.2f} of {self.sensitive_s:.1f}"
            lines += [f"Sensitive seconds that left: {left}.", ""]
        else:
            lines += ["No marked stream was given, so nothing is said here of what would leave.", ""]
        cost = f"{self.look_ms:.1f} ms of one core ({self.looks} looks)"
        lines += [f"Cost of a look: {cost}; {self.core:.3f} processor seconds a second of stream.", ""]
        return lines

    def _coverage(self) -> list[str]:
        there = [f"- {name} {version}" for name, version in self.detectors.items()]
        weighed = [f"- calibration of {name}: {said}" for name, said in self.calibrations.items()]
        absent = [f"- **absent**: {name}: {reason}" for name, reason in self.absent.items()]
        return ["## Coverage", "", *there, *weighed, *(absent or ["- every detector was there"]), ""]

    def _fairness(self) -> list[str]:
        lines = ["## Fairness", "", "| benign group | hours | false covers | an hour, 95 % bounds | ratio |"]
        lines += ["|---|---|---|---|---|"]
        for name, found in self.fairness().items():
            if isinstance(found, str):
                lines.append(f"| {name} | {found} | | | |")
                continue
            ratio = found["ratio_to_other_groups"]
            bounds = f"{found['lower_95_per_hour']:.4f} to {found['upper_95_per_hour']:.4f}"
            said = "no false cover elsewhere" if ratio is None else f"{ratio:.2f}"
            lines.append(
                f"| {name} | {found['benign_hours']:.1f} | {found['false_covers']} | {bounds} | {said} |"
            )
        return [*lines, ""]

    def draw(self, path: Path) -> None:
        """Draw the promised rates beside what happened, with the exact Poisson bounds."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 1.6 + 0.7 * len(self.rungs)), layout="constrained")
        axes = figure.subplots()
        rates = [self.per_hour(result) for result in self.rungs]
        promised = [1.0 / result.mean_time_h for result in self.rungs]
        bounds = [rate[2] for rate in rates if math.isfinite(rate[2])]  # without benign hours there is none
        least, most = (
            min([*promised, *bounds], default=1.0) / 4.0,
            max([*promised, *bounds], default=1.0) * 2.0,
        )
        for row, (result, (seen, lower, upper)) in enumerate(zip(self.rungs, rates, strict=True)):
            reachable = self.reachable(result)
            colour = "#1d70b8" if reachable else "#b1b4b6"
            end = min(upper, most)
            axes.plot([max(lower, least), end], [row, row], color=colour, lw=5, solid_capstyle="butt")
            if seen > 0:
                axes.plot(seen, row, "o", color="#0b0c0c", zorder=5)
            axes.plot(promised[row], row, "|", color="#d4351c", ms=22, mew=3, zorder=4)
            note = f"{result.false} seen" if reachable else "could not fire in streams so short"
            axes.annotate(note, (end, row), (6, 10), textcoords="offset points", fontsize=9, color="#0b0c0c")
        axes.set_yticks(range(len(self.rungs)), [result.rung for result in self.rungs])
        axes.set_xscale("log")
        axes.set_xlim(least, most * 4.0)
        axes.set_ylim(len(self.rungs) - 0.5, -0.6)
        watched = (
            f"{self.benign_hours:.1f} h" if self.benign_hours >= 1 else f"{self.benign_hours * 60:.0f} min"
        )
        axes.set_xlabel(
            f"false responses an hour over {watched} of benign footage\n"
            "bar: exact Poisson 95 % bounds, dot: seen, red: promised"
        )
        axes.set_title(f"Promised and happened: “{self.policy}”", loc="left", fontsize=11)
        figure.savefig(path, dpi=120)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _from(result: RungResult) -> str:
    if math.isinf(result.earliest_s):
        return "never by itself"
    return (
        f"after {result.earliest_s / 60:.0f} min of a stream" if result.earliest_s else "in the first picture"
    )


def _rate(events: int, hours: float) -> tuple[float, float, float]:
    """Return events an hour, with the exact one-sided 95 % bounds below and above; infinity above zero hours."""
    if hours <= 0.0:
        return 0.0, 0.0, math.inf
    return events / hours, poisson_lower(events) / hours, poisson_upper(events) / hours


def _quantiles(delays_s: Sequence[float]) -> dict[str, float | None]:
    """Return the smallest delays that half, and 95 %, of the onsets stayed within; None where never reached."""
    if not delays_s:
        return {"p50": None, "p95": None}
    ordered = sorted(delays_s)
    found = {
        name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in (("p50", 0.5), ("p95", 0.95))
    }
    return {name: finite(value) for name, value in found.items()}


def _said(value: float | None, *, some: bool) -> str:
    if not some:
        return "no onset"
    return "not reached" if value is None else f"{value:.2f} s"


def earliest_s(rung: BoundRung, kind: Kind) -> float:
    """Return after how many stream seconds graded evidence alone could fire a rung.

    Every block weighs as much as the calibrations can tell, and no analytic detector sees anything.
    Returns 0 where no detector is graded, infinity where the level is never reached.
    """
    graded = [name for name, scale in rung.scales.items() if scale.calibration is not None]
    if not graded:
        return 0.0
    weight_db = rung.weight_db([(name, "", math.inf) for name in graded])
    level_db, blocks = -math.inf, 0
    while level_db < rung.alarm_db and blocks < _NOISELESS_BLOCKS:
        level_db, blocks = advance(level_db, weight_db, kind), blocks + 1
    return (blocks - 1) * rung.rule.block_s if level_db >= rung.alarm_db else math.inf


def new_card(sensors: Sensors, footage: str = "") -> EvaluationCard:
    """Return a card on which nothing has been watched yet.

    Parameters
    ----------
    footage
        What will be watched, in words.
    """
    policy = sensors.bound.policy
    return EvaluationCard(
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
                earliest_s(judged, policy.detector_kind),
            )
            for judged in sensors.bound.rungs
        ],
        detectors={detector.name: detector.version for detector in sensors.detectors},
        calibrations=_calibrations(sensors.bound),
        footage=footage,
    )


def _calibrations(bound: Bound) -> dict[str, str]:
    return {
        name: f"{scale.calibration.hours:.1f} h, {len(scale.calibration.streams)} streams, {scale.calibration.digest}"
        for rung in bound.rungs
        for name, scale in rung.scales.items()
        if scale.calibration is not None
    }
