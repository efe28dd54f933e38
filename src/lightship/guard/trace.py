"""What happened over time, for the picture and the report: levels, responses, gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightship.core.judge import Bound
from lightship.core.values import Decision, Rung

_COLOURS: dict[Rung, str] = {"observe": "#f3e3b3", "blur": "#b5d3e7", "pause": "#7fa8c9", "end": "#4c4c4c"}
FLOOR_DB = -10.0


@dataclass
class Trace:
    """Levels and decisions of one run.

    Parameters
    ----------
    bound
        The policy that judged.
    """

    bound: Bound
    times_s: list[float] = field(default_factory=list)
    levels_db: list[tuple[float, ...]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    def looked(self, at_s: float, levels_db: tuple[float, ...]) -> None:
        """Add the rungs' levels after one look."""
        self.times_s.append(at_s)
        self.levels_db.append(levels_db)

    def spans(self) -> list[tuple[float, float, Rung]]:
        """Return the responses in force as ``(from, to, rung)``, stream seconds."""
        end_s = max([*self.times_s, *(decision.at_s for decision in self.decisions)], default=0.0)
        found: list[tuple[float, float, Rung]] = []
        for number, decision in enumerate(self.decisions):
            later = self.decisions[number + 1].at_s if number + 1 < len(self.decisions) else end_s
            if decision.rung is not None:
                found.append((decision.at_s, later, decision.rung))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the run as a JSON object."""
        return {
            "policy": {"name": self.bound.policy.name, "digest": self.bound.policy.digest},
            "rungs": [
                {
                    "rung": rung.rule.rung,
                    "budget": str(rung.rule.budget),
                    "block_s": rung.rule.block_s,
                    "alarm_db": round(rung.alarm_db, 2),
                    "extrapolated": rung.extrapolated,
                }
                for rung in self.bound.rungs
            ],
            "decisions": [
                {
                    "at_s": round(decision.at_s, 3),
                    "rung": decision.rung,
                    "before": decision.before,
                    "by": decision.by,
                }
                for decision in self.decisions
            ],
            "gaps": [{"from_s": round(from_s, 3), "to_s": round(to_s, 3)} for from_s, to_s in self.gaps],
            "levels": [
                {
                    "at_s": round(at_s, 3),
                    "db": [round(level, 2) if math.isfinite(level) else None for level in levels],
                }
                for at_s, levels in zip(self.times_s, self.levels_db, strict=True)
            ],
        }

    def draw(self, path: Path) -> None:
        """Draw weight against time with the rungs; PNG or SVG by the suffix."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4.5), layout="constrained")
        axes = figure.subplots()
        for from_s, to_s, rung in self.spans():
            axes.axvspan(from_s, to_s, color=_COLOURS[rung], lw=0, zorder=0)
        for from_s, to_s in self.gaps:
            axes.axvspan(from_s, to_s, facecolor="none", edgecolor="#b3261e", hatch="///", lw=0, zorder=0)
        styles = ["-", "--", "-.", ":"]
        ceiling_db = max((judged.alarm_db for judged in self.bound.rungs), default=20.0) * 2.2
        for number, judged in enumerate(self.bound.rungs):
            levels = [row[number] if number < len(row) else FLOOR_DB for row in self.levels_db]
            style = styles[number % len(styles)]
            label = f"{judged.rule.rung}: fires at {judged.alarm_db:.0f} dB ({judged.rule.budget})"
            shown = [min(ceiling_db, max(FLOOR_DB, level)) for level in levels]
            (line,) = axes.plot(self.times_s, shown, style, lw=1.6, label=label)
            axes.axhline(judged.alarm_db, ls=style, lw=0.9, color=line.get_color())
        for from_s, to_s, rung in self.spans():
            axes.annotate(
                rung,
                ((from_s + to_s) / 2, 0.02),
                xycoords=("data", "axes fraction"),
                ha="center",
                fontsize=9,
                color="white" if rung == "end" else "black",
            )
        axes.set_xlabel("time on the stream (s)")
        axes.set_ylabel("weight of evidence (dB)")
        axes.set_title(f"Evidence and response under “{self.bound.policy.name}”", loc="left", fontsize=11)
        axes.set_ylim(FLOOR_DB - 4, ceiling_db * 1.05)
        axes.legend(loc="upper left", fontsize=8, framealpha=0.85)
        axes.margins(x=0.01)
        figure.savefig(path, dpi=130)
