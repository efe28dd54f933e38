"""Wires the back-test: packs over the months of a dataset, known outcomes, and the cards that come out."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from lightship.app_payments import last_moment, scoring, terms_of, typology
from lightship.core.errors import InputError
from lightship.exchange.whole import write_each
from lightship.payments import suppression
from lightship.payments.backtest import (
    At,
    Sampled,
    Standing,
    at,
    carried,
    compared,
    group_rates,
    line_samples,
    standing,
)
from lightship.payments.backtest_lane import LaneFigures, figures, moments, quietest
from lightship.payments.baseline import Baseline
from lightship.payments.card import Card, Month
from lightship.payments.card_picture import draw
from lightship.payments.drift import drifted
from lightship.payments.engine import Engine
from lightship.payments.pack import Pack
from lightship.payments.prepare import DAY_US, Dataset, Terms, Window
from lightship.payments.proof import prove
from lightship.payments.score import Measured, Nobody, fit, measure, open_history

MONTH_DAYS = 30
SIZES = (50, 200, 1000)
FREQUENT = 10
"""Known subjects with so many payments are looked at by themselves."""
IN_50_000 = 1 / 50_000
SAMPLES = 25
SAMPLE_SEED = 1
LANE_ALLOWED = 2.0
"""False alerts for 100,000 children's accounts a month that the lane may give."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcomes:
    """What is known of a history.

    Parameters
    ----------
    known
        Typology to its subjects.
    groups
        Subject to the life it lives, where it is known.
    seen
        Typology to when each of its subjects paid or was paid as the pattern says; empty where that is not known.
    synthetic
        Whether it is made up.
    """

    known: Mapping[str, frozenset[str]]
    groups: Mapping[str, str]
    seen: Mapping[str, Mapping[str, Sequence[int]]]
    synthetic: bool

    @property
    def bursts(self) -> Mapping[str, Sequence[int]]:
        """Victim to the moments of the burst's payments."""
        return self.seen.get("extortion-victim", {})

    def of(self, typology: str, window: Window) -> frozenset[str]:
        """Return the known subjects, without those of whom the window shows nothing of the pattern."""
        known = self.known.get(typology, frozenset())
        if typology not in self.seen:
            return known
        return frozenset(
            who
            for who, times in self.seen[typology].items()
            if who in known and any(window.from_us < when <= window.to_us for when in times)
        )


@dataclass(frozen=True)
class Population:
    """Innocents to divide by: subject to age band and to sex, customers and payments, children's accounts."""

    bands: Mapping[str, str]
    sexes: Mapping[str, str]
    payments: int
    children: int


def outcomes(folder: Path, file: Path | None) -> Outcomes | None:
    """Return what is known: the named file's, else the truth beside a made-up dataset, else nothing.

    Raises
    ------
    InputError
        If the file is not Parquet, or lacks the columns subject and typology.
    """
    path = file or folder / "truth.parquet"
    if not path.exists() and file is None:
        return None
    try:
        table = pq.read_table(path)
        subjects, typologies = (table[name].to_pylist() for name in ("subject", "typology"))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"The outcomes cannot be read: {error}.",
            str(path),
            "It is Parquet with subject, typology and group.",
        ) from error
    known: dict[str, set[str]] = {}
    for subject, name in zip(subjects, typologies, strict=True):
        if name:
            known.setdefault(name, set()).add(subject)
    groups = table["group"].to_pylist() if "group" in table.column_names else []
    made_up = file is None
    return Outcomes(
        {name: frozenset(found) for name, found in known.items()},
        dict(zip(subjects, groups, strict=True)) if groups else {},
        _seen(folder) if made_up else {},
        made_up,
    )


SIDES = {
    "livestream-payer": ("livestream-payer", "payer"),
    "livestream-receiver": ("livestream-payer", "payee"),
    "extortion-victim": ("extortion-victim", "payer"),
    "extortion-mule": ("extortion-mule", "payee"),
}
"""Typology to whose payments show it, and on which side its subject stands. A mule is looked for among customers."""


def _seen(folder: Path) -> dict[str, dict[str, list[int]]]:
    """Return when a made-up dataset's subjects did what the pattern says."""
    parts = pq.read_table(folder / "truth_payments.parquet").to_pydict()
    typology_of = dict(zip(parts["payment"], parts["typology"], strict=True))
    rows = pq.read_table(
        folder / "payments.parquet",
        columns=["payment", "payer", "payee", "at"],
        filters=[("payment", "in", parts["payment"])],
    )
    rows = rows.set_column(3, "at", rows["at"].cast("int64")).sort_by("at").to_pylist()
    own = set(pq.read_table(folder / "customers.parquet", columns=["customer"])["customer"].to_pylist())
    found: dict[str, dict[str, list[int]]] = {}
    for name, (part, side) in SIDES.items():
        mine = found.setdefault(name, {})
        for row in rows:
            if typology_of[row["payment"]] == part and (name != "extortion-mule" or row[side] in own):
                mine.setdefault(row[side], []).append(row["at"])
    return found


def backtest(
    folder: Path,
    out: Path,
    pack: str,
    *,
    typologies: Sequence[str],
    challengers: Sequence[str] = (),
    budgets: Sequence[int] = (),
    months: int = 3,
    known: Path | None = None,
    suppressions: Path | None = None,
    tell: Tell = lambda _: None,
) -> list[Card]:
    """Run packs over the last months of a dataset and write a card for each: Markdown, JSON, picture, samples.

    Parameters
    ----------
    pack
        The jurisdiction.
    challengers
        Typology packs, each compared with the one of the same id.
    budgets
        Cases a month to sweep; around the pack's own unless given.
    known
        Outcomes; the truth of a made-up dataset unless given.
    """
    champions = [typology(name) for name in typologies]
    others = [(name, typology(name)) for name in challengers]
    strange = [name for name, one in others if one.id not in {champion.id for champion in champions}]
    if strange:
        raise InputError(
            "A challenger has the id of no pack that runs.", strange[0], "Name its champion with --typology."
        )
    rows = suppression.parse(_text(suppressions), str(suppressions)) if suppressions else ()
    facts, terms = outcomes(folder, known), terms_of(folder, pack)
    cards: list[Card] = []
    empty: list[Nobody] = []
    files: dict[str, bytes] = {}
    with scoring(folder, spill=out) as (engine, data):
        people = _population(engine, data)
        end_us = last_moment(engine, data)
        for champion in champions:
            run = _Run(engine, data, terms, champion, end_us, months, rows, tell)
            rivals = [(name, one) for name, one in others if one.id == champion.id]
            try:
                card, sampled = run.card(facts, people, rivals, budgets)
            except Nobody as error:
                empty.append(error)
                continue
            cards.append(card)
            files |= _files(card, sampled)
    if empty and not cards:
        raise empty[0]
    for none in empty:
        tell(f"{none.what} It has no card.")
    write_each(out, files)
    return cards


@dataclass
class _Run:
    """One champion over the months."""

    engine: Engine
    data: Dataset
    terms: Terms
    pack: Pack
    end_us: int
    months: int
    suppressions: tuple[suppression.Suppression, ...]
    tell: Tell

    def card(
        self,
        facts: Outcomes | None,
        people: Population,
        rivals: Sequence[tuple[str, Pack]],
        budgets: Sequence[int],
    ) -> tuple[Card, tuple[Sampled, ...]]:
        pack = self.pack
        window = Window.ending(self.end_us, pack.window_days)
        known = None if facts is None else facts.of(pack.id, window)
        table, first = self._months()
        self.tell(f"{pack.title}: the last month")
        found, base, now = self._measured(self.end_us, pack)
        budget = pack.budget
        sizes = sorted(budgets) or [max(1, budget // 2), budget, 2 * budget, 4 * budget]
        at_50 = at(now, SIZES[0], known)
        duels = [
            compared(now, self._measured(self.end_us, one)[2], name, budget, known) for name, one in rivals
        ]
        sampled = line_samples(now, budget, SAMPLES, SAMPLE_SEED)
        aside = suppression.in_force(self.suppressions, pack.id, now.day)
        card = Card(
            typology=pack.id,
            title=pack.title,
            pack=pack.digest,
            jurisdiction=self.terms.jurisdiction.digest,
            baseline=base.digest,
            synthetic=facts is not None and facts.synthetic,
            customers=len(people.bands),
            payments=people.payments,
            window_days=pack.window_days,
            known=None if known is None else len(known),
            budget=budget,
            protected=prove(pack).protected,
            months=table,
            sweep=tuple(at(now, size, known) for size in sizes),
            at_k=tuple(at(now, size, known) for size in SIZES),
            frequent_recall=None if known is None else _frequent(found, now, known),
            carried=_carried(at_50, len(known), people) if known and at_50.precision is not None else None,
            groups=_groups(now, budget, known, facts) if facts and known is not None else (),
            parity=_parity(now, budget, known, people) if known is not None else {},
            drift=drifted(first, base),
            compared=tuple(duels),
            lane=self._lane(found, base, facts, people) if facts and facts.bursts else (),
            sampled=len(sampled),
            suppressed=tuple(
                f"{one.subject}, until {one.until}: {one.reason} ({one.by})" for one in aside.values()
            ),
            expired=tuple(
                f"{one.subject}, since {one.until}: {one.reason} ({one.by})"
                for one in suppression.expired(self.suppressions, pack.id, now.day)
            ),
        )
        return card, sampled

    def _measured(
        self, to_us: int, pack: Pack, base: Baseline | None = None
    ) -> tuple[Measured, Baseline, Standing]:
        history = open_history(self.engine, self.data, self.terms, Window.ending(to_us, pack.window_days))
        found = measure(history, pack)
        base = base or fit(found)
        now = standing(found, base)
        aside = suppression.in_force(self.suppressions, pack.id, now.day)
        return found, base, now.without(aside)

    def _months(self) -> tuple[tuple[Month, ...], Baseline]:
        """Return the months' queues with the first's baseline and threshold, and that baseline."""
        base: Baseline | None = None
        threshold, before = 0, frozenset[str]()
        rows: list[Month] = []
        for month in reversed(range(self.months)):
            to_us = self.end_us - month * MONTH_DAYS * DAY_US
            _, base, now = self._measured(to_us, self.pack, base)
            self.tell(f"{self.pack.title}: {now.day.isoformat()}")
            if not rows:
                threshold = at(now, self.pack.budget, None).threshold_mdb
            above = frozenset(now.subjects[: now.above(threshold)])
            aside = len(suppression.in_force(self.suppressions, self.pack.id, now.day))
            rows.append(Month(now.day.isoformat(), now.measured, len(above), len(above - before), aside))
            before = above
        assert base is not None
        return tuple(rows), base

    def _lane(
        self, found: Measured, base: Baseline, facts: Outcomes, people: Population
    ) -> tuple[LaneFigures, ...]:
        """Return the lane's figures at the pack's floor, and at the threshold that keeps false alerts to the aim."""
        if self.pack.lane != "fast":
            return ()
        every = moments(found, base)
        window = found.history.window
        bursts = {
            who: burst for who, burst in facts.bursts.items() if window.from_us < burst[0] <= window.to_us
        }
        allowed = int(LANE_ALLOWED / 100_000 * people.children * self.pack.window_days * 12 / 365)
        levels = sorted({base.threshold_mdb, quietest(every, bursts, allowed)})
        return tuple(
            figures(every, level, bursts, people.children, self.pack.window_days) for level in levels
        )


def _frequent(found: Measured, now: Standing, known: Collection[str]) -> float | None:
    """Return the share of the known with ten payments or more that the first 200 hold."""
    values = found.values
    often = set(values.filter(pc.greater_equal(values["n"], FREQUENT))["subject"].to_pylist()) & set(known)
    return len(often & set(now.subjects[: SIZES[1]])) / len(often) if often else None


def _carried(at_50: At, known: int, people: Population) -> float:
    return carried(at_50.precision or 0.0, at_50.recall or 0.0, known / max(len(people.bands), 1), IN_50_000)


def _groups(now: Standing, budget: int, known: Collection[str], facts: Outcomes) -> tuple[Any, ...]:
    """Return the rates of the groups that have members among the alerted kind: customers, or people who are paid."""
    queue = now.subjects[:budget]
    abroad = now.typology == "livestream-receiver"
    sizes = Counter(
        group
        for subject, group in facts.groups.items()
        if group.startswith("receiver") == abroad and subject not in known
    )
    return group_rates(queue, known, facts.groups, sizes)


def _parity(
    now: Standing, budget: int, known: Collection[str], people: Population
) -> dict[str, tuple[Any, ...]]:
    queue = [subject for subject in now.subjects[:budget] if subject in people.bands]
    found = {}
    for name, groups in (("age", people.bands), ("sex", people.sexes)):
        sizes = Counter(group for subject, group in groups.items() if subject not in known)
        found[name] = group_rates(queue, known, groups, sizes)
    return found if queue else {}


def _population(engine: Engine, data: Dataset) -> Population:
    rows = engine.arrow(data.customers.select("customer", "born_year", "sex")).to_pydict()
    last_us = last_moment(engine, data)
    year = Window.ending(last_us, 1).day.year
    ages = [None if born is None else year - born for born in rows["born_year"]]
    payments = engine.arrow(data.payments.aggregate(n=data.payments.count()))["n"][0].as_py()
    return Population(
        dict(zip(rows["customer"], map(_band, ages), strict=True)),
        {who: sex or "not recorded" for who, sex in zip(rows["customer"], rows["sex"], strict=True)},
        int(payments),
        sum(age is not None and age < 18 for age in ages),
    )


def _band(age: int | None) -> str:
    if age is None:
        return "not recorded"
    low = next((low for low in (75, 60, 45, 30, 18) if age >= low), 0)
    return f"{low} and over" if low else "under 18"


def _files(card: Card, sampled: Sequence[Sampled]) -> dict[str, bytes]:
    """Return a card's files."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("side", "rank", "subject", "weight_db", "outcome"))
    writer.writerows((one.side, one.rank, one.subject, f"{one.total_mdb / 1000:.3f}", "") for one in sampled)
    with tempfile.TemporaryDirectory() as folder:
        draw(card, Path(folder) / "card.png")
        picture = (Path(folder) / "card.png").read_bytes()
    return {
        f"{card.typology}.md": card.to_markdown().encode(),
        f"{card.typology}.json": json.dumps(card.to_json(), indent=1).encode() + b"\n",
        f"{card.typology}.png": picture,
        f"{card.typology}.samples.csv": text.getvalue().encode(),
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The suppressions cannot be read: {error}.", str(path), "Check the path."
        ) from error
