"""The compartment, wired: its folder opened where there is one, and the keys that people inside sign in with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from lightship.casework.compartment import Compartment, new_key
from lightship.core.errors import LightshipError, StoreError
from lightship.infra.compartment import CompartmentFile
from lightship.infra.whole_file import whole
from lightship.settings import state_folder


def folder() -> Path:
    """Return where this machine's compartment is, if it has one."""
    return state_folder() / "compartment"


@contextmanager
def opened(where: Path) -> Iterator[CompartmentFile | None]:
    """Open a compartment's store; None if there is none, or it is another account's. Nothing is made.

    Raises
    ------
    StoreError
        If it is damaged, locked or has lost its store or key, and this account is its folder's owner.
    """
    try:
        store = _open(where)
    except StoreError:
        if not _owned(where):
            store = None
        else:
            raise
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _open(where: Path) -> CompartmentFile | None:
    try:
        there = [(where / name).exists() for name in ("store", "unit.key")]
    except OSError as error:
        raise StoreError(
            f"The compartment cannot be reached: {error.strerror}.", str(where), "Check its folder."
        ) from error
    if any(there) and not all(there):  # to go on would make the other anew, and what was kept unreadable
        raise StoreError(
            "The compartment has lost its store or its key.", str(where), "Restore it from a copy."
        )
    return CompartmentFile(where) if all(there) else None


def _owned(where: Path) -> bool:
    """Return whether this account is the folder's owner, who may be told what is wrong with it."""
    try:
        return os.geteuid() in {0, where.stat().st_uid}
    except OSError:
        return False


def keep_trouble(where: Path, error: Exception) -> None:
    """Write what last went wrong at the door to ``trouble`` in the compartment's folder; the console tells nobody.

    Where not even that can be written, the shell still raises the error to whoever is inside.
    """
    words = str(error) if isinstance(error, LightshipError) else _place(error)
    with suppress(OSError), whole(where / "trouble", 0o600) as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {words}\n".encode())


def _place(error: Exception) -> str:
    """Return an error's kind and place; its words could hold a record's."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" at {last.tb_frame.f_code.co_qualname}, line {last.tb_lineno}" if last is not None else ""
    return f"A defect: {type(error).__name__}{where}. Report it."


def make_key(inside: Compartment) -> tuple[str, str]:
    """Make the key by which somebody inside signs in to its pages; returns passphrase and secret of the codes."""
    key, passphrase = new_key(inside.person)
    inside.put("key", key, "key-made")
    return passphrase, key.code_secret
