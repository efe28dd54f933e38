"""STIX 2.1 bundles, by the field names of the standard. Two objects are one person only where the bundle says so.

They are read as plain JSON: the reference library refuses a whole bundle for one field, and a referral is taken in with
what can be read of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lightship.core.casework import Marking, Parsed
from lightship.core.errors import InputError
from lightship.core.markings import read_marking
from lightship.exchange.referrals.reading import (
    NOT_UNDERSTOOD,
    Reading,
    json_of,
    list_of,
    marking_of,
    table_of,
    tables_of,
    text_of,
)

FIELDS = (
    "id", "report", "name", "description", "published", "user-account", "email-addr", "ip-addr", "identity", "file",
    "relationship", "marking",
)  # fmt: skip
TLP_2 = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "tlp:clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "tlp:green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "tlp:amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "tlp:amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "tlp:red",
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "tlp:clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "tlp:green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "tlp:amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "tlp:red",
}
"""Identifiers of the markings of TLP 2.0 (OASIS common objects) and of TLP 1 (STIX 2.1, section 7.2.1.4)."""
PAP = {
    "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92": "pap:clear",
    "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730": "pap:white",
    "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9": "pap:green",
    "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab": "pap:amber",
    "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e": "pap:red",
}
"""Identifiers of the markings of PAP (OASIS common objects)."""
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
STATEMENT = "Lightship handling: "
"""How a statement begins that says a marking of ours whole, as JSON."""

IDENTIFIERS = "extension-definition--1aeccec7-aa35-530d-aa87-18aa2a4beed6"
"""Lightship's extension: identifiers that STIX 2.1 has no observable for, and facts of urgency."""

_EXTENSIONS = {TLP_EXTENSION: ("tlp", "tlp_2_0"), PAP_EXTENSION: ("pap", "pap")}
_TOLD = ("report", "note", "incident", "observed-data", "grouping")
_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-512")
_ROLES = {
    "victim": "child",
    "child": "child",
    "suspect": "suspect",
    "offender": "suspect",
    "facilitator": "facilitator",
}

_PSEUDONYM = re.compile("(child|suspect|facilitator|unknown) [0-9a-f]{8}")
"""How our own bundles call people: no name, and nothing to compare anybody by."""


def read_stix(data: bytes, received_at: datetime) -> Parsed:
    """Read a bundle. Facts of the ladder stand in our extension or ``x_lightship_facts`` of any object."""
    reading = Reading("partner", FIELDS, received_at)
    bundle = json_of(data, reading)
    if bundle and bundle.get("type") != "bundle":
        reading.note("type", "no bundle")
    objects = list(tables_of(bundle.get("objects")))
    told = [one for one in objects if text_of(one.get("type")) in _TOLD]
    # A bundle's own id is new each time it is sent: its report is what stays the same.
    head = next(
        (one for one in told if text_of(one.get("type")) in {"report", "grouping", "incident"}), bundle
    )
    reading.reference = reading.short(head.get("id"), "id")
    reading.kind = reading.short(next(iter(list_of(head.get("report_types"))), None), "kind") or "STIX bundle"
    for one in told:
        reading.has("report")
        reading.words(one.get("name"), "name")
        reading.words(one.get("description") or one.get("content"), "description")
        for field in ("published", "last_observed", "created"):
            reading.happened_at = reading.happened_at or reading.when(one.get(field), field)
            if reading.happened_at is not None:
                reading.has("published")
    people = _people(objects, reading)
    for one in objects:
        _named(one, people, reading)
        _extended(one, people, reading)
        for fact in list_of(one.get("x_lightship_facts")):
            reading.fact(text_of(fact))
    tags, whole = _marked(objects)
    marking_of(reading, tags, text_of(head.get("created_by_ref")), whole)
    return reading.parsed()


def _people(objects: list[Mapping[str, Any]], reading: Reading) -> Mapping[str, tuple[str, str]]:
    """Return person and role by object id, for identities and what a relationship ties to exactly one of them."""
    found: dict[str, tuple[str, str]] = {}
    for one in objects:
        if (
            text_of(one.get("type")) in {"identity", "threat-actor"}
            and one.get("identity_class", "individual") == "individual"
        ):
            role = next(
                (_ROLES[key] for each in list_of(one.get("roles")) if (key := text_of(each)) in _ROLES), ""
            )
            found[text_of(one.get("id"))] = (text_of(one.get("id")), role or "unknown")
    tied: dict[str, set[str]] = {}
    for one in objects:
        if one.get("type") != "relationship":
            continue
        reading.has("relationship")
        source, target = text_of(one.get("source_ref")), text_of(one.get("target_ref"))
        for person, thing in ((source, target), (target, source)):
            if person in found and thing not in found:
                tied.setdefault(thing, set()).add(person)
    return found | {thing: found[next(iter(who))] for thing, who in tied.items() if len(who) == 1}


def _named(one: Mapping[str, Any], people: Mapping[str, tuple[str, str]], reading: Reading) -> None:
    id_, kind = text_of(one.get("id")), text_of(one.get("type"))
    who, role = people.get(id_, (id_ or kind, "unknown"))
    if kind == "user-account":
        platform = text_of(one.get("account_type"))
        for field in ("account_login", "user_id"):
            reading.name(who, role, "handle", one.get(field), place="user-account", platform=platform)
    elif kind == "email-addr":
        reading.name(who, role, "email", one.get("value"), place="email-addr")
    elif kind in {"ipv4-addr", "ipv6-addr"}:
        reading.name(who, role, "ip", one.get("value"), place="ip-addr")
    elif kind == "file":
        hashes = table_of(one.get("hashes"))
        for name in _HASHES:
            reading.name(who, role, "hash", hashes.get(name), place="file")
    elif (
        id_ in people
        and kind in {"identity", "threat-actor"}
        and not _PSEUDONYM.fullmatch(text_of(one.get("name")))
    ):
        reading.name(who, role, "name", one.get("name"), place="identity")


def _extended(one: Mapping[str, Any], people: Mapping[str, tuple[str, str]], reading: Reading) -> None:
    """Read our own extension: facts of the ladder, and identifiers, whose people are those of the bundle."""
    own = table_of(table_of(one.get("extensions")).get(IDENTIFIERS))
    for fact in list_of(own.get("facts")):
        reading.fact(text_of(fact))
    for row in tables_of(own.get("identifiers")):
        ref = text_of(row.get("person_ref"))
        who, role = people.get(ref, (ref or "extension", text_of(row.get("role")) or "unknown"))
        first, last = (reading.when(row.get(name), name) for name in ("first_at", "last_at"))
        reading.name(
            who, role, text_of(row.get("kind")), row.get("value"), place="extension",
            platform=text_of(row.get("platform")), first_at=first, last_at=last,
        )  # fmt: skip


def _marked(objects: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[Marking]]:
    """Return what the markings of all objects say, as tags and whole; part of an object is marked as all of it."""
    definitions: dict[str, list[Mapping[str, Any]]] = {}
    for one in objects:
        if one.get("type") == "marking-definition":
            definitions.setdefault(text_of(one.get("id")), []).append(one)
    tags, whole = list[str](), list[Marking]()
    for ref in dict.fromkeys(_refs(objects)):
        said = [tag for table in (TLP_2, PAP) if (tag := table.get(ref))]
        entire = [read for each in definitions.get(ref, ()) if (read := _entire(each)) is not None]
        said += [tag for each in definitions.get(ref, ()) for tag in _said(each)]
        tags += said if said or entire else [NOT_UNDERSTOOD]
        whole += entire
    return tags, whole


def _refs(objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the markings that objects refer to, at any depth: rows of an extension are marked too."""
    waiting: list[Any] = list(objects)
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            yield from map(text_of, list_of(one.get("object_marking_refs")))
            for each in list_of(one.get("granular_markings")):
                if "lang" not in table_of(each) or "marking_ref" in each:
                    yield text_of(table_of(each).get("marking_ref"))
            waiting += one.values()


def _said(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tags of a marking definition; of what of it is not understood, that it is not."""
    for key, value in table_of(one.get("extensions")).items():
        name, field = _EXTENSIONS.get(key, ("", ""))
        yield f"{name}:{text_of(table_of(value).get(field))}" if name else NOT_UNDERSTOOD
    for key, value in table_of(one.get("definition")).items():
        if key == "tlp":
            yield f"tlp:{text_of(value)}"
        elif key != "statement" or _entire(one) is None:
            yield NOT_UNDERSTOOD


def _entire(one: Mapping[str, Any]) -> Marking | None:
    """Return the marking that a statement of ours says whole; the words of others are for people to read."""
    words = text_of(table_of(one.get("definition")).get("statement"))
    try:
        return read_marking(words.removeprefix(STATEMENT)) if words.startswith(STATEMENT) else None
    except InputError:
        return None
