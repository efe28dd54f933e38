"""How long what is kept: terms as dated data, read from a pack."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, get_type_hints

from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Round, Stream
from lightship.core.duties import Clock, Detection, Duty, Filing, Hold
from lightship.core.errors import PolicyError
from lightship.core.people import Look, Session, Shift
from lightship.core.ports import Identified

KINDS: Mapping[str, type[Identified]] = {
    kind.__name__.lower(): kind
    for kind in (
        *(Stream, Report, Case, Judgement, Effect, Exhibit, Round, Look, Session, Shift),
        *(Detection, Duty, Filing, Hold, Clock),
    )
}
"""What can be forgotten, by its name in a file of terms. Accounts are not: an account is switched off by a person."""

_KEYS = {"id", "says", "kind", "since", "days", "where", "from", "until", "grade", "tbv"}


@dataclass(frozen=True, slots=True)
class Term:
    """How long a kind of value is kept.

    Parameters
    ----------
    kind
        Of the values.
    since
        The field from whose time on it counts; a value without one is kept.
    days
        How long.
    where
        Only values with these fields, such as cases that are closed.
    id, says
        Its name and what it says in words, for the record.
    begins, ends
        The first day it is in force, and the day from which it no longer is.
    """

    kind: type[Identified]
    since: str
    days: float
    where: Mapping[str, object] = field(default_factory=dict)
    id: str = ""
    says: str = ""
    begins: date = date.min
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """The terms of a jurisdiction or a service.

    Parameters
    ----------
    digest
        Of the file, for the record.
    """

    name: str
    title: str
    version: str
    source: str
    terms: tuple[Term, ...]
    digest: str

    def on(self, day: date) -> tuple[Term, ...]:
        """Return the terms in force on a day."""
        return tuple(one for one in self.terms if dated.in_force(one.begins, one.ends, day))


def parse_retention(text: str, where: str) -> Retention:
    """Read terms; what is unknown is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    return dated.read(
        text,
        where,
        what="retention terms",
        key="terms",
        rule=_term,
        file=lambda terms, table: Retention(terms=terms, digest=digest(text), **table),
    )


def _term(table: Mapping[str, Any], where: str) -> Term:
    wrong = sorted(set(table) - _KEYS)
    kind = KINDS.get(str(table["kind"]))
    begins, ends, days = table["from"], table.get("until"), table["days"]
    fields = {one.name for one in dataclasses.fields(kind)} if kind is not None else set()  # type: ignore[arg-type]
    conditions = {
        name: tuple(one) if isinstance(one, list) else one for name, one in table.get("where", {}).items()
    }
    if kind is None:
        wrong.append(str(table["kind"]))
    else:
        wrong += sorted(set(conditions) - fields)
        if datetime not in _parts(get_type_hints(kind).get(str(table["since"]))):
            wrong.append(str(table["since"]))
    if type(days) not in {int, float} or not days > 0:
        wrong.append(f"days = {days!r}")
    if wrong or kind is None or not dated.are_days(begins, ends):
        raise PolicyError(
            f"The term {table.get('id')!r} is refused: {', '.join(wrong) or 'its dates are no days'}.",
            where,
            f"Kinds: {', '.join(KINDS)}; `since` is one of their times, `days` more than 0.",
        )
    return Term(
        kind, str(table["since"]), float(days), conditions, str(table["id"]), str(table["says"]), begins, ends
    )


def _parts(hint: object) -> tuple[object, ...]:
    return (hint, *getattr(hint, "__args__", ()))
