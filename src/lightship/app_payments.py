"""Wires the payments room: opens datasets with an engine, finds packs, writes alerts and baselines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lightship import packs
from lightship.core.canonical import canonical
from lightship.core.errors import InputError, SinkError
from lightship.core.payments import TABLES, Alert
from lightship.exchange import fx
from lightship.payments.baseline import Baseline
from lightship.payments.engine import DuckEngine, Engine
from lightship.payments.money import Currencies, parse_currencies, with_rates
from lightship.payments.pack import Jurisdiction, Pack, parse_jurisdiction, parse_pack
from lightship.payments.prepare import Dataset, Terms, Window
from lightship.payments.proof import refuse_unproven
from lightship.payments.score import Scored, open_history, score

TYPOLOGIES = ("extortion-victim", "extortion-mule", "livestream-payer", "livestream-receiver")
Tell = Callable[[str], None]


def typology(name: str) -> Pack:
    """Return a typology pack by name or path, proven.

    Raises
    ------
    PolicyError
        If it cannot be read, is refused, or lets protected attributes reach an alert.
    """
    path, text = packs.read("typologies", name, ".toml", "typology pack")
    return refuse_unproven(parse_pack(text, str(path)), str(path))


def jurisdiction(name: str) -> Jurisdiction:
    """Return a jurisdiction of the typologies by name or path.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path, text = packs.read("typologies/jurisdictions", name, ".toml", "jurisdiction")
    return parse_jurisdiction(text, str(path))


def currencies(path: Path | None = None) -> Currencies:
    """Return the table of currencies, the packaged one unless named."""
    found, text = packs.read("payments", str(path or "currencies"), ".toml", "table of currencies")
    return parse_currencies(text, str(found))


def currencies_of(folder: Path) -> Currencies:
    """Return the table of currencies, with the rates that a dataset was read with where it was."""
    path = folder / fx.RATES
    return with_rates(currencies(), fx.read(path)) if path.is_file() else currencies()


def open_dataset(engine: Engine, folder: Path) -> Dataset:
    """Return a dataset's tables.

    Raises
    ------
    InputError
        If a needed table or column is missing, or is of another type.
    """
    found: dict[str, Any] = {}
    for name, columns in TABLES.items():
        path = next((one for one in (folder / f"{name}.parquet", folder / name) if one.exists()), None)
        if path is None:
            if name in ("payments", "customers"):
                raise InputError(
                    f"The dataset has no {name}.parquet.",
                    str(folder),
                    "Make one with `lightship payments read`.",
                )
            continue
        _check_columns(path, columns)
        found[name] = engine.read(f"ls_{name}", path)
    payments = found["payments"]
    found["payments"] = payments.mutate(at_us=engine.microseconds(payments["at"])).drop("at")
    return Dataset(**found)


def _check_columns(path: Path, columns: dict[str, Any]) -> None:
    one = next(iter(sorted(path.glob("*.parquet"))), None) if path.is_dir() else path
    if one is None:
        raise InputError("The folder holds no Parquet file.", str(path), "Make the dataset anew.")
    try:
        schema = pq.read_schema(one)
    except (OSError, ValueError) as error:
        raise InputError(f"It is not Parquet: {error}.", str(path), "Make the dataset anew.") from error
    missing = [name for name in columns if name not in schema.names]
    if missing:
        raise InputError(
            f"The column {', '.join(missing)} is missing.",
            str(path),
            "Make the dataset with `lightship payments read`.",
        )


def last_moment(engine: Engine, data: Dataset) -> int:
    """Return the time of the last payment.

    Raises
    ------
    InputError
        If there is none.
    """
    last = engine.arrow(data.payments.aggregate(last=data.payments.at_us.max()))["last"][0].as_py()
    if last is None:
        raise InputError("The dataset holds no payment.", "payments", "Check what was read.")
    return int(last)


@contextmanager
def scoring(folder: Path, memory: str = "3GB", spill: Path | None = None) -> Iterator[tuple[Engine, Dataset]]:
    """Yield DuckDB with a dataset opened."""
    engine = DuckEngine(memory, spill=spill)
    try:
        yield engine, open_dataset(engine, folder)
    finally:
        engine.close()


def score_dataset(
    folder: Path,
    out: Path,
    pack: str,
    *,
    typologies: Sequence[str] = TYPOLOGIES,
    budget: int | None = None,
    baselines: Path | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Scored]:
    """Score a dataset and write ``alerts.jsonl`` and ``baseline/TYPOLOGY.json``.

    Parameters
    ----------
    pack
        The jurisdiction.
    baselines
        A folder of baselines to weigh with; fitted on the history itself unless given.
    """
    proven = [typology(name) for name in typologies]
    terms = Terms(jurisdiction(pack), currencies_of(folder))
    given = {one.id: _baseline(baselines / f"{one.id}.json") for one in proven} if baselines else {}
    found = {}
    with scoring(folder, spill=out) as (engine, data):
        to_us = last_moment(engine, data)
        for days in sorted({one.window_days for one in proven}):
            ready = open_history(engine, data, terms, Window.ending(to_us, days))
            for one in proven:
                if one.window_days == days:
                    found[one.id] = score(ready, one, budget=budget, base=given.get(one.id), tell=tell)
    write_all(
        out,
        {
            "alerts.jsonl": b"".join(
                canonical(alert_json(alert)) + b"\n" for name in typologies for alert in found[name].alerts
            ),
            **{f"baseline/{name}.json": _pretty(scored.baseline) for name, scored in found.items()},
        },
    )
    return found


def _baseline(path: Path) -> Baseline:
    try:
        return Baseline.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as error:
        raise InputError(
            f"The baseline cannot be read: {error}.", str(path), "Give the folder that holds it."
        ) from error


def _pretty(base: Baseline) -> bytes:
    return json.dumps(base.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def alert_json(alert: Alert) -> dict[str, Any]:
    """Return an alert as a JSON object."""
    return asdict(alert)


def write_all(folder: Path, files: dict[str, bytes]) -> None:
    """Write files so that each is whole or not there.

    Raises
    ------
    SinkError
        If the disk refuses.
    """
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.part")
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
    except OSError as error:
        raise SinkError(
            f"The alerts cannot be written: {error.strerror}.",
            str(folder),
            "Free space, or choose another folder.",
        ) from error
