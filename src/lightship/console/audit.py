"""The record of what was asked: on disk before a match is told, and within a tenth of a second where none was.

To wait for the disk before every answer would double the time of a query. What an answer without a match tells is
little, so its record follows, many in one write; an answer that tells of a match, and every alarm, waits for its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from lightship.console.problems import Problem
from lightship.core.errors import LedgerError
from lightship.core.ports import Ledger

_EVERY_S = 0.1
_WAITING = 20_000
_AT_ONCE = 1_000


class Audit:
    """Writes the record; a service whose record cannot be written does not answer.

    Parameters
    ----------
    ledger
        Where to.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[dict[str, Any]] = deque()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(8, "audit")  # several wait in one commit of the ledger
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def later(self, entry: dict[str, Any]) -> None:
        """Record soon.

        Raises
        ------
        Problem
            If the record cannot be written, or is too far behind.
        """
        self._check()
        if len(self._waiting) >= _WAITING:
            raise Problem("busy", "The record is behind. Come again.", retry_after_s=1.0)
        self._waiting.append(_dated(entry))

    async def now(self, entry: dict[str, Any]) -> None:
        """Record, and return once it is on disk.

        Raises
        ------
        Problem
            If it cannot be written.
        """
        self._check()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, self._ledger.append, _dated(entry))
        except LedgerError as error:
            self.trouble = str(error)
            self._check()

    def _check(self) -> None:
        if self.trouble:
            raise Problem("not-ready", "The record cannot be written, so nothing is answered.")

    def close(self) -> None:
        """Write what waits, and end."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._write()
        self._write()

    def _write(self) -> None:
        while self._waiting and not self.trouble:
            entries = [self._waiting[place] for place in range(min(_AT_ONCE, len(self._waiting)))]
            try:
                self._ledger.append_all(entries)
            except LedgerError as error:
                self.trouble = str(error)
                return
            for _ in entries:
                self._waiting.popleft()


def _dated(entry: dict[str, Any]) -> dict[str, Any]:
    return {"at": datetime.now(UTC).isoformat(), **entry}
