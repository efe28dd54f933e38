"""SQLite files whose commits are on disk when they return."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep

BUSY_S = 30
"""Another process's commit takes milliseconds; half a minute means that it hangs."""

_AGAIN_S = 0.01


def make_durable(db: sqlite3.Connection) -> None:
    """Switch a connection to the write-ahead log and to commits that survive a loss of power.

    Where several open a new file at once, SQLite refuses the switch without waiting: it is tried again for
    :data:`BUSY_S`.

    Raises
    ------
    sqlite3.Error
        If the file cannot be used.
    """
    until_s = monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until_s:
                raise
            sleep(_AGAIN_S)
    for pragma in ("synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1"):
        db.execute(f"PRAGMA {pragma}")
