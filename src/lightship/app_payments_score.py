"""Scores a dataset: typologies that read the same payments one after another, the others beside them; writes alerts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lightship.app_payments import (
    TYPOLOGIES,
    baselines_of,
    last_moment,
    open_dataset,
    scoring,
    terms_of,
    typology,
)
from lightship.core.errors import InputError
from lightship.exchange.alerts_file import to_lines, to_parquet
from lightship.exchange.whole import write_each
from lightship.payments.baseline import Baseline
from lightship.payments.engine import DuckEngine
from lightship.payments.history import BASES, coverage_of, not_yet_counted, open_history
from lightship.payments.pack import Pack
from lightship.payments.prepare import Dataset, Terms, Window
from lightship.payments.score import Nobody, Scored, score

KEPT = "lightship.payments-kept/4"
NO_KIND = "Check the corridors of --pack, the dates, and that customers are those who pay."
AT_ONCE = 2
"""Engines side by side: while one computes, the other's expressions are built."""

Tell = Callable[[str], None]


@dataclass
class Part:
    """What came of typologies that read the same payments.

    Parameters
    ----------
    said
        What a person should know.
    kept
        Files for a later score to go on from.
    """

    found: dict[str, Scored] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """What is to be scored, and how; :func:`score_dataset` says more.

    Parameters
    ----------
    coverage
        What the data hold, and those of the earlier score.
    new
        The payments that this one did not have, None where there is none.
    given
        Baselines to weigh with, by typology.
    """

    folder: Path
    terms: Terms
    to_us: int
    onto: Path | None
    coverage: frozenset[str]
    new: Any
    budget: int | None
    given: Mapping[str, Baseline]
    keep: bool
    tell: Tell


def score_dataset(
    folder: Path,
    out: Path,
    pack: str,
    *,
    typologies: Sequence[str] = TYPOLOGIES,
    budget: int | None = None,
    baselines: Path | None = None,
    keep: Path | None = None,
    onto: Path | None = None,
    memory: str = "3GB",
    tell: Tell = lambda _: None,
    say: Tell = lambda _: None,
) -> dict[str, Scored]:
    """Score a dataset and write ``alerts.jsonl``, the same as ``alerts.parquet``, and ``baseline/TYPOLOGY.json``.

    Parameters
    ----------
    pack
        The jurisdiction.
    baselines
        A folder of baselines to weigh with; fitted on the history itself unless given.
    keep
        Where to leave what a later score can go on from.
    onto
        What an earlier score left; `folder` holds the payments since, and only whom those concern is scored.
    tell, say
        Called with each step, and with what a person should know.
    memory
        What the engine may hold before it writes to `out`, as DuckDB reads it.
    """
    proven = [typology(name) for name in typologies]
    terms = terms_of(folder, pack)
    if onto is not None and baselines is None:
        raise InputError(
            "New payments alone make no baseline.",
            str(onto),
            "Give --baselines, which the earlier score wrote.",
        )
    coverage = _going_on(onto, terms) if onto else frozenset[str]()
    given = _given(baselines, proven, terms, say) if baselines else {}
    proven = [one for one in proven if one.id in given or not baselines]
    with scoring(folder, memory, spill=out) as (engine, held):
        data = _not_yet_counted(engine, held, onto, say) if onto else held
        coverage |= coverage_of(engine, data)
        ask = _Ask(
            folder=folder,
            terms=terms,
            to_us=last_moment(engine, held),
            onto=onto,
            coverage=coverage,
            new=data.payments if onto else None,
            budget=budget,
            given=given,
            keep=keep is not None,
            tell=tell,
        )
        parts = _side_by_side(engine, ask, _alike(proven))
    for line in (line for one in parts for line in one.said):
        say(line)
    found = {name: scored for one in parts for name, scored in one.found.items()}
    if not found:
        raise InputError("No payment of the window is of any kind that is looked for.", str(folder), NO_KIND)
    found = {
        one.id: found[one.id] for one in sorted(proven, key=lambda one: one.window_days) if one.id in found
    }
    if keep is not None:
        _keep(keep, parts, terms, coverage)
    alerts = [alert for one in found.values() for alert in one.alerts]
    pages = {f"baseline/{name}.json": _pretty(scored.baseline) for name, scored in found.items()}
    write_each(out, {"alerts.jsonl": to_lines(alerts), "alerts.parquet": to_parquet(alerts), **pages})
    return found


def _alike(packs: Sequence[Pack]) -> list[list[Pack]]:
    """Return typologies together that read the same payments of the same window, the most first."""
    found: dict[tuple[int, str], list[Pack]] = {}
    for one in packs:
        found.setdefault((one.window_days, BASES[one.view][0]), []).append(one)
    return sorted(found.values(), key=len, reverse=True)


def _side_by_side(engine: DuckEngine, ask: _Ask, groups: Sequence[Sequence[Pack]]) -> list[Part]:
    """Return the groups' results, made by a few engines at once; the first failure stops the others."""
    engines = [engine.beside() for _ in groups]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(_part, ask, here, packs) for here, packs in zip(engines, groups, strict=True)]
        try:
            for job in wait(jobs, return_when=FIRST_EXCEPTION).done:
                job.result()
            return [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for here in engines:
                here.interrupt()
            raise


def _part(ask: _Ask, engine: DuckEngine, packs: Sequence[Pack]) -> Part:
    """Score typologies; one in which nobody has a payment of its kind is told, and does not stop the others."""
    data = open_dataset(engine, ask.folder)
    if ask.new is not None:
        data = replace(data, payments=ask.new)
    window = Window.ending(ask.to_us, packs[0].window_days)
    history = open_history(
        engine, data, ask.terms, window, before=ask.onto, coverage=ask.coverage, going_on=ask.keep
    )
    part = Part()
    for one in packs:
        try:
            part.found[one.id] = score(
                history, one, budget=ask.budget, base=ask.given.get(one.id), tell=ask.tell
            )
        except Nobody as none:
            part.said.append(f"{none.what} It has no cases and no baseline.")
    if ask.keep:
        ask.tell("keeping what a later score goes on from")
        for name, table in history.tables(packs[0].view).items():
            sink = io.BytesIO()
            pq.write_table(engine.arrow(table), sink, compression="zstd")
            part.kept[f"{name}.parquet"] = sink.getvalue()
    return part


def _given(folder: Path, proven: Sequence[Pack], terms: Terms, say: Tell) -> dict[str, Baseline]:
    """Return the baselines to weigh with; that a typology has none is said."""
    given = baselines_of(folder, proven, terms.jurisdiction)
    for left in sorted({one.id for one in proven} - set(given)):
        say(f"{left}: not scored, as {folder} has no baseline of it.")
    return given


def _not_yet_counted(engine: DuckEngine, data: Dataset, onto: Path, say: Tell) -> Dataset:
    """Return the dataset without the payments that the earlier score had; how many those are is said."""
    new, again = not_yet_counted(engine, data, onto)
    if again:
        say(f"Told again and counted once: {again:,}.")
    return new


def _keep(folder: Path, parts: Sequence[Part], terms: Terms, coverage: frozenset[str]) -> None:
    """Write the tables that a later score goes on from, and what they were made with."""
    files = {name: data for one in parts for name, data in one.kept.items()}
    made = {
        "format": KEPT,
        "jurisdiction": terms.jurisdiction.digest,
        "coverage": sorted(coverage),
    }
    write_each(folder, {**files, "kept.json": json.dumps(made, indent=1).encode() + b"\n"})


def _going_on(folder: Path, terms: Terms) -> frozenset[str]:
    """Return what an earlier score's data held.

    Raises
    ------
    InputError
        If the folder holds none, or it was made for another jurisdiction.
    """
    try:
        made = json.loads((folder / "kept.json").read_text(encoding="utf-8"))
        fits = made["format"] == KEPT and made["jurisdiction"] == terms.jurisdiction.digest
        coverage = frozenset(made["coverage"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"There is nothing to go on from: {error}.", str(folder), "Score with --keep first."
        ) from error
    if not fits:
        raise InputError(
            "What was kept was made for another jurisdiction or version.",
            str(folder),
            "Score with --keep anew.",
        )
    return coverage


def _pretty(base: Baseline) -> bytes:
    return json.dumps(base.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
