"""A witness: cosigns a log's checkpoint once it has seen that it only adds to what it cosigned before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from lightship.core.errors import LedgerError, LogForked, SinkError
from lightship.core.merkle import EMPTY_ROOT
from lightship.core.notes import Checkpoint, SigningKey, VerifierKey, open_checkpoint
from lightship.core.tiles import Tiles, check_extends
from lightship.core.witnesses import cosign
from lightship.infra.tile_log import CHECKPOINT, read_checkpoint, reader
from lightship.infra.whole_file import alone, write_whole


def witness(folder: Path, log: VerifierKey, key: SigningKey, state: Path, now: datetime) -> Checkpoint:
    """Cosign a log's checkpoint in place, and keep it as what was seen.

    Parameters
    ----------
    log
        The log's key.
    key
        The witness's, which signs nothing else.
    state
        A folder of the witness's own; what it has seen of this log is kept there. Lost, the witness must stop.

    Raises
    ------
    LogForked
        If the log contradicts what was cosigned; its checkpoint is kept beside the other, as evidence.
    LogDamaged, PackRolledBack, LedgerError
        If the log is cut short, went back, or is not signed by its key.
    SinkError
        If the state or the checkpoint cannot be written.
    """
    note = read_checkpoint(folder)
    new = open_checkpoint(note, log)
    seen = state / f"{log.key_id.hex()}.checkpoint"
    try:
        with alone(state):
            old = _seen(seen, log)
            try:
                check_extends(
                    old or Checkpoint(new.origin, 0, EMPTY_ROOT), new, Tiles(reader(folder), new.size)
                )
            except LogForked:
                write_whole(
                    seen.with_name(f"{seen.stem}.forked-{new.size}-{new.root.hex()[:16]}"), note.encode()
                )
                raise
            cosigned = cosign(note, key, int(now.timestamp())).encode()
            write_whole(seen, cosigned)  # before anyone else has it: what was cosigned is never forgotten
            write_whole(folder / CHECKPOINT, cosigned)
    except OSError as error:
        raise SinkError(
            f"The cosignature cannot be written: {error}.", str(folder), "Name another."
        ) from error
    return new


def _seen(path: Path, log: VerifierKey) -> Checkpoint | None:
    if not path.exists():
        return None
    try:
        return open_checkpoint(path.read_text("utf-8"), log)
    except (LedgerError, UnicodeDecodeError) as error:
        raise LedgerError(
            f"What this witness has seen cannot be read: {error}",
            str(path),
            "Restore it from a copy. A witness that has forgotten must stop, and a new one with a new key begin.",
        ) from error
