"""SFrame: encrypts each media frame from end to end, beneath whatever carries it.

A protected frame is ``clear bytes || header || ciphertext || tag``. The clear bytes are the codec's own first bytes,
which packetisers read; they are authenticated. A counter never encrypts twice under one key: :class:`Sender` refuses
to go back, to be copied and to live on in a forked process; :mod:`lightship.infra.frame_counters` keeps counters
over restarts.

References
----------
RFC 9605 (SFrame); suites 6 to 8 are those of the IANA registry (draft-barnes-sframe-iana-256); RFC 5869 (HKDF).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.errors import FrameError

NONCE_BYTES = 12
MOST = 1 << 64  # key identifiers and counters are below this
REPLAY_WINDOW = 1024
"""How far a frame may come behind the newest of its sender; at 60 a second, 17 seconds."""

Codec = Literal["vp8", "opus", "none"]


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite.

    Parameters
    ----------
    number
        In the IANA registry.
    hash
        Of key derivation, and of the tag where there is no AEAD.
    cipher_bytes
        Length of the AES key.
    key_bytes
        Length of all key material: more than the AES key where a separate key makes the tag.
    tag_bytes
        Length of the tag.
    """

    number: int
    hash: Literal["sha256", "sha512"]
    cipher_bytes: int
    key_bytes: int
    tag_bytes: int

    @property
    def hash_bytes(self) -> int:
        """Length of the hash."""
        return 32 if self.hash == "sha256" else 64

    @property
    def aead(self) -> bool:
        """Whether the suite is AES-GCM."""
        return self.key_bytes == self.cipher_bytes


SUITES = {
    suite.number: suite
    for suite in (
        Suite(1, "sha256", 16, 48, 10),
        Suite(2, "sha256", 16, 48, 8),
        Suite(3, "sha256", 16, 48, 4),
        Suite(4, "sha256", 16, 16, 16),
        Suite(5, "sha512", 32, 32, 16),
        Suite(6, "sha512", 32, 96, 10),
        Suite(7, "sha512", 32, 96, 8),
        Suite(8, "sha512", 32, 96, 4),
    )
}
"""AES-CTR with HMAC (1 to 3 with 128 bits, 6 to 8 with 256), AES-GCM (4 with 128 bits, 5 with 256)."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a frame says in clear: whose key, and which of its frames."""

    kid: int
    counter: int


def build_header(kid: int, counter: int) -> bytes:
    """Return a header: each value inline below 8, otherwise its length and its bytes (RFC 9605, 4.3).

    Raises
    ------
    FrameError
        If a value is not in 0 to 2⁶⁴ - 1.

    Examples
    --------
    >>> build_header(291, 17767).hex()
    '9901234567'
    """
    if not (0 <= kid < MOST and 0 <= counter < MOST):
        raise FrameError(f"Key {kid} or counter {counter} has no header.", "SFrame", "Make a new key.")
    high, key_bytes = _written(kid)
    low, counter_bytes = _written(counter)
    return bytes((high << 4 | low,)) + key_bytes + counter_bytes


def _written(value: int) -> tuple[int, bytes]:
    if value < 8:
        return value, b""
    length = (value.bit_length() + 7) // 8
    return 8 | length - 1, value.to_bytes(length, "big")


def parse_header(data: bytes) -> tuple[Header, int]:
    """Return the header at the start of some bytes, and its length.

    Raises
    ------
    FrameError
        If the bytes end too soon, or a value is written longer than it need be.
    """
    if not data:
        raise FrameError("A frame without a header.", "SFrame", "")
    kid, end = _read(data, data[0] >> 4, 1)
    counter, end = _read(data, data[0] & 15, end)
    return Header(kid, counter), end


def _read(data: bytes, four: int, start: int) -> tuple[int, int]:
    if four < 8:
        return four, start
    end = start + four - 7
    if len(data) < end:
        raise FrameError("A frame that ends inside its header.", "SFrame", "")
    value = int.from_bytes(data[start:end], "big")
    if value < 8 or value.bit_length() <= 8 * (end - start - 1):
        raise FrameError("A header whose number is written longer than it need be.", "SFrame", "")
    return value, end


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


@dataclass(frozen=True)
class FrameKey:
    """A sender's key, derived and ready.

    Parameters
    ----------
    suite
        Its number.
    kid
        Names the key in each frame.
    base_key
        The secret that the ends share; comes from key management.
    """

    suite: int
    kid: int
    base_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.suite not in SUITES:
            raise FrameError(
                f"There is no cipher suite {self.suite}.", "SFrame", f"There are {', '.join(map(str, SUITES))}."
            )
        build_header(self.kid, 0)

    @cached_property
    def secrets(self) -> tuple[bytes, bytes]:
        """The key and the salt (RFC 9605, 4.4.2)."""
        suite = SUITES[self.suite]
        secret = _extract(suite, self.base_key)
        whose = self.kid.to_bytes(8, "big") + self.suite.to_bytes(2, "big")
        return (
            _expand(suite, secret, b"SFrame 1.0 Secret key " + whose, suite.key_bytes),
            _expand(suite, secret, b"SFrame 1.0 Secret salt " + whose, NONCE_BYTES),
        )

    @cached_property
    def _salt(self) -> int:
        return int.from_bytes(self.secrets[1], "big")

    @cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(self.secrets[0])

    def seal(self, counter: int, plain: bytes, metadata: bytes) -> bytes:
        """Return header, ciphertext and tag. Whoever calls sees to it that no counter comes twice: :class:`Sender`."""
        header = build_header(self.kid, counter)
        nonce = (self._salt ^ counter).to_bytes(NONCE_BYTES, "big")
        if SUITES[self.suite].aead:
            return header + self._aead.encrypt(nonce, plain, header + metadata)
        return header + ctr_hmac_seal(self.suite, self.secrets[0], nonce, header + metadata, plain)

    def open(self, header: Header, frame: bytes, start: int, metadata: bytes) -> bytes:
        """Return the plain bytes of a frame whose header ended at ``start``.

        Raises
        ------
        FrameError
            If the tag does not fit: another key, or something was changed.
        """
        nonce = (self._salt ^ header.counter).to_bytes(NONCE_BYTES, "big")
        aad = frame[:start] + metadata
        try:
            if SUITES[self.suite].aead:
                return self._aead.decrypt(nonce, frame[start:], aad)
            return ctr_hmac_open(self.suite, self.secrets[0], nonce, aad, frame[start:])
        except InvalidTag:
            raise FrameError(
                "A frame that was changed on its way, or was encrypted with another key.",
                f"key {header.kid}",
                "Compare the keys of both ends.",
            ) from None


def _extract(suite: Suite, base_key: bytes) -> bytes:
    return hmac.digest(bytes(suite.hash_bytes), base_key, suite.hash)


def _expand(suite: Suite, secret: bytes, info: bytes, length: int) -> bytes:
    """Return HKDF-Expand of RFC 5869."""
    block, found = b"", b""
    while len(found) < length:
        block = hmac.digest(secret, block + info + bytes((len(found) // suite.hash_bytes + 1,)), suite.hash)
        found += block
    return found[:length]


def _ctr(suite: Suite, key: bytes, nonce: bytes, data: bytes) -> bytes:
    work = Cipher(algorithms.AES(key[: suite.cipher_bytes]), modes.CTR(nonce + bytes(4))).encryptor()
    return work.update(data) + work.finalize()


def _tag(suite: Suite, key: bytes, nonce: bytes, aad: bytes, cipher: bytes) -> bytes:
    lengths = b"".join(length.to_bytes(8, "big") for length in (len(aad), len(cipher), suite.tag_bytes))
    covered = lengths + nonce + aad + cipher
    return hmac.digest(key[suite.cipher_bytes :], covered, suite.hash)[: suite.tag_bytes]


def ctr_hmac_seal(suite: int, key: bytes, nonce: bytes, aad: bytes, plain: bytes) -> bytes:
    """Return AES-CTR ciphertext and its HMAC tag (RFC 9605, 4.5.1)."""
    cipher = _ctr(SUITES[suite], key, nonce, plain)
    return cipher + _tag(SUITES[suite], key, nonce, aad, cipher)


def ctr_hmac_open(suite: int, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Return what :func:`ctr_hmac_seal` sealed.

    Raises
    ------
    InvalidTag
        If the tag does not fit.
    """
    size = len(sealed) - SUITES[suite].tag_bytes
    cipher, tag = sealed[: max(0, size)], sealed[max(0, size) :]
    if size < 0 or not hmac.compare_digest(tag, _tag(SUITES[suite], key, nonce, aad, cipher)):
        raise InvalidTag
    return _ctr(SUITES[suite], key, nonce, cipher)


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
        after = _expand(suite, _extract(suite, self.base_key), b"SFrame 1.0 Ratchet", suite.hash_bytes)
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
        self._seen: dict[int, tuple[int, int]] = {}  # by key: the newest counter, and a bit for each before it

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
