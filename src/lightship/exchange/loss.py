"""What a conversion could not carry: said each time, for the sender, and never in what is sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a format has no place for.

    Parameters
    ----------
    thing, what
        Whose, and which field.
    why
        In words, and where it went instead if anywhere.
    """

    thing: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.thing} {self.what}: {self.why}"
