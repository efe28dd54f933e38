"""What may leave a body, field by field, and what did: the values that the release gate takes and gives.

Every format of :mod:`lightship.exchange` that carries casework outward takes a :class:`Released` and nothing else, and
only :func:`lightship.casework.release.release` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lightship.core.casework import Marking

ThingKind = Literal["inquiry", "referral", "identifier", "link", "report"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a thing, with every marking that it came under.

    Parameters
    ----------
    markings
        JSON of each :class:`~lightship.core.casework.Marking`; a field without one never leaves.
    needed
        Without it nothing else of the thing leaves either.
    refers
        The value is the id of another thing; it leaves only if that one does.
    """

    thing: str
    kind: ThingKind
    name: str
    value: str
    markings: tuple[str, ...]
    needed: bool = False
    refers: bool = False


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody who may be sent something.

    Parameters
    ----------
    grade
        The highest that they may have; ``handling="C"`` where they may be sent what has conditions.
    agreed
        The conditions that they agreed to, word for word.
    language
        Such as ``"fil"``: that of the labels in what they are sent.
    age
        Their public key, ``age1...``; empty where they get no packs.
    """

    name: str
    title: str
    grade: Marking
    agreed: tuple[str, ...] = ()
    language: str = "en"
    age: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as its recipient sees it: the fields that leave, under the strictest of their markings."""

    id: str
    kind: ThingKind
    values: Mapping[str, str] = field(hash=False)
    marking: Marking


@dataclass(frozen=True, slots=True)
class Released:
    """What one recipient is sent; there is nothing in it about what was withheld."""

    recipient: Partner
    things: tuple[Thing, ...]

    def of(self, kind: ThingKind) -> tuple[Thing, ...]:
        """Return the things of a kind."""
        return tuple(thing for thing in self.things if thing.kind == kind)


@dataclass(frozen=True, slots=True)
class Withheld:
    """A field that stays, and why: for the sender alone, since it says what there is."""

    thing: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.thing} {self.name}: {self.why}"
