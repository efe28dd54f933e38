"""SFrame beyond the RFC's vectors: codec bytes in clear, the ratchet, and frames that are refused."""

import itertools

from lightship.core.errors import FrameError
from lightship.core.sframe import SUITES, FrameKey, build_header, parse_header
from lightship.core.sframe_ends import Chain, Receiver, Sender

BASE = bytes(range(16))
KEY_FRAME = bytes.fromhex("50 11 00 9d 01 2a 80 02 68 01") + bytes(range(40))
DELTA_FRAME = bytes.fromhex("d1 02 00") + bytes(range(30))


def made():
    return {
        "base_key": BASE.hex(),
        "headers_refused": [data.hex() for data in (b"", b"\x80", b"\x80\x05", b"\x90\x00\x09", b"\x08", b"\x0f\x01") if _refused(data)],
        "protected": [_protected(suite, codec, frame) for suite in SUITES for codec, frame in
                      (("vp8", KEY_FRAME), ("vp8", DELTA_FRAME), ("opus", DELTA_FRAME), ("none", KEY_FRAME))],
        "too_short": [["vp8", "50"], ["vp8", "d1"], ["opus", ""], ["vp8", KEY_FRAME[:9].hex()]],
        "chains": [_chain(suite) for suite in SUITES],
        "received": [_received()],
    }  # fmt: skip


def _refused(data):
    try:
        parse_header(data)
    except FrameError:
        return True
    raise AssertionError(data)


def _protected(suite, codec, frame):
    sender = Sender(FrameKey(suite, 9, BASE), itertools.count(300), codec)
    sealed = sender.encrypt(frame)
    return {
        "suite": suite,
        "kid": 9,
        "counter": 300,
        "codec": codec,
        "frame": frame.hex(),
        "protected": sealed.hex(),
    }


def _chain(suite):
    chain = Chain(suite, BASE, generation=5)
    steps = []
    for _ in range(18):  # past the end of the step bits
        key, salt = chain.key().secrets
        steps.append([chain.kid, chain.base_key.hex(), key.hex(), salt.hex()])
        chain = chain.next()
    return {"suite": suite, "generation": 5, "step_bits": 4, "steps": steps}


def _received():
    """What one receiver makes of frames in this order: the plain bytes, or why it refuses."""
    chain = Chain(4, BASE, generation=1)
    sender, later = (
        Sender(chain.key(), itertools.count()),
        Sender(chain.next().next().key(), itertools.count()),
    )
    sent = [sender.encrypt(b"frame %d" % number) for number in range(1100)]
    ahead = later.encrypt(b"after two steps")
    unknown = Sender(FrameKey(4, 77, BASE), itertools.count()).encrypt(b"whose")
    forged = build_header(chain.kid, 5000) + bytes(24)
    changed = sent[3][:-1] + bytes([sent[3][-1] ^ 1])
    order = [
        sent[0],
        sent[2],
        sent[1],
        sent[1],
        changed,
        sent[3],
        forged,
        unknown,
        ahead,
        ahead,
        sent[4],
        sent[1099],
        sent[5],
        sent[90],
        b"",
    ]
    receiver, rows = Receiver(), []
    receiver.follow(chain)
    for frame in order:
        try:
            rows.append({"frame": frame.hex(), "plain": receiver.decrypt(frame).hex()})
        except FrameError as error:
            rows.append({"frame": frame.hex(), "refused": KINDS[error.what]})
    return {"suite": 4, "generation": 1, "frames": rows}


KINDS = {
    "A frame that came before.": "replayed",
    "A frame that was changed on its way, or was encrypted with another key.": "changed",
    "A frame under a key that is not known here.": "unknown key",
    "A frame without a header.": "header",
}
