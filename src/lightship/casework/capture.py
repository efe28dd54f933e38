"""Capture records: how an exhibit came into being, in the words of ISO/IEC 27037 and the regulator's code (FSR).

Only words and hashes are kept; the exhibit itself stays with whoever is equipped to hold it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from lightship.core.errors import InputError
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement

PROCESSES = ("collection", "acquisition")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time that was not captured, and why."""

    from_at: datetime
    to_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Capture:
    """How an exhibit was captured.

    Parameters
    ----------
    exhibit
        Its reference, such as ``"AB/1"``.
    process
        ``"collection"`` of a device, or ``"acquisition"`` of a copy of its data (ISO/IEC 27037).
    activity
        The forensic science activity, such as ``"FSA-DIG-100"``; empty where none applies.
    source
        What it was taken from, in words.
    method
        How, and the reference of the method's validation.
    tool, tool_version
        What made it.
    sha256_before, sha256_after
        Of the source and of what was captured, hexadecimal. The first is empty where nothing could be hashed before.
    difference
        Why the two differ; needed where they do.
    clock_offset_s
        The source's clock minus the reference's, seconds; None where it could not be compared.
    clock_reference
        What it was compared with, or why it was not.
    gaps
        What is missing, earliest first.
    """

    exhibit: str
    process: Literal["collection", "acquisition"]
    captured_by: str
    captured_at: datetime
    source: str
    method: str
    tool: str
    tool_version: str
    sha256_after: str
    clock_reference: str
    sha256_before: str = ""
    difference: str = ""
    clock_offset_s: float | None = None
    activity: str = ""
    gaps: tuple[Gap, ...] = ()

    def __post_init__(self) -> None:
        where = f"exhibit {self.exhibit}"
        needed = ("captured_by", "source", "method", "tool", "tool_version", "clock_reference")
        if missing := [name for name in needed if not str(getattr(self, name)).strip()]:
            raise InputError(
                f"A capture record says all of it: {', '.join(missing)} missing.", where, "Write it."
            )
        if not NAME.fullmatch(self.exhibit):
            raise InputError(
                "An exhibit's reference is letters, digits and . _ / -.", repr(self.exhibit), "Rename it."
            )
        if self.process not in PROCESSES:
            raise InputError("There is no such process.", where, f"One of: {', '.join(PROCESSES)}.")
        if not SHA256.fullmatch(self.sha256_after) or not SHA256.fullmatch(self.sha256_before or "0" * 64):
            raise InputError("A hash is 64 hexadecimal characters of SHA-256.", where, "Copy it whole.")
        if self.sha256_before != self.sha256_after and not self.difference.strip():
            raise InputError(
                "The hashes before and after differ, and nothing says why.", where, "Write `difference`."
            )
        self._times(where)

    def _times(self, where: str) -> None:
        moments = [self.captured_at, *(at for gap in self.gaps for at in (gap.from_at, gap.to_at))]
        if any(at.tzinfo is None for at in moments):
            raise InputError("A time has no offset.", where, "Write it with one, such as Z.")
        if any(not gap.why.strip() or gap.to_at <= gap.from_at for gap in self.gaps):
            raise InputError("A gap ends after it begins, and says why.", where, "Write both times and why.")
        if moments[1:] != sorted(moments[1:]):
            raise InputError("Gaps come in order and do not overlap.", where, "Sort them.")

    def facts(self) -> dict[str, Any]:
        """Return it as canonical JSON has it."""
        gaps = [
            {"from_at": gap.from_at.isoformat(), "to_at": gap.to_at.isoformat(), "why": gap.why}
            for gap in self.gaps
        ]
        return {**asdict(self), "captured_at": self.captured_at.isoformat(), "gaps": gaps}


def parse_capture(text: str, where: str) -> Capture:
    """Return the capture record of a TOML text.

    Raises
    ------
    InputError
        If it is no TOML, or a field is missing, unknown or wrong.
    """
    try:
        table = tomllib.loads(text)
        gaps = tuple(Gap(**one) for one in table.pop("gaps", ()))
        return Capture(**table, gaps=gaps)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"The capture record cannot be read: {error}.", where, "See the guide for its fields."
        ) from error


def captured(one: Capture, signer: SigningKey) -> Mapping[str, Any]:
    """Return the ledger's entry of a capture, signed."""
    facts = one.facts()
    return {"kind": "evidence-captured", **facts, "note": sign_statement("capture", facts, signer)}
