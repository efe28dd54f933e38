"""SFrame's cost a frame of 6 kB, against bare AES-GCM of the same library."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.sframe import SUITES, FrameKey
from lightship.core.sframe_ends import Receiver, Sender

FRAME_BYTES = 6000
REACH_US = 15.0  # the figure to reach, for the GCM suites
ROUNDS = 4000
SLICES = 7


def run() -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met."""
    frame = b"\x01" + os.urandom(FRAME_BYTES - 1)
    rows = []
    for number, suite in SUITES.items():
        if suite.tag_bytes < 10:
            continue  # as the suites with longer tags, which cost the same
        key = FrameKey(number, 1, os.urandom(32))
        sender, receiver = Sender(key, itertools.count(), "vp8"), Receiver("vp8")
        receiver.add(key)
        sealed = iter([sender.encrypt(frame) for _ in range(ROUNDS * SLICES)])
        bare_us = _median_us(_bare(8 * suite.cipher_bytes, frame))
        name = f"AES-{'GCM' if suite.aead else 'CTR-HMAC'} {8 * suite.cipher_bytes}"
        encrypt_us = _median_us(lambda sender=sender: sender.encrypt(frame))  # type: ignore[misc]
        decrypt_us = _median_us(lambda receiver=receiver, sealed=sealed: receiver.decrypt(next(sealed)))  # type: ignore[misc]
        for what, ours_us in (("encrypt", encrypt_us), ("decrypt", decrypt_us)):
            rows.append(
                {
                    "what": f"{name}: {what}, VP8, with header, replay window and counter",
                    "ours": f"{ours_us:.1f} µs",
                    "peer": f"bare AES-GCM {bare_us:.1f} µs",
                    "ratio": f"{ours_us / bare_us:.2f}",
                    "reach": f"≤ {REACH_US:g} µs" if suite.aead else "-",
                    "met": "-" if not suite.aead else "yes" if ours_us <= REACH_US else "no",
                }
            )
    return rows


def _bare(bits: int, frame: bytes) -> Callable[[], object]:
    cipher = AESGCM(AESGCM.generate_key(bits))
    nonces = itertools.count()
    return lambda: cipher.encrypt(next(nonces).to_bytes(12, "big"), frame, b"aad")


def _median_us(act: Callable[[], object]) -> float:
    slices = []
    for _ in range(SLICES):
        began = time.perf_counter()
        for _ in range(ROUNDS):
            act()
        slices.append((time.perf_counter() - began) / ROUNDS * 1e6)
    return statistics.median(slices)
