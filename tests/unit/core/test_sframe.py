"""SFrame against the RFC's own vectors, and what must never happen: a counter twice, a frame twice, a crash on garbage."""

import copy
import itertools
import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import FrameError
from lightship.core.sframe import (
    MOST,
    SUITES,
    FrameKey,
    Header,
    build_header,
    ctr_hmac_open,
    ctr_hmac_seal,
    parse_header,
)
from lightship.core.sframe_ends import REPLAY_WINDOW, Chain, Receiver, Sender, clear_bytes

RFC = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9605.json").read_text())
numbers = st.integers(0, MOST - 1)


def key(kid: int = 7, suite: int = 4) -> FrameKey:
    return FrameKey(suite, kid, b"sixteen byte key")


def test_the_headers_of_the_rfc():
    assert len(RFC["header"]) == 289
    for vector in RFC["header"]:
        encoded = bytes.fromhex(vector["encoded"])
        assert build_header(vector["kid"], vector["ctr"]) == encoded
        assert parse_header(encoded + b"rest") == (Header(vector["kid"], vector["ctr"]), len(encoded))


@pytest.mark.parametrize(
    "vector", RFC["aes_ctr_hmac"] + RFC["aes_256_ctr_hmac"], ids=lambda v: v["cipher_suite"]
)
def test_the_ctr_hmac_suites_of_the_rfc(vector):
    secret, nonce, aad, plain, sealed = (
        bytes.fromhex(vector[name]) for name in ("key", "nonce", "aad", "pt", "ct")
    )
    assert ctr_hmac_seal(vector["cipher_suite"], secret, nonce, aad, plain) == sealed
    assert ctr_hmac_open(vector["cipher_suite"], secret, nonce, aad, sealed) == plain


@pytest.mark.parametrize("vector", RFC["sframe"], ids=lambda v: v["cipher_suite"])
def test_the_frames_of_the_rfc(vector):
    sender = FrameKey(vector["cipher_suite"], vector["kid"], bytes.fromhex(vector["base_key"]))
    assert [part.hex() for part in sender.secrets] == [vector["sframe_key"], vector["sframe_salt"]]
    plain, metadata, sealed = (bytes.fromhex(vector[name]) for name in ("pt", "metadata", "ct"))
    assert sender.seal(vector["ctr"], plain, metadata) == sealed
    header, start = parse_header(sealed)
    assert sender.open(header, sealed, start, metadata) == plain


@given(numbers, numbers, st.binary(max_size=8))
def test_a_header_is_read_as_it_was_built(kid, counter, rest):
    built = build_header(kid, counter)
    assert parse_header(built + rest) == (Header(kid, counter), len(built))


@given(st.binary(max_size=24))
def test_any_bytes_are_a_header_or_refused_by_name(data):
    try:
        header, end = parse_header(data)
    except FrameError:
        return
    assert build_header(header.kid, header.counter) == data[:end]


@given(st.binary(max_size=64), st.sampled_from(["vp8", "opus", "none"]))
def test_garbage_frames_are_refused_by_name(data, codec):
    receiver = Receiver(codec)
    receiver.add(key())
    receiver.follow(Chain(5, b"another", generation=3))
    with pytest.raises(FrameError):
        receiver.decrypt(data)


@given(st.sampled_from(sorted(SUITES)), st.lists(st.binary(min_size=10, max_size=40), min_size=1, max_size=5))
def test_what_one_end_encrypts_the_other_reads_and_the_codec_bytes_stay_in_clear(suite, frames):
    sender, receiver = Sender(key(suite=suite), itertools.count(), "vp8"), Receiver("vp8")
    receiver.add(key(suite=suite))
    for frame in frames:
        protected = sender.encrypt(frame)
        clear = clear_bytes("vp8", frame)
        assert protected[:clear] == frame[:clear]
        assert receiver.decrypt(protected) == frame


@given(st.sampled_from(sorted(SUITES)), st.data())
def test_a_changed_bit_anywhere_is_noticed_also_in_the_clear_bytes(suite, data):
    frame = b"\x00" + bytes(range(40))
    sender, receiver = Sender(key(suite=suite), itertools.count(9), "vp8"), Receiver("vp8")
    receiver.add(key(suite=suite))
    protected = bytearray(sender.encrypt(frame))
    bit = data.draw(st.integers(0, 8 * len(protected) - 1))
    protected[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        receiver.decrypt(bytes(protected))


def test_a_counter_is_never_used_twice():
    sender = Sender(key(), iter([0, 1, 1]))
    sender.encrypt(b"one"), sender.encrypt(b"two")
    with pytest.raises(FrameError, match="After counter 1"):
        sender.encrypt(b"three")
    with pytest.raises(FrameError, match="cannot encrypt"):  # nothing is left
        sender.encrypt(b"four")
    with pytest.raises(FrameError):
        Sender(key(), itertools.count(MOST)).encrypt(b"beyond")


def test_a_sender_is_not_copied_and_does_not_outlive_a_fork():
    sender = Sender(key(), itertools.count())
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied"):
            way(sender)
    sender._process = os.getpid() + 1  # as a child sees it
    with pytest.raises(FrameError):
        sender.encrypt(b"frame")


def test_a_frame_is_read_once_and_may_come_late_within_the_window():
    sender, receiver = Sender(key(), itertools.count()), Receiver()
    receiver.add(key())
    frames = [sender.encrypt(b"%d" % number) for number in range(REPLAY_WINDOW + 2)]
    receiver.decrypt(frames[5])
    receiver.decrypt(frames[2])  # late
    for again in (2, 5):
        with pytest.raises(FrameError, match="came before"):
            receiver.decrypt(frames[again])
    receiver.decrypt(frames[-1])
    with pytest.raises(FrameError, match="came before"):  # too old to remember
        receiver.decrypt(frames[0])
    receiver.add(key())  # the same key again does not open the window
    with pytest.raises(FrameError, match="came before"):
        receiver.decrypt(frames[5])


def test_a_forged_frame_moves_no_window():
    sender, receiver = Sender(key(), itertools.count()), Receiver()
    receiver.add(key())
    good = sender.encrypt(b"frame")
    forged = build_header(7, 10**6) + bytes(40)
    with pytest.raises(FrameError, match="changed on its way"):
        receiver.decrypt(forged)
    assert receiver.decrypt(good) == b"frame"


def test_each_sender_has_a_key_of_its_own():
    receiver = Receiver()
    receiver.add(key(1))
    receiver.add(key(2))
    assert receiver.decrypt(Sender(key(1), itertools.count()).encrypt(b"from one")) == b"from one"
    assert receiver.decrypt(Sender(key(2), itertools.count()).encrypt(b"from two")) == b"from two"
    stolen = bytearray(Sender(key(1), itertools.count(5)).encrypt(b"from one"))
    stolen[0] = 2 << 4 | 5  # in the name of the other
    with pytest.raises(FrameError, match="changed"):
        receiver.decrypt(bytes(stolen))
    receiver.drop(1)
    with pytest.raises(FrameError, match="not known"):
        receiver.decrypt(Sender(key(1), itertools.count(9)).encrypt(b"left"))


def test_a_ratchet_is_followed_forwards_only():
    chain = Chain(5, b"base key", generation=2)
    receiver = Receiver()
    receiver.follow(chain)
    later = chain.next().next().next()
    assert (later.kid, chain.at(later.kid)) == (2 << 4 | 3, later)
    assert receiver.decrypt(Sender(later.key(), itertools.count()).encrypt(b"later")) == b"later"
    late = Receiver()
    late.follow(later)  # joined with the newest key
    with pytest.raises(FrameError):
        late.decrypt(Sender(chain.key(), itertools.count()).encrypt(b"before"))
    other = Chain(5, b"another", generation=3)
    with pytest.raises(FrameError, match="not known"):
        receiver.decrypt(Sender(other.key(), itertools.count()).encrypt(b"x"))
    receiver.follow(other)  # rotated
    assert receiver.decrypt(Sender(other.key(), itertools.count(1)).encrypt(b"new")) == b"new"


def test_bad_keys_and_short_frames_are_refused_by_name():
    with pytest.raises(FrameError, match="no cipher suite 9"):
        FrameKey(9, 0, b"")
    with pytest.raises(FrameError, match="has no header"):
        FrameKey(4, MOST, b"")
    with pytest.raises(FrameError, match="vp8 frame of 2 bytes"):
        Sender(key(), itertools.count(), "vp8").encrypt(b"\x01\x02")
    assert b"sixteen" not in repr(key()).encode()
