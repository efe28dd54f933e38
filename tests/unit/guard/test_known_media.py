"""A listed picture is covered at once and paused in seconds."""

import numpy as np
import pytest
from skimage import data

from lightship import packs
from lightship.detect.bank import Bank, load
from lightship.detect.loop import load_sensors
from lightship.detect.pdq import pdq
from lightship.guard.evaluate import watch
from lightship.guard.evaluation_card import Marked
from lightship.media.frames import ArrayPicture

SHOWN_S = (10.0, 17.0)
LENGTH_S = 20


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    rng = np.random.default_rng(4)
    hashes = rng.integers(0, 2**64, (20_000, 4), dtype=np.uint64)
    hashes[17_000], _ = pdq(data.camera())
    path = tmp_path_factory.mktemp("list") / "bank.csv"
    path.write_text("\n".join(one.astype(">u8").tobytes().hex() for one in hashes))
    return load(path)


def bordered(picture):
    return np.pad(picture, ((60, 60), (0, 0)))


def mirrored(picture):
    return np.ascontiguousarray(picture[:, ::-1])


def pictures(shown=np.asarray):
    rng = np.random.default_rng(6)
    listed = np.repeat(shown(data.camera())[..., None], 3, axis=2)
    for number in range(LENGTH_S * 12):
        at_s = number / 12
        if number % 30 == 0:
            other = rng.integers(0, 200, (36, 64, 3), np.uint8).repeat(10, axis=0).repeat(10, axis=1)
        yield ArrayPicture(at_s, listed if SHOWN_S[0] <= at_s < SHOWN_S[1] else other)


@pytest.mark.parametrize("policy", ["test", "broadcast", "child-device"])
def test_a_listed_picture_among_twenty_thousand_entries(bank, policy):
    sensors = load_sensors(packs.policy(policy), packs.calibration, {"known-media": {"lists": [bank]}})
    result = watch(sensors, pictures(), Marked((SHOWN_S,)))
    assert result.delays_s["blur"][0] <= 0.6
    assert result.delays_s["pause"][0] <= 5.0


@pytest.mark.parametrize("shown", [mirrored, bordered])
def test_mirrored_or_bordered_it_is_covered_at_once_too(bank, shown):
    sensors = load_sensors(
        packs.policy("child-device"), packs.calibration, {"known-media": {"lists": [bank]}}
    )
    result = watch(sensors, pictures(shown), Marked((SHOWN_S,)))
    assert result.delays_s["blur"][0] <= 0.6
