"""Near copies of a span are found in other recordings; what cannot be read is told."""

from contextlib import nullcontext
from datetime import date

import cv2
import numpy as np
import pytest
from tests.unit.watch.making import picture

from lightship.core.errors import InputError
from lightship.detect.pdq import pdq
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.keyframes import Keyframes
from lightship.media.sinks import open_sink
from lightship.media.sources import open_source
from lightship.watch.sweep import Span, span_of, sweep

DAY = date(2026, 11, 24)
SHOWN = picture(0.0, 1, 320, 180).rgb()
FLAT = np.full_like(SHOWN, 128)


def record(path, width, height, first=0):
    """Write a recording that shows another picture every two seconds."""
    with open_sink(str(path), MediaInfo(width, height, 10.0, None, None, live=False, name="x")) as sink:
        for number in range(80):
            sink.write(picture(number / 10, first + number // 20, width, height))


def test_a_recording_that_shows_the_span_is_found_and_others_are_not(tmp_path):
    original = tmp_path / "live.mp4"
    record(original, 320, 180)
    with open_source(str(original), keyframes=Keyframes(every_s=1.0)) as source:
        seen = [(one.at_s, *pdq(one.luma())) for one in source]
    span = Span(
        "c1",
        tuple(at_s for at_s, _, _ in seen),
        np.stack([words for _, words, _ in seen]),
        tuple(quality for _, _, quality in seen),
    )
    copy, other = tmp_path / "copy.mp4", tmp_path / "other.mp4"
    record(copy, 480, 270)
    record(other, 320, 180, first=40)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    names = [str(copy), str(other), str(tmp_path / "broken.mp4")]
    found = {one.recording: one for one in sweep(span, names, DAY)}
    assert [one.video for one in found[names[0]].copies] == ["c1"]
    assert found[names[0]].copies[0].weight_db > 40.0
    assert found[names[1]].copies == ()
    assert found[names[1]].looks > 0
    assert "no video" in found[names[2]].missed[0]


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def swept(*recordings):
    """Sweep for one picture in recordings, each of these pictures."""
    shown = [[ArrayPicture(float(n), one) for n, one in enumerate(pixels)] for pixels in recordings]
    names = map(str, range(len(shown)))
    return list(
        sweep(span_of("c1", [(0.0, png(SHOWN))]), names, DAY, lambda one: nullcontext(shown[int(one)]))
    )


def test_a_picture_that_is_everywhere_is_found_everywhere():
    assert all(one.copies for one in swept(*[[SHOWN]] * 60))


@pytest.mark.parametrize(
    "altered",
    [
        SHOWN[:, ::-1],
        cv2.copyMakeBorder(SHOWN, 0, 0, 100, 100, cv2.BORDER_CONSTANT, value=0),
        cv2.copyMakeBorder(SHOWN[:, ::-1], 60, 60, 0, 0, cv2.BORDER_CONSTANT, value=0),
    ],
    ids=["mirrored", "with a border", "both"],
)
def test_a_mirrored_or_bordered_copy_is_found(altered):
    (found,) = swept([np.ascontiguousarray(altered)])
    assert found.copies


def test_a_recording_of_which_no_picture_can_be_matched_was_not_looked_at():
    other = picture(0.0, 9, 320, 180).rgb()
    faint = (128 + (other.astype(float) - 128) * 0.3).astype(
        np.uint8
    )  # too flat with its border, not without it
    framed = cv2.copyMakeBorder(faint, 180, 180, 320, 320, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    dark, partly, inside, none = swept([FLAT, FLAT], [FLAT, other], [framed], [])
    assert dark.missed == ("None of its 2 pictures could be matched: each is too flat or too dark.",)
    assert partly.missed == inside.missed == none.missed == ()
    assert [one.looks for one in (dark, partly, inside, none)] == [2, 2, 1, 0]


def test_pictures_that_cannot_be_matched_are_told_apart_and_do_not_count():
    span = span_of("c1", [(1.0, b""), (2.0, png(SHOWN)), (3.0, png(FLAT)), (4.0, b"no picture")])
    assert (span.at_s, len(span.hashes), span.qualities) == ((2.0,), 1, (100,))
    assert [place for place, _ in span.unused] == [0, 2, 3]
    assert ["flat" in why for _, why in span.unused] == [False, True, False]
    with pytest.raises(InputError, match="None of 2 pictures"):
        span_of("c1", [(0.0, b""), (1.0, png(FLAT))])
