"""Files of dated rules: knowledge that holds from a day on, so that a changed law changes data and no code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol, TypeVar

from lightship.core.errors import PolicyError


class Dated(Protocol):
    """A rule with a name."""

    @property
    def id(self) -> str:
        """Names it, among the rules of its file."""


R = TypeVar("R", bound=Dated)
F = TypeVar("F")


def read(
    text: str,
    where: str,
    *,
    what: str,
    key: str,
    rule: Callable[[Mapping[str, Any], str], R],
    file: Callable[[tuple[R, ...], dict[str, Any]], F],
) -> F:
    """Return what a TOML file of dated rules says; what is unknown is refused.

    Parameters
    ----------
    what
        The rules in words, such as ``"retention terms"``.
    key
        Of the list of rules.
    rule, file
        Make a rule of its table, and the whole of the rules and what else the file holds.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    try:
        table = tomllib.loads(text)
        rules = tuple(rule(one, where) for one in table.pop(key))
        found = file(rules, table)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The {what} are not TOML: {error}.", where, "Correct the line.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"A key is missing or unknown: {error}.", where, "Correct it.") from error
    if len({one.id for one in rules}) != len(rules):
        raise PolicyError(f"Two {key} have one id.", where, "Name each its own way.")
    return found


def are_days(begins: object, ends: object) -> bool:
    """Return whether these are a first day and, perhaps, the day from which a rule no longer holds."""
    return type(begins) is date and (ends is None or type(ends) is date)


def in_force(begins: date, ends: date | None, day: date) -> bool:
    """Return whether a rule holds on a day."""
    return begins <= day and (ends is None or day < ends)
