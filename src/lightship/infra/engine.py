"""Connections to SQLite and PostgreSQL: the settings that a store rests on, and what their errors mean."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lightship.core.errors import StoreError
from lightship.infra.durable import BUSY_S, make_durable


def engine_of(url: str, *, read_only: bool = False) -> Engine:
    """Return the engine of a database; on SQLite with the settings that a store's safety rests on.

    Raises
    ------
    StoreError
        If the address cannot be read, or is of another database.
    """
    try:
        address = sa.make_url(url)
    except ArgumentError as error:
        raise StoreError("The store's address cannot be read.", "", _ADDRESS) from error
    level: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if read_only else {}
    if address.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return sa.create_engine(
            address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=_SOON, **level
        )
    if address.drivername != "sqlite" or address.database in {None, "", ":memory:"}:
        raise StoreError(f"A store cannot be kept on {address.drivername!r}.", "", _ADDRESS)
    engine = sa.create_engine(address, connect_args={"timeout": BUSY_S}, pool_size=16, **level)
    sa.event.listen(engine, "connect", _prepare_read if read_only else _prepare)
    if not read_only:
        sa.event.listen(engine, "begin", _begin)
    return engine


_ADDRESS = "Give sqlite:///PATH or postgresql://USER@HOST/NAME."


# A server that went silent is an error within seconds, not within the operating system's many minutes.
_SOON = {
    "connect_timeout": 5,
    "tcp_user_timeout": 8_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: _begin does
    make_durable(connection)


def _prepare_read(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=1")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def store_error(error: SQLAlchemyError, where: str) -> StoreError:
    """Return what an error of the database means and what to do."""
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    for sign, what, todo in _FAILURES:
        if sign in cause:
            return StoreError(f"{what} ({cause}).", where, todo)
    return StoreError(f"The store cannot be used ({cause}).", where, "Check the database, and its address.")


_FAILURES = (
    ("disk is full", "The disk is full", "Free some space; what was acknowledged is safe."),
    ("locked", f"Another process has kept the store locked for {BUSY_S} s", "End it, and try again."),
    (
        "no such table",
        "The store's tables are not there",
        "Run its migrations: lightship.infra.migrate.upgrade.",
    ),
    (
        "does not exist",
        "The store's tables are not there",
        "Run its migrations: lightship.infra.migrate.upgrade.",
    ),
    ("readonly", "The store cannot be written to", "Check its permissions and those of its directory."),
    ("unable to open", "The store cannot be opened", "Check its path and permissions."),
    ("malformed", "The store's file is damaged", "Keep it as it is, and go back to a copy."),
    ("not a database", "This file is not a store", "Give another path."),
    ("refused", "The database does not answer", "Start it, or check its address."),
)
