"""The one loop from pictures to decisions, shared by every room that watches video."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR
from lightship.core.errors import DetectorError, LightshipError
from lightship.core.judge import Bound, Observation, Standing, bind, judge
from lightship.core.ladder import Policy
from lightship.core.ports import Detector, Picture
from lightship.core.values import Decision, Reading
from lightship.core.watchkeeper import PictureHash
from lightship.core.weight import Calibration
from lightship.detect import registry
from lightship.detect.pdq import Hashed, WeighRows, pdq, weigh_rows
from lightship.packs import Files

CAMERA_LABELS = frozenset({"camera-frozen", "camera-black"})
"""Weak evidence: looked at more often, and never a reason by itself."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A detector that the policy names and that is not there.

    Parameters
    ----------
    detector
        Its name.
    reason
        Why, and what to do.
    """

    detector: str
    reason: str


@dataclass(frozen=True)
class Sensors:
    """A policy's detectors, loaded and bound.

    Parameters
    ----------
    detectors
        In the policy's order.
    absent
        What could not be loaded and was not required.
    bound
        The policy with its calibrations.
    """

    detectors: tuple[Detector, ...]
    absent: tuple[Absence, ...]
    bound: Bound

    def for_one_stream(self, subject: str = "") -> Sensors:
        """Return the same for one stream: what remembers its last pictures, or counts where it matched, is its own.

        Parameters
        ----------
        subject
            Whose stream it is, for the brake on floods; empty counts nowhere.
        """
        own = tuple(one.of_stream(subject) if isinstance(one, OfStream) else one for one in self.detectors)
        return replace(self, detectors=own)


@runtime_checkable
class OfStream(Protocol):
    """A detector that keeps something of the stream that it looks at."""

    def of_stream(self, subject: str) -> Detector:
        """Return one for a stream of its own."""


@runtime_checkable
class HashReader(Protocol):
    """A detector that works from the picture's hash, which is made once for all who need it."""

    def read_hashed(
        self, frames: Sequence[NDArray[np.uint8]], hashes: Sequence[Hashed]
    ) -> list[tuple[Reading, ...]]:
        """Return what ``read`` returns."""


def load_sensors(
    policy: Policy,
    read_calibration: Callable[[str], Calibration],
    options: Mapping[str, Mapping[str, Any]] | None = None,
    files: Files | None = None,
) -> Sensors:
    """Load a policy's detectors and bind them to their calibrations.

    Parameters
    ----------
    read_calibration
        Returns a calibration by the name that the policy gives.
    options
        More options for a detector's ``load``, by detector name: the lists of ``known-media``, say.
    files
        The files of a verified pack: a model card that the policy names is taken from there.

    Raises
    ------
    DetectorError
        If a required detector cannot be loaded, or none is left that gives evidence.
    PolicyError
        If a calibration does not fit its detector.
    """
    loaded: list[Detector] = []
    absent: list[Absence] = []
    calibrations: dict[str, Calibration] = {}
    for use in policy.detectors:
        try:
            asked = {**dict(use.options), **(options or {}).get(use.name, {})}
            if files is not None and "card" in asked:
                asked["card_text"] = files.get(f"cards/{asked['card']}.toml", "")
            detector = registry.load(use.name, **asked)
            if detector.evidence == "calibrated":
                calibrations[use.name] = read_calibration(use.calibration)
        except LightshipError as error:
            if use.required or (options and use.name in options):
                raise
            absent.append(Absence(use.name, str(error)))
        else:
            loaded.append(detector)
    if all(detector.evidence == "camera" for detector in loaded):
        raise DetectorError(
            "No detector that gives evidence could be loaded, so there is nothing to watch with.",
            f"policy {policy.name}",
            " ".join(f"{absence.detector}: {absence.reason}" for absence in absent),
        )
    return Sensors(tuple(loaded), tuple(absent), bind(policy, loaded, calibrations))


def picture_hash(hashed: Hashed) -> PictureHash | None:
    """Return a PDQ hash as four integers, or None where the picture is too flat."""
    words, quality = hashed
    if quality < QUALITY_FLOOR:
        return None
    first, second, third, fourth = (int(word) for word in words)
    return first, second, third, fourth


def observe(
    detectors: tuple[Detector, ...],
    picture: Picture,
    weigh: WeighRows = weigh_rows,
    hashed: Hashed | None = None,
) -> Observation:
    """Run every detector on one picture.

    Parameters
    ----------
    weigh
        Reads the picture for its hash.
    hashed
        The hash, where it is known already.

    Raises
    ------
    DetectorError
        If a detector fails: the caller is blind from then on and must say so.
    """
    readings: list[Reading] = []
    hashed = pdq(picture.luma(), weigh) if hashed is None else hashed
    for detector in detectors:
        frame = picture.rgb() if detector.takes == "rgb" else picture.luma()
        try:
            if isinstance(detector, HashReader):
                (found,) = detector.read_hashed([frame], [hashed])
            else:
                (found,) = detector.read([frame])
        except Exception as error:
            raise DetectorError(
                f"The detector failed on a picture of {picture.width}×{picture.height}: {error}.",
                detector.name,
                "Report it with the detector's version; the policy decides what is shown meanwhile.",
            ) from error
        readings.extend(found)
    return Observation(picture.at_s, tuple(readings), picture_hash(hashed))


class Loop:
    """Looks at pictures one after the other and keeps where the stream stands.

    Looking happens on one thread; other threads may put steps into force with :meth:`take`.

    Parameters
    ----------
    sensors
        The policy's detectors, bound.
    """

    def __init__(self, sensors: Sensors) -> None:
        self.sensors = sensors
        self.bound = sensors.bound
        self.odd_camera = False
        self._standing = sensors.bound.start()
        self._lock = threading.Lock()

    @property
    def standing(self) -> Standing:
        """Where the stream stands now."""
        return self._standing

    def look(self, picture: Picture) -> Decision | None:
        """Look at one picture and return the decision it leads to, if any.

        Raises
        ------
        DetectorError
            If a detector fails.
        """
        observation = observe(self.sensors.detectors, picture)
        self.odd_camera = any(reading.label in CAMERA_LABELS for reading in observation.readings)
        return self.take(lambda standing: judge(self.bound, standing, observation))

    def take(self, step: Callable[[Standing], tuple[Standing, Decision | None]]) -> Decision | None:
        """Put a step of :mod:`lightship.core.judge` into force and return its decision."""
        with self._lock:
            self._standing, decision = step(self._standing)
        return decision
