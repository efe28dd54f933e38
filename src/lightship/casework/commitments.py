"""Salted commitments to a record's fields: a copy from which fields were removed still verifies.

Each field is committed to as ``SHA-256(salt || canonical([name, value]))`` with 32 random bytes of its own, so that
nothing can be guessed from what is left of a removed one: neither its value nor its name. The commitments, sorted, are
the leaves of a tree of RFC 6962 whose root is signed. What a copy does show is how many fields were removed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import InputError, LedgerError
from lightship.core.merkle import Frontier, leaf_hash
from lightship.core.notes import SigningKey, VerifierKey
from lightship.core.statements import open_statement, sign_statement

SALT_BYTES = 32

WHY = ("sensitive", "personal-data", "not-relevant")
"""Why a field is removed: a closed list of neutral words, so that a reason tells nothing of what was removed."""

Copy = Mapping[str, Any]
"""``record``, ``note``, ``fields`` (name, value, salt, commitment) and ``withheld`` (commitment, why)."""


def _salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a record's fields; those of tables inside it one by one, under a JSON pointer (RFC 6901).

    Examples
    --------
    >>> list(flat({"a": 1, "b": {"c": [2], "d/e": 3}}))
    [('/a', 1), ('/b/c', [2]), ('/b/d~1e', 3)]
    """
    for name, value in record.items():
        path = f"{prefix}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, path)
        else:
            yield path, value


def commitment(name: str, value: Any, salt: bytes) -> bytes:
    """Return the 32 bytes that commit to a field.

    Raises
    ------
    InputError
        If the value has no canonical JSON.
    """
    return hashlib.sha256(salt + canonical([name, value])).digest()


def root(commitments: Iterable[str]) -> str:
    """Return the root over commitments, all hexadecimal; their order tells nothing, they are sorted."""
    return Frontier().extended(leaf_hash(bytes.fromhex(one)) for one in sorted(commitments)).root().hex()


def committed(
    record_id: str,
    record: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    signer: SigningKey,
    salt: Callable[[], bytes] = _salt,
) -> tuple[Copy, Mapping[str, Any]]:
    """Return a record's whole copy, and the ledger's entry that commits to it. The copy is as secret as the record.

    Raises
    ------
    InputError
        If the record is empty or has no canonical JSON.
    """
    fields = []
    for name, given in flat(record):
        grain, value = salt(), json.loads(canonical(given))  # as it will be read back
        digest = commitment(name, value, grain).hex()
        fields.append({"name": name, "value": value, "salt": grain.hex(), "commitment": digest})
    if not fields:
        raise InputError("There is nothing in this record.", f"record {record_id}", "Give its fields.")
    facts = {
        "record": record_id, "number": len(fields), "root": root(one["commitment"] for one in fields),
        "committed_by": by, "committed_at": now.isoformat(),
    }  # fmt: skip
    note = sign_statement("record", facts, signer)
    copy = {"record": record_id, "note": note, "fields": fields, "withheld": []}
    return copy, {"kind": "record-committed", **facts, "note": note}


def sanitised(copy: Copy, remove: Collection[str], why: str) -> Copy:
    """Return a copy without some fields; a name stands for all fields under it.

    Raises
    ------
    InputError
        If a field is not there, or the reason is none of :data:`WHY`.
    """
    where = f"record {copy['record']}"
    if why not in WHY:
        raise InputError(f"There is no such reason, {why!r}.", where, f"One of: {', '.join(WHY)}.")
    wanted = {name if name.startswith("/") else f"/{name}" for name in remove}
    gone = {
        one["name"]: one["commitment"]
        for one in copy["fields"]
        if any(one["name"] == name or one["name"].startswith(f"{name}/") for name in wanted)
    }
    for name in sorted(wanted):
        if not any(one == name or one.startswith(f"{name}/") for one in gone):
            raise InputError(f"There is no field {name} to remove.", where, "Look at the copy's names.")
    withheld = [*copy["withheld"], *({"commitment": one, "why": why} for one in gone.values())]
    return {
        "record": copy["record"],
        "note": copy["note"],
        "fields": [one for one in copy["fields"] if one["name"] not in gone],
        "withheld": sorted(withheld, key=lambda one: str(one["commitment"])),
    }


def verify_copy(copy: Copy, key: VerifierKey) -> dict[str, Any]:
    """Return the facts that were signed of a copy's record, once everything in the copy fits them.

    Raises
    ------
    LedgerError
        Naming the field that does not.
    """
    where = f"record {copy['record']}"
    kind, facts = open_statement(copy["note"], key)
    if kind != "record" or facts["record"] != copy["record"]:
        raise LedgerError("This was signed of something else.", where, "Ask for the copy again.")
    for one in copy["fields"]:
        if commitment(one["name"], one["value"], bytes.fromhex(one["salt"])).hex() != one["commitment"]:
            raise LedgerError(
                f"The field {one['name']} is not what was committed to.", where, "Ask for the copy again."
            )
    every = [one["commitment"] for one in (*copy["fields"], *copy["withheld"])]
    if len(every) != facts["number"] or root(every) != facts["root"]:
        raise LedgerError(
            f"Of {facts['number']} fields, some were added, left out or exchanged.",
            where,
            "Ask for the copy again.",
        )
    return facts


def parse_copy(text: str, where: str) -> Copy:
    """Return the copy in a text.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        copy = json.loads(text)
        shown = all({"name", "value", "salt", "commitment"} == set(one) for one in copy["fields"])
        fits = shown and all({"commitment", "why"} == set(one) for one in copy["withheld"])
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits or set(copy) != {"record", "note", "fields", "withheld"}:
        raise InputError("This is no copy of a record.", where, "Give what `evidence commit` wrote.")
    return dict(copy)
