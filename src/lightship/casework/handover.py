"""Referrals that come over the bus of a house that runs a platform's watch as well: kept first, answered then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lightship.core.casework import REFERRED, TAKEN_IN
from lightship.core.errors import InputError
from lightship.core.ports import Bus

Take = Callable[[str, str, bytes], str]
"""Takes in what a sender sent in a form; returns the SHA-256 under which it is kept."""


def listen(bus: Bus, take: Take, go_on: Callable[[], bool]) -> None:
    """Take in what comes over the bus until told to end.

    Raises
    ------
    StoreError
        If something cannot be kept: it is not answered, and its sender sends it again.
    """
    with bus.subscribe(REFERRED) as messages:
        while go_on():
            message = next(messages)
            if message is not None:
                bus.publish(TAKEN_IN, _answer(message, take))


def _answer(message: Mapping[str, Any], take: Take) -> dict[str, str]:
    key = str(message.get("key", ""))
    try:
        sender, form, data = (str(message[name]) for name in ("sender", "form", "data"))
        return {"key": key, "sha256": take(sender, form, data.encode())}
    except KeyError as error:
        return {"key": key, "refused": f"It has no {error}."}
    except InputError as error:
        return {"key": key, "refused": f"{error.what} {error.todo}".strip()}
