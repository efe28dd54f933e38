"""Chores: what a process does all the time, each on a thread of its own. None of them ends unseen.

A chore that fails with an error of ours is tried again, ever more slowly, and is a :class:`Trouble` until it works;
then the gap is told. One that ends otherwise is a defect: :meth:`Chores.check` raises it, so that the process ends.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from lightship.core.errors import LightshipError

FIRST_S = 0.25
MOST_S = 4.0
"""The longest wait between two tries: what a person repaired works again within seconds."""

_END_S = 10.0


class GoOn(Protocol):
    """Asked by a chore before each pass; says that the last one worked."""

    def __call__(self, wait_s: float = 0.0) -> bool:
        """Return whether to go on, after a wait that ends early when it is not."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A chore that does not work now.

    Parameters
    ----------
    chore
        Its name.
    since
        When it failed first.
    reason
        What it said last.
    tries
        How often it has failed since then.
    """

    chore: str
    since: datetime
    reason: str
    tries: int = 1


class Chores:
    """The chores of a process.

    Parameters
    ----------
    over
        Told of each trouble that is over, and when; may fail itself, and is then asked again.
    """

    def __init__(
        self,
        over: Callable[[Trouble, datetime], None] = lambda _trouble, _at: None,
        *,
        first_s: float = FIRST_S,
        most_s: float = MOST_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._over, self._clock = over, clock
        self._first_s, self._most_s = first_s, most_s
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._troubles: dict[str, Trouble] = {}
        self._ended: dict[str, BaseException | None] = {}
        self._threads: list[threading.Thread] = []

    def begin(self, name: str, body: Callable[[GoOn], None]) -> None:
        """Begin a chore; its body asks before each pass whether to go on, and returns when not.

        Parameters
        ----------
        name
            In a sentence, such as ``"the ledger"``: it stands before what is wrong.
        """
        thread = threading.Thread(target=self._run, args=(name, body), name=f"lightship-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def every(self, name: str, every_s: float, step: Callable[[], object]) -> None:
        """Begin a chore of equal steps; one that returns true is followed by the next at once."""

        def body(go_on: GoOn) -> None:
            wait_s = 0.0
            while go_on(wait_s):
                wait_s = 0.0 if step() else every_s

        self.begin(name, body)

    def troubles(self) -> tuple[Trouble, ...]:
        """Return what does not work now, oldest first; a chore that ended by a defect is among it."""
        with self._lock:
            found = sorted(self._troubles.values(), key=lambda one: one.since)
        return tuple(found)

    def check(self) -> None:
        """Raise if a chore has ended that should not have.

        Raises
        ------
        LightshipError
            Naming it.
        """
        for name, error in list(self._ended.items()):
            how = f"with {type(error).__name__}" if error is not None else "unasked"
            raise LightshipError(
                f"A part of the service ended {how}: {name}.",
                str(error or ""),
                "Start it again, and report this as a defect.",
            ) from error

    def end(self) -> None:
        """Tell all to end, and wait for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=_END_S)

    def _run(self, name: str, body: Callable[[GoOn], None]) -> None:
        wait_s = self._first_s
        while not self._stop.is_set():
            going = _Going(self._stop, lambda: self._works(name))
            try:
                body(going)
            except LightshipError as error:
                if going.worked:
                    wait_s = self._first_s
                self._fails(name, str(error))
            except BaseException as error:  # noqa: BLE001 - it ends the process, with a sentence
                self._ends(name, error)
                return
            else:
                if not self._stop.is_set():
                    self._ends(name, None)
                return
            self._stop.wait(wait_s)
            wait_s = min(2.0 * wait_s, self._most_s)

    def _fails(self, name: str, reason: str) -> None:
        with self._lock:
            known = self._troubles.get(name)
            new = Trouble(name, self._clock(), reason)
            self._troubles[name] = replace(known, reason=reason, tries=known.tries + 1) if known else new

    def _works(self, name: str) -> None:
        known = self._troubles.get(name)
        if known is None:
            return
        with contextlib.suppress(
            LightshipError
        ):  # it cannot be told yet: it is asked again with the next pass
            self._over(known, self._clock())
            with self._lock:
                self._troubles.pop(name, None)

    def _ends(self, name: str, error: BaseException | None) -> None:
        self._ended[name] = error
        self._fails(name, f"It ended with {type(error).__name__}." if error else "It ended unasked.")


class _Going:
    """Says whether to go on; to be asked again says that the last pass worked."""

    def __init__(self, stop: threading.Event, works: Callable[[], None]) -> None:
        self.worked = False
        self._stop, self._works, self._asked = stop, works, False

    def __call__(self, wait_s: float = 0.0) -> bool:
        if self._asked:
            self.worked = True
            self._works()
        self._asked = True
        if wait_s > 0.0:
            self._stop.wait(wait_s)
        return not self._stop.is_set()
