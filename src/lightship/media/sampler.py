"""Which pictures are looked at, and how they get to the detectors without anyone waiting."""

from __future__ import annotations

import threading

from lightship.core.errors import PolicyError
from lightship.core.ports import Picture


class Sampler:
    """A slot for one picture between the decoding and the detecting thread; only the latest matters.

    Examples
    --------
    >>> import numpy as np
    >>> from lightship.media.frames import ArrayPicture
    >>> sampler = Sampler()
    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> sampler.offer(ArrayPicture(0.0, black)), sampler.offer(ArrayPicture(0.2, black))
    (True, False)
    >>> sampler.take(timeout_s=0.0).at_s, sampler.superseded
    (0.2, 1)
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._picture: Picture | None = None
        self._closed = False
        self._superseded = 0

    @property
    def superseded(self) -> int:
        """Pictures that were replaced before anyone looked at them."""
        return self._superseded

    def offer(self, picture: Picture) -> bool:
        """Leave a picture for the detectors; never waits.

        Returns
        -------
        bool
            False if an unread picture had to give way, or nobody will come for it any more.
        """
        with self._changed:
            if self._closed:
                return False
            free = self._picture is None
            self._superseded += not free
            self._picture = picture
            self._changed.notify()
            return free

    def take(self, timeout_s: float) -> Picture | None:
        """Take the latest picture, waiting at most so long for one; None if none came or the sampler is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._picture is not None or self._closed, timeout_s)
            picture, self._picture = self._picture, None
            return picture

    def close(self) -> None:
        """Take no more pictures and wake whoever waits for one; a picture already offered can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Cadence:
    """Decides by stream time which pictures are due to be looked at.

    Pictures fall due on a fixed grid of stream time, so the same stream is always sampled alike.

    Parameters
    ----------
    slow_fps, fast_fps
        Looks a second while nothing is rising, and while weight of evidence is.

    Examples
    --------
    >>> cadence = Cadence(slow_fps=2, fast_fps=4)
    >>> [at_s for at_s in (0.0, 0.25, 0.5, 0.75, 1.0) if cadence.due(at_s)]
    [0.0, 0.5, 1.0]
    """

    def __init__(self, slow_fps: float = 3.0, fast_fps: float = 6.0) -> None:
        if not 0.0 < slow_fps <= fast_fps:
            raise PolicyError(
                f"Looks a second must be above 0, and fast ({fast_fps:g}) not below slow ({slow_fps:g})."
            )
        self._slow_s = 1.0 / slow_fps
        self._fast_s = 1.0 / fast_fps
        self._period_s = self._slow_s
        self._last_s: float | None = None
        self._next_s = 0.0

    def hasten(self, faster: bool) -> None:
        """Look faster from now on, or slower; faster takes effect at once."""
        self._period_s = self._fast_s if faster else self._slow_s
        if self._last_s is not None:
            self._next_s = min(self._next_s, self._last_s + self._period_s)

    def due(self, at_s: float) -> bool:
        """Return whether the picture at this stream time is to be looked at; asked once per picture, in order."""
        slack_s = 1e-6  # timestamps are rounded to their time base
        if self._last_s is not None and self._last_s <= at_s < self._next_s - slack_s:
            return False
        late_s = at_s - self._next_s
        # On the grid while pictures keep up with it; from here on after a jump either way.
        on_grid = self._last_s is not None and 0.0 <= late_s < self._period_s
        self._next_s = (self._next_s if on_grid else at_s) + self._period_s
        self._last_s = at_s
        return True
