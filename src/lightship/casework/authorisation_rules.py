"""The periods, ranks and fields of undercover work, read from a file of dated rules (``packs/undercover/``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.errors import PolicyError
from lightship.core.undercover import Act, State, Transition

_PLAIN = ("id", "section", "says", "source", "grade")

NEEDED: Mapping[str, tuple[str, type]] = {
    "written-period": ("months", int),
    "oral-period": ("hours", int),
    "urgent-period": ("hours", int),
    "form": ("", type(None)),
    "oral-record": ("hours", int),
    "renewal": ("", type(None)),
    "cancellation": ("", type(None)),
    "long-term": ("months", int),
    "judicial-approval": ("notice", list),
    "ranks": ("full", list),
    "separation": ("", type(None)),
    "roles": ("", type(None)),
    "grounds": ("allowed", list),
    "application": ("", type(None)),
    "alike": ("share", float),
    "review": ("most_days", int),
    "warnings": ("days", list),
    "juvenile": ("allowed", bool),
    "activity": ("", type(None)),
    "source-record": ("needed", list),
    "welfare": ("welfare_days", int),
    "closure": ("", type(None)),
}
"""The rules that a file must hold, each with one value that it cannot do without."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, in force from a day on.

    Parameters
    ----------
    section
        Of the law, as it is cited.
    values
        Its numbers and lists, by name.
    tbv
        What a person has yet to verify; empty for nothing.
    """

    id: str
    section: str
    says: str
    source: str
    grade: str
    begins: date
    ends: date | None
    tbv: str
    values: Mapping[str, Any]

    def number(self, name: str) -> int:
        """Return one of its whole numbers.

        Raises
        ------
        PolicyError
            If it has none of that name above zero.
        """
        value = self.values.get(name)
        if type(value) is not int or value < 1:
            raise PolicyError(f"The rule has no {name}.", self.id, "Give a whole number above 0.")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """Return one of its lists of words."""
        return tuple(str(one) for one in self.values.get(name, ()))


@dataclass(frozen=True, slots=True)
class Rules:
    """A file of rules; an id may come again for another time."""

    name: str
    title: str
    version: str
    zone: ZoneInfo
    rules: tuple[Rule, ...]
    digest: str

    def on(self, day: date, name: str) -> Rule:
        """Return the rule of this id in force on a day.

        Raises
        ------
        PolicyError
            If there is none: nothing is done on a rule that does not stand.
        """
        for one in self.rules:
            if one.id.partition("@")[0] == name and dated.in_force(one.begins, one.ends, day):
                return one
        raise PolicyError(
            f"No rule {name!r} is in force on {day}.", self.name, "Add it to the file, with its source."
        )

    def transition(
        self, at: Any, act: Act, by: str, before: State | None, after: State, ids: tuple[str, ...], words: str
    ) -> Transition:
        """Return a step that names the sections it went by and what of them is unverified."""
        used = tuple(self.on(at.astimezone(self.zone).date(), one) for one in ids)
        return Transition(
            at,
            act,
            by,
            before,
            after,
            tuple(one.section for one in used),
            ids,
            self.version,
            self.digest,
            words,
            tuple(f"{one.id}: {one.tbv}" for one in used if one.tbv),
        )


def parse_rules(text: str, where: str) -> Rules:
    """Read rules; a file that lacks one of :data:`NEEDED`, or a value of it, is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    rules = dated.read(
        text,
        where,
        what="rules of undercover work",
        key="rules",
        rule=_rule,
        file=lambda found, table: Rules(
            rules=found, digest=digest(text), zone=_zone(table.pop("zone"), where), **table
        ),
    )
    for name, (value, kind) in NEEDED.items():
        found = [one for one in rules.rules if one.id.partition("@")[0] == name]
        if not found or any(value and type(one.values.get(value)) is not kind for one in found):
            raise PolicyError(
                f"The rule {name!r} is missing, or its {value or 'text'} is no {kind.__name__}.",
                where,
                "Add it, with section, source and grade.",
            )
    return rules


def _rule(table: Mapping[str, Any], where: str) -> Rule:
    given = dict(table)
    plain = {name: str(given.pop(name)) for name in _PLAIN}
    begins, ends, tbv = given.pop("from"), given.pop("until", None), str(given.pop("tbv", ""))
    if not dated.are_days(begins, ends) or plain["grade"] not in {"P", "S", "choice"}:
        raise PolicyError(
            f"The rule {plain['id']!r} is refused: its days or its grade.", where, "Grades: P, S, choice."
        )
    return Rule(**plain, begins=begins, ends=ends, tbv=tbv, values=given)


def _zone(name: object, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PolicyError(f"There is no time zone {name!r}.", where, "Such as Europe/London.") from error
