"""Whoever carries a call, and even ends its transport encryption, sees noise; the two who talk see each other."""

from contextlib import ExitStack

import numpy as np
import pytest

pytest.importorskip("aiortc")

from lightship.core.errors import FrameError
from lightship.core.sframe_ends import Chain, Receiver, clear_bytes
from tests.browser.call import HEIGHT, WIDTH, browser, film, meet, policy, serving, until
from tests.browser.relay import Relay, entropy_bits, pictures

SECRET = bytes(range(16))


@pytest.fixture(scope="module")
def call(engine, tmp_path_factory):
    camera = film(tmp_path_factory.mktemp("relay") / "camera.y4m", 4)
    with ExitStack() as stack:
        for last in (
            False,
            False,
            True,
        ):  # on a busy machine the relay's handshakes may come too late to connect
            relay = Relay(policy())
            address = stack.enter_context(serving(relay.app))
            made = stack.enter_context(browser(engine, camera))
            one, other = made.new_page(), made.new_page()
            try:
                meet(one, other, address)
                break
            except AssertionError:
                if last:
                    raise
        yield one, other, relay


def likeness(pictures):
    """How much the likest of some decoded pictures is like one that the camera shows, from -1 to 1."""
    rows, columns = np.mgrid[0:HEIGHT:8, 0:WIDTH:8]
    shown = [np.sin(columns / 37 + at_s) * np.cos(rows / 23 - at_s / 2) for at_s in np.arange(0, 4, 0.2)]
    fits = [
        picture[::8, ::8] for picture in pictures if picture.shape == (HEIGHT, WIDTH) and picture.std() > 1
    ]
    return max(
        (float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one in fits for other in shown), default=0.0
    )


def test_the_relay_sees_noise_while_the_two_see_each_other(call):
    one, other, relay = call
    for page in (one, other):  # they see each other: pictures of the camera's size, and they move
        until(page, "document.getElementById('theirs').videoWidth > 0")
        until(page, "document.getElementById('theirs').getVideoPlaybackQuality().totalVideoFrames > 60")
        assert page.evaluate("call.reasons?.changed ?? 0") == 0
    for _ in range(100):
        if all(len(b"".join(leg.frames())) > 65_000 for leg in relay.legs):
            break
        one.wait_for_timeout(100)
    for leg in relay.legs:
        frames = leg.frames()
        payload = b"".join(frame[clear_bytes("vp8", frame) :] for frame in frames)
        assert len(payload) > 60_000  # below that, chance alone takes a hundredth of a bit
        assert entropy_bits(payload) >= 7.99
        assert likeness(pictures(frames)) < 0.3
        guess = Receiver("vp8")
        guess.follow(Chain(4, bytes(16), 1))
        with pytest.raises(FrameError):
            guess.decrypt(frames[0])


def test_it_is_the_key_alone_that_stood_between(call):
    """The same relay, once both ends take keys that the test gives to it too: the pictures are there."""
    one, other, relay = call
    for page, mine, theirs in ((one, 11, 12), (other, 12, 11)):
        chain = "[{suite: 4, base: new Uint8Array([" + ",".join(map(str, SECRET)) + "]), generation: %d}]"
        page.evaluate(f"call.into.keys({chain % theirs}); call.out.keys({chain % mine})")
    one.wait_for_timeout(300)
    for page in (one, other):
        page.evaluate(
            "(async () => { const s = call.connection.getSenders()[0], p = s.getParameters();"
            " await s.setParameters(p, { encodingOptions: p.encodings.map(() => ({ keyFrame: true })) }); })()"
        )
    one.wait_for_timeout(1500)
    for leg, generation in zip(relay.legs, (11, 12), strict=True):
        receiver = Receiver("vp8")
        receiver.follow(Chain(4, SECRET, generation))
        plain = []
        for frame in leg.frames():
            try:
                plain.append(receiver.decrypt(frame))
            except FrameError:
                continue  # of before
        first = next(i for i, frame in enumerate(plain) if not frame[0] & 1)
        seen = pictures(plain[first:])
        assert len(seen) > 10
        assert likeness(seen[-10:]) > 0.9
