"""False interruptions on benign footage: what each policy promised beside what happened."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench import footage
from lightship import packs
from lightship.core.ports import Picture
from lightship.detect.loop import load_sensors
from lightship.detect.pdq import to_hex
from lightship.detect.test_card import draw
from lightship.guard.evaluate import EvaluationCard, Marked, evaluate
from lightship.media.frames import ArrayPicture

FIRST_SEED = {"test": 100_000, "child-device": 200_000}
"""Apart from each other and from the calibration's."""
HOURS = {
    "test": float(os.environ.get("LIGHTSHIP_BENCH_HOURS", "20")),
    "child-device": float(os.environ.get("LIGHTSHIP_BENCH_EXPOSURE_HOURS", "5")),
}
_SHOWN_S = 600.0


def _list(folder: Path) -> Path:
    rng = np.random.default_rng(11)
    path = folder / "random.csv"
    path.write_text("\n".join(to_hex(one) for one in rng.integers(0, 2**64, (100_000, 4), dtype=np.uint64)))
    return path


def _streams(policy: str, hours: float, fps: float) -> Iterator[tuple[Iterator[Picture], Marked]]:
    for stream in footage.streams(FIRST_SEED[policy], hours, _SHOWN_S):
        yield stream.pictures(fps), Marked()
    if (
        policy == "test"
    ):  # the card comes up in twelve more streams, so that the card of figures has its other half
        for number in range(12):
            from_s = 20.0 + number * 0.07
            yield (
                _with_card(footage.Stream(FIRST_SEED[policy] - 1 - number, 60.0), from_s),
                Marked(((from_s, 40.0),)),
            )


def _with_card(stream: footage.Stream, from_s: float) -> Iterator[Picture]:
    card = draw(180)
    for picture in stream.pictures(30.0):
        frame = picture.rgb().copy()
        if from_s <= picture.at_s < 40.0:
            frame[90 : 90 + card.shape[0], 200 : 200 + card.shape[1]] = card
        yield ArrayPicture(picture.at_s, frame)


def card(name: str, hours: float) -> EvaluationCard:
    """Return the evaluation card of a shipped policy, and write it to docs/."""
    policy = packs.policy(name)
    with tempfile.TemporaryDirectory() as folder:
        options = {"known-media": {"lists": [str(_list(Path(folder)))]}}
        sensors = load_sensors(policy, packs.calibration, options)

        def progress(so_far: EvaluationCard) -> None:
            false = {result.rung: result.false for result in so_far.rungs}
            print(
                f"{name}: {so_far.benign_hours:.1f} h, {so_far.look_ms:.1f} ms a look, false {false}",
                flush=True,
            )
            _write(name, so_far)

        return evaluate(sensors, _streams(name, hours, policy.slow_fps), progress)


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
        seen, _, upper = result.per_hour(rung)
        what = f"policy {result.policy}: false {rung.rung} over {result.benign_hours:.1f} benign h"
        found.append(
            {
                "what": what,
                "ours": f"{rung.false} ({seen:.3f}/h, ≤ {upper:.3f}/h at 95 %)",
                "peer": f"promised {1 / rung.mean_time_h:g}/h",
                "ratio": f"{seen * rung.mean_time_h:.2f}",
                "reach": "inside its budget's Poisson bound",
                "met": "yes" if result.holds(rung) else "NO",
            }
        )
    return found


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    return [row for name, hours in HOURS.items() for row in rows(card(name, hours))]


if __name__ == "__main__":
    import sys

    print(rows(card(sys.argv[1], float(sys.argv[2]))))
