"""From the objects of a partner's collection to referrals: one bundle for each thing that is told, with its subjects.

The same objects make the same bytes, so that a collection which is read twice is taken in once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lightship.core.canonical import canonical
from lightship.exchange.referrals.reading import list_of, text_of

HEADS = frozenset({"report", "grouping", "incident"})
"""Kinds of object that tell something of others; each is a referral of its own."""
_BESIDE = frozenset({"marking-definition", "extension-definition"})
_BUNDLES = uuid.UUID("b7d9f8a4-9a0f-5a39-8f5a-0c7b6e0f4d52")


def bundles_of(objects: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Return the referrals in a collection's objects as canonical STIX bundles, in the order of their ids.

    An object that nothing tells of is in one more bundle with the others like it.
    """
    by_id = {text_of(one.get("id")): one for one in sorted(objects, key=_version)}
    heads = sorted(id_ for id_, one in by_id.items() if one.get("type") in HEADS)
    told = [[head, *sorted(_about(head, by_id))] for head in heads]
    known = {id_ for each in told for id_ in each}
    rest = sorted(id_ for id_, one in by_id.items() if id_ not in known and one.get("type") not in _BESIDE)
    beside = sorted(_closure(rest, by_id) - {*rest, *heads})
    return [_bundle([by_id[id_] for id_ in each]) for each in (*told, *([rest + beside] if rest else []))]


def _about(head: str, by_id: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return what an object refers to, what joins any two of these, and how all of it is marked."""
    found = _closure([head], by_id)
    ties = {
        id_
        for id_, one in by_id.items()
        if one.get("type") == "relationship"
        and {text_of(one.get("source_ref")), text_of(one.get("target_ref"))} <= found
    }
    return _closure([*found, *ties], by_id) - {head}


def _closure(ids: Sequence[str], by_id: Mapping[str, Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    open_ = list(ids)
    while open_:
        id_ = open_.pop()
        if id_ in found or id_ not in by_id:
            continue
        found.add(id_)
        # Another report is a referral of its own: it is not told twice.
        open_ += [one for one in _refers(by_id[id_]) if by_id.get(one, {}).get("type") not in HEADS]
    return found


def _refers(value: Any) -> Iterator[str]:
    """Yield what an object refers to, at any depth: extensions refer too."""
    for name, one in value.items():
        if name.endswith(("_ref", "_refs")):
            yield from (text for each in list_of(one) if (text := text_of(each)))
        for each in list_of(one):
            if isinstance(each, Mapping):
                yield from _refers(each)


def _version(one: Mapping[str, Any]) -> str:
    return text_of(one.get("modified")) or text_of(one.get("created"))


def _bundle(objects: Sequence[Mapping[str, Any]]) -> bytes:
    name = hashlib.sha256(canonical(list(objects))).hexdigest()
    return canonical(
        {"type": "bundle", "id": f"bundle--{uuid.uuid5(_BUNDLES, name)}", "objects": list(objects)}
    )
