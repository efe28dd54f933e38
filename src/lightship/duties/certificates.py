"""What was kept for a report, and that it was destroyed, as papers that are signed and stand alone.

A certificate is a signed note (c2sp.org/signed-note) of two lines: what it is, and its fields as canonical JSON. Who
has the public key can check it with nothing but an Ed25519 library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lightship.core.canonical import canonical, digest
from lightship.core.cases import Exhibit
from lightship.core.duties import Duty, Hold
from lightship.core.errors import LedgerError
from lightship.core.notes import SigningKey, VerifierKey, open_note, sign_note

RETENTION = "lightship/retention-certificate/v1"
DESTRUCTION = "lightship/destruction-certificate/v1"


def of_retention(
    duty: Duty, exhibits: Iterable[Exhibit], holds: Iterable[Hold], rules: str, now: datetime
) -> dict[str, Any]:
    """Return what is kept for a report, as a certificate says it: digests and days, never content.

    Parameters
    ----------
    rules
        Digest of the rules by which it is kept.
    """
    return {
        **_report(duty, rules, now),
        "kept": [
            {
                "exhibit": one.id,
                "what": one.media,
                "size": one.size,
                "sealed_at": one.sealed_at.isoformat(),
                "until": one.expires_at.isoformat(),
            }
            for one in sorted(exhibits, key=lambda one: one.id)
        ],
        "holds": [
            {"exhibit": one.exhibit_id, "basis": one.basis, "since": one.placed_at.isoformat()}
            for one in sorted(holds, key=lambda one: one.id)
        ],
    }


def of_destruction(
    duty: Duty, destroyed: Iterable[tuple[Exhibit, str]], rules: str, now: datetime
) -> dict[str, Any]:
    """Return that everything kept for a report was destroyed; each with the digest of the vault's record of it."""
    return {
        **_report(duty, rules, now),
        "destroyed": [
            {
                "exhibit": one.id,
                "what": one.media,
                "kept_until": one.expires_at.isoformat(),
                "destroyed_at": one.destroyed_at.isoformat() if one.destroyed_at else "",
                "record": record,
            }
            for one, record in sorted(destroyed, key=lambda pair: pair[0].id)
        ],
        "how": "The key of each was destroyed; nobody can read what it encrypted.",
    }


def signed(kind: str, fields: Mapping[str, Any], key: SigningKey) -> str:
    """Return a certificate: a signed note.

    Raises
    ------
    LedgerError
        If the fields cannot be signed.
    """
    return sign_note(f"{kind}\n{canonical(dict(fields)).decode()}\n", key)


def opened(note: str, key: VerifierKey) -> tuple[str, dict[str, Any]]:
    """Return a certificate's kind and fields once its signature is verified.

    Raises
    ------
    LedgerError
        If it was changed, is not of this key, or is no certificate.
    """
    kind, _, body = open_note(note, key).partition("\n")
    if kind not in {RETENTION, DESTRUCTION}:
        raise LedgerError("This note is no certificate.", kind[:80], "Give one that this program wrote.")
    fields: dict[str, Any] = json.loads(body)
    return kind, fields


def name_of(note: str) -> str:
    """Return the digest by which the ledger names a certificate."""
    return digest(note)


def _report(duty: Duty, rules: str, now: datetime) -> dict[str, Any]:
    return {
        "duty": duty.id,
        "case": duty.case_id,
        "authority": duty.authority,
        "reference": duty.reference,
        "filed_at": duty.filed_at.isoformat() if duty.filed_at else "",
        "rules": rules,
        "at": now.isoformat(),
    }
