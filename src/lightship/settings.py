"""Where a deployment keeps its files."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Return the folder for logs and keys of this user: ``LIGHTSHIP_STATE``, or the platform's usual place."""
    named = os.environ.get("LIGHTSHIP_STATE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "lightship"
