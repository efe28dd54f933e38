"""Wires the payments room: opens datasets with an engine, finds packs, writes alerts and baselines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import ibis
import pyarrow.parquet as pq

from lightship import packs
from lightship.app_payments_data import tables_of
from lightship.core.errors import InputError
from lightship.core.payments import LATER
from lightship.exchange import fx
from lightship.exchange.alerts_file import to_lines, to_parquet
from lightship.exchange.whole import write_each
from lightship.payments.baseline import Baseline, beyond_caps
from lightship.payments.engine import DuckEngine, Engine
from lightship.payments.history import History, not_yet_counted, open_history
from lightship.payments.money import Currencies, parse_currencies, with_rates
from lightship.payments.pack import Jurisdiction, Pack
from lightship.payments.pack_file import parse_jurisdiction, parse_pack
from lightship.payments.prepare import Dataset, Terms, Window
from lightship.payments.proof import refuse_unproven
from lightship.payments.score import Nobody, Scored, score

TYPOLOGIES = ("extortion-victim", "extortion-mule", "livestream-payer", "livestream-receiver")
KEPT = "lightship.payments-kept/3"
NO_KIND = "Check the corridors of --pack, the dates, and that customers are those who pay."
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
    coverage = _going_on(onto, terms) if onto else frozenset()
    given: dict[str, Baseline] = {}
    if baselines is not None:
        given = baselines_of(baselines, proven, terms.jurisdiction)
        for left in sorted({one.id for one in proven} - set(given)):
            say(f"{left}: not scored, as {baselines} has no baseline of it.")
        proven = [one for one in proven if one.id in given]
    found: dict[str, Scored] = {}
    with scoring(folder, memory, spill=out) as (engine, held):
        to_us, data = last_moment(engine, held), held
        if onto is not None:
            data, again = not_yet_counted(engine, held, onto)
            if again:
                say(f"Told again and counted once: {again:,}.")
        for days in sorted({one.window_days for one in proven}):
            window = Window.ending(to_us, days)
            ready = open_history(
                engine, data, terms, window, before=onto, coverage=coverage, going_on=keep is not None
            )
            mine = [one for one in proven if one.window_days == days]
            found |= _scored(ready, mine, budget, given, tell, say)
            if keep is not None:
                tell("keeping what a later score goes on from")
                _keep(keep, ready, mine)
    if not found:
        raise InputError("No payment of the window is of any kind that is looked for.", str(folder), NO_KIND)
    alerts = [alert for one in found.values() for alert in one.alerts]
    pages = {f"baseline/{name}.json": _pretty(scored.baseline) for name, scored in found.items()}
    write_each(out, {"alerts.jsonl": to_lines(alerts), "alerts.parquet": to_parquet(alerts), **pages})
    return found


def _scored(
    ready: History,
    packs: Sequence[Pack],
    budget: int | None,
    given: Mapping[str, Baseline],
    tell: Tell,
    say: Tell,
) -> dict[str, Scored]:
    """Score typologies; one in which nobody has a payment of its kind is told, and does not stop the others."""
    found = {}
    for one in packs:
        try:
            found[one.id] = score(ready, one, budget=budget, base=given.get(one.id), tell=tell)
        except Nobody as none:
            say(f"{none.what} It has no cases and no baseline.")
    return found


def _keep(folder: Path, ready: History, proven: Sequence[Pack]) -> None:
    """Write the tables that a later score goes on from, and what they were made with."""
    tables = {name: table for one in proven for name, table in ready.tables(one.view).items()}
    files = {}
    for name, table in tables.items():
        sink = io.BytesIO()
        pq.write_table(ready.engine.arrow(table), sink, compression="zstd")
        files[f"{name}.parquet"] = sink.getvalue()
    made = {
        "format": KEPT,
        "jurisdiction": ready.terms.jurisdiction.digest,
        "coverage": sorted(ready.coverage),
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


def _pretty(base: Baseline) -> bytes:
    return json.dumps(base.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
