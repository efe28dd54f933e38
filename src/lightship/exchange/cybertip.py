"""CyberTips: a report and its files as XML in the schema's own order, or each field named that keeps them from it.

What is to be sent is a plain table: element names with values, tables, or lists of either; ``@name`` is an attribute,
and ``#`` the text of an element that has both. The order in the table is of no account.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from lightship.exchange.cybertip_schema import Attribute, Element, Kind, Schema, fits
from lightship.exchange.faults import Fault, Refused
from lightship.exchange.ip_events import address_fault, moment_fault

Table = Mapping[str, Any]

ESCALATION_CHARACTERS = 3000
"""Most of ``escalateToHighPriority``: NCMEC's documentation, not in the schema."""

_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOUNDS = {"latitude": 90.0, "longitude": 180.0}


def build(schema: Schema, root: str, table: Table) -> bytes:
    """Return a document as XML that the schema accepts.

    Parameters
    ----------
    root
        ``"report"`` or ``"fileDetails"``.

    Raises
    ------
    Refused
        Naming every field that is wrong.
    """
    from lxml import etree

    faults = list(_faults(root, schema.roots[root], table))
    faults += _beyond(root, table)
    if faults:
        raise Refused(tuple(faults), root)
    node = etree.Element(root)
    _fill(node, schema.roots[root], table)
    left = schema.faults(node)
    if left:  # the schema itself has the last word
        raise Refused(tuple(Fault(*one.split(": ", 1)) for one in left), root)
    return bytes(etree.tostring(node, xml_declaration=True, encoding="UTF-8"))


def faults_of(schema: Schema, root: str, table: Table) -> tuple[Fault, ...]:
    """Return what is wrong with what is to be sent; empty if nothing is."""
    try:
        build(schema, root, table)
    except Refused as refused:
        return refused.faults
    return ()


# Filling in the schema's order ------------------------------------------------------------------


def _fill(node: Any, kind: Kind, value: Any) -> None:
    from lxml import etree

    if not isinstance(value, Mapping):
        node.text = _written(value)
        return
    for name in kind.attributes:
        if value.get(f"@{name}") is not None:
            node.set(name, _written(value[f"@{name}"]))
    if "#" in value:
        node.text = _written(value["#"])
    for element in kind.elements:
        for one in _several(value.get(element.name)):
            _fill(etree.SubElement(node, element.name), element.kind, one)


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


# What the schema asks, by field -----------------------------------------------------------------


def _faults(where: str, kind: Kind, value: Any) -> Iterator[Fault]:
    if kind.elements:
        if not isinstance(value, Mapping):
            yield Fault(where, "it holds other fields, not a text")
            return
    elif not isinstance(value, Mapping):
        value = {"#": value} if kind.base else {}
    names = {one.name for one in kind.elements}
    for name in value:
        known = (
            name in names or (name == "#" and kind.base) or (name[:1] == "@" and name[1:] in kind.attributes)
        )
        if not known:
            yield Fault(f"{where}/{name}", "the schema has no such field here")
    if kind.base:
        yield from _text_faults(where, kind, value.get("#", ""))
    yield from _attribute_faults(where, kind.attributes, value)
    for element in kind.elements:
        yield from _element_faults(where, element, value)
    yield from _choice_faults(where, kind, value)


def _attribute_faults(where: str, attributes: Mapping[str, Attribute], value: Table) -> Iterator[Fault]:
    for name, one in attributes.items():
        given = value.get(f"@{name}")
        if given is not None:
            yield from _text_faults(f"{where}/@{name}", one.kind, given)
        elif one.required:
            yield Fault(f"{where}/@{name}", "it is missing")


def _element_faults(where: str, element: Element, value: Table) -> Iterator[Fault]:
    given, place = _several(value.get(element.name)), f"{where}/{element.name}"
    if len(given) < element.least:
        yield Fault(place, "it is missing")
    if element.most is not None and len(given) > element.most:
        yield Fault(place, f"it may stand there {element.most} times, and is given {len(given)} times")
    for number, one in enumerate(given):
        here = place if element.most == 1 else f"{place}[{number + 1}]"
        if element.fixed is not None and _written(one) != element.fixed:
            yield Fault(here, f"it is {element.fixed!r} or is not given")
        else:
            yield from _faults(here, element.kind, one)


def _choice_faults(where: str, kind: Kind, value: Table) -> Iterator[Fault]:
    for choice in {one.choice for one in kind.elements if one.choice}:
        members = [one for one in kind.elements if one.choice == choice]
        given = [one.name for one in members if _several(value.get(one.name))]
        if len(given) > 1:
            yield Fault(f"{where}/{given[1]}", f"it excludes {given[0]}")
        if not given and members[0].needed:
            yield Fault(where, f"it needs one of {', '.join(one.name for one in members)}")


def _text_faults(where: str, kind: Kind, value: Any) -> Iterator[Fault]:
    if not isinstance(value, str | bool | int | float | datetime):
        yield Fault(where, "it is a text, a number or a yes or no")
        return
    text = _written(value)
    if found := _NOT_XML.search(text):
        yield Fault(where, f"it holds U+{ord(found[0]):04X}, which XML cannot carry")
    elif kind.values and text not in kind.values:
        yield Fault(where, f"{text[:60]!r} is not on the schema's list")
    elif kind.patterns and not any(fits(one, text) for one in kind.patterns):
        yield Fault(where, f"{text[:60]!r} does not fit {kind.patterns[0]}")
    elif said := _typed(kind.base, text):
        yield Fault(where, said)


def _typed(base: str, text: str) -> str:
    """Return why a text is not of one of XML Schema's types, or an empty string."""
    return _TYPES[base](text) if base in _TYPES else ""


def _whole(text: str, bits: int) -> str:
    fits_it = re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) and -(1 << bits) <= int(text) < 1 << bits
    return "" if fits_it else f"{text[:60]!r} is no whole number of {bits + 1} bits"


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text and text.isascii()
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


_TYPES: Mapping[str, Callable[[str], str]] = {
    "int": lambda text: _whole(text, 31),
    "long": lambda text: _whole(text, 63),
    "boolean": lambda text: "" if text in {"true", "false", "1", "0"} else "it is true or false",
    "double": lambda text: "" if _finite(text) else f"{text[:60]!r} is no number",
    "dateTime": moment_fault,
    "date": lambda text: "" if _is_date(text) else f"{text[:60]!r} is no day: write 2026-11-28",
    "token": lambda text: (
        "" if text == " ".join(text.split()) else "it has spaces at its ends, or several in a row"
    ),
}
"""Why a text is not of a type of XML Schema that NCMEC's uses; a string may be anything."""


# What the schema does not ask and NCMEC does ----------------------------------------------------


def _beyond(root: str, table: Table) -> Iterator[Fault]:
    summary = table.get("incidentSummary")
    if isinstance(summary, Mapping):
        said = _plain(summary.get("escalateToHighPriority"))
        if len(said) > ESCALATION_CHARACTERS:
            yield Fault(
                f"{root}/incidentSummary/escalateToHighPriority",
                f"it has {len(said):,} characters and may have {ESCALATION_CHARACTERS:,}",
            )
    if root == "report" and not _several(table.get("internetDetails")):
        yield Fault("report/internetDetails", "it is missing: NCMEC asks for at least one")
    supplemental = _plain(table.get("fileRelevance")) == "Supplemental Reported"
    if supplemental and table.get("industryClassification") is not None:
        yield Fault(f"{root}/industryClassification", "a supplemental file is not classified")
    yield from _addresses(root, table)


def _addresses(where: str, table: Table) -> Iterator[Fault]:
    """Yield what is wrong with addresses and ports, places on earth and ages, wherever they stand."""
    for name, value in table.items():
        for one in _several(value):
            place = f"{where}/{name}"
            if isinstance(one, Mapping):
                yield from _addresses(place, one)
            elif name == "ipAddress" and (said := address_fault(_plain(one))):
                yield Fault(place, said)
            elif name == "port" and not 0 < _number(one) < 65536:
                yield Fault(place, f"{one!r} is no port: 1 to 65,535")
            elif name in _BOUNDS and not abs(_number(one)) <= _BOUNDS[name]:
                yield Fault(place, f"{one!r} is beyond {_BOUNDS[name]:g} degrees")
            elif name in {"age", "approximateAge"} and not 0 <= _number(one) < 130:
                yield Fault(place, f"{one!r} is nobody's age")


def _plain(value: Any) -> str:
    return _written(value.get("#", "") if isinstance(value, Mapping) else value) if value is not None else ""


def _number(value: Any) -> float:
    return float(_plain(value)) if _finite(_plain(value)) else math.nan
