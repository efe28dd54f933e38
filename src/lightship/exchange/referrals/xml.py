"""XML from outside: no entities, no network, no DTD, and no file that is larger than it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lightship.exchange.referrals.reading import Reading

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)")
_ASCII = bytes(range(0x20, 0x7F))


def reads_as_ascii(data: bytes) -> bool:
    """Return whether what is ASCII in XML means the same in its encoding: so in UTF-8, not in UTF-16 or UTF-7."""
    if b"\0" in data[:4] or data.startswith((b"\xff\xfe", b"\xfe\xff", b"Lo\xa7\x94")):
        return False
    declared = _DECLARED.search(data[:300])
    try:
        return declared is None or _ASCII.decode(declared[1].decode()) == _ASCII.decode()
    except (LookupError, ValueError):
        return False


def xml_of(data: bytes, reading: Reading) -> Any | None:
    """Return the root with every name free of its namespace, None with a note where the bytes are no XML."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        reading.note(f"line {line}" if line else "the whole", "not XML; nothing was read")
        return None
    if root.getroottree().docinfo.doctype:
        reading.note("doctype", "left out: no referral needs one")
    for node in root.iter():
        if isinstance(node.tag, str) and "}" in node.tag:
            node.tag = node.tag.rpartition("}")[2]
    return root


def under(node: Any, *tags: str) -> Iterator[Any]:
    """Yield a node's children of these names, in order."""
    return (one for one in node if isinstance(one.tag, str) and one.tag in tags)


def text_under(node: Any, *path: str) -> str:
    """Return the text at a path of names, the first of each, empty where there is none."""
    for tag in path:
        node = next(under(node, tag), None)
        if node is None:
            return ""
    return (node.text or "").strip()


def said_under(node: Any, tag: str) -> bool:
    """Return whether a mark stands there and is not said to be false."""
    return any((one.text or "").strip().lower() not in {"false", "0"} for one in under(node, tag))
