"""Exactly what is sent: one value, sealed in the vault before anything leaves, and signed for by a person.

The snapshot holds the report's body byte for byte, every field with its value or why it is not held, and each file with
what is said of it. What depends on the authority's own numbers is made from it and from them alone, and the digest of
every body that leaves is on the ledger: so what was sent can be shown again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.cases import Exhibit
from lightship.core.duties import Fields, Filing, Held, NotHeld
from lightship.core.errors import FilingError
from lightship.core.notes import SigningKey
from lightship.core.people import Look
from lightship.core.statements import sign_statement

MEDIA = "application/vnd.lightship.submission+json"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes with a report.

    Parameters
    ----------
    exhibit
        The vault's exhibit: the SHA-256 of its bytes.
    name
        Under which the authority gets it.
    looks
        The entries of the access log on which the viewed flags rest.
    details
        What is said of it, in the authority's own words for fields, without the authority's numbers.
    """

    exhibit: str
    name: str
    size: int
    looks: tuple[str, ...] = ()
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is sent.

    Parameters
    ----------
    filing, duty, case
        Whose.
    body
        The report itself: XML, or the worksheet's HTML.
    rules
        The list of fields, and the schema, that it was made and checked by: name and digest.
    """

    filing: str
    duty: str
    case: str
    authority: str
    adapter: str
    made_at: datetime
    body: str
    fields: Fields
    rules: Mapping[str, str]
    files: tuple[Enclosed, ...] = ()
    supplement_of: str = ""

    def to_bytes(self) -> bytes:
        """Return it as canonical JSON.

        Raises
        ------
        InputError
            If a value has none.
        """
        return canonical(
            {
                "snapshot": 1,
                "filing": self.filing,
                "duty": self.duty,
                "case": self.case,
                "authority": self.authority,
                "adapter": self.adapter,
                "made_at": self.made_at.isoformat(),
                "body": self.body,
                "fields": fields_table(self.fields),
                "rules": dict(self.rules),
                "files": [{**asdict(one), "looks": list(one.looks)} for one in self.files],
                "supplement_of": self.supplement_of,
            }
        )


def from_bytes(data: bytes) -> Snapshot:
    """Return the snapshot that :meth:`Snapshot.to_bytes` wrote.

    Raises
    ------
    FilingError
        If it is none.
    """
    try:
        table = json.loads(data)
        version = table.pop("snapshot")
        files = tuple(Enclosed(**{**one, "looks": tuple(one["looks"])}) for one in table.pop("files"))
        made_at, fields = datetime.fromisoformat(table.pop("made_at")), fields_of(table.pop("fields"))
        found = Snapshot(**table, made_at=made_at, fields=fields, files=files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FilingError(
            f"This is no snapshot of a report: {error}.", "", "Build the report anew."
        ) from error
    if version != 1:
        raise FilingError(
            "This is no snapshot of a report here.", found.filing, "Use the release that made it."
        )
    return found


def exhibit_of(snapshot: Snapshot, data: bytes, now: datetime, expires_at: datetime) -> Exhibit:
    """Return a snapshot's exhibit."""
    name = hashlib.sha256(data).hexdigest()
    return Exhibit(name, snapshot.case, "", 0.0, 0.0, MEDIA, len(data), now, expires_at)


def fields_table(fields: Fields) -> dict[str, dict[str, Any]]:
    """Return fields as a table: each ``{"held": ...}`` or ``{"not_held": "because"}``."""
    return {
        name: {"not_held": one.because}
        if isinstance(one, NotHeld)
        else {"held": list(one.value) if isinstance(one.value, tuple) else one.value}
        for name, one in fields.items()
    }


def fields_of(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Held | NotHeld]:
    """Return the fields of such a table.

    Raises
    ------
    KeyError
        If one is neither held nor not.
    """
    return {
        name: NotHeld(one["not_held"])
        if "not_held" in one
        else Held(tuple(one["held"]) if isinstance(one["held"], list) else one["held"])
        for name, one in table.items()
    }


def declaration(
    filing: Filing, snapshot: str, words: str, *, by: str, at: datetime, key: SigningKey
) -> dict[str, Any]:
    """Return the ledger's entry that a person stands for a snapshot, with the signed note an outsider checks.

    It holds no content: who, when, which words, and the digest of what goes out.
    """
    facts = {
        "filing": filing.id,
        "duty": filing.duty_id,
        "authority": filing.authority,
        "adapter": filing.adapter,
        "supplement_of": filing.supplement_of,
        "snapshot": snapshot,
        "declared_by": by,
        "declared_at": at.isoformat(),
        "declaration": words,
    }
    return {"kind": "report-declared", **facts, "note": sign_statement("snapshot", facts, key)}


# Viewed flags -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Viewed:
    """Whether people saw a file, by the access log alone.

    Parameters
    ----------
    whole
        Whether one person saw all of it in the clear. NCMEC means the entire contents.
    looks
        The entries of the log that say so.
    """

    whole: bool
    looks: tuple[str, ...]


def viewed(exhibit: Exhibit, looks: Iterable[Look], before: datetime) -> Viewed:
    """Return whether a file was viewed, from the access log up to a time; nothing else may say so.

    A picture was, if somebody was shown it in the clear. A video was, if one person was shown it moving, in the clear,
    for at least as long as it lasts. Words, blurred pictures and sound alone are no view of it.
    """
    moving = exhibit.media.startswith("video/") or exhibit.to_s > exhibit.from_s
    seen: dict[str, list[Look]] = {}
    for one in looks:
        clear = one.shown == "motion" or (one.shown == "still" and not moving)
        if one.exhibit_id == exhibit.id and clear and one.at <= before:
            seen.setdefault(one.account, []).append(one)
    for mine in seen.values():
        if not moving or sum(one.seconds for one in mine) >= exhibit.to_s - exhibit.from_s:
            return Viewed(True, tuple(one.id for one in mine))
    return Viewed(False, ())
