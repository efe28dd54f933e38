"""What detectors that a browser also has make of small pictures: known media on lists, and a model by its card."""

import base64
import hashlib
import itertools
import json
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import onnx

from lightship import packs
from lightship.core.entries import collect, written
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.border import inside
from lightship.detect.exposure import ExposureDetector
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.model_card import parse_card
from lightship.detect.pdq import pdq
from tests.unit.detect.test_exposure import CARD, classifier, yolo
from tests.vectors.pdq import clear, picture

SIZE = (96, 72)
DAY = date(2026, 11, 24)


def made():
    return {
        "chance": json.loads((packs.root() / "calibrations" / "pdq-chance.json").read_text("utf-8")),
        **_known(),
        "models": _models(),
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _known():
    found = (picture(*SIZE, seed) for seed in range(4000))
    clean = list(itertools.islice((one for one in found if clear(one) and inside(one) is None), 30))
    listed, other = clean[:6], clean[6]
    mirrored = next(one for one in clean[7:] if clear(np.ascontiguousarray(one[:, ::-1])))
    lists = {
        "one": [_entry(one, f"case-{number}") for number, one in enumerate(listed)]
        + [_entry(mirrored, "mirror")],
        "two": [_entry(listed[0], "ähnlich"), _near(listed[1], 9)],
    }
    banks, files = [], []
    for name, entries in lists.items():
        collected = collect(entries, name)
        banks.append(build(Terms(name), collected, DAY))
        files.append([name, banks[-1].digest, _text(b"".join(written(collected.entries)))])
    detector = KnownMediaDetector(banks)
    flat = np.full((72, 96), 90, np.uint8)
    shown = [*listed[:3], np.ascontiguousarray(mirrored[:, ::-1]), other, flat]
    rows = []
    for luma in shown:
        ((*readings,),) = detector.read([luma])
        row = {"luma": _text(luma.tobytes()), "weight_db": readings[0].score if readings else None}
        rows.append({**row, "detail": readings[0].detail if readings else ""})
    return {"width": SIZE[0], "height": SIZE[1], "lists": files, "looks": rows}


def _entry(luma: np.ndarray, reference: str) -> Entry:
    words, quality = pdq(luma)
    return Entry("pdq", words.astype(">u8").tobytes(), quality, reference)


def _near(luma: np.ndarray, bits: int) -> Entry:
    entry = _entry(luma, "near")
    value = int.from_bytes(entry.value, "big") ^ ((1 << bits) - 1) << 100
    return Entry("pdq", value.to_bytes(32, "big"), entry.quality, "near")


def _models():
    rng = np.random.default_rng(4)
    frames = [rng.integers(0, 256, (30, 44, 3), np.uint8), np.full((20, 9, 3), (250, 20, 0), np.uint8)]
    ways = (
        (classifier(), "NCHW", "RGB", "stretch", "classifier-softmax", ""),
        (classifier((1, 2), (1, 8, 8, 3)), "NHWC", "BGR", "letterbox-top-left", "classifier-sigmoid", ""),
        (classifier(), "NCHW", "RGB", "letterbox-top-left", "classifier", ""),
        (yolo(), "NCHW", "RGB", "letterbox-top-left", "yolo", "floor = 0.3"),
    )
    return [_model(*way, frames) for way in ways]


def _model(model: onnx.ModelProto, layout, colours, fit, decoding, more, frames):
    data = model.SerializeToString()
    card = CARD.format(
        sha=hashlib.sha256(data).hexdigest(),
        layout=layout,
        colours=colours,
        fit=fit,
        decoding=decoding,
        more=more,
    )
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "tiny.onnx").write_bytes(data)
        detector = ExposureDetector(parse_card(card, Path(name) / "tiny.toml"))
    looks = []
    for frame in frames:
        ((reading,),) = detector.read([frame])
        height, width = frame.shape[:2]
        looks.append([width, height, _text(frame.tobytes()), round(reading.score, 5)])
    return {"card": card, "model": _text(data), "looks": looks}
