"""Subjects whom people looked at and set aside for a time: each with a reason, a name and a last day."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date

from lightship.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Suppression:
    """One subject set aside.

    Parameters
    ----------
    subject
        Whom.
    typology
        In which queue.
    reason
        Why; never empty.
    by
        Who decided.
    until
        The first day on which it no longer holds.
    """

    subject: str
    typology: str
    reason: str
    by: str
    until: date


def parse(text: str, where: str) -> tuple[Suppression, ...]:
    """Return what a file's ``[[suppress]]`` rows say.

    Raises
    ------
    InputError
        If a row lacks its reason, name or last day, or holds anything else.
    """
    try:
        rows = tomllib.loads(text).get("suppress", [])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"It is not TOML: {error}.", where, "Correct it.") from error
    names = {field.name for field in fields(Suppression)}
    found = []
    for number, row in enumerate(rows, 1):
        if set(row) != names or type(row["until"]) is not date or not all(row[name] for name in names):
            raise InputError(
                "A suppression has a subject, a typology, a reason, a name (by) and a last day (until), and no more.",
                f"{where}, row {number}",
                "Complete it: nobody is set aside without a reason, or for ever.",
            )
        found.append(Suppression(**row))
    return tuple(found)


def in_force(rows: Iterable[Suppression], typology: str, day: date) -> dict[str, Suppression]:
    """Return the subjects set aside in a queue on a day."""
    return {row.subject: row for row in rows if row.typology == typology and day < row.until}


def expired(rows: Iterable[Suppression], typology: str, day: date) -> tuple[Suppression, ...]:
    """Return those that no longer hold, and are to be looked at anew."""
    return tuple(row for row in rows if row.typology == typology and day >= row.until)
