"""One part of a still before the whole, and sound apart from the picture."""

import io
import wave
import xml.etree.ElementTree as ET

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.console.making import console, exhibit, full, still
from tests.unit.console.visiting import working
from tests.unit.media.making import make

from lightship.console.pictures import PARTS, blurred, part_of
from lightship.console.problems import Problem
from lightship.console.sounds import RATE_HZ, silent, sound_of, wave_of
from lightship.core.cases import Case
from lightship.core.people import Shift


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make(path, seconds=2.0)
    return path.read_bytes()


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_one_part_is_clear_and_the_rest_is_the_blur(part):
    clear, shown = decoded(still(2)), decoded(part_of(still(2), part))
    assert shown.shape == clear.shape
    row, column = divmod(part - 1, 3)
    height, width = clear.shape[:2]
    here = np.zeros((height, width), bool)
    here[row * height // 3 : (row + 1) * height // 3, column * width // 3 : (column + 1) * width // 3] = True
    assert (shown[here] == clear[here]).all()
    covered = shown[~here]
    assert (covered[:, 0] == covered[:, 1]).all()  # grey
    grey = cv2.cvtColor(decoded(blurred(still(2))), cv2.COLOR_BGR2GRAY)
    assert np.abs(covered[:, 0].astype(int) - cv2.resize(grey, (width, height))[~here]).max() <= 2


def test_the_nine_parts_are_the_whole():
    clear = decoded(still(1))
    parts = [decoded(part_of(still(1), part)) for part in range(1, PARTS + 1)]
    assert np.any([(one == clear).all(axis=2) for one in parts], axis=0).all()


@given(st.integers())
def test_there_are_no_other_parts(part):
    if not 1 <= part <= PARTS:
        with pytest.raises(Problem):
            part_of(still(), part)


def test_a_part_is_charged_and_recorded_like_the_whole(tmp_path):
    made = full(console(tmp_path))
    who = working(made, "mo")
    who.post("/items/c0/claim")
    done = who.post("/items/c0/reveal", exhibit=made.exhibits["c0"].id, shown="still", part="5")
    assert done.status_code == 200
    assert done.content == part_of(still(0), 5)
    [entry] = made.ledger.of("reveal")
    assert (entry["part"], entry["granted_s"]) == (5, 10.0)
    assert made.one(Case, "c0").seen
    [shift] = [one for one in made.all(Shift) if one.account == "mo"]
    assert (shift.items, shift.seconds) == (1, 10.0)
    for wrong in ("0", "10", "x", "-1"):
        refused = who.post("/items/c0/reveal", exhibit=made.exhibits["c0"].id, shown="still", part=wrong)
        assert refused.status_code == 422, wrong


def test_sound_comes_without_the_picture_and_the_picture_without_sound(film):
    with av.open(io.BytesIO(silent(film))) as source:
        assert [one.type for one in source.streams] == ["video"]
        assert sum(1 for _ in source.decode(video=0)) == 50
    with wave.open(io.BytesIO(sound_of(film))) as heard:
        assert (heard.getnchannels(), heard.getframerate()) == (1, RATE_HZ)
        assert heard.getnframes() / RATE_HZ == pytest.approx(2.0, abs=0.1)
        samples = np.frombuffer(heard.readframes(heard.getnframes()), np.int16)
    assert np.abs(samples).max() > 5_000


def test_how_loud_it_is_is_a_picture_of_numbers(film):
    root = ET.fromstring(wave_of(film))
    assert "Loudness over 2.0 s" in root[0].text
    assert root[1].attrib["d"].count("M") == 120
    assert set(root[1].attrib["d"]) <= set("MV0123456789. ")


@pytest.mark.parametrize("data", [b"", b"a film", still()], ids=["nothing", "no film", "a still"])
def test_what_is_no_film_is_told_in_words(data):
    for act in (sound_of, wave_of):
        with pytest.raises(Problem):
            act(data)
    if data != still():
        with pytest.raises(Problem):
            silent(data)


def test_the_console_gives_each_alone_and_never_before_a_press(tmp_path, film):
    made = full(console(tmp_path))
    one = exhibit(made, "c0", film, "video/mp4")
    who = working(made, "mo")
    assert who.get(f"/items/c0/sounds/{one.id}/loudness").status_code == 403
    who.post("/items/c0/claim")
    page = who.get("/items/c0").text
    assert "autoplay" not in page
    assert "<audio" not in page
    assert "<video" not in page
    loud = who.get(f"/items/c0/sounds/{one.id}/loudness")
    assert loud.headers["content-type"].startswith("image/svg+xml")
    assert who.get(f"/items/c0/sounds/{made.exhibits['c0'].id}/loudness").status_code == 404
    assert who.post("/items/c0/reveal", exhibit=one.id, shown="sound").status_code == 403  # stills come first
    who.post("/items/c0/reveal", exhibit=made.exhibits["c0"].id, shown="still")
    heard = who.post("/items/c0/reveal", exhibit=one.id, shown="sound")
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.content == sound_of(film)
    seen = who.post("/items/c0/reveal", exhibit=one.id, shown="motion")
    assert seen.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(seen.content)) as source:
        assert not source.streams.audio
