"""From benign footage to a calibration, and from there to a card: with a made-up detector that reads brightness."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tests.story.scenes import write_video
from tests.unit.core.test_judge import GRADED

from lightship.core.errors import InputError
from lightship.core.judge import bind
from lightship.core.ladder import parse_policy
from lightship.core.values import Reading
from lightship.detect.calibrate import Footage, calibrate, files
from lightship.detect.loop import Sensors
from lightship.guard.evaluate import evaluate
from lightship.guard.evaluation_card import Marked
from lightship.media.frames import ArrayPicture


class Brightness:
    """Its score is the picture's mean brightness."""

    name, version, labels = "exposure", "1", frozenset({"exposed"})
    takes, evidence = "luma", "calibrated"

    def read(self, frames):
        return [(Reading("exposure", "exposed", float(frame.mean()) / 255),) for frame in frames]


def pictures(seed, seconds, bright=None, fps=4.0):
    """Noise that changes every few seconds and is dark, but for a bright span."""
    rng = np.random.default_rng(seed)
    for number in range(int(seconds * fps)):
        at_s = number / fps
        if number % int(3 * fps) == 0:
            frame = rng.integers(0, 120, (48, 64, 3), np.uint8)
        lit = bright is not None and bright[0] <= at_s < bright[1]
        yield ArrayPicture(at_s, np.full_like(frame, 250) if lit else frame)


def made(streams=12, seconds=900.0, fps=1.0):
    footage = [Footage(f"noise {i}", f"sha256:{i}", pictures(i, seconds, fps=fps)) for i in range(streams)]
    return calibrate(Brightness(), "exposed", footage, sample_fps=6.0, created="2026-11-24", recipe="a test")


@pytest.fixture(scope="module")
def card():
    calibration = made()
    bound = bind(parse_policy(GRADED), [Brightness()], {"exposure": calibration})
    sensors = Sensors((Brightness(),), (), bound)
    benign = [(pictures(100 + i, 600.0, fps=1.0), Marked()) for i in range(6)]
    marked = [(pictures(200 + i, 60.0, (30.0, 50.0)), Marked(((30.0, 50.0),))) for i in range(4)]
    return evaluate(sensors, [*benign, *marked])


def test_blocks_are_those_of_the_judge():
    calibration = made(streams=1, seconds=60.0, fps=4.0)
    (stream,) = calibration.streams
    assert stream.seconds == pytest.approx(60.0, abs=0.5)
    assert all(length_s >= 2.0 for length_s in stream.lengths_s[:-1])
    assert 15 <= len(stream.maxima) <= 25


def test_the_card_sets_what_happened_beside_what_was_promised(card):
    assert card.benign_hours == pytest.approx(1.0, abs=0.01)
    blur = next(result for result in card.rungs if result.rung == "blur")
    assert card.holds(blur)
    assert max(blur.delays_s) <= 2.5
    assert card.sensitive_s == 80.0
    assert card.sensitive_left_s <= 4.0


def test_what_the_hours_cannot_show_is_said(card):
    text = card.to_markdown()
    assert "*extrapolated*" in text
    assert "human rights impact" in text
    assert "a partner with lawful footage" in text


def test_the_card_is_json_and_a_picture(card, tmp_path):
    json.dumps(card.to_json())
    card.draw(tmp_path / "card.png")
    assert (tmp_path / "card.png").stat().st_size > 5_000


def test_nothing_to_calibrate_on_is_said(tmp_path):
    with pytest.raises(InputError, match="no footage"):
        calibrate(Brightness(), "exposed", files([tmp_path]), sample_fps=4.0, created="-", recipe="-")
    with pytest.raises(InputError, match="no such file"):
        list(files([tmp_path / "none"]))


def test_an_unreadable_file_is_named(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(InputError, match=r"broken\.mp4"):
        calibrate(Brightness(), "exposed", files([tmp_path]), sample_fps=4.0, created="-", recipe="-")


def test_from_the_command_line(tmp_path):
    write_video(tmp_path / "benign.mp4", seconds=6.0)
    write_video(tmp_path / "marked.mp4", seconds=12.0, card_s=(4.0, 8.0))
    (tmp_path / "marked.marks.json").write_text("[[4.0, 8.0]]")
    lightship = [sys.executable, "-c", "from lightship.cli import main; main()"]
    done = subprocess.run(
        [*lightship, "calibrate", "benign.mp4", "--out", "mine.json", "--detector", "test-card", "--label", "test-card"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, "the test card gives no score for a benign picture, and that is said"
    assert "no score" in done.stderr
    done = subprocess.run(
        [*lightship, "evaluate", "benign.mp4", "--marked", "marked.mp4", "--policy", "test", "--out", "card"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "card" / "card.json").read_text())
    blur = next(rung for rung in card["rungs"] if rung["rung"] == "blur")
    assert blur["delay_s"]["p95"] <= 0.6
    assert card["sensitive_left_s"] == 0.0
