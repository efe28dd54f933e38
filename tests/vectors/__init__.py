"""Golden vectors: what the Python side decides, for every other implementation to decide alike.

``python -m tests.vectors`` writes them anew; ``tests/unit/test_vectors.py`` says when they are not current. Integers
and texts agree to the bit, numbers with a fraction to 1e-9. ``rfc9605.json`` is the RFC's own and is not written here.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def makers() -> dict[str, Callable[[], Any]]:
    """Return who makes which file."""
    from tests.vectors import detectors, frames, ladder, packs, pdq, policies, weights

    return {
        "detectors": detectors.made,
        "frames": frames.made,
        "ladder": ladder.made,
        "packs": packs.made,
        "pdq": pdq.made,
        "policies": policies.made,
        "randomised": weights.randomised_made,
        "weights": weights.made,
    }


def number(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it: infinities as text."""
    if value is None or math.isfinite(value):
        return value
    return "Infinity" if value > 0 else "-Infinity"


def text(value: Any) -> str:
    """Return a file: one line for each item of the outermost lists."""
    lines = []
    for key, item in value.items():
        if isinstance(item, list):
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False, allow_nan=False) for row in item)
            lines.append(f" {json.dumps(key)}: [\n{rows}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(item, ensure_ascii=False, allow_nan=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
