"""SRT through an installed ``ffmpeg`` program: PyAV's wheels are built without the protocol."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable

from lightship.core.errors import InputError


def ffmpeg_program() -> str:
    """Return the path of the installed ``ffmpeg``.

    Raises
    ------
    InputError
        If there is none.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise InputError(
            "SRT needs the ffmpeg program, and none is installed.",
            "srt",
            "Install it (Debian: apt install ffmpeg; macOS: brew install ffmpeg), or use RTMP.",
        )
    return program


class Bridge:
    """A running ``ffmpeg`` that carries MPEG-TS between a network address and a pipe.

    Parameters
    ----------
    arguments
        After ``ffmpeg -v error``.
    receiving
        Whether media comes out of the program (a source) or goes into it (a sink).
    patience_s
        Longest wait for the next bytes, or for the program to take some.
    stopped
        Asked while waiting; True ends the waiting.
    """

    def __init__(
        self,
        arguments: list[str],
        *,
        receiving: bool,
        patience_s: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = "ffmpeg"
        self.patience_s = patience_s
        self.stalled = False
        """Whether the wait for bytes was given up."""
        self._stopped = stopped
        self._said = ""
        self._process = subprocess.Popen(  # noqa: S603 - the program is ffmpeg, the arguments a list
            [ffmpeg_program(), "-nostdin", "-v", "error", *arguments],
            stdin=subprocess.DEVNULL if receiving else subprocess.PIPE,
            stdout=subprocess.PIPE if receiving else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        pipe = self._process.stdout if receiving else self._process.stdin
        assert pipe is not None
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        self._ear = threading.Thread(target=self._listen, name="lightship-ffmpeg", daemon=True)
        self._ear.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said = line.decode("utf-8", "replace").strip() or self._said

    def read(self, size: int) -> bytes:
        """Return some bytes; none at the end, or if nothing came for ``patience_s``."""
        return os.read(self._pipe.fileno(), size) if self._moves(reading=True) else b""

    def write(self, data: bytes) -> int:
        """Pass all bytes on.

        Raises
        ------
        OSError
            If none were taken for ``patience_s``, or the program has ended.
        """
        left = memoryview(data)
        while left:
            if not self._moves(reading=False):
                raise TimeoutError(errno.ETIMEDOUT, f"nothing was taken for {self.patience_s:g} s")
            left = left[os.write(self._pipe.fileno(), left) :]
        return len(data)

    def _moves(self, *, reading: bool) -> bool:
        until_s = time.monotonic() + self.patience_s
        pipes = [self._pipe.fileno()]
        while not any(select.select(pipes if reading else [], [] if reading else pipes, [], 0.1)):
            if self._stopped() or time.monotonic() >= until_s:
                self.stalled = True
                return False
        return True

    def finish(self, wait_s: float = 5.0) -> tuple[bool, str]:
        """Close the pipe, wait for the program, and return whether it ended well, and its last words."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        try:
            code = self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                code = self._process.wait(2.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                code = self._process.wait()
        self._ear.join(timeout=1.0)
        if self._process.stderr is not None and not self._ear.is_alive():
            self._process.stderr.close()
        return code == 0 and not self.stalled, self._said
