"""Sharing, wired: an inquiry through the gate into a format, a partner's pack opened, the TAXII server's members."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from lightship.casework import disseminate as sharing
from lightship.casework.desk import log_use
from lightship.casework.disseminate import Made, Sent, Way, disseminate, read_partners
from lightship.console.taxii import Member
from lightship.core.casework import Marking
from lightship.core.errors import InputError
from lightship.core.notes import SigningKey
from lightship.core.ports import Store
from lightship.core.release import Partner, Released, Withheld
from lightship.exchange.case_uco import case_json
from lightship.exchange.labels import labels
from lightship.exchange.misp_event import misp_event
from lightship.exchange.offline_pack import Opened, seal, unseal
from lightship.exchange.offline_page import page
from lightship.exchange.stix_bundle import bundle, bundle_json
from lightship.exchange.whole import write_each, write_whole
from lightship.infra.keys import create_key, load_key, load_public_key


def partners(file: Path) -> dict[str, Partner]:
    """Return the partners that a deployment's file names.

    Raises
    ------
    LightshipError
        If it cannot be read or is refused.
    """
    return read_partners(_read(file).decode(), str(file))


def readers(file: Path) -> dict[str, Partner]:
    """Return what the house's own people are cleared for, by account, as the deployment's file says.

    Raises
    ------
    LightshipError
        If it cannot be read or is refused.
    """
    return read_partners(_read(file).decode(), str(file), "readers")


def partner(file: Path, name: str) -> Partner:
    """Return one partner.

    Raises
    ------
    LightshipError
        If the file cannot be read, or names no such partner.
    """
    known = partners(file)
    if name not in known:
        raise InputError(
            "There is no such partner.", f"{file}, {name}", f"One of: {', '.join(known) or 'none'}."
        )
    return known[name]


def preview(
    store: Store, inquiry: str, to: Partner, *, own: Marking, by: str
) -> tuple[Released, tuple[Withheld, ...]]:
    """Return exactly what a partner would see, and what stays; logged as a consultation.

    Raises
    ------
    LightshipError
        If there is no such inquiry.
    """
    with store.begin() as work:
        found = sharing.preview(work, inquiry, to, own)
        log_use(work, "consultation", inquiry, by, datetime.now(UTC))
    return found


def send(
    store: Store, inquiry: str, to: Partner, way: Way, *, own: Marking, house: str, by: str, key: Path | None
) -> Sent:
    """Send an inquiry to a partner; the bytes that go are in what returns.

    Parameters
    ----------
    own, house
        The house's marking of its own words, and its name.
    key
        The file with the house's signing key; for packs.

    Raises
    ------
    LightshipError
        If there is no such inquiry, nothing of it may go, or the format refuses it.
    """
    now, make = datetime.now(UTC), maker(house, key)
    with store.begin() as work:
        return disseminate(
            work, inquiry, to, way, lambda released: make(way, released, now), own=own, by=by, now=now
        )


def maker(house: str, key: Path | None) -> Callable[[Way, Released, datetime], Made]:
    """Return what puts a release into a format.

    Parameters
    ----------
    house
        The name of the body that sends.
    key
        The file with its signing key; for packs.
    """

    def make(way: Way, released: Released, now: datetime) -> Made:
        if not house:
            raise InputError("The sender has no name.", "", "Name the --house.")
        match way:
            case "taxii":
                return _stix(released, house, now)
            case "pack":
                return _pack(released, house, now, _signing(key))
            case "misp":
                return _misp(released, house, now)
            case "case":
                return _case(released, house, now)

    return make


def open_pack(file: Path, identity: Path, sender: Path, out: Path) -> Opened:
    """Open a pack into a folder.

    Raises
    ------
    LightshipError
        Naming what is wrong with the pack, the key or the folder.
    """
    try:
        secret = _read(identity).decode("ascii").strip().splitlines()[-1]
    except (UnicodeDecodeError, IndexError):
        secret = ""
    opened = unseal(_read(file), secret, load_public_key(sender))
    write_each(out, opened.files)
    return opened


def make_identity(file: Path) -> str:
    """Write a new private age key that its owner alone can read; returns the public line for the sender.

    Raises
    ------
    InputError
        If there is a file already, or it cannot be written.
    """
    made = pyrage.x25519.Identity.generate()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(f"{made}\n", encoding="ascii")
    except OSError as error:
        raise InputError(
            f"The key cannot be written: {error.strerror}.", str(file), "Choose another name."
        ) from error
    return str(made.to_public())


def make_signing_key(file: Path, name: str) -> str:
    """Make the house's signing key; returns the public line for its partners."""
    return str(create_key(file, name).verifier)


def members(file: Path, tokens: Path) -> list[Member]:
    """Return who may use the TAXII server: the partners whose token's SHA-256 stands in a file, ``name hash`` a line.

    Raises
    ------
    LightshipError
        If a file cannot be read, or a line names no partner or has no hash.
    """
    known = partners(file)
    found = []
    for number, line in enumerate(_read(tokens).decode().splitlines(), 1):
        name, _, secret = line.partition(" ")
        if name not in known or len(secret) != 2 * hashlib.sha256().digest_size:
            raise InputError(
                "A line is a partner's name and the SHA-256 of a token.", f"{tokens}:{number}", "Correct it."
            )
        found.append(Member(known[name], secret))
    return found


def write(path: Path, data: bytes) -> None:
    """Write what goes to a partner whole."""
    write_whole(path, data)


def _signing(key: Path | None) -> SigningKey:
    if key is None:
        raise InputError(
            "A pack is signed.", "", "Name the --key; make one with `lightship share signing-key`."
        )
    return load_key(key)


def _stix(released: Released, house: str, now: datetime) -> Made:
    made, lost = bundle(released, house, now)
    data = bundle_json(made)
    return Made(data, data.decode(), lost)


def _misp(released: Released, house: str, now: datetime) -> Made:
    stix = _stix(released, house, now)
    data, lost = misp_event(stix.data)
    return Made(data, data.decode(), (*stix.lost, *lost))


def _case(released: Released, house: str, now: datetime) -> Made:
    data, lost = case_json(released, house, now)
    return Made(data, data.decode(), lost)


def _pack(released: Released, house: str, now: datetime, key: SigningKey) -> Made:
    to = released.recipient
    if not to.age:
        raise InputError(
            "This partner has no key for packs.", to.name, "Ask them for it, and put it into the file."
        )
    stix = _stix(released, house, now)
    files = {
        "bundle.json": stix.data,
        "read.html": page(released, house, f"{now:%Y-%m-%d %H:%M} UTC", labels(to.language)),
    }
    data = seal(files, recipient=to.name, age=to.age, made_at=now.isoformat(), key=key)
    return Made(data, stix.content, stix.lost)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error
