"""What is known about how children are exploited and how evidence is got, as cards whose every claim has a source.

A claim says where it comes from, when that was looked at, and by when it is looked at again; one that nobody has
verified says so. A card of a typology links to the payment indicators and the measures that act on what it describes.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from lightship import packs
from lightship.core.errors import PolicyError

Kind = Literal["typology", "evidence", "routes", "country", "assessment", "training", "glossary"]
_LINKED = {"typologies", "measures", "controls"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is said to be so.

    Parameters
    ----------
    source
        An address that anybody can open; ``"to be verified"`` only where ``tbv``.
    grade
        ``"P"`` primary or official, ``"S"`` secondary, ``"I"`` our inference.
    date, review_by
        When the source was last looked at, and by when it is again.
    tbv
        Nobody has verified it against the primary text: it is shown so.
    """

    id: str
    text: str
    source: str
    grade: Literal["P", "S", "I"]
    date: dt.date
    review_by: dt.date
    tbv: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A page of knowledge.

    Parameters
    ----------
    links
        ``folder/file:id`` of what acts on it, such as ``typologies/livestream-payer:C7``.
    open
        What nobody has found out yet, named so that it is not taken for nothing.
    """

    id: str
    kind: Kind
    title: str
    claims: tuple[Claim, ...]
    links: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    country: str = ""


def shipped(folder: Path | None = None) -> tuple[Card, ...]:
    """Return the cards of a folder; of those that ship, unless one is named.

    Raises
    ------
    PolicyError
        If there are none, or one cannot be read.
    """
    place = folder or packs.root() / "knowledge"
    cards = tuple(read_card(file.stem, _text(file), str(file)) for file in sorted(place.glob("*.toml")))
    if not cards:
        raise PolicyError("There are no cards here.", str(place), "Name a folder of cards.")
    return cards


def read_card(name: str, text: str, where: str) -> Card:
    """Return a card.

    Raises
    ------
    PolicyError
        If it is not TOML, or a key is missing, unknown or of another kind: so a claim without its source is refused.
    """
    try:
        table = tomllib.loads(text)
        claims = tuple(_claim(one) for one in table.pop("claims"))
        lists: dict[str, Any] = {key: tuple(table.pop(key, ())) for key in ("links", "open")}
        card = Card(id=name, claims=claims, **lists, **table)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"The card cannot be read: {error}.", where, "Correct it.") from error
    if card.kind not in get_args(Kind) or not claims or len({one.id for one in claims}) != len(claims):
        raise PolicyError("A card has a known kind, and claims each with its own id.", where, "Correct it.")
    return card


def check(cards: Iterable[Card], today: dt.date, folder: Path | None = None) -> tuple[str, ...]:
    """Return what is wrong with cards, each with its place; nothing where all is well.

    Parameters
    ----------
    today
        Claims whose review is overdue by then are reported.
    folder
        Where the linked packs lie; those that ship unless named.
    """
    root = folder or packs.root()
    found = []
    for card in cards:
        for claim in card.claims:
            found += [f"{card.id}:{claim.id}: {what}" for what in _wrong(claim, today)]
        if card.kind == "typology" and not card.links:
            found.append(f"{card.id}: a typology links to what acts on it")
        found += [
            f"{card.id}: links to {one}, which is not there" for one in card.links if not _there(root, one)
        ]
    return tuple(found)


def search(cards: Iterable[Card], words: str) -> tuple[tuple[Card, Claim], ...]:
    """Return the claims in whose card's title or own text every word stands, whatever its case."""
    wanted = words.casefold().split()
    return tuple(
        (card, claim)
        for card in cards
        for claim in card.claims
        if wanted and all(word in f"{card.title} {claim.text}".casefold() for word in wanted)
    )


def told(card: Card) -> str:
    """Return a card as plain text; what is not verified, and what is open, is said."""
    lines = [card.title, "=" * len(card.title), ""]
    for claim in card.claims:
        doubt = " [to be verified]" if claim.tbv else ""
        lines += [
            f"- {claim.text}{doubt}",
            f"  {claim.source}; grade {claim.grade}; {claim.date}; again by {claim.review_by}",
        ]
    lines += [f"- Not known yet: {one}." for one in card.open]
    lines += [f"- Acts on this: {one}" for one in card.links]
    return "\n".join(lines) + "\n"


def _wrong(claim: Claim, today: dt.date) -> list[str]:
    found = []
    if not claim.text.strip():
        found.append("says nothing")
    if not claim.source.startswith("https://") and not claim.tbv:
        found.append("has no source that can be opened")
    if claim.date > today:
        found.append("was looked at on a day to come")
    if claim.review_by <= claim.date:
        found.append("is to be looked at again before it was looked at")
    if claim.review_by < today:
        found.append(f"was to be looked at again by {claim.review_by}")
    return found


def _claim(row: Mapping[str, Any]) -> Claim:
    claim = Claim(**row)
    hints = get_type_hints(Claim)
    for name in ("id", "text", "source", "date", "review_by", "tbv"):
        if type(getattr(claim, name)) is not hints[name]:
            raise TypeError(f"{name} of claim {claim.id!r}")
    if claim.grade not in get_args(hints["grade"]) or not claim.id or not claim.source:
        raise TypeError(f"grade, id or source of claim {claim.id!r}")
    return claim


def _there(root: Path, link: str) -> bool:
    path, _, wanted = link.partition(":")
    file = root / f"{path}.toml"
    if path.partition("/")[0] not in _LINKED or not file.is_file():
        return False
    table = tomllib.loads(_text(file))
    return any(
        isinstance(row, dict) and row.get("id") == wanted
        for rows in table.values()
        if isinstance(rows, list)
        for row in rows
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"It cannot be read: {error}.", str(file), "Correct or restore it.") from error
