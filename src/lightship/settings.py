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


def packs_folder() -> Path:
    """Return the folder of what this device trusts and has seen of signed packs: ``packs`` beside the logs."""
    return state_folder() / "packs"


def lists_folder() -> Path:
    """Return the folder of the governed lists: ``LIGHTSHIP_LISTS``, or ``lists`` beside the logs."""
    named = os.environ.get("LIGHTSHIP_LISTS")
    return Path(named) if named else state_folder() / "lists"


def lists_key() -> Path | None:
    """Return where the key that seals the lists lies, if ``LIGHTSHIP_LISTS_KEY`` names a place."""
    named = os.environ.get("LIGHTSHIP_LISTS_KEY")
    return Path(named) if named else None
