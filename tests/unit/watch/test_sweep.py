"""Near copies of a span are found in other recordings; what cannot be read is told."""

from datetime import date

import numpy as np
from tests.unit.watch.making import picture

from lightship.detect.pdq import pdq
from lightship.media.frames import MediaInfo
from lightship.media.keyframes import Keyframes
from lightship.media.sinks import open_sink
from lightship.media.sources import open_source
from lightship.watch.sweep import Span, sweep

DAY = date(2026, 11, 24)


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
