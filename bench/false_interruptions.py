"""False interruptions on benign footage: what each policy promised beside what happened.

`python -m bench.false_interruptions NAME HOURS [backwards]` watches the footage stream by stream. A watched stream is
kept in a folder (`LIGHTSHIP_BENCH_CACHE`, by default in the system's temporary one) under the digests of all that
decides, so a run that is stopped goes on where it was, and a second one that goes backwards shares the work.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from bench import footage
from lightship import packs
from lightship.core.ports import Picture
from lightship.core.values import Rgb
from lightship.detect.loop import Sensors, load_sensors
from lightship.detect.pdq import to_hex
from lightship.detect.test_card import draw
from lightship.guard.evaluate import watch
from lightship.guard.evaluation_card import EvaluationCard, Marked, StreamResult, new_card

FIRST_SEED = {"test": 100_000, "child-device": 200_000}
"""Apart from each other and from the calibration's."""
HOURS = {
    "test": float(os.environ.get("LIGHTSHIP_BENCH_HOURS", "20")),
    "child-device": float(os.environ.get("LIGHTSHIP_BENCH_EXPOSURE_HOURS", "20")),
}
STREAM_S = 7200.0
"""Two hours: a rung with blocks of 20 minutes needs four of them, and must be able to fire."""
LIST_SEED, LIST_SIZE = 11, 100_000
_GRID_FPS = 12.0
"""A multiple of the policies' slow and fast rates, so that the cadence alone decides what is looked at."""
_CARD_S = (20.0, 40.0)
_CARD_STREAMS = 12
_ROUND = 1
"""Another number when the watching itself changes, so that kept results are not mixed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One stream to watch, and what is known of it."""

    stream: footage.Stream
    marked: Marked

    @property
    def digest(self) -> str:
        """SHA-256 of the footage's recipe and the marks."""
        return hashlib.sha256(f"{self.stream.digest} {self.marked} {STREAM_S}".encode()).hexdigest()

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures; in a marked span the benign test card lies over them."""
        if not self.marked.spans_s:
            yield from self.stream.pictures(_GRID_FPS)
            return
        ((from_s, to_s),) = self.marked.spans_s
        for picture in self.stream.pictures(30.0):
            shows = from_s <= picture.at_s < to_s
            yield footage.Shot(picture.at_s, partial(_with_card, picture)) if shows else picture


@cache
def _card() -> Rgb:
    return np.asarray(draw(180), dtype=np.uint8)


def _with_card(picture: Picture) -> Rgb:
    frame, card = picture.rgb().copy(), _card()
    frame[90 : 90 + card.shape[0], 200 : 200 + card.shape[1]] = card
    return frame


def _list(folder: Path) -> Path:
    rng = np.random.default_rng(LIST_SEED)
    path = folder / "random.csv"
    hashes = rng.integers(0, 2**64, (LIST_SIZE, 4), dtype=np.uint64)
    path.write_text("\n".join(to_hex(one) for one in hashes), encoding="utf-8")
    return path


def _sensors(name: str) -> Sensors:
    with tempfile.TemporaryDirectory() as folder:
        options = {"known-media": {"lists": [str(_list(Path(folder)))]}}
        return load_sensors(packs.policy(name), packs.calibration, options)


def plan(name: str, hours: float) -> list[Watched]:
    """Return the streams of a policy: those with the test card first, where the policy acts on it."""
    first = FIRST_SEED[name]
    shown = [
        Watched(footage.Stream(first - 1 - number, 60.0), Marked(((_CARD_S[0] + number * 0.07, _CARD_S[1]),)))
        for number in range(_CARD_STREAMS if name == "test" else 0)
    ]
    whole, rest_h = divmod(hours * 3600.0, STREAM_S)
    lengths_s = [STREAM_S] * int(whole) + ([rest_h] if rest_h >= 60.0 else [])
    benign = [
        Watched(footage.Stream(first + number, seconds), Marked()) for number, seconds in enumerate(lengths_s)
    ]
    return [*shown, *benign]


def _kept(card: EvaluationCard) -> Path:
    """Return the folder of what was watched before with the same policy, detectors and calibrations."""
    root = Path(os.environ.get("LIGHTSHIP_BENCH_CACHE", tempfile.gettempdir())) / "lightship-evaluation"
    what = json.dumps([_ROUND, card.digest, card.detectors, card.calibrations, LIST_SEED, LIST_SIZE])
    folder = root / f"{card.policy}-{hashlib.sha256(what.encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _read(path: Path) -> StreamResult | None:
    return StreamResult.from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def card(name: str, hours: float, *, backwards: bool = False) -> EvaluationCard:
    """Return the evaluation card of a shipped policy, and write it to docs/ after every stream."""
    sensors = _sensors(name)
    planned = plan(name, hours)
    folder = _kept(new_card(sensors))
    for one in reversed(planned) if backwards else planned:
        path = folder / f"{one.digest}.json"
        if path.exists():
            continue
        found = watch(sensors, one.pictures(), one.marked)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(found.to_json()) + "\n", encoding="utf-8")
        unfinished.replace(path)
        so_far = _so_far(sensors, planned, folder)
        _write(name, so_far)
        false = {result.rung: result.false for result in so_far.rungs}
        print(
            f"{name}: {so_far.benign_hours:.1f} h, {so_far.look_ms:.1f} ms a look, false {false}", flush=True
        )
    result = _so_far(sensors, planned, folder)
    _write(name, result)
    return result


def _so_far(sensors: Sensors, planned: list[Watched], folder: Path) -> EvaluationCard:
    made = new_card(
        sensors, f"bench/footage.py, {len(footage.SOURCES)} sources, real and synthetic, all benign"
    )
    for one in planned:
        found = _read(folder / f"{one.digest}.json")
        if found is not None:
            made.add(found)
    return made


def _write(name: str, result: EvaluationCard) -> None:
    Path("docs/pictures").mkdir(exist_ok=True)
    Path(f"docs/evaluation-{name}.json").write_text(
        json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8"
    )
    picture = f"\n![promised and happened](pictures/evaluation-{name}.png)\n"
    Path(f"docs/evaluation-{name}.md").write_text(result.to_markdown() + picture, encoding="utf-8")
    result.draw(Path(f"docs/pictures/evaluation-{name}.png"))


def rows(result: EvaluationCard) -> list[dict[str, str]]:
    """Return the table's rows of one card."""
    found = []
    for rung in result.rungs:
        seen, lower, upper = result.per_hour(rung)
        what = f"policy {result.policy}: false {rung.rung} over {result.benign_hours:.1f} benign h"
        met = "yes" if result.holds(rung) else "NO"
        if not result.reachable(rung):
            met = "not tested: the streams were too short"
        found.append(
            {
                "what": what,
                "ours": f"{rung.false} ({seen:.3f}/h; exact 95 % bounds {lower:.3f} and {upper:.3f})",
                "peer": f"promised {1 / rung.mean_time_h:g}/h",
                "ratio": f"{seen * rung.mean_time_h:.2f}",
                "reach": "promise at or above the lower bound",
                "met": met if result.shown(rung) or met != "yes" else "yes; more hours are needed to show it",
            }
        )
    return found


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    return [row for name, hours in HOURS.items() for row in rows(card(name, hours))]


if __name__ == "__main__":
    for row in rows(card(sys.argv[1], float(sys.argv[2]), backwards="backwards" in sys.argv[3:])):
        print(row)
