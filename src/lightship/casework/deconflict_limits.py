"""What a holder lets an asker ask, and an asker lets its own people ask: rates, basis, and feeling one's way. Pure.

A holder sees points, not identifiers. So it counts: questions, and points it has not seen before. An asker sees what is
asked, and so also notices lists of guesses. Neither looks at hits: a limit that did would tell of them.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightship.casework.deconflict import Question
from lightship.core.errors import InputError

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two bodies have agreed; both hold the same.

    Parameters
    ----------
    partner
        The other body's name, as its key has it.
    size
        Points of a question, always.
    least
        Identifiers of a question at least, so that none is asked alone.
    list_size, round_size
        Rows of a list and points of a round, always.
    questions_a_day
        That may be asked.
    new_points_a_month
        Points that were not in an earlier question of the month; dummies count, as nobody can tell them.
    rounds_a_month
        Rounds that a desk may send.
    bases
        The laws by which may be asked.
    """

    partner: str
    size: int = 256
    least: int = 10
    list_size: int = 4096
    round_size: int = 1024
    questions_a_day: int = 24
    new_points_a_month: int = 65536
    rounds_a_month: int = 8
    bases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an agreement that could not be kept.

        Raises
        ------
        InputError
            Naming what is wrong.
        """
        numbers = (self.size, self.least, self.list_size, self.round_size, self.questions_a_day)
        if min(*numbers, self.rounds_a_month) < 1 or not self.least <= self.size <= 4096 or not self.bases:
            raise InputError(
                "The agreement's sizes or rates are wrong, or it names no legal basis.",
                self.partner,
                "least ≤ size ≤ 4096, all above 0, and `bases` is a list of laws.",
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """An earlier question, as the log has it."""

    at: datetime
    new_points: int
    refused: str = ""


def refusal(
    question: Question, new_points: int, earlier: Iterable[Asked], agreed: Agreement, now: datetime
) -> str:
    """Return why a question is not answered, or an empty text.

    Parameters
    ----------
    new_points
        How many of its points were in no earlier question of the month.
    """
    kept = [one for one in earlier if not one.refused]
    today = sum(one.at > now - DAY for one in kept)
    month = sum(one.new_points for one in kept if one.at > now - 30 * DAY)
    checks = (
        (question.basis in agreed.bases, "its legal basis is not among those agreed"),
        (len(question.points) == agreed.size, f"it has not the agreed {agreed.size} points"),
        (len(set(question.points)) == len(question.points), "it names a point twice"),
        (now - DAY * 14 <= question.at <= now + DAY, "it is more than a fortnight old, or not yet asked"),
        (today < agreed.questions_a_day, f"{agreed.questions_a_day} a day are agreed"),
        (
            month + new_points <= agreed.new_points_a_month,
            f"more than {agreed.new_points_a_month} new points in a month: a person must look at this",
        ),
    )
    return next((why for held, why in checks if not held), "")


def round_refusal(points: int, earlier: Iterable[datetime], agreed: Agreement, now: datetime) -> str:
    """Return why a desk's round is not answered, or an empty text."""
    if points != agreed.round_size:
        return f"it has not the agreed {agreed.round_size} points"
    if sum(at > now - 30 * DAY for at in earlier) >= agreed.rounds_a_month:
        return f"{agreed.rounds_a_month} rounds a month are agreed"
    return ""


def feels_its_way(keys: Sequence[str], *, alike: int = 6, share: float = 0.25) -> str:
    """Return why a set of identifiers looks like guesses, or an empty text.

    Parameters
    ----------
    alike
        Identifiers of one pattern (the same but for digits and marks, or numbers in a row) that are too many.
    share
        Of the whole, from which so many are not chance.
    """
    patterns = Counter(_pattern(one) for one in keys)
    rows = Counter(one[:-2] for one in keys if one.startswith(("phone|", "account|")))
    for count in (*patterns.values(), *rows.values()):
        if count >= alike and count >= share * len(keys):
            return f"{count} of {len(keys)} differ only in digits or marks: they look like guesses"
    return ""


def _pattern(key: str) -> str:
    """Return a key without digits and marks; numbers, whose digits are all they have, stay as they are."""
    kind, _, rest = key.partition("|")
    return f"{kind}|{re.sub(r'[^a-z|@]+', '', rest)}" if kind in {"handle", "email", "name"} else key


def own_refusal(keys: Sequence[str], basis: str, agreed: Agreement) -> str:
    """Return why a question of one's own people does not leave, or an empty text."""
    different = sorted(set(keys))
    if len(different) < agreed.least:
        return f"{len(different)} identifiers are fewer than the agreed {agreed.least}"
    if basis not in agreed.bases:
        return "its legal basis is not among those agreed"
    return feels_its_way(different)


def parse_agreement(text: str, where: str) -> tuple[Agreement, str]:
    """Read an agreement (TOML), and the partner's public key in it.

    Raises
    ------
    InputError
        If it is not TOML, names other things, or could not be kept.
    """
    try:
        table = tomllib.loads(text)
        key = str(table.pop("key"))
        bases = tuple(str(one) for one in table.pop("bases"))
        return Agreement(bases=bases, **table), key
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"The agreement is refused: {error}.",
            where,
            "It has partner, key, bases, and may have sizes and rates.",
        ) from error
