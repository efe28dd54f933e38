r"""Checks goAML against the schema that an institution got from its FIU, past three traps of the published file.

A checker that takes the file at its word refuses every ordinary report. Three repairs, made in memory, keep what its
authors meant:

- Its patterns are written ``^...$``. A pattern of XML Schema is anchored already, and there ``^`` and ``$`` are
  characters like any other, so that no ordinary name would pass. They are taken out.
- The class of e-mail addresses holds ``9-+``, a range that runs backwards. The hyphen is escaped.
- It calls itself XML Schema 1.1. What only 1.1 has is left out; the rest is checked.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lightship.core.errors import InputError

_XS = "{http://www.w3.org/2001/XMLSchema}"
_VERSIONING = "{http://www.w3.org/2007/XMLSchema-versioning}minVersion"
_ONLY_11 = {
    f"{_XS}assert",
    f"{_XS}assertion",
    f"{_XS}alternative",
    f"{_XS}openContent",
    f"{_XS}defaultOpenContent",
}


def load_schema(path: Path) -> Any:
    """Return the schema at a path, repaired.

    Raises
    ------
    InputError
        If it cannot be read, or is no schema even so.
    """
    from lxml import etree

    try:
        tree = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
        _repair(tree.getroot())
        return etree.XMLSchema(tree)
    except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise InputError(
            f"The goAML schema cannot be used: {error}.", str(path), "Name the XSD that your FIU gave you."
        ) from error


def parsed(xml: bytes) -> Any:
    """Return a report's root; entities are not resolved.

    Raises
    ------
    InputError
        If it is no XML.
    """
    from lxml import etree

    try:
        return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise InputError(f"This is not XML: {error}.", "goAML", "Make it again.") from error


def faults(xml: bytes, schema: Any) -> tuple[str, ...]:
    """Return what a schema finds wrong with a report, each with its line.

    Raises
    ------
    InputError
        If it is no XML.
    """
    report = parsed(xml)
    schema.validate(report)
    return tuple(f"line {entry.line}: {entry.message}" for entry in schema.error_log)


def unanchored(pattern: str) -> str:
    r"""Return a pattern without the anchors that XML Schema would take for characters.

    Examples
    --------
    >>> unanchored("^[^0-9]*$"), unanchored(r"^a|b\$$"), unanchored("(^a$)|^b$")
    ('[^0-9]*', 'a|b\\$', '(a)|b')
    """
    pattern = re.sub(r"(^|(?<!\\)[|(])\^", r"\1", pattern)
    return re.sub(r"(?<!\\)\$(?=$|[|)])", "", pattern)


def _repair(root: Any) -> None:
    for node in list(root.iter()):
        if not isinstance(node.tag, str):
            continue
        only_11 = node.tag in _ONLY_11 or float(node.get(_VERSIONING, "1.0")) > 1
        if node is not root and only_11:
            node.getparent().remove(node)
        elif node.tag == f"{_XS}pattern":
            node.set("value", unanchored(node.get("value", "")).replace("9-+", r"9+\-"))
