"""A pack for a partner without a link: encrypted to their key, signed by ours, readable without a network.

Inside are STIX JSON, a page to read, and a signed statement with the digest of each, the sender, and whom it is for, so
that a pack cannot be passed on as if it had been meant for another. Around it a line says how long it is and what it
digests to, so that a pack that was cut short is told from one that was changed.

References
----------
age-encryption.org/v1 (pyrage); RFC 8032 (Ed25519).
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import pyrage

from lightship.core.errors import InputError, LedgerError, LightshipError, PackChanged, PackUnsigned
from lightship.core.notes import SigningKey, VerifierKey
from lightship.core.statements import open_statement, sign_statement

MOST_BYTES = 1_000_000
"""A pack without attachments is no larger: it goes by what there is, a memory stick or a poor line."""

_MOST_INSIDE = 20 * MOST_BYTES
_STATEMENT = "statement.note"
_KIND = "shared-pack"
_HEAD = re.compile(rb"lightship\.shared-pack/1 ([0-9]{1,12}) ([0-9a-f]{64})\n")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack that was decrypted and whose signature fits."""

    sender: str
    recipient: str
    made_at: str
    files: Mapping[str, bytes]


def seal(files: Mapping[str, bytes], *, recipient: str, age: str, made_at: str, key: SigningKey) -> bytes:
    """Return files as a pack.

    Parameters
    ----------
    recipient, age
        The partner's name, and their public key, ``age1...``.

    Raises
    ------
    InputError
        If the key is none, or the pack would be larger than :data:`MOST_BYTES`.
    """
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    facts = {"files": digests, "for": recipient, "key": age, "made_at": made_at, "by": key.name}
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, _STATEMENT: sign_statement(_KIND, facts, key).encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    try:
        to = pyrage.x25519.Recipient.from_str(age)
    except pyrage.RecipientError as error:
        raise InputError(
            "This is no age public key.", recipient, "Ask the partner for the line age1..."
        ) from error
    sealed: bytes = pyrage.encrypt(inside.getvalue(), [to])
    head = f"lightship.shared-pack/1 {len(sealed)} {hashlib.sha256(sealed).hexdigest()}\n".encode()
    if len(head) + len(sealed) > MOST_BYTES:
        raise InputError(
            f"The pack is {len(head) + len(sealed)} bytes, more than {MOST_BYTES}.",
            recipient,
            "Send less of the inquiry.",
        )
    return head + sealed


def unseal(data: bytes, identity: str, sender: VerifierKey) -> Opened:
    """Return what a pack holds, once it is whole, decrypted, and signed by its sender for this key.

    Parameters
    ----------
    identity
        One's private key, ``AGE-SECRET-KEY-1...``.

    Raises
    ------
    InputError
        If it is no pack, was cut short, or was encrypted to another key; or the private key is none.
    PackChanged
        If it is not as it was sealed.
    PackUnsigned
        If this sender did not sign it for this key.
    """
    try:
        mine = pyrage.x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError as error:
        raise InputError(
            "This is no age private key.", "", "Give the file with AGE-SECRET-KEY-1..."
        ) from error
    archive = _decrypted(_whole(data), mine)
    try:
        files = _unzipped(archive)
        note = files.pop(_STATEMENT).decode()
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, NotImplementedError) as error:
        raise PackChanged("What is inside is no pack.", "", "Ask the sender for it again.") from error
    try:
        kind, facts = open_statement(note, sender)
    except LedgerError as error:
        raise PackUnsigned(
            f"{sender.name} did not sign this pack: {error.what}", "", "Do not rely on it."
        ) from error
    if kind != _KIND or facts.get("key") != str(mine.to_public()):
        raise PackUnsigned(
            "It was signed for somebody else.", str(facts.get("for", "")), "Do not rely on it."
        )
    if facts["files"] != {name: hashlib.sha256(one).hexdigest() for name, one in files.items()}:
        raise PackChanged("Its files are not those that were signed.", "", "Ask the sender for it again.")
    return Opened(facts["by"], facts["for"], facts["made_at"], files)


def _whole(data: bytes) -> bytes:
    head = _HEAD.match(data[:120])
    if head is None:
        raise InputError("This is no shared pack.", "", "Give the file as it came.")
    sealed, length = data[head.end() :], int(head[1])
    if len(sealed) < length:
        raise InputError(
            f"The pack was cut short: {len(sealed)} of {length} bytes came.",
            "",
            "Copy it again, or ask for it again.",
        )
    if hashlib.sha256(sealed).hexdigest().encode() != head[2]:
        raise _changed()
    return sealed


def _decrypted(sealed: bytes, mine: pyrage.x25519.Identity) -> bytes:
    try:
        data: bytes = pyrage.decrypt(sealed, [mine])
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise InputError(
                "It was encrypted to another key than this.",
                "",
                "Use the private key of the line you gave the sender.",
            ) from error
        raise _changed() from error
    return data


def _unzipped(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        rows = opened.infolist()
        if sum(one.file_size for one in rows) > _MOST_INSIDE or any(not _plain(one.filename) for one in rows):
            raise PackChanged(
                "It holds more than a pack may, or names no pack has.", "", "Do not open it further."
            )
        return {one.filename: opened.read(one) for one in rows}


def _plain(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9-]{0,40}\.[a-z]{2,5}", name) is not None


def _changed() -> LightshipError:
    return PackChanged("The pack was changed on its way.", "", "Do not use it; ask the sender for it again.")
