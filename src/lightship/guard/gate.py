"""The gate: decides, for each frame about to leave, what may leave in its place."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lightship.core.ladder import COVERING, RUNGS
from lightship.core.ports import Picture
from lightship.core.values import Decision, Rung
from lightship.media.cover import blur, card
from lightship.media.frames import ArrayPicture, VideoPicture

Shown = ArrayPicture | VideoPicture
"""What a sink can show."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the stream under one covering response, stream seconds."""

    from_s: float
    to_s: float
    rung: Rung


class Gate:
    """Remembers what is in force when, and covers what leaves in that time.

    A frame is covered by the gravest span it lies in. A decision to cover reaches back over all frames that are still
    held, as the picture may have turned sensitive at any time since the last look.

    Parameters
    ----------
    hold_back_s
        How long frames are held before they leave.
    title, lines
        The words on the still card.
    """

    def __init__(self, hold_back_s: float, title: str, lines: Sequence[str]) -> None:
        self._hold_back_s = hold_back_s
        self._title = title
        self._lines = tuple(lines)
        self._spans: list[Span] = []
        self._lock = threading.Lock()
        self._cards: dict[tuple[int, int], ArrayPicture] = {}
        self._shut_from_s = math.inf

    @property
    def shut(self) -> bool:
        """Whether nothing leaves uncovered because nothing has been looked at yet."""
        return self._shut_from_s < math.inf

    def shut_until_first_look(self, from_s: float) -> None:
        """Blur everything from a time on until :meth:`open`."""
        self._shut_from_s = from_s

    def open(self) -> None:
        """Let pictures leave as they are where no response is in force."""
        self._shut_from_s = math.inf

    def apply(self, decision: Decision) -> None:
        """Put a decision into force."""
        with self._lock:
            before = self._spans.pop() if self._spans and math.isinf(self._spans[-1].to_s) else None
            if before is not None:
                self._spans.append(Span(before.from_s, decision.at_s, before.rung))
            if decision.rung in COVERING and decision.rung is not None:
                reach_s = self._hold_back_s if before is None else 0.0
                self._spans.append(Span(decision.at_s - reach_s, math.inf, decision.rung))

    def rung_at(self, at_s: float) -> Rung | None:
        """Return the gravest covering response at a time, None where the picture may leave as it is."""
        with self._lock:
            self._spans = [span for span in self._spans if span.to_s >= at_s - 60.0]
            rungs = [span.rung for span in self._spans if span.from_s <= at_s < span.to_s]
        if at_s >= self._shut_from_s:
            rungs.append("blur")
        return max(rungs, key=RUNGS.index, default=None)

    def picture(self, picture: Shown) -> tuple[Shown, Rung | None]:
        """Return what leaves in place of a picture, and the response that covers it."""
        rung = self.rung_at(picture.at_s)
        if rung is None:
            return picture, None
        if rung == "blur":
            return blur(picture), rung
        return self._card(picture), rung

    def _card(self, picture: Picture) -> ArrayPicture:
        size = (picture.width, picture.height)
        if size not in self._cards:
            self._cards = {size: card(*size, self._title, self._lines)}
        return self._cards[size].at(picture.at_s)
