"""The watcher: pictures arrive, are looked at on the side, and leave through the gate."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from lightship.core.errors import DetectorError
from lightship.core.judge import Standing, blind, resume
from lightship.core.ports import Ledger, Picture
from lightship.core.values import Decision, Rung
from lightship.detect.loop import Loop, Sensors
from lightship.guard.diary import Diary
from lightship.guard.gate import Gate, Shown
from lightship.guard.trace import Trace
from lightship.media.sampler import Cadence, Sampler

Act = Literal["resume"]


@dataclass
class Counts:
    """What went through, in pictures."""

    pictures_in: int = 0
    pictures_out: int = 0
    pictures_covered: int = 0
    pictures_looked_at: int = 0
    pictures_superseded: int = 0


class Watcher:
    """Joins the loop, the gate and the diary for one stream.

    Parameters
    ----------
    sensors
        The policy's detectors, bound.
    ledger
        Where the local log goes; None keeps none.
    title, lines
        The words on the still card.
    beside
        True looks at pictures on a thread of its own, the latest only, so that nothing waits for detection (live).
        False looks at each due picture before it goes on (files: the same input always gives the same output).
    trace
        Records levels over time, if given.
    """

    def __init__(
        self,
        sensors: Sensors,
        ledger: Ledger | None,
        title: str,
        lines: tuple[str, ...],
        *,
        beside: bool,
        trace: Trace | None = None,
    ) -> None:
        self.policy = sensors.bound.policy
        self.counts = Counts()
        self.diary = Diary(ledger)
        self.gate = Gate(self.policy.hold_back_s, title, lines)
        self._loop = Loop(sensors)
        self._cadence = Cadence(self.policy.slow_fps, self.policy.fast_fps)
        self._sampler = Sampler()
        self._beside = beside
        self._trace = trace
        self._now_s = 0.0
        self._looked_s: float | None = None
        self._unseen_s: float | None = None  # since when pictures have waited to be looked at
        self._blind = False
        self._failure: DetectorError | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_beside, name="lightship-look", daemon=True)
        if beside:
            self._thread.start()

    @property
    def standing(self) -> Standing:
        """Where the stream stands now."""
        return self._loop.standing

    @property
    def ended(self) -> bool:
        """Whether the policy has ended the stream."""
        return self.standing.rung == "end"

    @property
    def covered(self) -> bool:
        """Whether what leaves now is covered."""
        return self.gate.rung_at(self._now_s) is not None

    def arrive(self, picture: Picture) -> None:
        """Take in a picture; a due one is looked at."""
        self.counts.pictures_in += 1
        self._now_s = picture.at_s
        if self._looked_s is None and self._beside:
            self._first_look_pending(picture)
        if self._failure is None and self._cadence.due(picture.at_s):
            if self._beside:
                if not self._waits():
                    self._unseen_s = picture.at_s
                self._sampler.offer(picture)
            else:
                self._look(picture)
        self._check_sight()

    def leave(self, picture: Shown) -> tuple[Shown, Rung | None]:
        """Return what leaves in place of a picture, and the response that covers it."""
        shown, rung = self.gate.picture(picture)
        self.counts.pictures_out += 1
        self.counts.pictures_covered += rung is not None
        return shown, rung

    def ask(self, act: Act) -> bool:
        """Take in a person's act; returns whether the policy allows it now."""
        bound = self._loop.bound
        decision = self._loop.take(lambda standing: resume(bound, standing, self._now_s))
        self._apply(decision)
        self.diary.asked(self._now_s, act, allowed=decision is not None)
        return decision is not None

    def stop(self) -> None:
        """Stop looking; waits for a look that is under way."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)
        self.counts.pictures_superseded = self._sampler.superseded

    def _first_look_pending(self, picture: Picture) -> None:
        """Cover from the first picture on until it has been looked at, where the policy covers what is unseen."""
        if self.policy.when_blind == "cover" and not self.gate.shut:
            self.gate.shut_until_first_look(picture.at_s)

    def _look_beside(self) -> None:
        while not self._done.is_set() and self._failure is None:
            picture = self._sampler.take(timeout_s=0.1)
            if picture is not None:
                self._look(picture)

    def _look(self, picture: Picture) -> None:
        try:
            decision = self._loop.look(picture)
        except DetectorError as error:
            self._failure = error
            return
        self.counts.pictures_looked_at += 1
        self._looked_s = picture.at_s
        self._apply(decision)
        self.gate.open()
        standing = self.standing
        self._cadence.hasten(self._loop.odd_camera or standing.rising(picture.at_s))
        if self._trace is not None:
            self._trace.looked(picture.at_s, standing.levels_db)

    def _apply(self, decision: Decision | None) -> None:
        """Act first, write after: the act is idempotent, and disk may be slow."""
        if decision is None:
            return
        self.gate.apply(decision)
        if self._trace is not None:
            self._trace.decisions.append(decision)
        self.diary.decided(decision)

    def _waits(self) -> bool:
        """Return whether a picture that was to be looked at has not been yet, nor a later one."""
        return self._unseen_s is not None and (self._looked_s is None or self._looked_s < self._unseen_s)

    def _check_sight(self) -> None:
        # Counted from a picture that waits, not from the last look: in a gap there was nothing to look at.
        lag_s = self._now_s - self._unseen_s if self._unseen_s is not None and self._waits() else 0.0
        sightless = self._failure is not None or lag_s > self.policy.blind_after_s
        if sightless and not self._blind:
            reason = str(self._failure) if self._failure is not None else f"detection is {lag_s:.1f} s behind"
            self.diary.blind(self._now_s, reason, self.policy.when_blind)
        elif self._blind and not sightless:
            self.diary.sees_again(self._now_s)
        self._blind = sightless
        if sightless:
            bound = self._loop.bound
            self._apply(self._loop.take(lambda standing: blind(bound, standing, self._now_s)))
