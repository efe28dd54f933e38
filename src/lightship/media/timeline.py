"""One timeline per source: seconds from near 0, rising, surviving jumps, wraps and reconnects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["picture", "sound"]

_BACK_S = 0.5  # more than any reordering that a decoder leaves over
_AHEAD_S = 10.0  # a longer step forward is a new beginning, unless time really passed
_TICK_S = 1e-4  # the least step between two items of a kind


@dataclass(slots=True)
class _Track:
    offset_s: float
    last_s: float = -math.inf
    end_s: float = 0.0


class Timeline:
    """Turns a medium's own timestamps into stream seconds.

    Pictures and sounds share an offset, so they stay in step; where one of them jumps, the other follows the
    same jump when its own timestamps make it.

    Parameters
    ----------
    longest_step_s
        A step forward longer than this is taken for a fault in the timestamps.
    """

    def __init__(self, longest_step_s: float = _AHEAD_S) -> None:
        self.longest_step_s = longest_step_s
        self._tracks: dict[Kind, _Track] = {}
        self._offset_s: float | None = 0.0
        self._base_s = 0.0
        self.now_s = 0.0
        """Where the stream has got to, seconds."""

    def begin(self, origin_s: float | None, base_s: float) -> None:
        """Begin a connection whose timestamp ``origin_s`` (None: its first one) is ``base_s`` on the timeline."""
        self._base_s = max(base_s, self.now_s)
        self._offset_s = None if origin_s is None else self._base_s - origin_s
        self._tracks = {}

    def place(self, kind: Kind, time_s: float | None, length_s: float) -> float:
        """Return where an item lies.

        Parameters
        ----------
        time_s
            Its timestamp in the medium's own seconds; None, or no finite number, puts it after the one before.
        length_s
            How long it lasts.
        """
        if time_s is not None and not math.isfinite(time_s):
            time_s = None  # FFmpeg gives a frame flushed at the end of a connection a time base of 0/0
        if self._offset_s is None:
            self._offset_s = self._base_s - (time_s or 0.0)
        if kind not in self._tracks:
            self._tracks[kind] = _Track(self._offset_s, end_s=self._base_s)
        track = self._tracks[kind]
        at_s = track.end_s if time_s is None else self._continued(track, time_s)
        at_s = max(at_s, track.last_s + _TICK_S, self._base_s, 0.0)
        track.last_s, track.end_s = at_s, at_s + length_s
        self.now_s = max(self.now_s, at_s)
        return at_s

    def _continued(self, track: _Track, time_s: float) -> float:
        at_s = time_s + track.offset_s
        before_s = track.last_s if track.last_s > -math.inf else self._base_s
        if before_s - _BACK_S <= at_s <= before_s + self.longest_step_s:
            return at_s
        for other in self._tracks.values():
            moved_s = time_s + other.offset_s
            if before_s - _BACK_S <= moved_s <= before_s + self.longest_step_s:
                track.offset_s = other.offset_s
                return moved_s
        track.offset_s = max(track.end_s, self.now_s) - time_s
        return time_s + track.offset_s
