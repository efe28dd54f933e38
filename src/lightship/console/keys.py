"""The keyboard of the console: what keys do, which a person may change or switch off (WCAG 2.1.4)."""

from __future__ import annotations

from collections.abc import Mapping

from lightship.core.errors import InputError

ACTIONS: Mapping[str, tuple[str, str]] = {
    "next": ("ArrowDown", "Go to the next item"),
    "previous": ("ArrowUp", "Go to the item before"),
    "escalate": ("e", "Choose “unsure”, which passes the item to a lead"),
    "undo": ("u", "Undo the last decision"),
    "search": ("/", "Go to the filters"),
    "help": ("?", "Show the keys"),
}
"""Each action's usual key and what it does; ``Enter`` opens, and ``1`` to ``9`` choose a decision."""

OFF = "off"
BARRED = frozenset("jkl;")
"""Elsewhere these move, and in one known tool they classify abuse: a slip would be a verdict."""
_NAMED = frozenset({"ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "PageDown", "PageUp"})


def keys_of(kept: str) -> dict[str, str]:
    """Return a person's keys by action; none if they switched them off."""
    if kept == OFF:
        return {}
    own = dict(pair.split("=", 1) for pair in kept.split() if "=" in pair)
    return {action: own.get(action, usual) for action, (usual, _) in ACTIONS.items()}


def kept_keys(chosen: Mapping[str, str], *, on: bool) -> str:
    """Return what is kept of a person's choice.

    Raises
    ------
    InputError
        If a key is barred, taken twice, or none.
    """
    if not on:
        return OFF
    keys = {action: chosen.get(action, "") or usual for action, (usual, _) in ACTIONS.items()}
    for action, key in keys.items():
        single = (
            len(key) == 1 and key.isprintable() and not key.isspace() and not key.isdigit() and key != "="
        )
        if not (single or key in _NAMED) or key.lower() in BARRED:
            what = f"“{key[:12]}” cannot be the key to “{ACTIONS[action][1]}”."
            raise InputError(what, "", "Take one character that is not a digit, =, j, k, l or ;.")
    if len(set(keys.values())) != len(keys):
        raise InputError("Two actions have the same key.", "", "Give each its own.")
    return " ".join(f"{action}={key}" for action, key in keys.items())
