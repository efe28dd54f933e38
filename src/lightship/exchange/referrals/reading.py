"""What a reader of referrals writes into while it reads: nothing here fails on anything that a sender can write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from lightship.core.casework import IdentifierKind, Marking, Named, Parsed, PersonRole, Source
from lightship.core.markings import SCALES, strictest

KINDS: frozenset[str] = frozenset(get_args(IdentifierKind))
ROLES: frozenset[str] = frozenset(get_args(PersonRole))
LONGEST = 512
"""Characters of an identifier, a reference or a kind: what is longer is none."""
MOST_NAMED, MOST_NOTES, MOST_WORDS = 5_000, 50, 200_000
NOW, DAY = timedelta(hours=1), timedelta(days=1)
"""How old a stream may be, at most, to be running or of the last day when its referral is received."""
SLACK = timedelta(minutes=10)
"""By how much a sender's clock may be ahead."""

_NEVER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Reading:
    """A referral as far as it is read.

    Parameters
    ----------
    fields
        Names of the fields that the format can hold: completeness is the share of them that is there.
    received_at
        When it came: what is said to be live is so for a time.
    """

    def __init__(self, source: Source, fields: Iterable[str], received_at: datetime) -> None:
        self.source, self.fields, self.received_at = source, frozenset(fields), received_at
        self.reference, self.kind = "", ""
        self.happened_at: datetime | None = None
        self.marking: Marking | None = None
        self._held: set[str] = set()
        self._facts: dict[str, None] = {}
        self._named: dict[Named, None] = {}
        self._notes: dict[str, None] = {}
        self._words: dict[str, None] = {}

    def parsed(self) -> Parsed:
        """Return what was read."""
        return Parsed(
            self.source,
            self.reference,
            self.kind or "unsaid",
            tuple(self._facts),
            tuple(self._named),
            "\n\n".join(self._words)[:MOST_WORDS],
            self.happened_at,
            self.marking,
            len(self._held),
            max(1, len(self.fields)),
            tuple(self._notes)[:MOST_NOTES],
        )

    def note(self, place: str, what: str) -> None:
        """Say what could not be read; the value itself is never repeated."""
        if len(self._notes) < MOST_NOTES:
            self._notes[f"{plain(place)[:120]}: {what}"] = None

    def has(self, *fields: str) -> None:
        """Say that fields are there."""
        self._held.update(self.fields.intersection(fields))

    def fact(self, fact: str) -> None:
        """Say a fact, ``name=value``."""
        self._facts[plain(fact)[:LONGEST]] = None

    def words(self, value: Any, field: str = "") -> None:
        """Add to the sender's words."""
        if text := text_of(value):
            self._words[text[:MOST_WORDS]] = None
            self.has(field)

    def short(self, value: Any, place: str) -> str:
        """Return a value as a short text, empty where it is none."""
        text = text_of(value)
        if len(text) > LONGEST:
            self.note(place, f"longer than {LONGEST} characters")
            return ""
        if text:
            self.has(place)
        return text

    def when(self, value: Any, place: str) -> datetime | None:
        """Return a time with its zone, None where it is none."""
        text = text_of(value)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                self.note(place, "a time without its zone")
                return None
            at = at.astimezone(UTC)
        except (ValueError, OverflowError):
            self.note(place, "no time")
            return None
        self.has(place)
        return at

    def name(
        self,
        person: str,
        role: str,
        kind: str,
        value: Any,
        *,
        place: str,
        platform: str = "",
        first_at: datetime | None = None,
        last_at: datetime | None = None,
    ) -> None:
        """Name somebody."""
        text = text_of(value)
        if not text:
            return
        if kind not in KINDS or role not in ROLES:
            self.note(place, "a kind of identifier or a role that is not on the list")
        elif len(text) > LONGEST:
            self.note(place, f"longer than {LONGEST} characters")
        elif len(self._named) >= MOST_NAMED:
            self.note("identifiers", f"more than {MOST_NAMED:,}; the rest is in the original only")
        else:
            self.has(place)
            who = plain(person)[:LONGEST]
            where = plain(platform)[:LONGEST]
            self._named[Named(who, role, kind, text, where, first_at, last_at)] = None  # type: ignore[arg-type]

    def live(self, at: datetime | None, place: str) -> None:
        """Say that a stream with a child was live at a time: now, or within the last day, as seen from its receipt."""
        if at is None:
            return
        ago = self.received_at - at
        if ago < -SLACK:
            self.note(place, "it is said to have happened after it was received")
        elif ago <= DAY:
            self.fact("live=now" if ago <= NOW else "live=day")


def plain(text: str) -> str:
    """Return text with what no store can keep marked as such."""
    return _NEVER.sub("\ufffd", text)


def text_of(value: Any) -> str:
    """Return a text, number or truth as text; anything else is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "" if isinstance(value, int) and value.bit_length() > 256 else str(value)
    return plain(value).strip() if isinstance(value, str) else ""


def table_of(value: Any) -> Mapping[str, Any]:
    """Return a table, empty where there is none."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> Sequence[Any]:
    """Return a list; a single value is a list of one, nothing is none."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def tables_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the tables of a list."""
    return (one for one in list_of(value) if isinstance(one, dict))


def json_of(data: bytes, reading: Reading) -> Mapping[str, Any]:
    """Return a JSON object, empty with a note where the bytes are none."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        reading.note(f"byte {error.start}", "not UTF-8; nothing was read")
    except RecursionError:
        reading.note("the whole", "nested too deeply; nothing was read")
    except json.JSONDecodeError as error:
        reading.note(f"line {error.lineno}, column {error.colno}", "not JSON; nothing was read")
    except ValueError:
        reading.note("the whole", "a number too long to read; nothing was read")
    else:
        if isinstance(value, dict):
            return value
        reading.note("the whole", "JSON, but no object; nothing was read")
    return {}


NOT_UNDERSTOOD = "tlp:not-understood"
"""A tag for a marking that cannot be read."""


def marking_of(reading: Reading, tags: Iterable[Any], originator: str, whole: Iterable[Marking] = ()) -> None:
    """Take the strictest of ``tlp:...`` and ``pap:...`` tags, and of markings told whole, as the marking.

    Parameters
    ----------
    originator
        Of what names none itself.
    """
    found = list(whole)
    for tag in tags:
        name, _, value = (part.strip() for part in text_of(tag).lower().partition(":"))
        value = "clear" if value == "white" else value
        if name not in {"tlp", "pap"}:
            continue
        if value not in SCALES[name]:
            found.append(Marking(tlp="red", pap="red"))
            reading.note("marking", "it is not understood: held as red")
        else:
            found.append(Marking(**{name: value}))  # type: ignore[arg-type]
    if found:
        marking = strictest(found)
        reading.marking = replace(marking, originator=marking.originator or plain(originator)[:LONGEST])
        reading.has("marking")
