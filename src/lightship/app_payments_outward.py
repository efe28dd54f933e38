"""Wires what the payments room gives outward: hunts, receivers, bundles and drafts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lightship import packs
from lightship.app_payments_data import connected, provenance, text_of
from lightship.app_payments_pseudonyms import identifiers, pseudonymous, read_key
from lightship.core.canonical import canonical
from lightship.core.errors import InputError, PolicyError
from lightship.core.payments import Alert
from lightship.exchange import fx, goaml, goaml_schema
from lightship.exchange.alerts_file import alert_bytes, read_alerts
from lightship.exchange.fincen import fincen_fields
from lightship.exchange.report_draft import own_words, standing
from lightship.exchange.uk_sar import worksheet
from lightship.exchange.whole import write_folder, write_whole
from lightship.payments import bundle as bundling
from lightship.payments import hunt as hunting
from lightship.payments import narrative as narrating
from lightship.payments import receivers as receiving
from lightship.payments.background import Background, gather
from lightship.payments.beside import LEARNED, Beside
from lightship.payments.glossary import Glossary, parse_glossary
from lightship.payments.hunt_files import MARK as HUNT_MARK
from lightship.payments.hunt_files import hunt_files
from lightship.payments.network import lay_out
from lightship.payments.pseudonyms import is_pseudonym, pseudonym
from lightship.payments.report import report_draft
from lightship.payments.shape import Shape, parse_shape

if TYPE_CHECKING:
    from lightship.payments.hunt import Hunt
    from lightship.payments.receivers import Receivers

Form = Literal["uk-sar", "goaml", "fincen"]


def shape(name: str) -> Shape:
    """Return the shape of payments that count, by path, or ours.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path = Path(name) if name else packs.root() / "payments" / "shape.toml"
    return parse_shape(_pack_text(path, "shape"), str(path))


def hunt(
    dataset: Path, seed_file: Path, out: Path, *, depth: int, key_file: Path | None, shape_name: str
) -> Hunt:
    """Hunt from the seeds of a file and write what was found; with a key, everything that leaves is pseudonyms.

    Raises
    ------
    LightshipError
        If a file cannot be used or the result cannot be written.
    """
    key = read_key(key_file) if key_file else None
    seeds = hunting.read_seeds(text_of(seed_file), str(seed_file))
    counted = shape(shape_name)
    with connected(dataset) as con:
        lay_out(con, counted)
        if key is not None and any(map(is_pseudonym, seeds)):
            known = identifiers(con, key)
            seeds = tuple(known.get(seed, seed) for seed in seeds)
        result = hunting.hunt(con, counted, seeds, depth)
        plain = not pseudonymous(con)
    if key is not None:
        result = hunting.renamed(result, lambda one: pseudonym(key, one))
    made = {**provenance(dataset), "shape": counted.digest}
    write_folder(out, hunt_files(result, made, pseudonyms=key is not None or not plain), HUNT_MARK)
    return result


def receivers(dataset: Path, out: Path, *, limit: int, shape_name: str) -> Receivers:
    """Write the receivers that stand out in a dataset.

    Raises
    ------
    LightshipError
        If a file cannot be used or the result cannot be written.
    """
    counted = shape(shape_name)
    with connected(dataset) as con:
        lay_out(con, counted)
        found = receiving.receivers(con, counted, limit)
    made = {**provenance(dataset), "shape": counted.digest}
    write_folder(out, receiving.receiver_files(found, made), receiving.MARK)
    return found


def bundle(
    alerts_file: Path, dataset: Path, out: Path, *, glossary_name: str, shape_name: str, only: str = ""
) -> int:
    """Write the bundles of a file's alerts, and return how many there are.

    Parameters
    ----------
    only
        The id of one alert; all unless named.

    Raises
    ------
    LightshipError
        If a file cannot be used or the result cannot be written.
    """
    alerts = chosen(alerts_file, only)
    counted, words = shape(shape_name), glossary(glossary_name)
    made = {**provenance(dataset), "shape": counted.digest}
    told = beside(alerts_file)
    with connected(dataset) as con:
        lay_out(con, counted)
        found = zip(alerts, gather(con, alerts, counted.hub_payers), strict=True)
        each = {
            alert.alert: bundling.bundle(alert, evidence, words, made, told.get(alert.alert))
            for alert, evidence in _checked(list(found), dataset)
        }
    write_folder(out, bundling.bundles(each, alerts, words), bundling.MARK)
    return len(alerts)


def draft(
    alerts_file: Path,
    alert: str,
    dataset: Path,
    out: Path,
    form: Form,
    *,
    profile_name: str,
    filer_file: Path | None,
    narrative_file: Path | None,
    prepared_by: str,
    approved_by: str,
    final: bool,
    on: date,
    xsd: Path | None,
    rates_file: Path | None,
    glossary_name: str,
    shape_name: str,
) -> list[str]:
    """Write one alert's report in an authority's form; return what a person must still know about it.

    Raises
    ------
    LightshipError
        If a file cannot be used, two people are missing for a final one, or the report breaks the form's rules.
    """
    one = named(alerts_file, alert)
    counted, words = shape(shape_name), glossary(glossary_name)
    stands = standing(prepared_by, approved_by, final=final, own_narrative=narrative_file is not None)
    filer = goaml.parse_filer(text_of(filer_file), str(filer_file)) if filer_file else None
    with connected(dataset) as con:
        lay_out(con, counted)
        (evidence,) = gather(con, [one], counted.hub_payers)
    _checked([(one, evidence)], dataset)
    text = narrating.draft(one, evidence, words)
    if narrative_file:
        own = own_words(text_of(narrative_file), str(narrative_file), narrating.LIMIT)
        text = replace(text, text=own)
    facts = filer.customers if filer else {}
    if form != "goaml":
        made = report_draft(one, evidence, text, stands, facts=facts)
        if form == "uk-sar":
            write_whole(out, worksheet(made))
        else:
            path = packs.root() / "payments" / "fincen.toml"
            write_whole(out, fincen_fields(made, _pack_text(path, "file of notices"), str(path)))
        return [*text.unknown]
    if filer is None:
        raise InputError(
            "goAML names who reports.", "--filer", "Give a file; docs/guides/payments.md shows one."
        )
    known = rates_file or dataset / fx.RATES
    rate = fx.read(known).minor if rates_file or known.is_file() else None
    path = _goaml_profile(profile_name)
    profile = goaml.parse_profile(_pack_text(path, "goAML profile"), str(path))
    made = report_draft(one, evidence, text, stands, currency=profile.currency, rate=rate, facts=facts)
    xml, missing = goaml.goaml(made, profile, filer, on)
    if broken := goaml.problems(xml):
        raise InputError(
            f"The report breaks the form's rules: {broken[0]}.", one.alert, "Tell us: this is our fault."
        )
    notes = [*text.unknown, *missing]
    if xsd is None:
        notes.append("not checked against a schema: none was named (--xsd or LIGHTSHIP_GOAML_XSD)")
    elif found := goaml_schema.faults(xml, goaml_schema.load_schema(xsd)):
        if final:
            raise InputError(
                f"The schema refuses the report: {found[0]}", str(xsd), "Complete it, or correct the profile."
            )
        notes += [f"the schema refuses: {fault}" for fault in found]
    if final and missing:
        raise InputError(
            f"The report lacks {missing[0]}.", str(filer_file), "Add it, then make the report final."
        )
    write_whole(out, xml)
    return notes


def refer(alerts_file: Path, alert: str, *, filed_as: str, by: str, at: datetime) -> bytes:
    """Return the bytes by which a firm refers an alert that it has reported: the alert, and what stands for it.

    Parameters
    ----------
    filed_as
        The reference of the report that a person filed with the authority.

    Raises
    ------
    InputError
        If there is no such alert, or nobody filed anything: a machine's alert alone goes to nobody.
    """
    one = named(alerts_file, alert)
    if not filed_as.strip() or not by.strip():
        raise InputError(
            "An alert is referred once a person has filed a report of it.",
            alert,
            "Name the report's reference and who filed it.",
        )
    filed = {"reference": filed_as.strip(), "by": by.strip(), "at": at.isoformat()}
    return canonical({**json.loads(alert_bytes(one)), "filed": filed})


def _goaml_profile(name: str) -> Path:
    return Path(name) if name.endswith(".toml") else packs.root() / "payments" / f"goaml-{name}.toml"


def chosen(alerts_file: Path, only: str) -> tuple[Alert, ...]:
    """Return a file's alerts, or the one that is named.

    Raises
    ------
    InputError
        If there is none.
    """
    alerts = read_alerts(alerts_file)
    if only:
        alerts = tuple(alert for alert in alerts if alert.alert == only)
        if not alerts:
            raise InputError(f"The file has no alert {only!r}.", str(alerts_file), "Name one that it has.")
    return alerts


def named(alerts_file: Path, alert: str) -> Alert:
    """Return the one alert that is named.

    Raises
    ------
    InputError
        If none is, or the file has none of that name.
    """
    if not alert:
        raise InputError("No alert is named.", "--alert", "Give the id of one, as alerts.jsonl has it.")
    return chosen(alerts_file, alert)[0]


def _checked(found: Sequence[tuple[Alert, Background]], dataset: Path) -> Sequence[tuple[Alert, Background]]:
    """Return alerts with what stands behind each, or refuse a dataset that holds nothing of what any of them cites.

    Raises
    ------
    InputError
        If so.
    """
    citing = [
        evidence for one, evidence in found if any(each.payments for each in (*one.reasons, *one.counter))
    ]
    if citing and not any(row.cited for evidence in citing for row in evidence.rows):
        raise InputError(
            "The dataset holds none of the payments that the alerts cite.",
            str(dataset),
            "Name with --dataset the one that was scored.",
        )
    return found


def beside(alerts_file: Path) -> dict[str, Beside]:
    """Return what a model said beside the alerts, by alert; empty where there was none.

    Raises
    ------
    InputError
        If the file of it cannot be read.
    """
    path = (alerts_file if alerts_file.is_dir() else alerts_file.parent) / LEARNED
    if not path.is_file():
        return {}
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"It cannot be read: {error}.", str(path), "Score anew with --model.") from error
    found = [Beside.from_json(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    return {one.alert: one for one in found}


def glossary(name: str) -> Glossary:
    """Return the words and codes of a jurisdiction, by name or path.

    Raises
    ------
    PolicyError
        If they cannot be read or are refused.
    """
    path = Path(name) if name.endswith(".toml") else packs.root() / "payments" / f"{name}-glossary.toml"
    return parse_glossary(_pack_text(path, "glossary"), str(path))


def _pack_text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"The {what} cannot be read: {error}.", str(path), "Name another file.") from error
