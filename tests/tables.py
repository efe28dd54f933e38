"""Databases with the store's tables: migrated once, then copied, since the migrations take longer than most tests."""

import tempfile
from functools import cache
from pathlib import Path

from lightship.infra.migrate import upgrade


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def tables(path: Path) -> str:
    """Return the address of an SQLite database that has its tables: the one that is there, or a new one."""
    if not path.exists():
        path.write_bytes(_migrated())
    return f"sqlite:///{path}"
