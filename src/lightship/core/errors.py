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
    └── AccessDenied          exit 12  an act that this person, in this role and for this purpose, may not do

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
