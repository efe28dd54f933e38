"""Tables of a hotline or a partner without a format of its own: one row a referral, by a mapping that they wrote."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lightship.core.casework import Parsed, Source
from lightship.core.errors import InputError
from lightship.exchange.referrals.reading import KINDS, ROLES, Reading, text_of

_LONGEST_HEAD = 1 << 16
"""Characters of a table's first row."""
_ONCE = ("reference", "kind", "happened_at")


@dataclass(frozen=True, slots=True)
class Who:
    """A column that names somebody.

    Parameters
    ----------
    platform
        Where a handle is one.
    """

    column: str
    person: str
    role: str
    kind: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the columns of a table mean.

    Parameters
    ----------
    columns
        Column of ``reference``, ``kind`` and ``happened_at``.
    narrative
        Columns with the sender's words.
    facts
        By column and by what stands there, a fact of the ladder.
    at_format
        Of the times, as ``strptime`` has it; empty for ISO 8601.
    """

    source: Source
    columns: Mapping[str, str]
    narrative: tuple[str, ...]
    identifiers: tuple[Who, ...]
    facts: Mapping[str, Mapping[str, str]]
    delimiter: str
    encoding: str
    zone: ZoneInfo
    at_format: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that are read."""
        named = (one.column for one in self.identifiers)
        return tuple(dict.fromkeys((*self.columns.values(), *self.narrative, *named, *self.facts)))


def parse_mapping(text: str, where: str) -> Mapped:
    """Read a mapping; what is unknown is refused.

    Raises
    ------
    InputError
        Naming what is wrong.
    """
    try:
        table = tomllib.loads(text)
        source, columns = table.pop("source", "hotline"), table.pop("columns", {})
        mapped = Mapped(
            source,
            columns,
            tuple(table.pop("narrative", ())),
            tuple(Who(**one) for one in table.pop("identifiers", ())),
            table.pop("facts", {}),
            table.pop("delimiter", ","),
            table.pop("encoding", "utf-8-sig"),
            ZoneInfo(table.pop("zone", "UTC")),
            table.pop("at_format", ""),
        )
        "".encode(mapped.encoding)
    except (tomllib.TOMLDecodeError, TypeError, ValueError, LookupError, ZoneInfoNotFoundError) as error:
        raise InputError(
            f"The mapping cannot be read: {error}.", where, "See the guide for its keys."
        ) from error
    odd = [*table, *(one for one in columns if one not in _ONCE)]
    odd += [one.kind for one in mapped.identifiers if one.kind not in KINDS]
    odd += [one.role for one in mapped.identifiers if one.role not in ROLES]
    if odd or source not in get_args(Source) or len(mapped.delimiter) != 1 or not mapped.fields:
        raise InputError(
            f"The mapping is refused: {odd[0]!r} is unknown." if odd else "The mapping is refused.",
            where,
            "See the guide for its keys.",
        )
    return mapped


def not_more(count: int, most: int | None, form: str) -> None:
    """Refuse more referrals than may come at once.

    Raises
    ------
    InputError
        If they are more.
    """
    if most is not None and count > most:
        raise InputError(
            f"It holds {count:,} referrals, and at most {most:,} are taken in at once.",
            form,
            f"Send it in parts of at most {most:,}.",
        )


def rows_of(data: bytes, mapped: Mapped, most: int | None = None) -> tuple[bytes, ...]:
    """Return each row with the table's head, as a table of its own; what cannot be read as a table stays whole.

    Raises
    ------
    InputError
        If there are more than ``most``.
    """
    try:
        text = data.decode(mapped.encoding)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mapped.delimiter))
        told = [row for row in rows[1:] if any(cell.strip() for cell in row)]
        not_more(len(told), most, "csv")
        if told and sum(map(len, rows[0])) > _LONGEST_HEAD:  # it would be written once a row
            return (data,)
        found = []
        for row in told:
            out = io.StringIO(newline="")
            csv.writer(out, delimiter=mapped.delimiter).writerows((rows[0], row))
            found.append(out.getvalue().encode(mapped.encoding))
    except (UnicodeError, csv.Error):
        return (data,)
    return tuple(found) or (data,)


def read_table(data: bytes, received_at: datetime, mapped: Mapped) -> Parsed:
    """Read a table of one row."""
    reading = Reading(mapped.source, mapped.fields, received_at)
    row = _row(data, mapped, reading)
    columns = mapped.columns
    reading.reference = reading.short(row.get(columns.get("reference", "")), columns.get("reference", ""))
    reading.kind = reading.short(row.get(columns.get("kind", "")), columns.get("kind", ""))
    if at := columns.get("happened_at"):
        reading.happened_at = _when(text_of(row.get(at)), at, mapped, reading)
    for column in mapped.narrative:
        reading.words(row.get(column), column)
    for one in mapped.identifiers:
        reading.name(
            one.person, one.role, one.kind, row.get(one.column), place=one.column, platform=one.platform
        )
    for column, values in mapped.facts.items():
        said = reading.short(row.get(column), column)
        if said and said in values:
            reading.fact(values[said])
        elif said:
            reading.note(column, "a value that the mapping does not have")
    return reading.parsed()


def _row(data: bytes, mapped: Mapped, reading: Reading) -> Mapping[str, Any]:
    try:
        text = data.decode(mapped.encoding)
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mapped.delimiter))
    except UnicodeError:
        reading.note("the whole", f"not {mapped.encoding}; nothing was read")
        return {}
    except csv.Error:
        reading.note("the whole", "no table; nothing was read")
        return {}
    if len(rows) != 1:
        reading.note("the whole", "it has not exactly one row" if rows else "it has no row")
    row = rows[0] if rows else {}
    for column in mapped.fields:
        if rows and column not in row:
            reading.note(column, "the table has no such column")
    return row


def _when(text: str, place: str, mapped: Mapped, reading: Reading) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.strptime(text, mapped.at_format) if mapped.at_format else datetime.fromisoformat(text)  # noqa: DTZ007
        at = at.replace(tzinfo=mapped.zone) if at.tzinfo is None else at
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        reading.note(place, "no time")
        return None
    reading.has(place)
    return at
