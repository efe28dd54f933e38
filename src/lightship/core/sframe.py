"""SFrame's wire format: headers, suites, keys. Who encrypts frames uses :mod:`lightship.core.sframe_ends`.

References
----------
RFC 9605 (SFrame); suites 6 to 8 are those of the IANA registry (draft-barnes-sframe-iana-256); RFC 5869 (HKDF).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.errors import FrameError

NONCE_BYTES = 12
MOST = 1 << 64
"""Key identifiers and counters are below this."""


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
                f"There is no cipher suite {self.suite}.",
                "SFrame",
                f"There are {', '.join(map(str, SUITES))}.",
            )
        build_header(self.kid, 0)

    @cached_property
    def secrets(self) -> tuple[bytes, bytes]:
        """The key and the salt (RFC 9605, 4.4.2)."""
        suite = SUITES[self.suite]
        secret = extract(suite, self.base_key)
        whose = self.kid.to_bytes(8, "big") + self.suite.to_bytes(2, "big")
        return (
            expand(suite, secret, b"SFrame 1.0 Secret key " + whose, suite.key_bytes),
            expand(suite, secret, b"SFrame 1.0 Secret salt " + whose, NONCE_BYTES),
        )

    @cached_property
    def _salt(self) -> int:
        return int.from_bytes(self.secrets[1], "big")

    @cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(self.secrets[0])

    def seal(self, counter: int, plain: bytes, metadata: bytes) -> bytes:
        """Return header, ciphertext and tag.

        Whoever calls sees to it that no counter comes twice, as :class:`~lightship.core.sframe_ends.Sender` does.
        """
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


def extract(suite: Suite, base_key: bytes) -> bytes:
    """Return HKDF-Extract of RFC 5869, without salt."""
    return hmac.digest(bytes(suite.hash_bytes), base_key, suite.hash)


def expand(suite: Suite, secret: bytes, info: bytes, length: int) -> bytes:
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
