"""What the law is owed: the view of a million detections."""

from __future__ import annotations

from bench import duties_owed


def run() -> list[dict[str, str]]:
    """Run each part."""
    return duties_owed.rows()
