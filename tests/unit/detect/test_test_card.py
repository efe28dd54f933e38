"""The benign test card: found small, tilted and compressed, and not where it is not."""

import io

import av
import cv2
import numpy as np
import pytest
from skimage import data

from lightship.core.errors import InputError, SinkError
from lightship.detect.test_card import WEIGHT_DB, TestCardDetector, _dictionary, _weight_db, draw, write

DETECTOR = TestCardDetector.load()


def held(height, share, angle=0.0, tilt=0.0, quality=None):
    """A photograph with the card held before it, as ``(H, W) uint8`` brightness."""
    width = height * 16 // 9
    scene = cv2.resize(cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY), (width, height))
    card = cv2.cvtColor(draw(600), cv2.COLOR_RGB2GRAY)
    half = height * share / 2
    turn = np.deg2rad(angle)
    corners = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        depth = 1.0 + tilt * y
        corners.append(
            [
                width / 2 + half * (x * np.cos(turn) - y * np.sin(turn)) / depth,
                height / 2 + half * (x * np.sin(turn) + y * np.cos(turn)) / depth,
            ]
        )
    source = np.array([[0, 0], [600, 0], [600, 600], [0, 600]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    small = cv2.GaussianBlur(card, (0, 0), max(0.3, 600 / (half * 2) / 2.5))
    warped = cv2.warpPerspective(small, matrix, (width, height), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full_like(card, 255), matrix, (width, height)) > 128
    scene[mask] = warped[mask]
    if quality is not None:
        scene = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    return scene


@pytest.mark.parametrize("height", [360, 720, 1080])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize(("angle", "tilt", "quality"), [(0, 0, None), (30, 0, 50), (12, 0.15, 50)])
def test_it_is_found_down_to_a_tenth_of_the_height_tilted_and_compressed(height, share, angle, tilt, quality):
    ((reading,),) = DETECTOR.read([held(height, share, angle, tilt, quality)])
    assert reading.label == "test-card"
    assert reading.score == WEIGHT_DB
    assert abs(reading.box.left_px + reading.box.width_px / 2 - height * 8 / 9) < height * share


def turned(height, share, pitch, yaw, roll):
    """A photograph with the card turned in space before it, rendered four times as fine, as brightness."""
    width, size, fine = height * 16 // 9, 600, 4
    side = height * share
    turn = np.eye(3)
    for axis, angle in enumerate((pitch, yaw, roll)):
        turn = cv2.Rodrigues(np.deg2rad(angle) * np.eye(3)[axis])[0] @ turn
    x, y, z = turn @ (np.array([[-1, 1, 1, -1], [-1, -1, 1, 1], [0, 0, 0, 0]]) * side / 2)
    depth = 1.0 + z / (1.2 * height)
    corners = np.stack([x / depth, y / depth], axis=1)
    reach = int(np.abs(corners).max()) + 2
    source = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.float32((corners + reach) * fine))
    card = cv2.cvtColor(draw(size), cv2.COLOR_RGB2GRAY)
    card = cv2.GaussianBlur(card, (0, 0), max(0.3, size / (side * fine) / 2))
    box = (2 * reach * fine, 2 * reach * fine)
    mask = cv2.warpPerspective(np.full_like(card, 255), matrix, box).astype(np.float32) / 255
    seen = cv2.warpPerspective(card, matrix, box).astype(np.float32) * mask
    mask, seen = (
        cv2.resize(one, (2 * reach, 2 * reach), interpolation=cv2.INTER_AREA) for one in (mask, seen)
    )
    scene = cv2.resize(cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY), (width, height))
    place = np.s_[height // 2 - reach : height // 2 + reach, width // 2 - reach : width // 2 + reach]
    scene[place] = (scene[place] * (1 - mask) + seen).astype(np.uint8)
    return scene


def as_h264(luma, crf):
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = luma.shape[1], luma.shape[0], "yuv420p"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    file.seek(0)
    with av.open(file) as back:
        frames = [frame.to_ndarray(format="gray") for frame in back.decode(video=0)]
    return np.ascontiguousarray(frames[-1])


@pytest.mark.parametrize("height", [360, 720])
@pytest.mark.parametrize("turns", [(0, 0, 0), (45, 0, 0), (0, 40, 0), (20, 25, 20), (0, 35, 45)])
@pytest.mark.parametrize("harm", ["none", "h264", "blur"])
def test_a_tenth_of_the_height_is_enough_turned_in_space_compressed_or_blurred(height, turns, harm):
    picture = turned(height, 0.1, *turns)
    if harm == "h264":
        picture = as_h264(picture, 30)
    elif harm == "blur":
        picture = cv2.GaussianBlur(picture, (0, 0), 0.016 * height * 0.1)
    ((reading,),) = DETECTOR.read([picture])
    assert 70.0 <= reading.score <= WEIGHT_DB


@pytest.mark.parametrize(
    ("share", "angle", "tilt", "quality"), [(0.1, 0, 0, None), (0.2, 30, 0, 50), (0.5, 100, 0.15, 50)]
)
def test_a_mirrored_card_is_the_card_too_as_a_selfie_shows_it(share, angle, tilt, quality):
    picture = np.ascontiguousarray(held(720, share, angle, tilt, quality)[:, ::-1])
    ((reading,),) = DETECTOR.read([picture])
    assert (reading.label, reading.score) == ("test-card", WEIGHT_DB)


def test_the_card_and_its_mirror_image_are_far_apart_and_two_of_the_bound_s_patterns():
    both = _dictionary()
    plain, mirrored = (
        cv2.aruco.Dictionary.getBitsFromByteList(both.bytesList[number : number + 1], both.markerSize)
        for number in (0, 1)
    )
    assert len(both.bytesList) == 2
    assert min(int((np.rot90(plain, turns) != mirrored).sum()) for turns in range(4)) >= 10
    assert _weight_db(1) == pytest.approx(-10 * np.log10(8 / 2**36))


def test_a_picture_full_of_quadrilaterals_weighs_less():
    board = np.where((np.indices((720, 1280)) // 24).sum(axis=0) % 2, 235, 16).astype(np.uint8)
    board[200:440, 400:640] = cv2.cvtColor(draw(240), cv2.COLOR_RGB2GRAY)
    ((reading,),) = DETECTOR.read([board])
    assert reading.score <= WEIGHT_DB
    assert _weight_db(1000) == pytest.approx(WEIGHT_DB - 10, abs=0.1)


@pytest.mark.parametrize(
    "name", ["astronaut", "camera", "chelsea", "coffee", "coins", "page", "text", "rocket", "brick"]
)
def test_it_is_not_found_where_it_is_not(name):
    image = getattr(data, name)()
    grey = image if image.ndim == 2 else cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2GRAY)
    assert DETECTOR.read([np.ascontiguousarray(grey)]) == [()]


def test_other_markers_are_not_the_card():
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_6X6_250)
    for number in range(0, 250, 10):
        if number == 23:
            continue
        marker = np.full((300, 300), 255, np.uint8)
        marker[50:250, 50:250] = cv2.aruco.generateImageMarker(dictionary, number, 200)
        assert DETECTOR.read([marker]) == [()], number


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (31, 300), (4320, 7680)])
def test_any_size_of_picture_is_taken(shape):
    assert DETECTOR.read([np.full(shape, 127, np.uint8)]) == [()]


def test_it_is_written_as_a_picture_that_is_found_again(tmp_path):
    write(tmp_path / "card.png")
    ((reading,),) = DETECTOR.read([cv2.imread(str(tmp_path / "card.png"), 0)])
    assert reading.label == "test-card"


def test_a_card_that_cannot_be_finished_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(SinkError, match="No space"):
        write(tmp_path / "card.png")
    assert not list(tmp_path.iterdir())


def test_bad_places_are_said(tmp_path):
    with pytest.raises(InputError, match="picture"):
        write(tmp_path / "card.txt")
    with pytest.raises(SinkError, match="cannot be written"):
        write(tmp_path / "none" / "card.png")
    with pytest.raises(InputError, match="too small"):
        draw(10)
