"""Schedules of unused material and the log of what was revealed (Criminal Procedure and Investigations Act 1996).

Two schedules, always both and each numbered for itself, so that neither tells whether the other holds anything. Whether
a thing is relevant, sensitive, or meets the disclosure test, people say; here it is written down.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal

from lightship.core.canonical import canonical
from lightship.core.errors import InputError
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement

Kind = Literal["non-sensitive", "sensitive"]
KINDS: tuple[Kind, ...] = ("non-sensitive", "sensitive")


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that is relevant and was not used.

    Parameters
    ----------
    description
        Enough for a prosecutor to decide whether to look at it.
    reason
        Why it is on this schedule; of a sensitive one, which important public interest is at a real risk of serious
        prejudice.
    test
        What the officer thinks of the disclosure test (s.3): might it undermine the prosecution or assist the accused?
    """

    description: str
    location: str
    sensitive: bool
    reason: str
    test: Literal["meets", "does not meet", "not yet considered"] = "not yet considered"


@dataclass(frozen=True, slots=True)
class Words:
    """What a schedule is called and says at its head, as dated data in ``packs/evidence``."""

    version: str
    title: Mapping[Kind, str]
    head: Mapping[Kind, str]
    law: str
    unverified: tuple[str, ...]


def parse_words(text: str, where: str) -> Words:
    """Return the words of a pack's text.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    try:
        table = tomllib.loads(text)
        parts = {one["kind"]: one for one in table["schedules"]}
        return Words(
            table["version"],
            {kind: parts[kind]["title"] for kind in KINDS},
            {kind: parts[kind]["head"] for kind in KINDS},
            table["law"],
            tuple(one["tbv"] for one in table["schedules"] if one.get("tbv")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"The words of schedules cannot be read: {error}.", where, "Restore it.") from error


def parse_items(text: str, where: str) -> tuple[Item, ...]:
    """Return the items of a TOML text, ``[[items]]`` each.

    Raises
    ------
    InputError
        If a field is missing or unknown, or a reason is empty.
    """
    tests = ("meets", "does not meet", "not yet considered")
    try:
        items = tuple(Item(**one) for one in tomllib.loads(text)["items"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The items cannot be read: {error}.", where, "See the guide for their fields."
        ) from error
    for number, one in enumerate(items, 1):
        if not isinstance(one.sensitive, bool) or one.test not in tests:
            raise InputError("sensitive is true or false, test one of three.", f"{where}, item {number}", "")
        if not one.reason.strip() or not one.description.strip() or not one.location.strip():
            raise InputError(
                "An item says what and where it is, and why it stands here.", f"{where}, item {number}", ""
            )
    return items


def schedule(
    kind: Kind, inquiry: str, items: Iterable[Item], words: Words, *, by: str, now: datetime
) -> tuple[bytes, bytes]:
    """Return one schedule as canonical JSON and as a page, made of the items of its kind alone."""
    rows = [
        {
            "number": number, "description": one.description, "location": one.location,
            "reason": one.reason, "disclosure_test": one.test,
        }
        for number, one in enumerate(
            (one for one in items if one.sensitive == (kind == "sensitive")), 1
        )
    ]  # fmt: skip
    facts = {
        "schedule": kind, "title": words.title[kind], "head": words.head[kind], "law": words.law,
        "words_version": words.version, "to_be_verified": list(words.unverified), "inquiry": inquiry,
        "disclosure_officer": by, "made_at": now.isoformat(), "items": rows,
    }  # fmt: skip
    return canonical(facts) + b"\n", _page(facts).encode()


def _page(facts: Mapping[str, Any]) -> str:
    """Return a page that stands alone: no script, nothing loaded from elsewhere."""
    title, columns = (
        escape(facts["title"]),
        ("number", "description", "location", "reason", "disclosure_test"),
    )
    head = "".join(f'<th scope="col">{escape(one.replace("_", " ").capitalize())}</th>' for one in columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(row[one]))}</td>" for one in columns) + "</tr>"
        for row in facts["items"]
    )
    marks = "".join(f"<li>To be verified: {escape(one)}</li>" for one in facts["to_be_verified"])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;margin:2em}}table{{border-collapse:collapse;width:100%}}
th,td{{border:1px solid #555;padding:.4em;text-align:left;vertical-align:top}}</style></head>
<body><h1>{title}</h1>
<p>{escape(facts["head"])}</p>
<p>Inquiry {escape(facts["inquiry"])}. Disclosure officer: {escape(facts["disclosure_officer"])}. \
Made {escape(facts["made_at"])}. {escape(facts["law"])}</p>
<table><caption>{len(facts["items"])} items</caption><thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody></table>
<ul>{marks}</ul></body></html>
"""


def schedule_made(
    kind: Kind, inquiry: str, data: bytes, *, by: str, now: datetime, signer: SigningKey
) -> Mapping[str, Any]:
    """Return the entry of a schedule: the digest of its JSON, no item. Each kind goes on a ledger of its own."""
    facts = {
        "schedule": kind, "inquiry": inquiry, "sha256": hashlib.sha256(data).hexdigest(),
        "made_by": by, "made_at": now.isoformat(),
    }  # fmt: skip
    return {"kind": "schedule-made", **facts, "note": sign_statement("schedule", facts, signer)}


def revealed(
    entries: Iterable[Mapping[str, Any]],
    schedule_json: Mapping[str, Any],
    number: int,
    *,
    to: str,
    form: str,
    by: str,
    now: datetime,
    signer: SigningKey,
) -> Mapping[str, Any]:
    """Return the entry that says an item was revealed to somebody, in which form: a copy, inspection, or a description.

    Raises
    ------
    InputError
        If this schedule is not on the ledger, or has no such item, or it is not said to whom and how.
    """
    sha256 = hashlib.sha256(canonical(dict(schedule_json)) + b"\n").hexdigest()
    where = f"item {number}"
    if not any(one.get("kind") == "schedule-made" and one["sha256"] == sha256 for one in entries):
        raise InputError("This schedule is not on the ledger.", where, "Give the JSON as it was written.")
    if not any(one["number"] == number for one in schedule_json["items"]):
        raise InputError("The schedule has no such item.", where, "Look at its numbers.")
    if not to.strip() or not form.strip():
        raise InputError("It is revealed to somebody, in some form.", where, "Say both.")
    facts = {
        "sha256": sha256, "item": number, "to": to.strip(), "form": form.strip(), "by": by,
        "revealed_at": now.isoformat(),
    }  # fmt: skip
    return {"kind": "material-revealed", **facts, "note": sign_statement("revelation", facts, signer)}
