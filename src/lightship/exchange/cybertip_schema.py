"""NCMEC's CyberTipline schema, read: what goes where and in which order, what a value may be, and what has changed.

Nothing of the schema is kept in this code. It is a file that the deployment names (NCMEC gives it to whom it registers,
and serves the live one at ``/xsd``); the order of elements, their types and their lists of values all come from there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightship.core.errors import InputError

PINNED = "aee4c88099409b8a27d1403a5bc9bf0809bdc4819c079081abc1e2275efb392b"
"""SHA-256 of the schema of 10 November 2025 that this release was tested with."""

ROOTS = ("report", "fileDetails", "reportResponse", "reportDoneResponse")
"""What is sent and what comes back."""

_XS = "{http://www.w3.org/2001/XMLSchema}"
_GROUPS = {f"{_XS}sequence", f"{_XS}choice", f"{_XS}all"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What an element or attribute holds: other elements, or text of a kind.

    Parameters
    ----------
    elements
        In the order in which they must stand.
    base
        XML Schema's own type of the text, such as ``"dateTime"``; empty where there are only elements.
    values
        The only texts that it may have; empty for any.
    patterns
        Expressions of which one must fit.
    """

    elements: tuple[Element, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    base: str = ""
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def element(self, name: str) -> Element | None:
        """Return the element of a name."""
        return next((one for one in self.elements if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Element:
    """One element within another.

    Parameters
    ----------
    most
        How often it may stand there; None for any number.
    choice
        Elements with the same number exclude each other; 0 for none.
    needed
        Whether one of its choice must stand there.
    fixed
        The only text it may have; None for any.
    """

    name: str
    kind: Kind
    least: int = 1
    most: int | None = 1
    choice: int = 0
    needed: bool = False
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute."""

    kind: Kind
    required: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that was read.

    Parameters
    ----------
    sha256
        Of the file, hexadecimal.
    roots
        What a document may begin with.
    """

    sha256: str
    roots: Mapping[str, Kind]
    _checker: Any

    def faults(self, root: Any) -> tuple[str, ...]:
        """Return what the schema finds wrong with a document that lxml parsed or built, each with its place."""
        if self._checker.validate(root):
            return ()
        return tuple(f"{one.path or root.tag}: {one.message}" for one in self._checker.error_log)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two schemas.

    Parameters
    ----------
    where
        The place, as ``report/incidentSummary/incidentType``.
    breaking
        Whether a report that the first accepts may be refused by the second.
    """

    where: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{' (breaking)' if self.breaking else ''}"


def load(path: Path) -> Schema:
    """Return the schema in a file.

    Raises
    ------
    InputError
        If it cannot be read, or is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The CyberTipline schema cannot be read: {error.strerror}.",
            str(path),
            "Name the XSD that NCMEC gave you, or fetch it with `lightship duties report schema`.",
        ) from error
    return read(data, str(path))


def read(data: bytes, where: str) -> Schema:
    """Return the schema that these bytes are.

    Raises
    ------
    InputError
        If they are none, or it has no report.
    """
    from lxml import etree

    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        checker = etree.XMLSchema(root)
        roots = _Reader(root).roots()
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, KeyError, ValueError) as error:
        raise InputError(
            f"This is not a CyberTipline schema: {error}.", where, "Fetch it again from /xsd."
        ) from error
    if missing := [name for name in ROOTS if name not in roots]:
        raise InputError(
            f"This schema has no {missing[0]}.", where, "Name NCMEC's ESP reporting schema, /ispws/xsd."
        )
    return Schema(hashlib.sha256(data).hexdigest(), roots, checker)


class _Reader:
    """Turns the tree of an XSD into kinds."""

    def __init__(self, root: Any) -> None:
        self._named: dict[tuple[str, str], Any] = {
            (node.tag, node.get("name")): node for node in root if isinstance(node.tag, str)
        }
        self._kinds: dict[str, Kind] = {}
        self._choices = 0

    def roots(self) -> dict[str, Kind]:
        return {
            name: self._of_element(node)
            for (tag, name), node in self._named.items()
            if tag == f"{_XS}element"
        }

    def _of_element(self, node: Any) -> Kind:
        if node.get("type"):
            return self._of_type(node.get("type"))
        inner = next((one for one in node if one.tag in {f"{_XS}complexType", f"{_XS}simpleType"}), None)
        return Kind(base="string") if inner is None else self._of_node(inner)

    def _of_type(self, name: str) -> Kind:
        if ":" in name:
            return Kind(base=name.partition(":")[2])
        if name not in self._kinds:
            complex_type = self._named.get((f"{_XS}complexType", name))
            simple = self._named.get((f"{_XS}simpleType", name))
            self._kinds[name] = self._of_node(complex_type if complex_type is not None else simple)
        return self._kinds[name]

    def _of_node(self, node: Any) -> Kind:
        if node is None:
            raise ValueError("a type is named that the schema does not have")
        restriction = next(node.iter(f"{_XS}restriction"), None)
        if node.tag == f"{_XS}simpleType" and restriction is not None:
            return Kind(
                base=self._of_type(restriction.get("base")).base,
                values=tuple(one.get("value") for one in restriction.iter(f"{_XS}enumeration")),
                patterns=tuple(one.get("value") for one in restriction.iter(f"{_XS}pattern")),
            )
        content = node.find(f"{_XS}simpleContent/{_XS}extension")
        holder = node if content is None else content
        attributes = {
            one.get("name"): Attribute(self._of_element(one), one.get("use") == "required")
            for one in holder.findall(f"{_XS}attribute")
        }
        if content is not None:
            inner = self._of_type(content.get("base"))
            return Kind((), {**inner.attributes, **attributes}, inner.base, inner.values, inner.patterns)
        elements = tuple(one for group in node if group.tag in _GROUPS for one in self._of_group(group))
        return Kind(elements, attributes)

    def _of_group(self, group: Any, *, optional: bool = False) -> Iterator[Element]:
        optional = optional or group.get("minOccurs") == "0"
        choice = needed = 0
        if group.tag == f"{_XS}choice":
            self._choices += 1
            choice = self._choices
            needed = not optional and all(
                one.get("minOccurs", "1") != "0" for one in group if one.tag != f"{_XS}annotation"
            )
        for one in group:
            if one.tag in _GROUPS:
                yield from self._of_group(one, optional=optional or bool(choice))
            elif one.tag == f"{_XS}element":
                name = one.get("ref") or one.get("name")
                declared = self._named[f"{_XS}element", name] if one.get("ref") else one
                most = one.get("maxOccurs", "1")
                least = 0 if choice or optional else int(one.get("minOccurs", "1"))
                yield Element(
                    name,
                    self._of_element(declared),
                    least,
                    None if most == "unbounded" else int(most),
                    choice,
                    bool(needed),
                    one.get("fixed"),
                )


def changes(mine: Schema, live: Schema) -> tuple[Change, ...]:
    """Return what differs between the schema reports are built by and the one they are judged by.

    Breaking is what may make a report that was right wrong: something was taken away, narrowed, moved or newly asked
    for. What came with a new name, that nobody must give, is not.
    """
    if mine.sha256 == live.sha256:
        return ()
    found: dict[Change, None] = {}
    for name in ROOTS:
        for change in _kinds_differ(name, mine.roots[name], live.roots[name]):
            found[change] = None
    return tuple(found)


def _kinds_differ(where: str, mine: Kind, live: Kind) -> Iterator[Change]:
    if (mine.base or "elements") != (live.base or "elements"):
        yield Change(
            where, f"it was {mine.base or 'elements'} and is {live.base or 'elements'}", breaking=True
        )
        return
    gone, new = set(mine.values) - set(live.values), set(live.values) - set(mine.values)
    if mine.values or live.values:
        narrowed = bool(gone) or not mine.values
        if gone or new:
            said = [f"without {one!r}" for one in sorted(gone)] + [f"with {one!r}" for one in sorted(new)]
            yield Change(
                where, f"its list of values is now {', '.join(said[:6])}", narrowed and bool(live.values)
            )
    if mine.patterns != live.patterns:
        yield Change(where, "its pattern is another", bool(live.patterns))
    yield from _attributes_differ(where, mine, live)
    yield from _elements_differ(where, mine, live)


def _attributes_differ(where: str, mine: Kind, live: Kind) -> Iterator[Change]:
    for name, one in mine.attributes.items():
        other = live.attributes.get(name)
        if other is None:
            yield Change(f"{where}/@{name}", "it is gone", breaking=True)
            continue
        if other.required and not one.required:
            yield Change(f"{where}/@{name}", "it must now be there", breaking=True)
        yield from _kinds_differ(f"{where}/@{name}", one.kind, other.kind)
    for name, one in live.attributes.items():
        if name not in mine.attributes:
            yield Change(f"{where}/@{name}", "it is new", one.required)


def _elements_differ(where: str, mine: Kind, live: Kind) -> Iterator[Change]:
    for one in mine.elements:
        place = f"{where}/{one.name}"
        other = live.element(one.name)
        if other is None:
            yield Change(place, "it is gone", breaking=True)
            continue
        if other.least > one.least:
            yield Change(place, "it must now be there", breaking=True)
        if other.most is not None and (one.most is None or other.most < one.most):
            yield Change(place, f"it may now stand {other.most} times at most", breaking=True)
        if other.fixed != one.fixed:
            yield Change(place, f"it is now always {other.fixed!r}", other.fixed is not None)
        if bool(other.choice) != bool(one.choice):
            yield Change(place, "it is now chosen among others, or no longer", bool(other.choice))
        yield from _kinds_differ(place, one.kind, other.kind)
    known = [one.name for one in mine.elements]
    kept = [one.name for one in live.elements if one.name in known]
    if kept != [name for name in known if name in kept]:
        yield Change(where, f"its order is now {', '.join(kept)}", breaking=True)
    for one in live.elements:
        if one.name not in known:
            yield Change(f"{where}/{one.name}", "it is new", one.least > 0 or one.needed)


def fits(pattern: str, text: str) -> bool:
    """Return whether a text fits a pattern of XML Schema, which is anchored at both ends."""
    return re.fullmatch(pattern, text) is not None
