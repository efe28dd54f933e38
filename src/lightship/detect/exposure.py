"""Exposure: an ONNX model on the processor, driven by a model card.

The runner knows nothing of any one model (docs/adr/0003). A score is the model's own and means nothing by itself: its
weight comes from a calibration on benign footage, so every frame has one reading, 0 where nothing is seen.
Measured with NudeNet's 320n: 12 ms a frame on one core, at any picture size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import DetectorError, LightshipError
from lightship.core.values import Box, Reading, Rgb
from lightship.detect.model_card import CARDS, ModelCard, load_card, parse_card


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a model sees.

    Parameters
    ----------
    label
        A class of the model.
    p
        The model's own score, 0 to 1; not a probability of anything until it is calibrated.
    box
        Where, for models that say so.
    """

    label: str
    p: float
    box: Box | None


class ExposureDetector:
    """Says how much a picture resembles exposure, by the largest score of the classes that count.

    Parameters
    ----------
    card
        The model card.

    Raises
    ------
    DetectorError
        If the runtime or the model is missing, corrupt, another one, or does not fit its card.
    """

    name = "exposure"
    labels = frozenset({"exposed"})
    takes: Literal["rgb", "luma"] = "rgb"
    evidence: Literal["calibrated", "analytic", "camera"] = "calibrated"

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.version = f"sha256:{card.sha256}"
        self._session = _session(card)
        self._input = self._session.get_inputs()[0].name
        self._try_out()

    @classmethod
    def load(
        cls,
        card: str | Path = "nudenet-320n",
        directory: str | Path | None = None,
        card_text: str | None = None,
    ) -> ExposureDetector:
        """Load a model by the name or path of its card.

        Parameters
        ----------
        card
            The name of a card, or the path of one (``.toml``).
        directory
            Where cards are looked for by name before the shipped ones.
        card_text
            The card itself, from a verified pack: then no other is looked for.

        Raises
        ------
        DetectorError
            If the card is refused, or the runtime or the model is missing, corrupt or another one.
        """
        return cls(
            load_card(card, directory) if card_text is None else parse_card(card_text, CARDS / f"{card}.toml")
        )

    def _try_out(self) -> None:
        """Run once on a grey picture, so that a card that does not fit its model is refused now, not in mid-stream."""
        try:
            self.look(np.full((self.card.height, self.card.width, 3), 128, dtype=np.uint8))
        except LightshipError:
            raise
        except Exception as error:
            raise DetectorError(
                f"The model does not take what the card describes: {_first_line(error)}",
                f"card {self.card.name}",
                "Correct the card's [input].",
            ) from error

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return one reading for each frame ``(H, W, 3) uint8 RGB``; the score is 0 where nothing counts.

        Raises
        ------
        DetectorError
            If the model gives scores that are not numbers.
        """
        readings: list[tuple[Reading, ...]] = []
        for frame in frames:
            counted = [finding for finding in self.look(frame) if finding.label in self.card.counts]
            best = max(counted, key=lambda finding: finding.p, default=Finding("", 0.0, None))
            readings.append((Reading(self.name, "exposed", best.p, "", best.box),))
        return readings

    def look(self, frame: Rgb) -> list[Finding]:
        """Return everything that the model sees in ``(H, W, 3) uint8 RGB``, counted or not, best first.

        Of a model that gives boxes, the best box of each label.
        """
        tensor, scale = _tensor(frame, self.card)
        (output, *_) = self._session.run(None, {self._input: tensor})
        if not np.isfinite(output).all():
            raise DetectorError(
                "The model gives scores that are not numbers.",
                f"card {self.card.name}",
                "Check the card's [input], or take another model.",
            )
        findings = (
            _boxes(output, self.card, scale) if self.card.decoding == "yolo" else _classes(output, self.card)
        )
        return sorted(findings, key=lambda finding: -finding.p)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _session(card: ModelCard) -> Any:
    data = card.read_model()
    try:
        import onnxruntime
    except ImportError as error:
        raise DetectorError(
            "The ONNX runtime is not installed.",
            f"card {card.name}",
            "Install it with `pip install lightship[exposure]`.",
        ) from error
    options = onnxruntime.SessionOptions()
    # One thread: two are slower on two busy cores (measured; shared with decoding).
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise DetectorError(
            f"The model cannot be run: {_first_line(error)}",
            f"card {card.name}",
            "The file is not a usable model.",
        ) from error


def _tensor(frame: Rgb, card: ModelCard) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return the model's input, and how many picture pixels one input pixel spans, across and down."""
    import cv2

    height, width = frame.shape[:2]
    canvas = np.zeros((card.height, card.width, 3), dtype=np.uint8)
    if card.fit == "stretch":
        wide, high = card.width, card.height
    else:
        shrink = min(card.width / width, card.height / height)
        wide, high = max(1, round(width * shrink)), max(1, round(height * shrink))
    canvas[:high, :wide] = cv2.resize(frame, (wide, high), interpolation=cv2.INTER_LINEAR)
    ordered = canvas if card.colours == "RGB" else canvas[..., ::-1]
    values = ordered.astype(np.float32) * np.float32(card.scale)
    if any(card.mean) or card.std != (1.0, 1.0, 1.0):
        mean, std = np.asarray(card.mean, dtype=np.float32), np.asarray(card.std, dtype=np.float32)
        values = np.asarray((values - mean) / std, dtype=np.float32)
    if card.layout == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[None]), (width / wide, height / high)


def _classes(output: Any, card: ModelCard) -> list[Finding]:
    scores: NDArray[np.float64] = np.asarray(output, dtype=np.float64).reshape(-1)
    if len(scores) != len(card.labels):
        raise DetectorError(
            f"The model gives {len(scores)} scores, the card has {len(card.labels)} labels.",
            f"card {card.name}",
            "",
        )
    if card.decoding == "classifier-softmax":
        raised: NDArray[np.float64] = np.asarray(np.exp(scores - scores.max()), dtype=np.float64)
        scores = np.asarray(raised / raised.sum(), dtype=np.float64)
    elif card.decoding == "classifier-sigmoid":
        scores = np.asarray(1.0 / (1.0 + np.exp(-scores)), dtype=np.float64)
    return [Finding(label, float(p), None) for label, p in zip(card.labels, scores, strict=True)]


def _boxes(output: Any, card: ModelCard, scale: tuple[float, float]) -> list[Finding]:
    table: NDArray[np.float32] = np.asarray(output, dtype=np.float32)
    table = table.reshape(-1, table.shape[-1])
    if table.shape[0] != 4 + len(card.labels):
        raise DetectorError(
            f"The model gives {table.shape[0]} rows, the card's labels ask for {4 + len(card.labels)}.",
            f"card {card.name}",
            "",
        )
    scores = table[4:]
    best = scores.max(axis=1)
    findings = []
    for number in np.flatnonzero(best >= card.floor):  # the best box of each class is all that is asked for
        column = int(scores[number].argmax())
        middle_x, middle_y, wide, high = (float(value) for value in table[:4, column])
        box = Box(
            int((middle_x - wide / 2) * scale[0]),
            int((middle_y - high / 2) * scale[1]),
            int(wide * scale[0]),
            int(high * scale[1]),
        )
        findings.append(Finding(card.labels[number], float(best[number]), box))
    return findings
