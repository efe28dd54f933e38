"""Decoding keyframes only: the same pictures at the same times, at once, and all of them where keyframes stay away."""

import av
import numpy as np
import pytest
from tests.unit.media.making import free_port, make, number_in, numbered, write
from tests.unit.media.test_live import Publisher

from lightship.core.errors import InputError
from lightship.media.frames import Gap, Sound, VideoPicture
from lightship.media.keyframes import KeyframeDecoder, Keyframes
from lightship.media.sources import Reconnect, open_source

B_FRAMES = {"preset": "medium", "bf": "3", "sc_threshold": "0"}
EVERY_ONE = Keyframes(every_s=0.01)


def seen(path, keyframes):
    """Return the numbers of the pictures by their times, and the gaps."""
    with open_source(str(path), keyframes=keyframes) as source:
        items = list(source)
    pictures = [item for item in items if isinstance(item, VideoPicture)]
    gaps = [item for item in items if isinstance(item, Gap)]
    assert len(pictures) + len(gaps) == len(items)
    return {round(one.at_s, 3): round(number_in(one.rgb())) for one in pictures}, gaps


@pytest.mark.parametrize("suffix", ["mp4", "ts", "flv", "mkv"])
def test_keyframes_come_with_the_times_and_the_pictures_that_full_decoding_gives(tmp_path, suffix):
    clip = make(tmp_path / f"clip.{suffix}", seconds=4.0, encoder={**B_FRAMES, "g": "25", "keyint_min": "25"})
    with open_source(str(clip)) as source:
        whole = {
            round(one.at_s, 3): round(number_in(one.rgb())) for one in source if isinstance(one, VideoPicture)
        }
    found, gaps = seen(clip, EVERY_ONE)
    assert gaps == []
    assert len(found) == 4
    assert found == {at_s: whole[at_s] for at_s in found}
    assert list(found.values()) == pytest.approx([0, 25, 50, 75], abs=3)


def test_no_more_keyframes_are_decoded_than_are_asked_for(tmp_path):
    clip = make(tmp_path / "clip.avi", seconds=4.0, codec="mjpeg", sound=False)  # every picture is a keyframe
    found, gaps = seen(clip, Keyframes(every_s=1.0))
    assert list(found) == pytest.approx([0.0, 1.0, 2.0, 3.0], abs=0.001)
    assert gaps == []


@pytest.mark.parametrize("encoder", [B_FRAMES, {"intra-refresh": "1", "bf": "0"}])
def test_where_keyframes_stay_away_all_pictures_are_decoded_and_it_is_said(tmp_path, encoder):
    clip = make(tmp_path / "clip.ts", seconds=8.0, encoder={**encoder, "g": "1000", "keyint_min": "1000"})
    found, gaps = seen(clip, Keyframes(bound_s=2.0))
    assert len(found) >= 195
    assert list(found.values()) == pytest.approx(
        [number % 200 for number in range(200)][-len(found) :], abs=4
    )
    (gap,) = gaps
    assert "no keyframe for 2." in gap.reason
    assert gap.to_s - gap.from_s == pytest.approx(2.0, abs=0.2)


def test_a_keyframe_is_decoded_when_its_packet_comes_and_not_held_back_for_the_next(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=3.0, encoder={**B_FRAMES, "g": "25", "keyint_min": "25"})
    with av.open(str(clip)) as container:
        (stream,) = container.streams.video
        decoder = KeyframeDecoder(stream, EVERY_ONE)
        for packet in container.demux(stream):
            assert [frame.pts for frame in decoder.decode(packet)] == [packet.pts] * packet.is_keyframe


def test_a_live_stream_gives_its_keyframes(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=2.0)
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    Publisher(clip, url).start()
    quick = Reconnect(listen_s=20.0, linger_s=0.3)
    with open_source(url, listen=True, reconnect=quick, keyframes=EVERY_ONE) as source:
        items = list(source)
    assert 1 <= len([item for item in items if isinstance(item, VideoPicture)]) <= 4
    assert not [item for item in items if isinstance(item, Sound)]


def test_a_file_that_ends_between_keyframes_is_not_called_cut_short(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=4.0, encoder={"g": "1000"})
    found, gaps = seen(clip, EVERY_ONE)
    assert (len(found), gaps) == (1, [])


def test_brightness_reaches_the_hash_uncopied(tmp_path):
    clip = make(tmp_path / "clip.mp4", width=640, height=360)
    with open_source(str(clip), keyframes=EVERY_ONE) as source:
        picture = next(iter(source))
    assert not picture.luma().flags.owndata
    assert np.ascontiguousarray(picture.luma()) is picture.luma()


@pytest.mark.parametrize(("every_s", "bound_s"), [(0.0, 5.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_what_makes_no_sense_is_refused(every_s, bound_s):
    with pytest.raises(InputError, match="no sense"):
        Keyframes(every_s, bound_s)


@pytest.mark.parametrize("encoder", [
    {"tune": "zerolatency"}, {"preset": "veryfast", "bf": "2", "sc_threshold": "0"},
])  # fmt: skip
@pytest.mark.parametrize("cut_s", [1.4, 2.6])
def test_a_cut_between_keyframes_is_seen_within_every_s_of_the_last_look(tmp_path, encoder, cut_s):
    rng = np.random.default_rng(5)
    one, other = (
        np.kron(rng.integers(0, 255, (6, 10, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
        for _ in range(2)
    )
    shown = [other if number / 10 >= cut_s else one for number in range(60)]
    clip = write(tmp_path / "clip.ts", shown, fps=10, encoder={"g": "40", "keyint_min": "40", **encoder})
    with open_source(str(clip), keyframes=Keyframes(1.0)) as source:
        looks = [item for item in source if isinstance(item, VideoPicture)]
    assert [round(item.at_s, 1) for item in looks] == pytest.approx([0.0, cut_s, 4.0], abs=0.21)
    is_other = [np.abs(item.rgb().astype(int) - other).mean() < 10 for item in looks]
    assert is_other == [False, True, True]


def test_a_keyframe_that_comes_too_soon_is_looked_at_when_the_next_look_is_due(tmp_path):
    shown = [numbered(160, 96, number) for number in range(40)]
    clip = write(tmp_path / "clip.ts", shown, fps=10, encoder={"g": "100"}, keys=frozenset({0, 4, 30}))
    found, _ = seen(clip, Keyframes(1.0))
    assert list(found) == pytest.approx([0.0, 1.0, 3.0], abs=0.01)
    assert list(found.values()) == pytest.approx([0, 10, 30], abs=3)
