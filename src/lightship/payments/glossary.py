"""What an alert is consistent with, in plain words, and which codes a reporter may consider. Data, from ``packs``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from lightship.core.canonical import digest
from lightship.core.errors import PolicyError


@dataclass(frozen=True, slots=True)
class Code:
    """One code of an authority's glossary, with what it means there."""

    code: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """What alerts of one typology are consistent with.

    Parameters
    ----------
    words
        Completes "a pattern consistent with".
    subject
        What a reader must not take the subject or the others for.
    codes
        To consider always, and with each rail.
    """

    typology: str
    words: str
    subject: str
    codes: tuple[Code, ...]
    by_rail: tuple[tuple[str, tuple[Code, ...]], ...]


@dataclass(frozen=True, slots=True)
class Glossary:
    """A jurisdiction's words and codes, as of a day."""

    name: str
    version: str
    source: str
    patterns: tuple[Pattern, ...]
    digest: str

    def pattern(self, typology: str) -> Pattern:
        """Return the words for a typology; for one that is not here, its name and no code."""
        for one in self.patterns:
            if one.typology == typology:
                return one
        return Pattern(typology, f"the typology «{typology}»", "Anybody in it may be a victim.", (), ())

    def codes(self, typology: str, rails: Collection[str]) -> tuple[Code, ...]:
        """Return the codes to consider, in order."""
        one = self.pattern(typology)
        return one.codes + tuple(code for rail, codes in one.by_rail if rail in rails for code in codes)


def parse_glossary(text: str, where: str) -> Glossary:
    """Return the glossary that a file describes.

    Raises
    ------
    PolicyError
        If a field is missing or of another type, or a code is used that has no meaning.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        codes = {one["code"]: Code(one["code"], one["meaning"]) for one in table["codes"]}
        patterns = tuple(
            Pattern(
                one["id"],
                one["pattern"],
                one["subject"],
                tuple(codes[code] for code in one["codes"]),
                tuple((rail, tuple(codes[code] for code in more)) for rail, more in one["rails"].items()),
            )
            for one in table["typologies"]
        )
        return Glossary(table["name"], table["version"], table["source"], patterns, digest(table))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"The glossary is refused: {error}.", where, "Correct it.") from error
