"""Progress on a terminal, and nothing where there is none."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lightship.core.values import Rung
from lightship.guard.guard import Guard, Progress

_WORDS: dict[Rung | None, str] = {
    None: "clear",
    "blur": "blurred",
    "pause": "paused",
    "end": "ended",
    "observe": "clear",
}


@contextmanager
def live_progress(title: str) -> Iterator[tuple[Progress | None, Callable[[Guard], None]]]:
    """Yield a progress callback and a callback for the start; on a terminal they draw one line.

    On a terminal the person may also type ``r`` and Enter to ask to go on after a cover.
    """
    if not sys.stderr.isatty():
        yield None, _absences
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    with console.status(escape(title)) as status:
        last_s = 0.0

        def progress(at_s: float, rung: Rung | None) -> None:
            nonlocal last_s
            now_s = time.monotonic()
            if now_s - last_s > 0.1:
                last_s = now_s
                colour = "green" if rung is None else "red"
                status.update(f"{escape(title)}  {at_s:8.1f} s  [{colour}]{_WORDS[rung]}[/]")

        def started(guard: Guard) -> None:
            _absences(guard)
            if sys.stdin.isatty() and guard.policy.release == "person":
                console.print("Type r and Enter to go on after a cover.")
                threading.Thread(target=_listen, args=(guard,), daemon=True).start()

        yield progress, started


def _absences(guard: Guard) -> None:
    for absence in guard.sensors.absent:
        sys.stderr.write(f"Not watching with {absence.detector}: {absence.reason}\n")


def _listen(guard: Guard) -> None:
    for line in sys.stdin:
        if line.strip().lower() == "r":
            guard.resume()
