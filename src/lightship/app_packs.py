"""Wires signed packs: what people build and sign, and what a device or an auditor verifies. Fetches nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightship import packs, settings
from lightship.core.consent import Consent
from lightship.core.errors import (
    ConsentExceeded,
    InputError,
    LogForked,
    PackError,
)
from lightship.core.ladder import parse_policy
from lightship.core.notes import VerifierKey
from lightship.core.pack import ROOMS, Pack, check
from lightship.core.pack_diff import changes
from lightship.core.ports import Ledger
from lightship.core.witnesses import WitnessKey
from lightship.detect import registry
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.model_card import CARDS
from lightship.guard.guard import Guard
from lightship.infra.keys import load_key

if TYPE_CHECKING:  # python-tuf is loaded when packs are verified, not before
    from lightship.infra.pack_reader import Device, Opened
    from lightship.infra.pack_repository import Repository
    from lightship.infra.pack_trust import Trust


def device(state: Path | None = None) -> Device:
    """Return what this device trusts and has seen.

    Raises
    ------
    InputError
        If python-tuf is not installed.
    """
    _need_tuf()
    from lightship.infra.pack_reader import Device as Found

    return Found(state or settings.packs_folder())


def repository(folder: Path) -> Repository:
    """Return a folder in which packs are made.

    Raises
    ------
    InputError
        If python-tuf is not installed.
    """
    _need_tuf()
    from lightship.infra.pack_repository import Repository as Found

    return Found(folder)


def _need_tuf() -> None:
    if importlib.util.find_spec("tuf") is None:
        raise InputError(
            "Signed packs need python-tuf.", "", "Install it with `pip install lightship[packs]`."
        )


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def detectors() -> frozenset[str]:
    """Return the names in the registry."""
    return frozenset(registry.available())


# The device -----------------------------------------------------------------------------------


def guard_by(
    folder: Path,
    name: str,
    policy: str,
    options: Mapping[str, Mapping[str, Any]] | None,
    ledger: Ledger,
    state: Path | None = None,
    say: Callable[[str], None] = lambda _words: None,
) -> Guard:
    """Return a guard that goes by a verified pack and by nothing else; what becomes of the pack is written down.

    Parameters
    ----------
    folder, name
        The signed packs, and which of them.
    policy
        By its name in the pack.
    say
        Told what a person must know before the guard starts.

    Raises
    ------
    PackError, LogForked
        If the pack is refused, or goes beyond what the owner of the device agreed to.
    LightshipError
        If a detector cannot be loaded.
    """
    try:
        opened = device(state).open(folder, name, detectors())
        consent = opened.consent
        where = f"pack {name} {opened.pack.version}"
        if consent is None:
            raise ConsentExceeded(
                "Nobody has agreed to anything on this device.",
                where,
                "Write a consent with `lightship packs consent`, and `lightship packs trust ROOT --consent FILE`.",
            )
        files = opened.pack.files
        chosen = packs.policy(policy, files)
        consent.check(chosen, where)
        guard = Guard(chosen, options=options, files=files)
        _check_lists(guard, opened, consent, where)
    except (PackError, LogForked) as error:
        notes = getattr(error, "__notes__", [])
        entry = {"kind": "pack refused", "at_s": 0.0, "error": type(error).__name__, "what": str(error)}
        ledger.append({**entry, "checkpoint": notes[0]} if notes else entry)
        raise
    ledger.append({"kind": "pack accepted", "at_s": 0.0, **opened.to_json()})
    if opened.stale_since is not None:
        say(stale_words(opened))
    return guard


def _check_lists(guard: Guard, opened: Opened, consent: Consent, where: str) -> None:
    """Refuse a list that two signers of its own, the pack and the owner do not all vouch for."""
    vouched = {one.digest: one.name for one in opened.pack.manifests.values()}
    for detector in guard.sensors.detectors:
        for bank in detector.matcher.banks if isinstance(detector, KnownMediaDetector) else ():
            name = vouched.get(bank.digest)
            if name is None:
                raise PackError(
                    f"The list {bank.terms.name} is none that the pack vouches for, or another version of it.",
                    where,
                    "Refresh the list and the packs.",
                )
            if name not in consent.lists:
                raise ConsentExceeded(
                    f"{consent.by} did not agree to the list {name}.", where, "Ask the owner of the device."
                )


def stale_words(opened: Opened) -> str:
    """Return in words that a pack is used on although nobody says any more that it is the newest."""
    return (
        f"OLD PACK: nobody has said since {opened.stale_since:%Y-%m-%d} that {opened.pack.name} version "
        f"{opened.pack.version} is the newest. It stays in force; fetch the packs again."
    )


def shown(opened: Opened) -> str:
    """Return in words what a verified pack lets a device use, who vouches for it, and where it stands."""
    pack, trust = opened.pack, opened.trust
    seen = f", seen by {', '.join(opened.seen_by)}" if opened.seen_by else ""
    lines = [
        *([stale_words(opened)] if opened.stale_since is not None else []),
        f"Verified: {pack.name} version {pack.version}, {pack.title}",
        f"  {pack.digest}",
        f"  {trust}",
        f"  Signed by {', '.join(opened.signed_by)}.",
        f"  Entry {opened.index} of {opened.size} in the log {trust.log.name}{seen}.",
        "What a device may use by it:",
        *(f"  {line.removeprefix('new ')}" for line in changes(None, pack)),
    ]
    if opened.consent is not None:
        lines.append(f"What {opened.consent.by} agreed to on {opened.consent.at}, on this device:")
        for name, policy in pack.policies.items():
            beyond = opened.consent.exceeded(policy)
            lines.append(
                f"  policy {name}: {'REFUSED here: ' + '; '.join(beyond) if beyond else 'within it'}"
            )
    return "\n".join(lines)


def consent_to(policy: Path, by: str, lists: Sequence[str]) -> str:
    """Return a consent file for just what a policy does, to be read before it is agreed to.

    Raises
    ------
    InputError
        If nobody is named.
    LightshipError
        If the policy is refused.
    """
    if not by.strip():
        raise InputError("A consent says who agrees.", "--by", "Name the owner of the device.")
    return Consent.to(packs.policy(str(policy)), by, now().date().isoformat(), frozenset(lists)).to_toml()


# The authors ----------------------------------------------------------------------------------


def files_of(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the files of a folder that belong into a pack, and the paths of those that do not.

    A model card that a policy names and that the folder does not hold is taken from this program.

    Raises
    ------
    InputError
        If a file cannot be read, or the folder holds none.
    """
    found: dict[str, str] = {}
    left: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.partition("/")[0] not in ROOMS:
            left.append(name)
            continue
        try:
            found[name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The file cannot be read: {error}.", str(path), "Correct or remove it."
            ) from error
    if not found:
        raise InputError(
            "There is nothing for a pack here.", str(folder), f"Its folders: {', '.join(ROOMS)}."
        )
    for path_, text in list(found.items()):
        for use in parse_policy(text, path_).detectors if path_.startswith("policies/") else ():
            card = dict(use.options).get("card")
            shipped = CARDS / f"{card}.toml"
            if card and f"cards/{card}.toml" not in found and shipped.exists():
                found[f"cards/{card}.toml"] = shipped.read_text("utf-8")
    return found, left


def pack_at(path: Path) -> Pack:
    """Return a pack from its file, or what a folder would make.

    Raises
    ------
    InputError, PackError
        If there is none.
    """
    if path.is_dir():
        return Pack("unsigned", 1, "", files_of(path)[0])
    try:
        return Pack.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(
            f"The pack cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def difference(old: Path, new: Path) -> list[str]:
    """Return what would change for a person between two packs, or folders, once both pass the closed sets.

    Raises
    ------
    LightshipError
        If one is no pack, or holds more than a pack may.
    """
    both = pack_at(old), pack_at(new)
    for pack, path in zip(both, (old, new), strict=True):
        check(pack, detectors(), str(path))
    return changes(*both)


def staged_changes(folder: Path) -> dict[str, list[str]]:
    """Return, for each pack that waits for signatures, what it would change for a person.

    Raises
    ------
    LightshipError
        If what is staged holds more than a pack may: nobody should sign it.
    """
    repo = repository(folder)
    found: dict[str, list[str]] = {}
    for name in repo.names():
        staged, before = repo.pack(name, staged=True), repo.pack(name)
        if staged is None or (before is not None and before.digest == staged.digest):
            continue
        check(staged, detectors(), f"staged pack {name}")
        found[name] = changes(before, staged)
    return found


def begin(
    folder: Path,
    signers: Sequence[Path],
    online: Path,
    log: Path,
    witnesses: Sequence[Path],
    *,
    needed: int,
    quorum: int | None,
) -> Trust:
    """Stage a root, from the public keys in files.

    Raises
    ------
    LightshipError
        If a key cannot be read, or the numbers do not fit.
    """
    from lightship.infra.keys import load_public_key

    seen_by = [WitnessKey.parse(public_line(path)) for path in witnesses]
    keys: list[VerifierKey] = [load_public_key(path) for path in signers]
    enough = quorum if quorum is not None else len(seen_by) // 2 + 1 if seen_by else 0
    return repository(folder).init(
        keys, load_public_key(online), load_public_key(log), seen_by, needed=needed, quorum=enough, now=now()
    )


def build(folder: Path, sources: Path, name: str, title: str) -> tuple[Pack, list[str]]:
    """Stage a pack from a folder of sources; returns it with what was left out.

    Raises
    ------
    LightshipError
        If it holds more than a pack may, or does not hold together.
    """
    files, left = files_of(sources)
    check(Pack(name, 1, title, files), detectors(), str(sources))
    return repository(folder).build(name, title, files, now()), left


def sign(folder: Path, key: Path) -> list[str]:
    """Sign what a key may sign; what a device would refuse is not signed.

    Raises
    ------
    LightshipError
        If there is nothing to sign, or what is staged is refused.
    """
    staged_changes(folder)
    return repository(folder).sign(load_key(key), now())


def public_line(path: Path) -> str:
    """Return the one line of a public key's file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The public key cannot be read: {error}.", str(path), "Check the path.") from error
