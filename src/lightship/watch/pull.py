"""Opening a stream's source: its address checked and pinned, its keyframes only, tried again for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightship.core.cases import Stream
from lightship.media.keyframes import Keyframes
from lightship.media.sources import Reconnect, Source, open_source
from lightship.watch.address import Network, pin, resolve

KEYFRAMES = Keyframes(every_s=1.0, bound_s=5.0)
"""A look a second; where no keyframe comes for five, every picture is decoded and said to be late."""

RECONNECT = Reconnect(total_s=20.0)
"""Shorter than a guard's: the worker itself comes back to a stream for as long as the platform says that it is on."""


def pull(
    stream: Stream,
    allowed: Sequence[Network] = (),
    reconnect: Reconnect = RECONNECT,
    resolve: Callable[[str, int], tuple[str, ...]] = resolve,
) -> Source:
    """Open a stream's source.

    Raises
    ------
    InputError
        If its address may not be pulled from, or it cannot be opened.
    """
    pinned = pin(stream.address, allowed, resolve)
    return open_source(pinned.url, reconnect=reconnect, keyframes=KEYFRAMES, options=pinned.options)
