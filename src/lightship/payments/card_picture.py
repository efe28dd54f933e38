"""The card's picture: precision and recall by budget, false alerts by group, drift."""

from __future__ import annotations

from pathlib import Path

from lightship.payments.card import Card
from lightship.payments.drift import CHANGED, MOVING

FEW = 6
"""Fewer groups leave room, so that one bar does not fill the picture."""


def draw(card: Card, path: Path) -> None:
    """Write the picture as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    sizes = [one.size for one in card.sweep]
    if card.known is None:
        left.plot(sizes, [one.threshold_mdb / 1000 for one in card.sweep], marker="o")
        left.set_ylabel("weight of the last case, dB")
    else:
        left.plot(sizes, [one.precision or 0.0 for one in card.sweep], marker="o", label="precision")
        left.plot(sizes, [one.recall or 0.0 for one in card.sweep], marker="s", label="recall")
        left.set_ylim(0, 1.02)
        left.legend()
    left.set_xscale("log")
    left.set_xticks(sizes, [f"{size:,}" for size in sizes])
    left.minorticks_off()
    left.set_xlabel("cases a month")
    left.set_title("Budgets")
    shown = [one for one in card.groups if one.false_alerts][:12]
    middle.barh([one.group for one in shown], [one.rate for one in shown])
    middle.set_ylim(max(len(shown), FEW) - 0.5, -0.5)
    middle.set_xlabel("false alerts in 100,000")
    middle.set_title("Groups")
    drift = card.drift[:12]
    right.barh([one.indicator for one in drift], [one.psi for one in drift])
    right.axvline(MOVING, linestyle=":", color="black")
    right.axvline(CHANGED, linestyle="--", color="black")
    right.invert_yaxis()
    right.set_xlabel("PSI, first month to last")
    right.set_title("Drift")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
