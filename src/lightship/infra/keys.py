"""The ledger's key on disk: one private file, and the public line beside it that others verify with.

Both are one line of text: the private one as Go's sumdb/note writes it, the public one as
c2sp.org/signed-note has it.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from lightship.core.errors import LedgerError
from lightship.core.merkle import HASH_BYTES
from lightship.core.notes import SigningKey, VerifierKey


def public_path(path: Path | str) -> Path:
    """Return where the public key of a private key file is: the same name, ending in ``.pub``."""
    return Path(path).with_suffix(".pub")


def create_key(path: Path | str, name: str) -> SigningKey:
    """Make a new key, write it to ``path`` (readable by its owner alone) and its public line beside it.

    Parameters
    ----------
    path
        Such as ``ledger.key``; the public line goes to ``ledger.pub``.
    name
        Names the ledger in every checkpoint; a host and path that are yours, such as ``example.org/guard``.

    Raises
    ------
    LedgerError
        If the file exists, cannot be written, or the name is unusable.
    """
    path = Path(path)
    key = SigningKey.from_seed(name, secrets.token_bytes(HASH_BYTES))
    # Written whole under another name, then linked: no reader sees half a key, and no key is overwritten.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(part, key.secret_text(), 0o600)
            _link(part, path)
        finally:
            part.unlink(missing_ok=True)
        _write_public(path, key)
    except OSError as error:
        raise LedgerError(
            f"The key cannot be written: {error.strerror}.",
            str(path),
            "Choose a place that can be written to.",
        ) from error
    return key


def load_key(path: Path | str) -> SigningKey:
    """Return the key in a file.

    Raises
    ------
    LedgerError
        If there is none, others can read it, or it is damaged.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4096)
    except FileNotFoundError:
        raise LedgerError("There is no key here.", str(path), "Make one, or give its path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(
            f"The key cannot be read: {error}.", str(path), "Restore it from a copy."
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise LedgerError(
            f"Others can read this private key (mode {mode:o}).",
            str(path),
            f"Run: chmod 600 {path}. If others may have read it, start a new ledger with a new key.",
        )
    try:
        return SigningKey.parse(text)
    except LedgerError as error:
        raise LedgerError(error.what, str(path), error.todo) from None


def load_or_create_key(path: Path | str, name: str) -> SigningKey:
    """Return the key in a file, making it first if there is none; ``name`` is only used for a new one.

    Raises
    ------
    LedgerError
        As :func:`load_key` and :func:`create_key`.
    """
    path = Path(path)
    if not path.exists():
        try:
            return create_key(path, name)
        except LedgerError:
            if not path.exists():  # otherwise another process was faster
                raise
    key = load_key(path)
    if not public_path(path).exists():
        _write_public(path, key)
    return key


def load_public_key(path: Path | str) -> VerifierKey:
    """Return the public key in a ``.pub`` file.

    Raises
    ------
    LedgerError
        If there is none, or it is not a public key.
    """
    try:
        return VerifierKey.parse(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(
            f"The public key cannot be read: {error}.", str(path), "Give the ledger's .pub file."
        ) from error
    except LedgerError as error:
        raise LedgerError(error.what, str(path), error.todo) from None


def _link(part: Path, path: Path) -> None:
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise LedgerError(
            "There is a key already.", str(path), "Use it, or choose another name: ledgers depend on it."
        ) from None


def _write_public(path: Path, key: SigningKey) -> None:
    _write(public_path(path), str(key.verifier), 0o644)


def _write(path: Path, line: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
