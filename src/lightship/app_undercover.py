"""The compartment, wired: its folder opened where there is one, and the keys that people inside sign in with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightship.casework.compartment import Compartment, new_key
from lightship.core.errors import StoreError
from lightship.infra.compartment import CompartmentFile
from lightship.settings import state_folder


def folder() -> Path:
    """Return where this machine's compartment is, if it has one."""
    return state_folder() / "compartment"


@contextmanager
def opened(where: Path) -> Iterator[CompartmentFile | None]:
    """Open a compartment's store; None if there is none or its keys cannot be read. Nothing is made."""
    try:
        store = CompartmentFile(where) if (where / "store").is_file() else None
    except (StoreError, OSError):
        store = None
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def make_key(inside: Compartment) -> tuple[str, str]:
    """Make the key by which somebody inside signs in to its pages; returns passphrase and secret of the codes."""
    key, passphrase = new_key(inside.person)
    inside.put("key", key, "key-made")
    return passphrase, key.code_secret
