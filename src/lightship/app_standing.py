"""The record of what tenants asked of the matcher, and where each stands after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightship.console.settings import utc_now
from lightship.console.standing import STANDING, Standing
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile

_PAGE = 4096


@contextmanager
def record(path: Path) -> Iterator[tuple[LedgerFile, Standing]]:
    """Open the service's record, and read from its end where each tenant stands.

    Raises
    ------
    LedgerError
        If it cannot be opened, or does not continue what was signed before.
    """
    with LedgerFile(path, load_or_create_key(path.with_suffix(".key"), "lightship-matcher")) as ledger:
        standing = Standing(_since_standing(ledger), utc_now().date())
        ledger.append(standing.entry())
        yield ledger, standing
        ledger.append(standing.entry())


def _since_standing(ledger: LedgerFile) -> list[dict[str, Any]]:
    """Return the entries from the last one that sums all up."""
    found: list[dict[str, Any]] = []
    end = ledger.size
    while end:
        start = max(0, end - _PAGE)
        page = list(ledger.entries(start, end))
        for place in range(len(page) - 1, -1, -1):
            if page[place].get("kind") == STANDING:
                return [*page[place:], *found]
        found, end = [*page, *found], start
    return found
