"""Detections, duties and a store to test with."""

from datetime import UTC, datetime, timedelta
from functools import cache

from tests.tables import tables

from lightship.core.duties import Detection
from lightship.duties.law import load
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


def store_in(folder):
    """Open the store of a folder: SQLite in it, unless a fixture put the address of another database there."""
    if (other := folder / "database").exists():
        return SqlStore(other.read_text())
    return SqlStore(tables(folder / "platform.db"))
