"""What a version of a list is, and who vouches for it: a signed note (c2sp.org/signed-note) of facts, no hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import LedgerError, ListError
from lightship.core.notes import SigningKey, VerifierKey, open_note, sign_note

SIGNERS_NEEDED = 2
_HEAD = "lightship list manifest 1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a list.

    Parameters
    ----------
    name, version
        The list, and the version's number, from 1 on.
    digest
        ``sha256:`` of the entries; see :func:`lightship.core.entries.digest`.
    as_of
        The day the list is from.
    counts
        Entries by kind.
    source
        Where it came from, in words.
    previous
        The digest of the version before; empty for the first.
    skipped, quarantined, duplicates
        Counts from reading it.
    """

    name: str
    version: int
    digest: str
    as_of: date
    counts: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    previous: str = ""
    skipped: int = 0
    quarantined: int = 0
    duplicates: int = 0

    def note(self) -> str:
        """Return the manifest as a note that nobody has signed yet."""
        facts = {**asdict(self), "as_of": self.as_of.isoformat(), "counts": dict(self.counts)}
        return f"{_HEAD}\n{canonical(facts).decode()}\n\n"

    @classmethod
    def parse(cls, note: str, where: str) -> Manifest:
        """Read a note's facts, whoever signed it.

        Raises
        ------
        ListError
            If it is no manifest.
        """
        head, _, rest = note.partition("\n")
        try:
            facts: Any = json.loads(rest.partition("\n")[0])
            if head != _HEAD:
                raise ValueError(head[:40])  # noqa: TRY301 - every way of being wrong has one answer
            return cls(**{**facts, "as_of": date.fromisoformat(facts["as_of"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ListError(
                f"This is not a list's manifest ({error}).", where, "Ask the list's owner for it again."
            ) from error


def signed(note: str, key: SigningKey) -> str:
    """Return the note with one more signature; a key signs once.

    Raises
    ------
    LedgerError
        If the text cannot be a note.
    """
    text, _, signatures = note.partition("\n\n")
    line = sign_note(text + "\n", key).rpartition("\n\n")[2]
    kept = [one for one in signatures.splitlines(keepends=True) if one != line]
    return f"{text}\n\n{''.join(kept)}{line}"


def signers(note: str, keys: Sequence[str]) -> tuple[str, ...]:
    """Return which of some public keys have signed a note, each once.

    Raises
    ------
    LedgerError
        If a text among the keys is not a public key.
    """
    found = []
    for key in dict.fromkeys(keys):
        parsed = VerifierKey.parse(key)
        try:
            open_note(note, parsed)
        except LedgerError:
            continue
        found.append(parsed.name)
    return tuple(found)


def check_signers(note: str, keys: Sequence[str], where: str) -> tuple[str, ...]:
    """Return who signed, once there are enough; with no keys named, nobody need have.

    Raises
    ------
    ListError
        If fewer than two of the named have signed; who is missing is said.
    """
    found = signers(note, keys)
    if keys and len(found) < SIGNERS_NEEDED:
        names = ", ".join(VerifierKey.parse(key).name for key in keys)
        raise ListError(
            f"The list's manifest bears {len(found)} of the {SIGNERS_NEEDED} signatures it needs, from among {names}; "
            "a wrong one does not count.",
            where,
            "Have it signed with `lightship lists sign`, or ask its owner for the signed manifest.",
        )
    return found


def check_follows(new: Manifest, last: Manifest | None) -> None:
    """Refuse a version that is older than the last, or that has another history.

    Raises
    ------
    ListError
        If so; both numbers are said.
    """
    if last is None:
        return
    where = f"list {new.name}"
    if new.name != last.name:
        raise ListError(
            f"The manifest is of the list {new.name}, not of {last.name}.", where, "Name the right one."
        )
    if new.version <= last.version:
        raise ListError(
            f"The list was rolled back: version {new.version} was offered after version {last.version}.",
            where,
            "Ask its owner for the newest version.",
        )
    if new.version == last.version + 1 and new.previous != last.digest:
        raise ListError(
            f"Version {new.version} does not follow from version {last.version}: its history is another.",
            where,
            "Ask its owner which history is the true one.",
        )
