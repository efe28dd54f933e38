"""Deconfliction: does another body have an interest in these identifiers? Pure; messages are values.

Four messages go between two bodies. A *list* (holder to asker) carries the holder's overt entries, sealed so that only
who names an identifier can open its pointer. A *round* (covert desk to asker, and back) lets the desk recognise its own
identifiers in later questions. A *question* carries blinded identifiers, always the agreed number; its *answer* the
same points with the holder's secret put to them.

:func:`answer` is given no covert entry, and so cannot show one: a covert hit arises only at the covert desk, from the
same question, by :func:`recognised`. Lists and rounds are filled up to an agreed size, so that they show no count.
"""

from __future__ import annotations

import json
import secrets
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.casework import psi
from lightship.core.canonical import canonical
from lightship.core.errors import InputError

InterestKind = Literal["target", "persona", "event", "child", "process"]
KINDS: tuple[InterestKind, ...] = get_args(InterestKind)
COVERT_ALWAYS = frozenset({"persona"})
"""Kinds that are never told to an asker, whatever an entry says."""
POINTER = 160
"""Bytes of a pointer, filled up."""
TAG = 16
_ROW = TAG + POINTER + 16
_SAME = 8  # entries on one identifier at most
_NONCE = bytes(12)  # each key seals one row of one list


@dataclass(frozen=True, slots=True)
class Interest:
    """An entry of a register: that a body has an interest in an identifier.

    Parameters
    ----------
    key
        As :func:`lightship.casework.normal.key` gives it.
    reference, contact
        Of the holder; all that a pointer tells.
    urgency
        1 most urgent, to 5.
    until
        The last day it counts.
    covert
        Whether only the covert desk may learn of a hit.
    """

    id: str
    key: str
    kind: InterestKind
    reference: str
    contact: str
    urgency: int
    until: date
    covert: bool

    def __post_init__(self) -> None:
        """Refuse a persona that would be told to an asker.

        Raises
        ------
        InputError
            If it is one, or the urgency is no rung.
        """
        if self.kind in COVERT_ALWAYS and not self.covert:
            raise InputError(f"A {self.kind} is always covert.", self.id, "Keep it in the compartment.")
        if self.urgency not in range(1, 6):
            raise InputError("An urgency is 1 to 5.", self.id, "1 is most urgent.")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an asker learns of an overt hit: whom to call, and nothing of what it is about."""

    kind: InterestKind
    reference: str
    contact: str
    urgency: int
    until: date


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it travels.

    Parameters
    ----------
    points
        The asker's identifiers and as many dummies as fill the agreed number, in random order.
    basis
        The law by which it is asked.
    reference, contact, urgency, until
        For the holder's record and, after a covert hit, for its covert desk.
    """

    id: str
    asker: str
    holder: str
    at: datetime
    basis: str
    reference: str
    contact: str
    urgency: int
    until: date
    points: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The points of a question with the holder's secret put to them; empty with a reason if it was refused."""

    question_id: str
    asker: str
    holder: str
    points: tuple[bytes, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class OvertList:
    """A holder's overt entries for one asker, sealed; rows in the order of their tags."""

    id: str
    holder: str
    asker: str
    made_on: date
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """Blinded covert identifiers of a desk, filled up; ``answered`` once the asker's secret was put to them."""

    id: str
    holder: str
    asker: str
    points: tuple[bytes, ...]
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """What a covert desk is told of a hit: who asks, how urgently, whom to call; no content."""

    id: str
    entry: str
    kind: InterestKind
    asker: str
    question_id: str
    reference: str
    contact: str
    urgency: int
    until: date
    seen_at: datetime


# The holder's overt list ----------------------------------------------------------------------


def make_list(
    interests: Iterable[Interest], secret: bytes, *, holder: str, asker: str, capacity: int, today: date
) -> OvertList:
    """Return the sealed list of overt entries that still count, filled up to its agreed size.

    Parameters
    ----------
    secret
        The holder's, for this asker alone.
    capacity
        Rows, always.

    Raises
    ------
    InputError
        If an entry is covert, a pointer too long, or there are more than the capacity.
    """
    kept = [one for one in interests if one.until >= today]
    if any(one.covert for one in kept):
        raise InputError("A covert entry can be in no list.", "", "Keep it in the compartment.")
    if len(kept) > capacity:
        raise InputError(
            f"{len(kept)} entries do not fit the agreed {capacity}.", asker, "Agree on a larger list."
        )
    id_ = secrets.token_hex(16)
    counts: dict[str, int] = {}
    rows = []
    for one, point in zip(kept, psi.blind(secret, [one.key for one in kept]), strict=True):
        index = counts[one.key] = counts.get(one.key, -1) + 1
        if index >= _SAME:
            raise InputError(f"More than {_SAME} entries are on one identifier.", one.id, "Join some.")
        tag, row_key = _sealed_by(id_, index, point)
        rows.append(tag + AESGCM(row_key).encrypt(_NONCE, _pointer_bytes(one), tag))
    rows += [secrets.token_bytes(_ROW) for _ in range(capacity - len(rows))]
    return OvertList(id_, holder, asker, today, tuple(sorted(rows)))


def _sealed_by(list_id: str, index: int, point: bytes) -> tuple[bytes, bytes]:
    seed = f"lightship.deconflict.row/1|{list_id}|{index}|".encode() + point
    return sha256(b"tag|" + seed).digest()[:TAG], sha256(b"key|" + seed).digest()


def _pointer_bytes(one: Interest) -> bytes:
    text = canonical([one.kind, one.reference, one.contact, one.urgency, one.until.isoformat()])
    if len(text) > POINTER:
        raise InputError(
            f"A pointer of {len(text)} bytes is too long.", one.id, "Shorten reference or contact."
        )
    return text.ljust(POINTER)


# Asking ---------------------------------------------------------------------------------------


def ask(
    keys: Sequence[str],
    secret: bytes,
    *,
    size: int,
    asker: str,
    holder: str,
    at: datetime,
    basis: str,
    reference: str,
    contact: str,
    urgency: int,
    until: date,
) -> tuple[Question, tuple[str, ...]]:
    """Return a question of the agreed size, and the keys by the place of their points; dummies are empty there.

    Raises
    ------
    InputError
        If there are none, too many, or what the law asks for is not said.
    """
    different = sorted(set(keys))
    if not 0 < len(different) <= size:
        raise InputError(
            f"{len(different)} identifiers do not fit a question of {size}.",
            holder,
            "Split them, or add some.",
        )
    for name, words in (("basis", basis), ("reference", reference), ("contact", contact)):
        if not words.strip():
            raise InputError(f"The question has no {name}.", holder, "Say it: it is on the record.")
    filled = [*different, *psi.dummies(size - len(different))]
    secrets.SystemRandom().shuffle(filled)
    points = tuple(psi.blind(secret, filled))
    own = set(different)
    id_ = secrets.token_hex(16)
    asked = Question(id_, asker, holder, at, basis, reference, contact, urgency, until, points)
    return asked, tuple(one if one in own else "" for one in filled)


def answer(question: Question, secret: bytes) -> Answer:
    """Return the answer: the points with the holder's secret for this asker put to them.

    It depends on the question and this secret alone.

    Raises
    ------
    InputError
        If a point is none.
    """
    points = psi.raised(secret, question.points)
    return Answer(question.id, question.asker, question.holder, tuple(points))


def open_answer(
    reply: Answer, places: Sequence[str], secret: bytes, held: OvertList
) -> dict[str, tuple[Pointer, ...]]:
    """Return the pointers by the asker's own keys; what is not there is a miss, or covert: nobody can tell which.

    Parameters
    ----------
    places
        As :func:`ask` returned them.

    Raises
    ------
    InputError
        If the answer does not fit the question.
    """
    if len(reply.points) != len(places):
        raise InputError("The answer has another size than its question.", reply.question_id, "Ask again.")
    found: dict[str, tuple[Pointer, ...]] = {}
    for key, point in zip(places, psi.unblinded(secret, reply.points), strict=True):
        pointers = tuple(_pointers(held, point)) if key else ()
        if pointers:
            found[key] = pointers
    return found


def _pointers(held: OvertList, point: bytes) -> Iterable[Pointer]:
    for index in range(_SAME):
        tag, row_key = _sealed_by(held.id, index, point)
        place = bisect_left(held.rows, tag)
        if place == len(held.rows) or not held.rows[place].startswith(tag):
            return
        sealed = held.rows[place][TAG:]
        try:
            kind, reference, contact, urgency, until = json.loads(
                AESGCM(row_key).decrypt(_NONCE, sealed, tag)
            )
        except InvalidTag as error:
            raise InputError("A row of the list was changed.", held.id, "Ask for the list again.") from error
        yield Pointer(kind, reference, contact, urgency, date.fromisoformat(until))


# The covert desk ------------------------------------------------------------------------------


def make_round(
    interests: Sequence[Interest], secret: bytes, *, holder: str, asker: str, size: int
) -> tuple[Round, tuple[str, ...]]:
    """Return a round of the agreed size, and the ids of the entries by the place of their points.

    A desk with nothing to hide sends the same number of points as one that has.

    Raises
    ------
    InputError
        If there are more than its size.
    """
    if len(interests) > size:
        raise InputError(f"{len(interests)} do not fit a round of {size}.", asker, "Send more rounds.")
    filled = [(one.id, one.key) for one in interests]
    filled += [("", key) for key in psi.dummies(size - len(filled))]
    secrets.SystemRandom().shuffle(filled)
    points = psi.blind(secret, [key for _, key in filled])
    made = Round(secrets.token_hex(16), holder, asker, tuple(points))
    return made, tuple(id_ for id_, _ in filled)


def answer_round(asked: Round, secret: bytes) -> Round:
    """Return a round with the asker's secret put to it.

    Raises
    ------
    InputError
        If a point is none.
    """
    return Round(asked.id, asked.holder, asked.asker, tuple(psi.raised(secret, asked.points)), answered=True)


def known_points(returned: Round, places: Sequence[str]) -> dict[bytes, tuple[str, ...]]:
    """Return by which points the desk will recognise its entries, as digests, each with the entries' ids."""
    known: dict[bytes, tuple[str, ...]] = {}
    for point, entry in zip(returned.points, places, strict=True):
        if entry:
            name = sha256(point).digest()
            known[name] = (*known.get(name, ()), entry)
    return known


def recognised(
    question: Question, secret: bytes, known: Callable[[bytes], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the ids of the covert entries that a question is about.

    Parameters
    ----------
    known
        Gives the entries of a point's digest, as :func:`known_points` has them; none for most.

    Raises
    ------
    InputError
        If a point is none.
    """
    found: list[str] = []
    for point in psi.raised(secret, question.points):
        found += known(sha256(point).digest())
    return tuple(sorted(set(found)))


def notices(
    question: Question, entries: Iterable[Interest], today: date, seen_at: datetime
) -> tuple[Notice, ...]:
    """Return what the desk is told of each entry that still counts."""
    return tuple(
        Notice(
            f"{question.id[:16]}-{one.id}",
            one.id,
            one.kind,
            question.asker,
            question.id,
            question.reference,
            question.contact,
            min(question.urgency, one.urgency),
            question.until,
            seen_at,
        )
        for one in entries
        if one.until >= today
    )
