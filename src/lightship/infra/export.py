"""Ledgers as plain files for an outsider, with figures and one signature over all; see ``docs/reference/export.md``.

``tools/verify_export.py`` checks them without this package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lightship.core.canonical import canonical
from lightship.core.errors import InputError
from lightship.core.merkle import leaf_hash
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement
from lightship.infra.ledger_file import opened_rows
from lightship.infra.whole_file import whole

MANIFEST = "manifest.note"
_MARK = 16  # hexadecimal characters of a leaf's hash before each entry: finds the line that was changed

Figures = Callable[[Iterable[Mapping[str, Any]]], Mapping[str, Any]]
"""Computes figures from entries."""


def export(
    folder: Path,
    ledgers: Mapping[str, Path],
    keys: Mapping[str, str],
    signer: SigningKey,
    now: datetime,
    figures: Figures,
    certificates: Path | None = None,
    copies: Sequence[Mapping[str, Any]] = (),
) -> tuple[str, ...]:
    """Write an export into a folder that is empty or not there; returns its files.

    Parameters
    ----------
    ledgers
        Their files, by the name each gets.
    keys
        The public key's line of each.
    signer
        Signs the manifest.
    figures
        Computes the figures from all entries.
    certificates
        A folder of certificates, each a signed note; none where it is not there.
    copies
        Copies of records that a ledger commits to, such as sanitised ones.

    Raises
    ------
    InputError
        If the folder holds something, or cannot be written to.
    LedgerError
        If a ledger cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError("The folder is not empty.", str(folder), "Name a new one.")
        return _written(folder, ledgers, keys, signer, now, figures, certificates, copies)
    except OSError as error:
        raise InputError(
            f"The export cannot be written: {error.strerror}.", str(folder), "Choose another place."
        ) from error


def _written(
    folder: Path,
    ledgers: Mapping[str, Path],
    keys: Mapping[str, str],
    signer: SigningKey,
    now: datetime,
    figures: Figures,
    certificates: Path | None,
    copies: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    outs: dict[str, _Hashed] = {}
    notes: dict[str, list[str]] = {}
    with ExitStack() as stack:
        parts = []
        for name, path in ledgers.items():
            notes[name], rows = stack.enter_context(opened_rows(path))
            outs[name] = _Hashed(stack.enter_context(whole(folder / f"{name}.entries.jsonl")))
            parts.append(_entries(rows, outs[name]))
        table = figures(chain.from_iterable(parts))
    files = {f"{name}.entries.jsonl": out.sha256 for name, out in outs.items()}
    for name, mine in notes.items():
        lines = b"".join(canonical({"note": note}) + b"\n" for note in mine)
        files |= _put(folder, f"{name}.checkpoints.jsonl", lines)
    notes_of = sorted(certificates.glob("*.txt")) if certificates is not None else []
    lines = b"".join(
        canonical({"name": one.name, "note": one.read_text("utf-8")}) + b"\n" for one in notes_of
    )
    files |= _put(folder, "certificates.jsonl", lines)
    if copies:
        files |= _put(folder, "records.jsonl", b"".join(canonical(dict(one)) + b"\n" for one in copies))
    files |= _put(folder, "figures.json", canonical(dict(table)) + b"\n")
    logs = [
        {"name": name, "key": keys[name], "origin": mine[-1].split("\n", 2)[0], "entries": outs[name].lines}
        for name, mine in notes.items()
    ]
    note = sign_statement("export", {"made_at": now.isoformat(), "logs": logs, "files": files}, signer)
    _put(folder, MANIFEST, note.encode())
    return (MANIFEST, *files)


class _Hashed:
    """A file of lines that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self.lines = file, hashlib.sha256(), 0

    def line(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)
        self.lines += 1

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _entries(rows: Iterable[bytes], out: _Hashed) -> Iterator[dict[str, Any]]:
    """Yield a ledger's entries, and write each on a line of its own."""
    for row in rows:
        out.line(leaf_hash(row).hex()[:_MARK].encode() + b" " + row + b"\n")
        yield json.loads(row)


def _put(folder: Path, name: str, data: bytes) -> dict[str, str]:
    with whole(folder / name) as out:
        out.write(data)
    return {name: hashlib.sha256(data).hexdigest()}
