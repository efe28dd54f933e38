"""Bring a store's tables to the version that this release needs, or back."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from lightship.core.errors import StoreError
from lightship.infra.engine import engine_of, store_error
from lightship.infra.store import SqlStore

_LOCK = 0x6C73_6D67  # PostgreSQL's advisory lock of migrations; any number that nobody else uses


def upgrade(url: str, to: str = "head") -> str:
    """Bring the tables up to a version; returns the version. Several processes may do it at once.

    Raises
    ------
    StoreError
        If the database cannot be used, or is of a newer release.
    """
    return _move(url, to, up=True)


def downgrade(url: str, to: str = "base") -> str:
    """Take the tables back to an earlier version; what only the later one kept is gone. ``"base"`` removes all.

    Raises
    ------
    StoreError
        If the database cannot be used, or is of a newer release.
    """
    return _move(url, to, up=False)


def check_version(store: SqlStore) -> None:
    """Find out whether a store's tables are of the version that this release needs.

    Raises
    ------
    StoreError
        If they are not, or the store cannot be read.
    """
    with store.look() as work:
        now = MigrationContext.configure(work.connection).get_current_revision()
    if now != _needed():
        raise StoreError(
            f"The store's tables are of version {now or 'base'}; this release needs {_needed()}.",
            store.where,
            "Start the service again: it brings them up.",
        )


@cache
def _needed() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _move(url: str, to: str, *, up: bool) -> str:
    config = _config()
    engine = engine_of(url)
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            config.attributes["connection"] = connection
            (command.upgrade if up else command.downgrade)(config, to)
            now = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise store_error(error, where) from error
    except CommandError as error:
        known = ", ".join(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())
        raise StoreError(
            f"The store cannot be brought to version {to!r}: {error}.", where, f"This release knows {known}."
        ) from error
    finally:
        engine.dispose()
    return now or "base"
