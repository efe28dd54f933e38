"""Somebody who walks around a hit is noticed before much is learnt; somebody who looks pictures up is not."""

import cv2
import numpy as np
import pytest
from skimage import data
from tests.unit.console.serving import pictures

from lightship.console.walks import EXPLORED_BITS, IMPOSSIBLE, Walks
from lightship.detect.pdq import pdq


def bits(words):
    return int(np.bitwise_count(words).sum())


def flipped(row, *places):
    row = row.copy()
    for place in places:
        row[place // 64] ^= np.uint64(1) << np.uint64(63 - place % 64)
    return row


class Oracle:
    """A matcher as an attacker sees it: the distance if it is a hit. Counts what was told before the alarm."""

    def __init__(self, secret):
        self.secret, self.walks, self.told, self.alarm, self.at_s = secret, Walks(), 0, None, 0.0

    def __call__(self, rows):
        rows = np.atleast_2d(rows)
        distances = np.bitwise_count(rows ^ self.secret).sum(axis=1)
        self.at_s += 60.0
        self.alarm = self.alarm or self.walks.seen(rows, distances <= 31, self.at_s)
        if self.alarm:
            return None
        self.told += len(rows)
        return [int(one) if one <= 31 else None for one in distances]


@pytest.fixture
def start(request):
    rng = np.random.default_rng(5)
    (secret,) = pictures(rng, 1)
    near = flipped(secret, *rng.choice(256, 12, replace=False))
    return Oracle(secret), near, rng


def test_flipping_a_bit_at_a_time_is_noticed_after_a_handful(start):
    oracle, near, _ = start
    for place in range(256):
        if oracle(flipped(near, place)) is None:
            break
    assert oracle.told <= IMPOSSIBLE
    assert "no picture has" in oracle.alarm.reason


def test_a_walk_in_one_batch_is_told_nothing(start):
    oracle, near, _ = start
    assert oracle(np.array([flipped(near, place) for place in range(256)])) is None
    assert oracle.told == 0


def test_who_keeps_the_number_of_bits_right_is_noticed_before_the_hash_is_known(start):
    oracle, near, rng = start
    ones = [place for place in rng.permutation(256) if bits(flipped(near, place)) < bits(near)]
    zeros = [place for place in rng.permutation(256) if bits(flipped(near, place)) > bits(near)]
    oracle.walks.seen(near[None], np.array([True]), 0.0)
    unbalanced = bits(near) - 128  # the attacker puts even that right first
    near = flipped(near, *(ones if unbalanced > 0 else zeros)[: abs(unbalanced)])
    tried = 0
    for one, zero in zip(ones, zeros, strict=False):
        tried += 2
        if oracle(flipped(near, one, zero)) is None:
            break
    assert oracle.alarm is not None
    assert tried <= EXPLORED_BITS + 2


def test_many_bits_at_once_are_noticed_all_the_sooner(start):
    oracle, near, rng = start
    for _ in range(256):
        if oracle(flipped(near, *rng.choice(256, 16, replace=False))) is None:
            break
    assert oracle.told < 64


def test_along_the_border_of_a_match_it_is_noticed_too(start):
    oracle, near, rng = start
    off = np.flatnonzero(np.unpackbits((near ^ oracle.secret).astype(">u8").view(np.uint8)) == 0)
    border = flipped(near, *rng.choice(off, 19, replace=False))  # 31 bits off: the next wrong bit is a miss
    assert oracle(border) == [31]
    for place in range(256):
        if oracle(flipped(border, place)) is None:
            break
    assert oracle.told <= IMPOSSIBLE + 1


def encoded(picture, quality):
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)


def test_an_hour_of_a_stream_that_shows_a_listed_picture_is_no_walk():
    rng = np.random.default_rng(2)
    picture = data.camera()
    known, _ = pdq(picture)
    walks, explored = Walks(), 0
    for second in range(600):  # a hand-held camera before a screen: it wanders, flickers and is encoded again
        dx, dy = rng.integers(0, 9, 2)
        frame = np.clip(picture[dy : 504 + dy, dx : 504 + dx] * rng.uniform(0.8, 1.1), 0, 255).astype(
            np.uint8
        )
        hash_, _ = pdq(encoded(frame, int(rng.integers(20, 90))))
        alarm = walks.seen(hash_[None], np.array([bits(hash_ ^ known) <= 31]), float(second))
        assert alarm is None, alarm
    explored = max(bits(one.explored) for one in walks._around.values())
    assert 0 < explored < EXPLORED_BITS - 32


def test_hundreds_of_peoples_copies_of_one_picture_are_no_walk():
    rng = np.random.default_rng(3)
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    known, _ = pdq(picture)
    walks, hits = Walks(), 0
    for upload in range(600):
        left, top, right, bottom = rng.integers(0, 8, 4)
        copy = picture[top : 512 - bottom, left : 512 - right]
        copy = cv2.resize(copy, None, fx=rng.uniform(0.4, 1.2), fy=rng.uniform(0.4, 1.2))
        copy = cv2.GaussianBlur(copy, (0, 0), rng.uniform(0.3, 2.5))
        cv2.putText(copy, f"@{rng.integers(1000)}", (10, int(rng.integers(20, 180))), 0, 0.8, 255, 2)
        hash_, _ = pdq(encoded(copy, int(rng.integers(15, 95))))
        hit = bits(hash_ ^ known) <= 31
        hits += hit
        assert walks.seen(hash_[None], np.array([hit]), float(upload)) is None
    assert hits > 200


def test_without_a_hit_nothing_is_kept(start):
    oracle, _, rng = start
    far = pictures(rng, 1)[0]
    for place in range(256):
        assert oracle(flipped(far, place)) == [None]
    assert not oracle.walks._around


def test_a_day_later_it_is_forgotten(start):
    oracle, near, _ = start
    for day in range(20):
        assert oracle.walks.seen(flipped(near, day)[None], np.array([True]), day * 90_000.0) is None
