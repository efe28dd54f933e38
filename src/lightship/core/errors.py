"""Every error Lightship raises on purpose, under one root.

::

    LightshipError            exit 1
    ├── InputError            exit 2   a file, argument or medium that cannot be used
    ├── PolicyError           exit 3   a policy, calibration or jurisdiction file that is refused
    ├── DetectorError         exit 4   a detector or model that is missing, corrupt or fails
    ├── SourceLost            exit 5   a live source that went away and did not come back
    ├── SinkError             exit 6   the protected output cannot be written
    ├── LedgerError           exit 7   a ledger that cannot be written or does not verify
    ├── ListError             exit 8   a list that is refused, damaged or stale, or whose server cannot be used
    ├── StoreError            exit 9   a platform's store that cannot be read, written or migrated
    ├── VaultError            exit 11  an exhibit that is damaged, destroyed or on hold, or a vault that cannot be used
    ├── AccessDenied          exit 12  an act that this person, in this role and for this purpose, may not do
    ├── PackError             exit 13  a pack that is refused: what it asks for, who signed it, or its place in the log
    │   ├── PackUnsigned      exit 13  too few of those who must sign, or the wrong keys
    │   ├── PackChanged       exit 13  bytes that are not those that were signed, or parts of different versions
    │   ├── PackExpired       exit 13  signatures that are too old by this device's clock
    │   ├── PackRolledBack    exit 13  an older version than this device has seen
    │   ├── PackUnlogged      exit 13  not in the log, or in a log that too few witnesses have seen
    │   ├── LogDamaged        exit 13  a log whose files are missing, cut short or do not fit its checkpoint
    │   ├── ClockSkewed       exit 13  a device whose clock is behind what others have signed
    │   └── ConsentExceeded   exit 13  a pack that may do more than the owner of the device agreed to
    ├── LogForked             exit 14  a log that shows this device another history than before
    ├── FrameError            exit 15  an encrypted frame that is refused, or a key that may encrypt no more
    └── FilingError           exit 16  a report that an authority does not take now, or that is not ready to go

Each says what happened, where, and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class LightshipError(Exception):
    """What happened, where, and what to do about it.

    Parameters
    ----------
    what
        One sentence: what happened.
    where
        The file, row, field, address or component, or an empty string.
    todo
        What the reader can do, or an empty string.
    """

    what: str
    where: str = ""
    todo: str = ""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        where = f" [{self.where}]" if self.where else ""
        todo = f" {self.todo}" if self.todo else ""
        return f"{self.what}{where}{todo}"

    def diagnostics(self) -> dict[str, str]:
        """Return the parts of the error by name, for logs and JSON output."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "todo": self.todo,
        }


class InputError(LightshipError):
    """A file, argument or medium that cannot be used."""

    exit_code = 2


class PolicyError(LightshipError):
    """A policy, calibration or jurisdiction file that is refused."""

    exit_code = 3


class DetectorError(LightshipError):
    """A detector or model that is missing, corrupt or fails."""

    exit_code = 4


class SourceLost(LightshipError):
    """A live source that went away and did not come back."""

    exit_code = 5


class SinkError(LightshipError):
    """The protected output cannot be written."""

    exit_code = 6


class LedgerError(LightshipError):
    """A ledger that cannot be written or does not verify."""

    exit_code = 7


class ListError(LightshipError):
    """A list that is refused, damaged or stale, or whose server cannot be used."""

    exit_code = 8


class StoreError(LightshipError):
    """A platform's store that cannot be read, written or migrated."""

    exit_code = 9


class VaultError(LightshipError):
    """An exhibit that is damaged, destroyed or on hold, or a vault that cannot be used."""

    exit_code = 11


class AccessDenied(LightshipError):
    """An act that this person, in this role and for this purpose, may not do."""

    exit_code = 12


class PackError(LightshipError):
    """A pack that is refused: what it asks for, who signed it, or its place in the log."""

    exit_code = 13


class PackUnsigned(PackError):
    """Too few of those who must sign have signed, or with the wrong keys."""


class PackChanged(PackError):
    """Bytes that are not those that were signed, or parts of different versions."""


class PackExpired(PackError):
    """Signatures that are too old by this device's clock."""


class PackRolledBack(PackError):
    """An older version than this device has seen."""


class PackUnlogged(PackError):
    """Not in the log, or in a log that too few witnesses have seen."""


class LogDamaged(PackError):
    """A log whose files are missing, cut short or do not fit its checkpoint."""


class ClockSkewed(PackError):
    """A device whose clock is behind what others have signed."""


class ConsentExceeded(PackError):
    """A pack that may do more than the owner of the device agreed to."""


class LogForked(LightshipError):
    """A log that shows this device another history than before."""

    exit_code = 14


class FrameError(LightshipError):
    """An encrypted frame that is refused, or a key that may encrypt no more."""

    exit_code = 15


class FilingError(LightshipError):
    """A report that an authority does not take now, or that is not ready to go."""

    exit_code = 16
