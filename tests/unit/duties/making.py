"""Detections, duties and a store to test with."""

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from lightship.core.duties import Detection
from lightship.duties.law import load
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore

T0 = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
"""A Saturday night."""

UK = ("provider=uk", "arrangements=none", "csea=yes", "reported-to=nobody")
ABROAD = ("provider=abroad", "arrangements=none", "csea=yes", "reported-to=nobody")


@cache
def gb():
    return load("gb")


def detection(number=0, **fields):
    given = {
        "id": f"d{number:07}",
        "case_id": f"c{number}",
        "stream_id": f"s{number}",
        "label": "csea-livestream",
        "found_by": "machine",
        "basis": "terms",
        "aware_at": T0 + timedelta(minutes=number),
        **fields,
    }
    return Detection(**given)


@cache
def _empty():
    """Return the bytes of a database with its tables: they are the same each time, and take long to make."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platform.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def store_in(folder):
    """Open the store of a folder: SQLite in it, unless a fixture put the address of another database there."""
    if (other := folder / "database").exists():
        return SqlStore(other.read_text())
    path = folder / "platform.db"
    if not path.exists():
        path.write_bytes(_empty())
    return SqlStore(f"sqlite:///{path}")
