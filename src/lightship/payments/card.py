"""The model card: what a typology pack did over a history, in tables that people and programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lightship.payments.backtest import At, Compared, GroupRate
from lightship.payments.backtest_lane import LaneFigures
from lightship.payments.drift import Drift

FORMAT = "lightship.payments-card/1"
SYNTHETIC = (
    "These figures are of made-up customers. They show that the arithmetic holds and where the pack is weak; how "
    "well it does on real customers only an institution's own outcomes can tell (docs/guides/payments-evaluation.md)."
)


@dataclass(frozen=True, slots=True)
class Month:
    """One month's queue, weighed with the baseline of the first.

    Parameters
    ----------
    day
        On which it ends.
    measured, above, new
        Subjects; those at or above the threshold; those of them that were not a month before.
    suppressed
        Set aside by people.
    """

    day: str
    measured: int
    above: int
    new: int
    suppressed: int


@dataclass(frozen=True)
class Card:
    """One typology's card.

    Parameters
    ----------
    typology, title, pack, jurisdiction, baseline
        Which, with digests.
    synthetic
        Whether the history is made up.
    customers, payments, window_days
        The history.
    known
        Subjects known to be what the typology is about; None without outcomes.
    budget
        Cases a month.
    protected
        What the pack may use of corridor, nationality, age and sex, by indicator; empty for age and sex where unused.
    months, sweep, at_k, frequent_recall, carried, groups, parity, drift, compared, lane, sampled, suppressed, expired
        The tables.
    """

    typology: str
    title: str
    pack: str
    jurisdiction: str
    baseline: str
    synthetic: bool
    customers: int
    payments: int
    window_days: int
    known: int | None
    budget: int
    protected: dict[str, tuple[str, ...]]
    months: tuple[Month, ...]
    sweep: tuple[At, ...]
    at_k: tuple[At, ...]
    frequent_recall: float | None
    carried: float | None
    groups: tuple[GroupRate, ...]
    parity: dict[str, tuple[GroupRate, ...]]
    drift: tuple[Drift, ...]
    compared: tuple[Compared, ...] = ()
    lane: tuple[LaneFigures, ...] = ()
    sampled: int = 0
    suppressed: tuple[str, ...] = field(default=())
    expired: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"format": FORMAT, **asdict(self)}

    def to_markdown(self) -> str:
        """Return it for people."""
        parts = [
            f"# {self.title}: how the pack did",
            f"Pack `{self.typology}` {self.pack}, jurisdiction {self.jurisdiction}, baseline {self.baseline}.\n"
            f"{self.customers:,} customers, {self.payments:,} payments, windows of {self.window_days} days, "
            f"{self.budget} cases a month."
            + ("" if self.known is None else f" Known subjects of the pattern: {self.known:,}."),
        ]
        if self.synthetic:
            parts.append(SYNTHETIC)
        parts += self._queues() + self._fairness() + self._upkeep()
        return "\n\n".join(parts) + "\n"

    def _queues(self) -> list[str]:
        columns = ("cases a month", "in the queue", "weight of the last", "known", "precision", "recall")
        parts = ["## Budgets", _table(columns, [_at(one) for one in self.sweep])]
        if self.known is not None:
            parts += [
                "## Precision and recall at k",
                _table(("k", *columns[1:]), [_at(one) for one in self.at_k]),
            ]
        if self.frequent_recall is not None:
            parts.append(
                f"Of the known with ten payments or more, {self.frequent_recall:.0%} are in the first 200."
            )
        if self.carried is not None:
            parts.append(
                f"Carried to one such customer in 50,000, at the same recall and false-alert rate, the precision of "
                f"the first 50 would be {self.carried:.0%}."
            )
        parts += [
            "## Month by month, with the first month's baseline and threshold",
            _table(
                ("to", "measured", "above the line", "new", "set aside"),
                [
                    (one.day, _n(one.measured), _n(one.above), _n(one.new), _n(one.suppressed))
                    for one in self.months
                ],
            ),
        ]
        if self.lane:
            parts += [
                "## The lane",
                _table(
                    (
                        "threshold",
                        "bursts",
                        "said by the third payment",
                        "said at all",
                        "false, 100,000 children a month",
                    ),
                    [
                        (
                            _db(one.threshold_mdb),
                            _n(one.victims),
                            f"{one.share_in_time:.0%}",
                            _n(one.ever),
                            f"{one.false_rate:.2f}",
                        )
                        for one in self.lane
                    ],
                ),
            ]
        return parts

    def _fairness(self) -> list[str]:
        if self.known is None:
            return ["## Fairness", "No outcomes are known, so no false alert can be told."]
        uses = {name: words for name, words in self.protected.items() if {"age", "sex"} & set(words)}
        said = (
            f"The pack weighs age or sex in {', '.join(uses)}; `lightship packs explain` says how far it may reach."
            if uses
            else "The pack weighs neither age nor sex, so its figures with and without them are the same ones."
        )
        parts = ["## False alerts by group", _rates(self.groups), "## Parity", said]
        for name, rates in self.parity.items():
            parts += [f"By {name}:", _rates(rates)]
        return parts

    def _upkeep(self) -> list[str]:
        parts = ["## Drift from the first month to the last"]
        rows = [(one.indicator, f"{one.psi:.3f}", one.verdict) for one in self.drift]
        parts.append(_table(("indicator", "PSI", "verdict"), rows))
        if self.compared:
            columns = ("challenger", "cases", "in both", "only champion", "only challenger", "known of those")
            parts += [
                "## Champion and challenger",
                _table(columns, [_compared(one) for one in self.compared]),
            ]
        parts += [
            "## For people to look at",
            f"{self.sampled} subjects near the line, above and below it, are in `{self.typology}.samples.csv`.",
        ]
        if self.suppressed:
            parts.append("Set aside now:\n\n" + "\n".join(f"- {line}" for line in self.suppressed))
        if self.expired:
            parts.append(
                "No longer set aside, to be looked at anew:\n\n"
                + "\n".join(f"- {line}" for line in self.expired)
            )
        return parts


def _rates(rates: Sequence[GroupRate]) -> str:
    return _table(
        ("group", "innocents", "false alerts", "in 100,000", "to the mean", "at least"),
        [
            (
                one.group,
                _n(one.innocents),
                _n(one.false_alerts),
                f"{one.rate:.1f}",
                "" if one.ratio is None else f"{one.ratio:.1f}",
                "" if one.ratio_at_least is None else f"{one.ratio_at_least:.1f}",
            )
            for one in rates
        ],
    )


def _at(one: At) -> tuple[str, ...]:
    hits = "" if one.hits is None else _n(one.hits)
    shares = ("" if share is None else f"{share:.0%}" for share in (one.precision, one.recall))
    return (_n(one.size), _n(one.cases), _db(one.threshold_mdb), hits, *shares)


def _compared(one: Compared) -> tuple[str, ...]:
    hits = (
        ""
        if one.champion_hits is None
        else f"{one.champion_hits} champion's, {one.challenger_hits} challenger's"
    )
    return (one.challenger, _n(one.size), _n(one.both), _n(one.only_champion), _n(one.only_challenger), hits)


def _n(number: int) -> str:
    return f"{number:,}"


def _db(weight_mdb: int) -> str:
    return f"{weight_mdb / 1000:.1f} dB"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
