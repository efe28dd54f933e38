"""The table of measures: what a code of practice asks of which service, as dated data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.errors import PolicyError

_MEASURE = {
    "id",
    "says",
    "who",
    "applies",
    "owes",
    "figures",
    "no_figure",
    "from",
    "until",
    "source",
    "grade",
    "tbv",
}
_HARM = {"id", "title", "part_of", "factors", "from", "until", "grade", "tbv"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table.

    Parameters
    ----------
    who
        Whom it binds, in words.
    applies
        The same as facts: it binds where all of one alternative hold.
    owes
        What software can show for it.
    figures
        The ids of the figures that tell of it.
    no_figure
        Why none can be told; empty where one is.
    begins, ends
        The first day it is in force, and the day from which it no longer is.
    """

    id: str
    says: str
    who: str
    applies: tuple[frozenset[str], ...]
    owes: str
    figures: tuple[str, ...]
    no_figure: str
    begins: date
    ends: date | None
    source: str
    grade: str
    tbv: str

    def binds(self, facts: frozenset[str]) -> bool:
        """Return whether it binds a service of which these facts hold."""
        return any(one <= facts for one in self.applies)


@dataclass(frozen=True, slots=True)
class Harm:
    """A kind of illegal harm that a risk assessment goes through.

    Parameters
    ----------
    part_of
        Kinds with the same one count once.
    factors
        Facts that, where they hold, must be named among its risk factors.
    """

    id: str
    title: str
    part_of: str
    factors: frozenset[str]
    begins: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """The measures and kinds of harm of a jurisdiction.

    Parameters
    ----------
    facts
        What ``applies`` may name, in words.
    large_users, many_users
        Monthly users in the country above which a service counts as large, and as having many.
    review_days
        After how long an assessment is due anew.
    digest
        Of the file, for the record.
    """

    name: str
    title: str
    version: str
    source: str
    facts: Mapping[str, str]
    large_users: int
    many_users: int
    review_days: int
    tuning_months: int
    harms: tuple[Harm, ...]
    measures: tuple[Measure, ...]
    digest: str

    def on(self, day: date) -> tuple[Measure, ...]:
        """Return the measures in force on a day."""
        return tuple(one for one in self.measures if dated.in_force(one.begins, one.ends, day))

    def harms_on(self, day: date) -> tuple[Harm, ...]:
        """Return the kinds of harm to assess on a day."""
        return tuple(one for one in self.harms if dated.in_force(one.begins, one.ends, day))


def parse_table(text: str, where: str, figures: Iterable[str]) -> MeasureTable:
    """Read a table of measures; what is unknown is refused.

    Parameters
    ----------
    figures
        The ids of the figures that a measure may name.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    known = frozenset(figures)

    def file(measures: tuple[Measure, ...], table: dict[str, Any]) -> MeasureTable:
        harms = tuple(_harm(one, where) for one in table.pop("harms"))
        found = MeasureTable(harms=harms, measures=measures, digest=digest(text), **table)
        unknown = {fact for one in measures for some in one.applies for fact in some}
        unknown |= {fact for one in harms for fact in one.factors}
        wrong = sorted(unknown - set(found.facts)) + sorted(
            {name for one in measures for name in one.figures} - known
        )
        if wrong:
            raise PolicyError(
                f"The table names what is not known: {', '.join(wrong)}.", where, "Name facts and figures."
            )
        return found

    return dated.read(text, where, what="measures", key="measures", rule=_measure, file=file)


def _measure(table: Mapping[str, Any], where: str) -> Measure:
    begins, ends = _checked(table, _MEASURE, where)
    if bool(table["figures"]) is bool(table.get("no_figure")):
        raise PolicyError(
            f"{table['id']!r} is refused: it names figures, or says why there is none.",
            where,
            "Do one of both.",
        )
    return Measure(
        str(table["id"]),
        str(table["says"]),
        str(table["who"]),
        tuple(frozenset(map(str, one)) for one in table["applies"]),
        str(table["owes"]),
        tuple(map(str, table["figures"])),
        str(table.get("no_figure", "")),
        begins,
        ends,
        str(table.get("source", "")),
        str(table["grade"]),
        str(table.get("tbv", "")),
    )


def _harm(table: Mapping[str, Any], where: str) -> Harm:
    begins, ends = _checked(table, _HARM, where)
    factors = frozenset(map(str, table.get("factors", ())))
    return Harm(str(table["id"]), str(table["title"]), str(table.get("part_of", "")), factors, begins, ends)


def _checked(table: Mapping[str, Any], keys: set[str], where: str) -> tuple[date, date | None]:
    begins, ends = table["from"], table.get("until")
    wrong = sorted(set(table) - keys)
    if wrong or not dated.are_days(begins, ends):
        raise PolicyError(
            f"{table.get('id')!r} is refused: {', '.join(wrong) or 'its dates are no days'}.",
            where,
            f"Its keys are {', '.join(sorted(keys))}; from and until are days.",
        )
    return begins, ends
