"""Protected video calls in Python: wrap an aiortc track. Needs the extra ``lightship[calls]``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from lightship.guard.guard import Guard
from lightship.guard.watcher import Watcher
from lightship.media.cover import silence
from lightship.media.frames import Sound, VideoPicture


class GuardedVideo(MediaStreamTrack):
    """A video track whose pictures are judged and covered before they reach the encoder.

    Parameters
    ----------
    track
        The camera's track, or one received and decrypted.
    guard
        What judges it.
    """

    kind = "video"

    def __init__(self, track: Any, guard: Guard) -> None:
        super().__init__()
        self._track = track
        self._guard = guard
        self.watcher: Watcher = guard.watcher(beside=True)
        self.watcher.diary.started(guard.sensors, "call")
        self._began_s = time.monotonic()
        self._at_s = 0.0

    async def recv(self) -> Any:
        """Return the next frame, covered where a response is in force.

        Raises
        ------
        MediaStreamError
            When the track or the policy has ended the stream.
        """
        if self.watcher.ended:
            self.stop()
            raise MediaStreamError
        frame = await self._track.recv()
        self._at_s = time.monotonic() - self._began_s
        picture = VideoPicture(self._at_s, frame)
        self.watcher.arrive(picture)
        shown, rung = self.watcher.leave(picture)
        if rung is None:
            return frame
        covered = shown.to_frame()
        covered.pts, covered.time_base = frame.pts, frame.time_base
        return covered

    def stop(self) -> None:
        """Stop the track and close the log."""
        if self.readyState == "live":
            self.watcher.stop()
            reason = "the policy ended the stream" if self.watcher.ended else "the call is over"
            self.watcher.diary.finished(self._at_s, reason, asdict(self.watcher.counts))
        super().stop()


class GuardedAudio(MediaStreamTrack):
    """An audio track that is silent while its video is covered.

    Parameters
    ----------
    track
        The microphone's track.
    video
        The guarded video of the same call.
    """

    kind = "audio"

    def __init__(self, track: Any, video: GuardedVideo) -> None:
        super().__init__()
        self._track = track
        self._video = video

    async def recv(self) -> Any:
        """Return the next audio frame, silent where the picture is covered.

        Raises
        ------
        MediaStreamError
            When the track has ended.
        """
        frame = await self._track.recv()
        if not self._video.watcher.covered:
            return frame
        silent = silence(Sound(0.0, frame)).frame
        silent.pts, silent.time_base = frame.pts, frame.time_base
        return silent
