"""A store's secret on disk: 64 hexadecimal characters that the owner alone can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from lightship.core.errors import LightshipError

KEY_BYTES = 32


def secret_of(path: Path, kind: type[LightshipError]) -> bytes:
    """Return the secret in a file, made first if there is none.

    Parameters
    ----------
    kind
        Of the errors that are raised: if it cannot be read, is damaged, or others can read it.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = bytes.fromhex(file.read(4096))
    except (OSError, ValueError) as error:
        raise kind(
            f"The store's key cannot be read: {error}.", str(path), "Restore it from a copy."
        ) from error
    if mode & 0o077:
        raise kind(
            f"Others can read the store's key (mode {mode:o}).",
            str(path),
            f"Run: chmod 600 {path}. If others may have read it, make the store anew with a new key.",
        )
    if len(key) != KEY_BYTES:
        raise kind("The store's key is not 64 hexadecimal characters.", str(path), "Restore it from a copy.")
    return key


def _make(path: Path) -> None:
    """Write a new secret whole, unless another process is faster."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return
    finally:
        part.unlink(missing_ok=True)
