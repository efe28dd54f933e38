"""The model runner on tiny models built here, and the shipped card on benign photographs where its package is installed."""

import hashlib
import importlib.util
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage import data

from lightship.core.errors import DetectorError
from lightship.detect.exposure import ExposureDetector
from lightship.detect.model_card import load_card

CARD = """
name = "tiny"
title = "A tiny model that fires on red"
licence = "Apache-2.0"
source = "made in the test"
file = "tiny.onnx"
sha256 = "{sha}"

[input]
width = 8
height = 8
layout = "{layout}"
colours = "{colours}"
scale = 0.00392156862745098
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
fit = "{fit}"

[output]
decoding = "{decoding}"
labels = ["red", "green"]
counts = ["red"]
{more}
"""


def save(model, folder):
    data_ = model.SerializeToString()
    (folder / "tiny.onnx").write_bytes(data_)
    return hashlib.sha256(data_).hexdigest()


def graph(nodes, inputs, outputs, constants=()):
    made = helper.make_graph(
        nodes, "tiny", inputs, outputs, [numpy_helper.from_array(v, n) for n, v in constants]
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def classifier(axes=(2, 3), shape=(1, 3, 8, 8)):
    """Mean red minus green and the reverse, as two scores."""
    mix = np.array([[4.0, -4.0], [-4.0, 4.0], [0.0, 0.0]], np.float32)
    return graph(
        [
            helper.make_node("ReduceMean", ["x"], ["means"], axes=list(axes), keepdims=0),
            helper.make_node("MatMul", ["means", "mix"], ["y"]),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [("mix", mix)],
    )


def yolo():
    """Two boxes; the class scores of the first are the mean red and green of the picture."""
    frame = np.array([[4, 2], [4, 2], [4, 2], [4, 2]], np.float32)[None]
    second = np.zeros((1, 2, 1), np.float32)
    return graph(
        [
            helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
            helper.make_node("Slice", ["means", "zero", "two", "one"], ["red_green"]),
            helper.make_node("Unsqueeze", ["red_green", "two"], ["first"]),
            helper.make_node("Concat", ["first", "second"], ["scores"], axis=2),
            helper.make_node("Concat", ["boxes", "scores"], ["y"], axis=1),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6, 2])],
        [
            ("zero", np.array([0])),
            ("two", np.array([2])),
            ("one", np.array([1])),
            ("boxes", frame),
            ("second", second),
        ],
    )


def load(
    folder,
    model,
    *,
    sha=None,
    layout="NCHW",
    colours="RGB",
    fit="stretch",
    decoding="classifier-sigmoid",
    more="",
):
    digest = save(model, folder)
    text = CARD.format(
        sha=sha or digest, layout=layout, colours=colours, fit=fit, decoding=decoding, more=more
    )
    (folder / "tiny.toml").write_text(text)
    return ExposureDetector.load(str(folder / "tiny.toml"))


def flat(red, green, blue, shape=(40, 60)):
    return np.full((*shape, 3), (red, green, blue), np.uint8)


def score(detector, frame):
    ((reading,),) = detector.read([frame])
    assert (reading.detector, reading.label) == ("exposure", "exposed")
    return reading.score


@pytest.mark.parametrize("decoding", ["classifier-sigmoid", "classifier-softmax"])
def test_a_classifier_fires_on_its_colour_and_not_on_another(tmp_path, decoding):
    detector = load(tmp_path, classifier(), decoding=decoding)
    assert score(detector, flat(255, 0, 0)) > 0.9
    assert score(detector, flat(0, 255, 0)) < 0.1


def test_the_order_of_colours_and_axes_is_the_cards(tmp_path):
    swapped = load(tmp_path, classifier(), colours="BGR")
    assert score(swapped, flat(0, 0, 255)) > 0.9
    last = load(tmp_path, classifier(axes=(1, 2), shape=(1, 8, 8, 3)), layout="NHWC")
    assert score(last, flat(255, 0, 0)) > 0.9


def test_boxes_come_back_in_the_pictures_own_pixels(tmp_path):
    detector = load(tmp_path, yolo(), decoding="yolo", more="floor = 0.1")
    ((reading,),) = detector.read([flat(200, 0, 0, (40, 80))])
    assert reading.score == pytest.approx(200 / 255, abs=0.01)
    assert (reading.box.left_px, reading.box.top_px, reading.box.width_px, reading.box.height_px) == (
        20,
        10,
        40,
        20,
    )


def test_a_letterboxed_picture_keeps_its_shape(tmp_path):
    detector = load(tmp_path, yolo(), decoding="yolo", fit="letterbox-top-left", more="floor = 0.1")
    ((reading,),) = detector.read([flat(255, 0, 0, (40, 80))])
    assert reading.score == pytest.approx(0.5, abs=0.01)  # half of the input is black
    assert (reading.box.width_px, reading.box.height_px) == (40, 40)


def test_nothing_seen_is_a_reading_of_zero_so_that_calibration_sees_every_frame(tmp_path):
    assert score(load(tmp_path, yolo(), decoding="yolo", more="floor = 0.1"), flat(0, 0, 0)) == 0.0


def test_a_batch_gives_one_answer_a_frame(tmp_path):
    detector = load(tmp_path, classifier())
    red, green = flat(255, 0, 0), flat(0, 255, 0)
    assert [one[0].score > 0.5 for one in detector.read([red, green, red])] == [True, False, True]


def test_another_file_than_the_card_describes_is_refused(tmp_path):
    with pytest.raises(DetectorError, match="another model or corrupt"):
        load(tmp_path, classifier(), sha="0" * 64)


def test_a_corrupt_model_is_refused(tmp_path):
    data_ = b"not a model at all"
    (tmp_path / "tiny.onnx").write_bytes(data_)
    text = CARD.format(
        sha=hashlib.sha256(data_).hexdigest(),
        layout="NCHW",
        colours="RGB",
        fit="stretch",
        decoding="classifier",
        more="",
    )
    (tmp_path / "tiny.toml").write_text(text)
    with pytest.raises(DetectorError, match="cannot be run"):
        ExposureDetector.load(str(tmp_path / "tiny.toml"))


def test_a_missing_model_is_said(tmp_path):
    load(tmp_path, classifier())
    (tmp_path / "tiny.onnx").unlink()
    with pytest.raises(DetectorError, match="cannot be read"):
        ExposureDetector.load(str(tmp_path / "tiny.toml"))


def test_a_missing_package_names_the_extra(tmp_path):
    load(tmp_path, classifier())
    path = tmp_path / "tiny.toml"
    path.write_text(
        path.read_text().replace('file = "tiny.onnx"', 'package = "no_such_package"\nresource = "x.onnx"')
    )
    with pytest.raises(DetectorError, match=r"lightship\[exposure\]"):
        ExposureDetector.load(str(path))


def test_a_card_that_does_not_fit_its_model_is_refused_at_once(tmp_path):
    with pytest.raises(DetectorError, match="does not take"):
        load(tmp_path, classifier(), layout="NHWC")
    with pytest.raises(DetectorError, match="rows"):
        load(tmp_path, classifier(), decoding="yolo")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "tiny"', "", "lacks 'name'"),
        ('name = "tiny"', 'name = "tiny"\nsurprise = 1', "surprise"),
        ("width = 8", 'width = "8"', "wrong type"),
        ("width = 8", "width = 0", "outside"),
        ('layout = "NCHW"', 'layout = "CHWN"', "not one of"),
        ('counts = ["red"]', 'counts = ["blue"]', "blue"),
        ('counts = ["red"]', "counts = []", "nothing"),
        ("std = [1.0, 1.0, 1.0]", "std = [1.0, 0.0, 1.0]", "zero"),
        ("mean = [0.0, 0.0, 0.0]", "mean = [0.0]", "three"),
        ("mean = [0.0, 0.0, 0.0]", 'mean = [0.0, "0", 0.0]', "three"),
        ("mean = [0.0, 0.0, 0.0]", "mean = [0.0, nan, 0.0]", "finite"),
        ("scale = 0.00392156862745098", "scale = 0", "more than 0"),
        ('labels = ["red", "green"]', 'labels = ["red", "red"]', "twice"),
        ('labels = ["red", "green"]', 'labels = ["red", 2]', "words"),
        ('counts = ["red"]', 'counts = [["red"]]', "words"),
        ('sha256 = "', 'sha256 = "x', "64 hexadecimal"),
        ('decoding = "classifier-sigmoid"', 'decoding = "yolo"\nfloor = 2', "0 to 1"),
        ("[output]", "[output]\nsurprise = 1", "output.surprise"),
        ("[output]", "[outputs]", "lacks"),
        ('file = "tiny.onnx"', "", "either a file"),
        ("[input]", "[input", "not TOML"),
    ],
)
def test_every_fault_of_a_card_is_named(tmp_path, old, new, said):
    load(tmp_path, classifier())
    path = tmp_path / "tiny.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DetectorError, match=said):
        load_card(str(path))


def test_scores_that_are_not_numbers_are_an_error_not_a_benign_reading(tmp_path):
    model = graph(
        [
            helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
            helper.make_node("Slice", ["means", "zero", "two", "one"], ["two_means"]),
            helper.make_node("Log", ["two_means"], ["y"]),  # of black: minus infinity
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [("zero", np.array([0])), ("two", np.array([2])), ("one", np.array([1]))],
    )
    detector = load(tmp_path, model)
    with pytest.raises(DetectorError, match="not numbers"):
        detector.read([flat(0, 0, 0)])


def test_a_card_is_found_by_name_in_a_directory(tmp_path):
    load(tmp_path, classifier())
    assert load_card("tiny", tmp_path).name == "tiny"
    assert ExposureDetector.load("tiny", directory=tmp_path).card.licence == "Apache-2.0"
    assert load_card("nudenet-320n", tmp_path).package == "nudenet"


def test_without_the_runtime_the_extra_is_named(tmp_path, monkeypatch):
    load(tmp_path, classifier())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DetectorError, match=r"pip install lightship\[exposure\]"):
        ExposureDetector.load(tmp_path / "tiny.toml")


def test_the_model_runs_on_one_thread(tmp_path):
    options = load(tmp_path, classifier())._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (1, 500), (4320, 7680)])
def test_any_size_of_picture_is_taken(tmp_path, shape):
    detector = load(tmp_path, yolo(), decoding="yolo", fit="letterbox-top-left", more="floor = 0.1")
    assert 0.0 <= score(detector, flat(255, 0, 0, shape)) <= 1.0


def test_an_unknown_card_lists_the_shipped_ones():
    with pytest.raises(DetectorError, match="nudenet-320n"):
        load_card("none-such")


@pytest.fixture(scope="module")
def shipped():
    if importlib.util.find_spec("nudenet") is None:
        pytest.skip("the extra lightship[exposure] is not installed")
    return ExposureDetector.load()


def test_the_shipped_model_finds_the_face_of_the_astronaut(shipped):
    found = {finding.label: finding for finding in shipped.look(data.astronaut()) if finding.p > 0.5}
    face = found["face-female"].box
    assert 170 < face.left_px + face.width_px / 2 < 280
    assert 60 < face.top_px + face.height_px / 2 < 180


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "rocket"])
def test_the_shipped_model_reports_nothing_exposed_on_benign_photographs(shipped, name):
    assert score(shipped, getattr(data, name)()) < 0.25


def test_the_runner_agrees_with_the_packages_own_given_its_order_of_colours(shipped):
    from nudenet import NudeDetector

    as_packaged = ExposureDetector(replace(shipped.card, colours="BGR"))
    for picture in (data.astronaut(), np.repeat(data.camera()[..., None], 3, axis=2)):
        (theirs,) = NudeDetector().detect(np.ascontiguousarray(picture[..., ::-1]))
        ours = as_packaged.look(picture)[0]
        assert ours.label == theirs["class"].lower().replace("_", "-")
        assert ours.p == pytest.approx(theirs["score"], abs=1e-4)
        assert [ours.box.left_px, ours.box.top_px, ours.box.width_px, ours.box.height_px] == theirs["box"]


def test_the_shipped_card_counts_only_exposed_intimate_classes(shipped):
    assert len(shipped.card.labels) == 18
    assert all(label.endswith("-exposed") for label in shipped.card.counts)
    assert not any(
        word in label for label in shipped.card.counts for word in ("face", "feet", "belly", "armpits")
    )
    assert "male-breast-exposed" not in shipped.card.counts


def test_the_shipped_models_version_is_the_digest_of_its_file(shipped):
    assert shipped.version == "sha256:" + shipped.card.sha256


def test_onnx_models_of_the_tests_are_valid():
    for model in (classifier(), yolo()):
        onnx.checker.check_model(model)
