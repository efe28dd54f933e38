"""Identifiers and interests as CSV, normalised as they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import cast

from lightship.casework.deconflict import KINDS, Interest
from lightship.casework.normal import key, normalise
from lightship.core.casework import IdentifierKind
from lightship.core.errors import InputError

IDENTIFIER = ("identifier", "value", "platform")
INTEREST = ("kind", *IDENTIFIER, "reference", "contact", "urgency", "until")


def identifiers(text: str, where: str, *, calling_code: str = "") -> tuple[str, ...]:
    """Return the keys of a CSV with the columns of :data:`IDENTIFIER`.

    Raises
    ------
    InputError
        Naming the line.
    """
    return tuple(one for one, _ in _rows(text, where, IDENTIFIER, calling_code))


def interests(text: str, where: str, *, covert: bool, calling_code: str = "") -> tuple[Interest, ...]:
    """Return the entries of a CSV with the columns of :data:`INTEREST`.

    Raises
    ------
    InputError
        Naming the line; a persona where entries are overt among them.
    """
    found = []
    for one, row in _rows(text, where, INTEREST, calling_code):
        name = sha256("|".join((one, row["kind"], row["reference"])).encode()).hexdigest()[:16]
        if row["kind"] not in KINDS:
            raise InputError(
                f"{row['kind']!r} is no kind of interest.", where, f"One of: {', '.join(KINDS)}."
            )
        try:
            urgency, until = int(row["urgency"]), date.fromisoformat(row["until"])
        except ValueError as error:
            raise InputError(f"Urgency or day: {error}.", where, "1 to 5, and YYYY-MM-DD.") from error
        found.append(
            Interest(name, one, row["kind"], row["reference"], row["contact"], urgency, until, covert)
        )
    return tuple(found)


def _rows(
    text: str, where: str, columns: tuple[str, ...], calling_code: str
) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text))
    if set(columns) - set(reader.fieldnames or ()):
        raise InputError("Columns are missing.", where, f"It needs {', '.join(columns)}.")
    for number, row in enumerate(reader, 2):
        given = {name: (row.get(name) or "").strip() for name in columns}
        kind = cast("IdentifierKind", given["identifier"])  # what is none is refused by `normalise`
        try:
            value = normalise(kind, given["value"], calling_code=calling_code)
            yield key(kind, value, given["platform"]), given
        except InputError as error:
            raise InputError(error.what, f"{where}, line {number}", error.todo) from error
