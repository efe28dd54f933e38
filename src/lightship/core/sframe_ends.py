"""The two ends of SFrame: who encrypts frames, each under a counter of its own, and who decrypts them, each once.

A protected frame is ``clear bytes || header || ciphertext || tag``. The clear bytes are the codec's own first bytes,
which packetisers read; they are authenticated. A counter never encrypts twice under one key: :class:`Sender` refuses
to go back, to be copied and to live on in a forked process; :mod:`lightship.infra.frame_counters` keeps counters
over restarts.

References
----------
RFC 9605, sections 4.2 (frames), 5.1 (sender keys, ratchet) and 9.3 (replay).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, NoReturn

from lightship.core.errors import FrameError
from lightship.core.sframe import MOST, SUITES, FrameKey, Header, expand, extract, parse_header

REPLAY_WINDOW = 1024
"""How far a frame may come behind the newest of its sender; at 60 a second, 17 seconds."""

Codec = Literal["vp8", "opus", "none"]


def clear_bytes(codec: Codec, frame: bytes) -> int:
    """Return how many of a frame's first bytes stay in clear: what packetisers of the codec read.

    VP8: 10 of a key frame, 3 of others (RFC 7741, 4.3; the lowest bit of the first byte says which). Opus: the first.

    Raises
    ------
    FrameError
        If the frame is shorter: whoever receives it could not tell where the clear bytes end.
    """
    count = {"none": 0, "opus": 1, "vp8": 10 if frame and not frame[0] & 1 else 3}[codec]
    if len(frame) < count:
        raise FrameError(f"A {codec} frame of {len(frame)} bytes.", "SFrame", "")
    return count


@dataclass(frozen=True, slots=True)
class Chain:
    """A sender's keys, one after the other (RFC 9605, 5.1): who joins with the newest cannot read what was before.

    Parameters
    ----------
    suite, base_key
        Of the key now.
    generation
        Grows with each key from outside (somebody left, say).
    step
        How often this generation's key was ratcheted.
    step_bits
        How many low bits of the key identifier count the steps.
    """

    suite: int
    base_key: bytes = field(repr=False)
    generation: int = 0
    step: int = 0
    step_bits: int = 4

    @property
    def kid(self) -> int:
        """The key identifier: generation, and step modulo ``2^step_bits``."""
        return self.generation << self.step_bits | self.step % (1 << self.step_bits)

    def key(self) -> FrameKey:
        """Return the key now."""
        return FrameKey(self.suite, self.kid, self.base_key)

    def next(self) -> Chain:
        """Return the chain one step on; the way back is not to be had."""
        suite = SUITES[self.suite]
        after = expand(suite, extract(suite, self.base_key), b"SFrame 1.0 Ratchet", suite.hash_bytes)
        return replace(self, base_key=after, step=self.step + 1)

    def at(self, kid: int) -> Chain | None:
        """Return the chain at the next step that has this identifier, None if it is of another generation."""
        if kid >> self.step_bits != self.generation:
            return None
        chain = self
        for _ in range((kid - self.kid) % (1 << self.step_bits)):
            chain = chain.next()
        return chain


class Sender:
    """Encrypts one sender's frames, each under a counter of its own.

    Parameters
    ----------
    key
        The key.
    counters
        Rising numbers that this key has never used: ``itertools.count()`` for a key made now and kept nowhere,
        :func:`lightship.infra.frame_counters.reserved` for one that outlives the process.
    codec
        What its frames are.
    """

    def __init__(self, key: FrameKey, counters: Iterable[int], codec: Codec = "none") -> None:
        self.key = key
        self.codec: Codec = codec
        self._counters = iter(counters)
        self._last = -1
        self._process = os.getpid()

    def encrypt(self, frame: bytes) -> bytes:
        """Return the frame protected: its clear bytes, and all else encrypted.

        Raises
        ------
        FrameError
            If no counter is left, one would come again, the process was forked, or the frame is too short.
        """
        clear = clear_bytes(self.codec, frame)
        counter = next(self._counters, -1)
        if not self._last < counter < MOST or self._process != os.getpid():
            raise FrameError(
                f"After counter {self._last}, key {self.key.kid} cannot encrypt under {counter}: a counter used twice "
                "gives the frames away.",
                "SFrame",
                "Make a new key, or ratchet it.",
            )
        self._last = counter
        return frame[:clear] + self.key.seal(counter, frame[clear:], frame[:clear])

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("A sender is not copied: two would use the same counters.")


class Receiver:
    """Decrypts the frames of any number of senders, each once.

    Parameters
    ----------
    codec
        What the frames are.
    """

    def __init__(self, codec: Codec = "none") -> None:
        self.codec: Codec = codec
        self._keys: dict[int, FrameKey] = {}
        self._chains: dict[int, Chain] = {}
        self._seen: dict[
            int, tuple[int, int]
        ] = {}  # by key: the newest counter, and a bit for each before it

    def add(self, key: FrameKey) -> None:
        """Take a sender's key. The same key again changes nothing; another key of the same name starts anew."""
        if self._keys.get(key.kid) != key:
            self._keys[key.kid] = key
            self._seen.pop(key.kid, None)

    def follow(self, chain: Chain) -> None:
        """Take a sender's chain; steps ahead are followed as frames come that need them."""
        self._chains[chain.generation] = chain
        self.add(chain.key())

    def drop(self, kid: int) -> None:
        """Forget a key, and the chain it is of."""
        self._keys.pop(kid, None)
        self._seen.pop(kid, None)
        self._chains = {name: chain for name, chain in self._chains.items() if chain.kid != kid}

    def decrypt(self, frame: bytes) -> bytes:
        """Return the frame as it was before :meth:`Sender.encrypt`.

        Raises
        ------
        FrameError
            If its header is none, its key is unknown, its tag does not fit, or it came before.
        """
        clear = clear_bytes(self.codec, frame)
        header, start = parse_header(frame[clear:])
        chain = None
        key = self._keys.get(header.kid)
        if key is None:
            chain = self._ahead(header.kid)
            key = chain.key()
        self._check_new(header)
        plain = key.open(header, frame[clear:], start, frame[:clear])
        # Only now: whoever has no key must not move a window, nor make us ratchet for good.
        if chain is not None:
            self.follow(chain)
        self._mark(header)
        return frame[:clear] + plain

    def _ahead(self, kid: int) -> Chain:
        for chain in self._chains.values():
            found = chain.at(kid)
            if found is not None:
                return found
        raise FrameError("A frame under a key that is not known here.", f"key {kid}", "Exchange keys first.")

    def _check_new(self, header: Header) -> None:
        newest, before = self._seen.get(header.kid, (-1, 0))
        back = newest - header.counter
        if back >= REPLAY_WINDOW or (back >= 0 and before >> back & 1):
            raise FrameError("A frame that came before.", f"key {header.kid}, frame {header.counter}", "")

    def _mark(self, header: Header) -> None:
        newest, before = self._seen.get(header.kid, (-1, 0))
        ahead = header.counter - newest
        if ahead > 0:
            before = before << ahead if ahead < REPLAY_WINDOW else 0
            newest = header.counter
        before |= 1 << (newest - header.counter)
        self._seen[header.kid] = newest, before & ((1 << REPLAY_WINDOW) - 1)
