"""The last seconds of a stream, in memory only: encoded, encrypted with a key that lives and dies with the process.

What is older is dropped. Only :meth:`Ring.pin` hands anything out, and only a decision or a report calls it.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.errors import InputError
from lightship.core.ports import Picture

_QUALITY = 85  # JPEG: what a person is shown as a still

KEEP_S = 30.0
MOST_BYTES = 8_000_000
"""A stream's memory: 30 s of a picture a second of 1920x1080 at about 250 kB."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the ring.

    Parameters
    ----------
    at_s
        Stream seconds.
    jpeg
        Encoded.
    """

    at_s: float
    jpeg: bytes


class ProcessKey:
    """Encrypts what rings hold, with a key that is never written anywhere."""

    def __init__(self) -> None:
        self._cipher = AESGCM(AESGCM.generate_key(256))

    def seal(self, data: bytes) -> bytes:
        """Return the data encrypted."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, data, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the data."""
        return self._cipher.decrypt(sealed[:12], sealed[12:], None)


class Ring:
    """Keeps a stream's looked-at pictures for some seconds. Any thread may call it.

    Parameters
    ----------
    key
        The process's.
    keep_s
        How long a picture is kept, stream seconds.
    most_bytes
        Memory it may take; above it the oldest go early, and :attr:`early` counts them.

    Raises
    ------
    InputError
        If it shall keep nothing.
    """

    def __init__(self, key: ProcessKey, keep_s: float = KEEP_S, most_bytes: int = MOST_BYTES) -> None:
        if not (keep_s > 0.0 and most_bytes > 0):
            raise InputError(f"A ring of {keep_s:g} s and {most_bytes} bytes keeps nothing.")
        self._key = key
        self._keep_s, self._most_bytes = keep_s, most_bytes
        self._held: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.early = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def held_bytes(self) -> int:
        """Memory of what is held, bytes."""
        return self._bytes

    def put(self, picture: Picture) -> None:
        """Take a picture in, and drop those that are too old."""
        sealed = self._key.seal(encoded(picture))
        with self._lock:
            self._held.append((picture.at_s, sealed))
            self._bytes += len(sealed)
            while self._held and picture.at_s - self._held[0][0] > self._keep_s:
                self._drop()
            while len(self._held) > 1 and self._bytes > self._most_bytes:
                self._drop()
                self.early += 1

    def pin(self, from_s: float, to_s: float) -> tuple[Still, ...]:
        """Return the pictures of a span, to be kept elsewhere; the ring forgets its own as ever."""
        with self._lock:
            held = list(self._held)
        return tuple(Still(at_s, self._key.open(sealed)) for at_s, sealed in held if from_s <= at_s <= to_s)

    def clear(self) -> None:
        """Drop everything: the stream is over or another worker has it."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _drop(self) -> None:
        _, sealed = self._held.popleft()
        self._bytes -= len(sealed)


def encoded(picture: Picture) -> bytes:
    """Return a picture as JPEG."""
    import cv2

    bgr = cv2.cvtColor(picture.rgb(), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
