"""Making a calibration: what a detector says of benign footage, block by block."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lightship.core.errors import InputError
from lightship.core.ports import Detector, Picture
from lightship.core.watchkeeper import BaseBlock
from lightship.core.weight import BenignStream, Calibration
from lightship.detect.loop import observe
from lightship.media.frames import Gap, Sound
from lightship.media.sampler import Cadence

STEP = 1e-4
"""Scores are rounded up to this, so that the file stays small and no benign score looks lower than it was."""


@dataclass(frozen=True, slots=True)
class Footage:
    """One benign stream to calibrate on.

    Parameters
    ----------
    name
        What it is, for a reader.
    digest
        SHA-256 of the footage or of the recipe that makes it.
    pictures
        Its pictures in order; those that are due are looked at.
    """

    name: str
    digest: str
    pictures: Iterable[Picture]


def watch(detector: Detector, label: str, footage: Footage, sample_fps: float) -> BenignStream:
    """Return the block maxima of a detector over one benign stream.

    Raises
    ------
    InputError
        If the stream has no picture.
    """
    cadence = Cadence(sample_fps, sample_fps)
    maxima: list[float] = []
    lengths_s: list[float] = []
    block: BaseBlock | None = None
    highest, last_s = -math.inf, 0.0
    for picture in footage.pictures:
        if not cadence.due(picture.at_s):
            continue
        observation = observe((detector,), picture)
        if block is not None and block.over(picture.at_s, observation.picture):
            maxima.append(_rounded_up(highest))
            lengths_s.append(round(picture.at_s - block.began_s, 3))
            block, highest = None, -math.inf
        if block is None:
            block = BaseBlock.begun(picture.at_s, observation.picture)
        scores = [reading.score for reading in observation.readings if reading.label == label]
        highest = max([highest, *scores])
        last_s = picture.at_s
    if block is None or not math.isfinite(highest):
        raise InputError(
            f"{detector.name} gave no score for {label!r}.", footage.name, "Give benign video with pictures."
        )
    maxima.append(_rounded_up(highest))
    lengths_s.append(round(last_s - block.began_s + 1.0 / sample_fps, 3))
    return BenignStream(footage.name, footage.digest, tuple(maxima), tuple(lengths_s))


def _rounded_up(score: float) -> float:
    return round(math.ceil(score / STEP - 1e-9) * STEP, 4)


def calibrate(
    detector: Detector,
    label: str,
    footage: Iterable[Footage],
    *,
    sample_fps: float,
    created: str,
    recipe: str,
    progress: Callable[[BenignStream], None] = lambda _stream: None,
) -> Calibration:
    """Return a calibration of a detector on benign footage.

    Parameters
    ----------
    sample_fps
        Looks a second: at least the fastest rate of the policies that will use it.
    created
        Today's date, ISO 8601.
    recipe
        How to make it again.
    progress
        Told each finished stream.

    Raises
    ------
    InputError
        If there is no footage, or one has no picture.
    """
    streams: list[BenignStream] = []
    for one in footage:
        streams.append(watch(detector, label, one, sample_fps))
        progress(streams[-1])
    if not streams:
        raise InputError("There is no footage to calibrate on.", "", "Name files or folders of benign video.")
    return Calibration(detector.name, detector.version, label, sample_fps, tuple(streams), created, recipe)


def files(paths: Iterable[Path]) -> Iterator[Footage]:
    """Yield the footage of files and of folders, searched for files.

    Raises
    ------
    InputError
        If a path does not exist, or a file cannot be read as video: the file is named.
    """
    from lightship.media.sources import open_source

    for path in _all_files(paths):

        def pictures(path: Path = path) -> Iterator[Picture]:
            with open_source(str(path)) as source:
                for item in source:
                    if not isinstance(item, Sound | Gap):
                        yield item

        yield Footage(path.name, _digest(path), pictures())


def _all_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")
            )
        elif path.exists():
            yield path
        else:
            raise InputError("There is no such file or folder.", str(path), "Check the path.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
