"""Wires the learned model: trained on an institution's own outcomes, and told beside each alert of the pack's queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lightship.app_backtest import outcomes
from lightship.app_payments import last_moment, read_baseline, scoring, terms_of, typology
from lightship.core.canonical import canonical
from lightship.core.errors import InputError
from lightship.core.payments import Alert
from lightship.exchange.whole import write_each, write_whole
from lightship.payments import learned
from lightship.payments.beside import LEARNED, Beside
from lightship.payments.learned import Learned, Rows
from lightship.payments.pack import Pack
from lightship.payments.prepare import Terms, Window
from lightship.payments.score import Scored, fit, measure, open_history, weighed_table

Tell = Callable[[str], None]


def train(
    folder: Path,
    out: Path,
    pack: str,
    name: str,
    *,
    known: Path | None = None,
    baselines: Path | None = None,
    tell: Tell = lambda _: None,
) -> Learned:
    """Train a model of one typology on a history's outcomes and write it.

    Parameters
    ----------
    pack
        The jurisdiction.
    known
        Outcomes; the truth of a made-up dataset unless given.
    baselines
        Folder of baselines to weigh with; fitted on the history itself unless given.

    Raises
    ------
    InputError
        If there are no outcomes, or too few.
    """
    facts = outcomes(folder, known)
    if facts is None:
        raise InputError(
            "There are no outcomes to learn from.",
            str(folder),
            "Give --outcomes: Parquet with subject and typology.",
        )
    one = typology(name)
    with scoring(folder, spill=folder) as (engine, data):
        window = Window.ending(last_moment(engine, data), one.window_days)
        history = open_history(engine, data, terms_of(folder, pack), window)
        tell("measuring")
        found = measure(history, one)
        base = (
            read_baseline(baselines / f"{one.id}.json", one, history.terms.jurisdiction)
            if baselines
            else fit(found)
        )
        rows = learned.rows_of(weighed_table(found, base), found.pack, base)
    tell("learning")
    model = learned.train(rows, facts.of(one.id, window), found.pack, base)
    write_whole(out, json.dumps(model.to_json(), ensure_ascii=False, indent=1).encode() + b"\n")
    return model


def read(path: Path) -> Learned:
    """Return a model that :func:`train` wrote.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return Learned.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as error:
        raise InputError(
            f"The model cannot be read: {error}.", str(path), "Give a file that `train` wrote."
        ) from error


def beside(
    folder: Path,
    out: Path,
    pack: str,
    scored: Mapping[str, Scored],
    models: Sequence[Learned],
    typologies: Sequence[str],
) -> dict[str, int]:
    """Write ``learned.jsonl``: for each alert what the model says, and why, beside the pack's weights.

    Parameters
    ----------
    scored
        What a score of the same dataset found.
    typologies
        Names or paths of the packs it was scored with.

    Returns
    -------
    By typology, how many of the first so many by the model are not in the pack's queue.
    """
    terms = terms_of(folder, pack)
    proven = {one.id: one for one in map(typology, typologies)}
    strange = [model.typology for model in models if model.typology not in scored]
    if strange:
        raise InputError(
            "A model is for a typology that was not scored.", strange[0], "Name it with --typology."
        )
    lines: list[bytes] = []
    others: dict[str, int] = {}
    with scoring(folder, spill=out) as (engine, data):
        to_us = last_moment(engine, data)
        for model in models:
            result = scored[model.typology]
            found = _measured(engine, data, terms, to_us, proven[model.typology])
            learned.suits(model, found.pack, result.baseline)
            table = weighed_table(found, result.baseline)
            rows = learned.rows_of(table, found.pack, result.baseline)
            weight = learned.weights_mdb(model, rows)
            order = learned.first(rows.subject, weight, len(set(rows.subject.tolist())))
            lines += _lines(model, result.alerts, found.pack, rows, order)
            queue = {one.subject for one in result.alerts}
            others[model.typology] = len(set(order[: len(queue)]) - queue)
    write_each(out, {LEARNED: b"".join(lines)})
    return others


def _measured(engine: Any, data: Any, terms: Terms, to_us: int, pack: Pack) -> Any:
    return measure(open_history(engine, data, terms, Window.ending(to_us, pack.window_days)), pack)


def _lines(
    model: Learned, alerts: Collection[Alert], pack: Pack, rows: Rows, order: Sequence[str]
) -> list[bytes]:
    """Return a line for each alert; only its own rows are explained."""
    place = {who: rank for rank, who in enumerate(order, 1)}
    # Of two moments at once the heavier one is the alert's.
    rows = rows.take(np.argsort(rows.total_mdb, kind="stable"))
    by_row = {key: at for at, key in enumerate(zip(rows.subject.tolist(), rows.at_us.tolist(), strict=True))}
    mine = rows.take(np.array([by_row[(one.subject, one.at_us)] for one in alerts], dtype=np.int64))
    found = []
    for alert, said in zip(alerts, learned.told(model, mine), strict=True):
        own = {one.indicator: one.weight_mdb for one in (*alert.reasons, *alert.counter)}
        line = Beside(
            alert=alert.alert,
            typology=pack.id,
            subject=alert.subject,
            rank=alert.rank,
            learned_rank=place[alert.subject],
            pack_mdb=alert.total_mdb,
            learned_mdb=said.learned_mdb,
            start_mdb=said.start_mdb,
            fixed_mdb=said.fixed_mdb,
            parts=tuple(
                (name, own.get(name, 0), value)
                for name, value in sorted(said.parts.items(), key=lambda item: (-abs(item[1]), item[0]))
                if value or own.get(name)
            ),
            model=model.digest,
        )
        found.append(canonical(asdict(line)) + b"\n")
    return found
