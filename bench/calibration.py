"""The recipe of the shipped calibration: `python -m bench.calibration HOURS` writes packs/calibrations."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from bench import footage
from lightship import packs
from lightship.core.weight import BenignStream
from lightship.detect.calibrate import Footage, calibrate
from lightship.detect.exposure import ExposureDetector

FIRST_SEED = 1_000
"""Apart from the seeds that evaluations use."""
SAMPLE_FPS = 4.0


def main(hours: float) -> None:
    """Calibrate the exposure detector on so many hours and write the file."""
    streams = (
        Footage(one.name, one.digest, one.pictures(SAMPLE_FPS))
        for one in footage.streams(FIRST_SEED, hours, 900.0)
    )

    def progress(stream: BenignStream) -> None:
        print(f"{stream.name}: {len(stream.maxima)} blocks, highest {max(stream.maxima):.3f}", flush=True)

    calibration = calibrate(
        ExposureDetector.load(),
        "exposed",
        streams,
        sample_fps=SAMPLE_FPS,
        created=datetime.now(UTC).date().isoformat(),
        recipe=f"python -m bench.calibration {hours:g}",
        progress=progress,
    )
    path = packs.root() / "calibrations" / "exposure-nudenet-320n.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(calibration.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    print(
        f"{path.name}: {calibration.hours:.2f} h, {len(calibration.maxima(2.0))} blocks, {calibration.digest}"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
