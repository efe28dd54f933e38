"""The tables of a platform's store, made from the frozen dataclasses that it keeps."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, RowMapping
from sqlalchemy.types import TypeEngine

from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Round, Stream, Surge
from lightship.core.casework import (
    Bundle,
    Comparison,
    Dissemination,
    Identifier,
    Inquiry,
    IntelligenceReport,
    Link,
    Merger,
    Original,
    Referral,
    Task,
    Use,
)
from lightship.core.duties import Clock, Detection, Duty, Filing, Hold, Paper, Seat
from lightship.core.errors import StoreError
from lightship.core.people import Account, Look, Session, Shift
from lightship.core.ports import Identified

T = TypeVar("T", bound=Identified)

KINDS: tuple[type[Identified], ...] = (
    *(Stream, Report, Case, Judgement, Effect, Exhibit, Round, Surge),
    *(Account, Session, Shift, Look),
    *(Detection, Duty, Filing, Hold, Clock, Seat, Paper),
    *(
        Original,
        Referral,
        Identifier,
        Link,
        Comparison,
        Merger,
        Inquiry,
        Task,
        Bundle,
        IntelligenceReport,
        Dissemination,
        Use,
    ),
)
"""What every store keeps: a platform's, and an investigating body's, whose tables a platform leaves empty."""

INDEXES: Mapping[type[Identified], Sequence[tuple[str, ...]]] = {
    Stream: [("ended_at",)],
    Report: [("case_id",), ("seen_at", "received_at"), ("stream_id",)],
    Case: [
        ("state", "live", "danger_now", "place", "opened_at"),
        ("stream_id",),
        ("claimed_by",),
        ("near_of",),
        ("opened_at",),
    ],
    Judgement: [("case_id",)],
    Effect: [("state", "due_at"), ("case_id",), ("stream_id",), ("undoes",)],
    Exhibit: [("destroyed_at", "expires_at"), ("case_id",)],
    Surge: [("ended_at",), ("began_at",)],
    Session: [("account", "ended_at")],
    Shift: [("account", "ended_at"), ("began_at",)],
    Look: [("shift_id", "case_id"), ("case_id",)],
    Detection: [("case_id",), ("aware_at",)],
    Duty: [("state", "due_at"), ("state", "aware_at"), ("case_id",)],
    Filing: [("state", "next_at"), ("duty_id",)],
    Hold: [("exhibit_id", "lifted_at"), ("case_id",)],
    Clock: [("ended_at", "due_at"), ("about",)],
    Seat: [("post", "begins_at")],
    Paper: [("kind", "subject", "version")],
    Referral: [
        ("inquiry_id", "marking"),
        ("received_at",),
        ("bundle",),
        ("sender", "reference"),
        ("reference",),
    ],
    Identifier: [("kind", "value"), ("referral_id",), ("person",)],
    Link: [("state", "weight_db"), ("one",), ("other",)],
    Comparison: [("done_at", "asked_at")],
    Merger: [("link_id",), ("kept",), ("gone",)],
    Inquiry: [("urgency", "-urgency_db", "due_at", "state"), ("owner", "due_at"), ("due_at",)],
    Task: [("state", "due_at"), ("inquiry_id", "state")],
    Bundle: [("key",)],
    IntelligenceReport: [("inquiry_id",), ("review_at",)],
    Dissemination: [("inquiry_id",)],
    Use: [("about", "at"), ("by", "at")],
}
"""What is asked all day: what is open, due, seen by nobody or expired, who was shown what, what is owed.

A field with ``-`` before it is ordered downwards.
"""


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time: ``timestamptz`` where there is one, else UTC text that sorts as the times do."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the database's own type."""
        return sa.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.Text()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return a time as the database keeps it.

        Raises
        ------
        StoreError
            If it has no offset.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise StoreError("A time without an offset cannot be kept.", str(value), "Give aware UTC.")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a time as aware UTC."""
        if value is None:
            return None
        moment = value if dialect.name == "postgresql" else datetime.fromisoformat(value)
        return moment.astimezone(UTC)


class Plain(sa.types.TypeDecorator[str]):
    """Text that every database keeps and orders alike, by its code points.

    PostgreSQL refuses NUL, and no database takes half a character.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the database's own type."""
        return sa.Text(collation="C" if dialect.name == "postgresql" else None)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return text as it came.

        Raises
        ------
        StoreError
            If it cannot be kept.
        """
        if value is not None and ("\0" in value or (not value.isascii() and _HALF.search(value))):
            raise StoreError(
                "This text cannot be kept: it holds a NUL or half a character.",
                "",
                "Remove it where the text comes in.",
            )
        return value


_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Schema:
    """The tables of a store, by the kinds that they keep.

    Parameters
    ----------
    metadata
        All tables.
    of
        The table of each kind.
    journal
        Entries that wait for the ledger, in order.
    sealed
        One row: which ledger the journal goes to, and up to which size that ledger holds nothing of the journal.
    leases
        Who works on what.
    """

    metadata: sa.MetaData
    of: Mapping[type[Identified], sa.Table]
    journal: sa.Table
    sealed: sa.Table
    leases: sa.Table


def tables_of(
    kinds: Iterable[type[Identified]] = (),
    indexes: Mapping[type[Identified], Sequence[tuple[str, ...]]] | None = None,
) -> Schema:
    """Return the tables of every platform's store, and of further kinds: frozen dataclasses with an ``id: str``.

    Parameters
    ----------
    kinds
        Beside :data:`KINDS`.
    indexes
        Fields to index together, of those kinds.

    Raises
    ------
    StoreError
        If a field is of a type that no column fits.
    """
    metadata = sa.MetaData()
    named = {**INDEXES, **(indexes or {})}
    of = {kind: _table(kind, metadata, named.get(kind, ())) for kind in dict.fromkeys((*KINDS, *kinds))}
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    journal = sa.Table(
        "journal",
        metadata,
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("entry", sa.Text, nullable=False),
    )
    sealed = sa.Table(
        "sealed",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    leases = sa.Table(
        "leases",
        metadata,
        sa.Column("name", Plain, primary_key=True),
        sa.Column("holder", Plain, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    return Schema(metadata, of, journal, sealed, leases)


def row_of(value: Identified) -> dict[str, Any]:
    """Return a value's fields by name."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}  # type: ignore[arg-type]


def value_of(kind: type[T], row: RowMapping) -> T:
    """Return the value in a row; lists that JSON gave back are tuples again."""
    return kind(**{name: tuple(one) if isinstance(one, list) else one for name, one in row.items()})


def _table(kind: type[Identified], metadata: sa.MetaData, indexes: Sequence[tuple[str, ...]]) -> sa.Table:
    stem = "".join(f"_{one.lower()}" if one.isupper() else one for one in kind.__name__).strip("_")
    name = f"{stem[:-1]}ies" if stem.endswith("y") else f"{stem}s"
    hints = get_type_hints(kind)
    columns = [
        _column(kind, field.name, hints[field.name])
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
    ]
    table = sa.Table(name, metadata, *columns)
    for fields in indexes:
        named = "_".join(one.removeprefix("-") for one in fields)
        sa.Index(f"ix_{name}_{named}", *(_ordered(table, one) for one in fields))
    return table


def _ordered(table: sa.Table, field: str) -> sa.ColumnElement[Any]:
    column = table.c[field.removeprefix("-")]
    return column.desc() if field.startswith("-") else column


def _column(kind: type[Identified], name: str, hint: Any) -> sa.Column[Any]:
    parts = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    wanted = [part for part in parts if part is not type(None)]
    if len(wanted) == 1 and (found := _type(wanted[0])) is not None:
        return sa.Column(name, found, primary_key=name == "id", nullable=len(wanted) < len(parts))
    raise StoreError(
        f"No column fits the field {name}: {hint}.",
        kind.__qualname__,
        "Use text, bytes, numbers, bool, aware times, or a tuple of text or numbers; None may stand beside one.",
    )


def _type(hint: Any) -> sa.types.TypeEngine[Any] | None:
    if get_origin(hint) is Literal:
        return Plain()
    if get_origin(hint) is tuple:
        return sa.JSON()
    columns: dict[object, sa.types.TypeEngine[Any]] = {
        str: Plain(),
        bool: sa.Boolean(),
        int: sa.BigInteger(),
        float: sa.Double(),
        bytes: sa.LargeBinary(),
        datetime: Moment(),
    }
    return columns.get(hint)


SCHEMA = tables_of()
"""The tables of a store that keeps no further kinds."""
