"""Wires the payments room: opens datasets with an engine, and finds packs, rates and baselines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis

from lightship import packs
from lightship.app_payments_data import tables_of
from lightship.core.errors import InputError, SinkError
from lightship.core.payments import LATER
from lightship.exchange import fx
from lightship.payments.baseline import Baseline, beyond_caps
from lightship.payments.engine import DuckEngine, Engine
from lightship.payments.money import Currencies, parse_currencies, with_rates
from lightship.payments.pack import Jurisdiction, Pack
from lightship.payments.pack_file import parse_jurisdiction, parse_pack
from lightship.payments.prepare import Dataset, Terms
from lightship.payments.proof import refuse_unproven

TYPOLOGIES = ("extortion-victim", "extortion-mule", "livestream-payer", "livestream-receiver")


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


def terms_of(folder: Path, pack: str) -> Terms:
    """Return what a dataset's payments are read by, in a batch and live alike."""
    zones = {row["country"]: row["zone"] for row in fx.shipped("countries.csv") if row["zone"]}
    return Terms(jurisdiction(pack), currencies_of(folder), zones)


def open_dataset(engine: Engine, folder: Path) -> Dataset:
    """Return a dataset's tables in an engine.

    Raises
    ------
    InputError
        If a needed table or column is missing, or is of another type.
    """
    found = {name: engine.read(f"ls_{name}", path) for name, path in tables_of(folder).items()}
    customers = found["customers"]
    later = [one for one in LATER["customers"] if one not in customers.columns]
    found["customers"] = customers.mutate(**{one: ibis.null("int16") for one in later})
    payments = found["payments"]
    found["payments"] = payments.mutate(at_us=engine.microseconds(payments["at"])).drop("at")
    return Dataset(**found)


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
def scoring(
    folder: Path, memory: str = "3GB", spill: Path | None = None
) -> Iterator[tuple[DuckEngine, Dataset]]:
    """Yield DuckDB with a dataset opened.

    Raises
    ------
    SinkError
        If memory and disk do not hold what is computed, or a file of the dataset cannot be read on.
    """
    engine = DuckEngine(memory, spill=spill)
    try:
        yield engine, open_dataset(engine, folder)
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        said = str(error).splitlines()[0].rstrip(".")[:200]
        todo = "Make room there, or run it where there is more memory; nothing half-written is left."
        raise SinkError(f"It cannot be computed: {said}.", str(spill or folder), todo) from error
    finally:
        engine.close()


def read_baseline(path: Path, pack: Pack, terms: Jurisdiction) -> Baseline:
    """Return a baseline that an earlier score wrote for a pack and a jurisdiction.

    Raises
    ------
    InputError
        If it cannot be read, or was made with another pack or for another jurisdiction.
    """
    try:
        base = Baseline.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"The baseline cannot be read: {error}.", str(path), "Give the folder that holds it."
        ) from error
    for made, now, what in (
        (base.pack, pack.digest, f"another pack than {pack.id}, {pack.version}"),
        (base.jurisdiction, terms.digest, f"another jurisdiction than {terms.id} as it is now"),
    ):
        if made != now:
            raise InputError(
                f"The baseline was made with {what}: its weights are those of other payments.",
                str(path),
                "Make it anew with `lightship payments score`.",
            )
    if wrong := beyond_caps(base, pack):
        raise InputError(
            f"The baseline weighs {', '.join(wrong)} otherwise than the pack allows.",
            str(path),
            "Make it anew with `lightship payments score`.",
        )
    return base


def baselines_of(folder: Path, proven: Sequence[Pack], terms: Jurisdiction) -> dict[str, Baseline]:
    """Return the baselines that a folder has of packs, by typology.

    Raises
    ------
    InputError
        If it has none, or one cannot be used.
    """
    found = {
        one.id: read_baseline(path, one, terms)
        for one in proven
        if (path := folder / f"{one.id}.json").is_file()
    }
    if not found:
        todo = "Make them with `lightship payments score`, and name the folder `baseline` that it writes."
        raise InputError("There is no baseline.", str(folder), todo)
    return found
