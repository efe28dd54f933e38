"""Formulaic text: how much of an application was written before. Pure.

Word n-grams, and the share of one text's that another has: wording is compared, not meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def grams(text: str, words: int) -> frozenset[tuple[str, ...]]:
    """Return a text's runs of so many words; a shorter text is one run."""
    found = re.findall(r"\w+", text.casefold())
    if not found:
        return frozenset()
    return frozenset(tuple(found[start : start + words]) for start in range(max(1, len(found) - words + 1)))


def alike(one: str, other: str, words: int) -> float:
    """Return the share of the runs of two texts that both have (Jaccard), 0 to 1.

    Examples
    --------
    >>> alike("It is necessary to prevent crime.", "It is necessary to prevent crime!", 3)
    1.0
    """
    first, second = grams(one, words), grams(other, words)
    return len(first & second) / len(first | second) if first and second else 0.0


def warnings(
    texts: Mapping[str, str], earlier: Iterable[tuple[str, Mapping[str, str]]], words: int, share: float
) -> tuple[str, ...]:
    """Return, for each text that is nearly an earlier one, which, and how nearly.

    Parameters
    ----------
    texts
        By field.
    earlier
        The unit's own, by the id of their authorisation.
    share
        From which two texts are nearly one.
    """
    past, said = list(earlier), []
    for field, text in texts.items():
        best, where = max(
            ((alike(text, old.get(field, ""), words), id_) for id_, old in past), default=(0.0, "")
        )
        if best >= share:
            said.append(f"{field}: {best:.0%} as in {where}; say what is different about this one")
    return tuple(said)
