"""A device's side of signed packs: from a folder of files to a pack that may be used, or a named refusal.

No socket is opened: the folder was fetched by another command, on a stick or by a sync. What the device has seen
before is kept beside the root that it trusts, so that neither the packs nor the log can go back or fork unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from tuf.api.exceptions import DownloadHTTPError, ExpiredMetadataError
from tuf.api.metadata import Metadata, Root, TargetFile

from lightship.core.consent import Consent
from lightship.core.errors import (
    ClockSkewed,
    LedgerError,
    LogDamaged,
    LogForked,
    PackError,
    PackRolledBack,
    PackUnlogged,
    SinkError,
)
from lightship.core.notes import Checkpoint, open_checkpoint
from lightship.core.pack import MOST_BYTES, Pack, check
from lightship.core.tiles import Tiles, check_extends, included
from lightship.core.witnesses import cosigned
from lightship.infra.pack_trust import ONLINE, Trust, in_our_words, names_of
from lightship.infra.tile_log import read_checkpoint, reader
from lightship.infra.tuf_offline import FetcherInterface, Updater, UpdaterConfig
from lightship.infra.whole_file import alone, write_whole

SKEW = timedelta(hours=1)
"""How far clocks may differ before it is said."""

_ANY_TIME = datetime.min.replace(tzinfo=UTC)

_BASE = "packs:///"


@dataclass(frozen=True)
class Opened:
    """A pack that may be used, and all that vouches for it.

    Parameters
    ----------
    pack
        The pack.
    trust
        The root that holds.
    signed_by
        Who signed it.
    checkpoint
        The log's newest checkpoint, as signed.
    index, size
        Where in the log the signatures are, and how many entries it has.
    seen_by
        Which witnesses saw this checkpoint.
    consent
        What the owner of the device agreed to; None if nothing was said yet.
    stale_since
        Since when nobody has said that this pack is the newest; None while somebody does (docs/adr/0010).
    """

    pack: Pack
    trust: Trust
    signed_by: tuple[str, ...]
    checkpoint: str
    index: int
    size: int
    seen_by: tuple[str, ...]
    consent: Consent | None
    stale_since: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return what vouches for the pack as a JSON object."""
        return {
            "pack": self.pack.name,
            "version": self.pack.version,
            "digest": self.pack.digest,
            "signed_by": list(self.signed_by),
            "root": self.trust.version,
            "log": self.trust.log.name,
            "index": self.index,
            "size": self.size,
            "seen_by": list(self.seen_by),
            "stale_since": self.stale_since and self.stale_since.isoformat(),
            "checkpoint": self.checkpoint,
        }


class Device:
    """What a device trusts and has seen.

    Parameters
    ----------
    state
        Its folder: ``root.json``, ``consent.toml``, and what it has seen.
    """

    def __init__(self, state: Path) -> None:
        self.state = state

    def begin(self, root: bytes, consent: str | None) -> Trust:
        """Trust a root from now on. What was seen under another stays: a log cannot be forgotten by starting anew.

        Raises
        ------
        PackError
            If it is no root, is not signed by those it names, or the consent is refused.
        SinkError
            If it cannot be written.
        """
        with in_our_words("root"):
            metadata: Metadata[Any] = Metadata.from_bytes(root)
            if not isinstance(metadata.signed, Root):
                raise PackError("This is no root.", "", "Give the file that ends in .root.json.")
            metadata.signed.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
            trust = Trust.of(metadata.signed, "root")
        if consent is not None:
            Consent.parse(consent, "consent")
        try:
            write_whole(self.state / "root.json", root)
            if consent is not None:
                write_whole(self.state / "consent.toml", consent.encode())
        except OSError as error:
            raise SinkError(f"The device's state cannot be written: {error}.", str(self.state), "") from error
        return trust

    def consent(self) -> Consent | None:
        """Return what the owner agreed to, None if nothing was said.

        Raises
        ------
        PackError
            If the file is refused.
        """
        path = self.state / "consent.toml"
        if not path.exists():
            return None
        try:
            return Consent.parse(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise PackError(f"The consent cannot be read: {error}.", str(path), "Restore it.") from error

    def open(self, folder: Path, name: str, detectors: frozenset[str], now: datetime | None = None) -> Opened:
        """Return a pack once everything that vouches for it holds.

        Parameters
        ----------
        folder
            What was fetched: ``metadata/``, ``targets/`` and ``log/``.
        name
            Which pack.
        detectors
            The names in the registry.
        now
            The time; the clock's if None.

        Raises
        ------
        PackError
            Of the kind that fits: unsigned, changed, expired, rolled back, unlogged, a damaged log, a wrong clock.
        LogForked
            If the log shows another history than before. Its checkpoint is in the error's ``note``.
        SinkError
            If what was seen cannot be kept.
        """
        now = now or datetime.now(UTC)
        try:
            with alone(self.state):
                return self._open(folder, name, detectors, now)
        except OSError as error:
            raise SinkError(f"The device's state cannot be kept: {error}.", str(self.state), "") from error

    def _open(self, folder: Path, name: str, detectors: frozenset[str], now: datetime) -> Opened:
        seen = self._seen()
        self._check_clock(seen.get("at"), now, "this device's own last use")
        with in_our_words(str(folder)):
            root, targets, data, stale_since = self._newest(folder, name, now, seen)
            trust = Trust.of(root.signed, str(folder))
        note = read_checkpoint(folder / "log")
        try:
            checkpoint = open_checkpoint(note, trust.log)
            witnesses = cosigned(note, trust.witnesses)
        except LedgerError as error:
            raise PackUnlogged(
                f"The log's checkpoint is not its own: {error.what}", str(folder), "Fetch it again."
            ) from error
        self._check_extends(seen, checkpoint, note, folder, trust)
        if len(witnesses) < trust.quorum:
            raise PackUnlogged(
                f"{len(witnesses)} of the {trust.quorum} witnesses that must have seen the log have: "
                f"{', '.join(witnesses) or 'none'}.",
                str(folder / "log"),
                "Wait until they have, and fetch it again.",
            )
        for witness, at_s in witnesses.items():
            self._check_clock(at_s, now, f"the witness {witness}")
        tiles = Tiles(reader(folder / "log"), checkpoint.size)
        index = -1
        for what, entry in (("signers", root), ("signatures", targets)):
            found = included(entry.raw, checkpoint, tiles)
            if found is None:
                raise PackUnlogged(
                    f"The pack's {what} are not in the log {trust.log.name}: nobody else can see them.",
                    str(folder),
                    "Do not use it; tell the signers.",
                )
            index = found
        pack = Pack.parse(data, f"pack {name}")
        last = int(seen.get("packs", {}).get(name, 0))
        if pack.name != name or pack.version < last:
            raise PackRolledBack(
                f"Version {pack.version} of {pack.name} was offered; this device has seen version {last} of {name}.",
                str(folder),
                "Fetch the packs again.",
            )
        check(pack, detectors, f"pack {name} {pack.version}", whole=False)
        self._keep(seen, note, pack, now)
        signed_by = names_of(root.signed, "targets", targets.metadata)
        return Opened(
            pack,
            trust,
            signed_by,
            note,
            index,
            checkpoint.size,
            tuple(sorted(witnesses)),
            self.consent(),
            stale_since,
        )

    def _newest(
        self, folder: Path, name: str, now: datetime, seen: dict[str, Any]
    ) -> tuple[_Signed, _Signed, bytes, datetime | None]:
        """Return what :meth:`_refresh` does, or the pack accepted last once nobody says any more what is newest.

        Then the time at which that ended comes with it. What two signers said must still hold.
        """
        try:
            return (*self._refresh(folder, name, now), None)
        except ExpiredMetadataError:
            root, targets, data = self._refresh(folder, name, _ANY_TIME)
            accepted = seen.get("digests", {}).get(name) == sha256(data).hexdigest()
            if not accepted or root.signed.is_expired(now) or targets.signed.is_expired(now):
                raise
            online = (self.state / "metadata" / f"{role}.json" for role in ONLINE)
            return root, targets, data, min(_Signed(path.read_bytes()).signed.expires for path in online)

    def _refresh(self, folder: Path, name: str, now: datetime) -> tuple[_Signed, _Signed, bytes]:
        """Return the root and targets that hold, and the pack's bytes, checked by python-tuf."""
        anchor = self.state / "root.json"
        if not anchor.exists():
            raise PackError(
                "This device trusts nobody for packs yet.",
                str(anchor),
                "Begin with `lightship packs trust ROOT --consent FILE`.",
            )
        kept = self.state / "metadata"
        kept.mkdir(parents=True, exist_ok=True)
        updater = Updater(
            str(kept),
            f"{_BASE}metadata/",
            fetcher=_Folder(folder),
            config=UpdaterConfig(targets_max_length=1_000_000),
            bootstrap=anchor.read_bytes(),
        )
        updater._trusted_set.reference_time = now  # noqa: SLF001 - python-tuf has no other way to be told the time
        updater.refresh()
        target = updater.get_targetinfo(f"{name}.json")
        targets = _Signed((kept / "targets.json").read_bytes())
        if target is None:
            known = (
                ", ".join(path.removesuffix(".json") for path in targets.metadata.signed.targets) or "none"
            )
            raise PackError(f"There is no pack {name!r}.", str(folder), f"There are: {known}.")
        data = _read_target(folder, target)
        return _Signed((kept / "root.json").read_bytes()), targets, data

    def _check_extends(
        self, seen: dict[str, Any], new: Checkpoint, note: str, folder: Path, trust: Trust
    ) -> None:
        before = seen.get("logs", {}).get(str(trust.log))
        if before is None:
            return
        try:
            old = open_checkpoint(before, trust.log)
            check_extends(old, new, Tiles(reader(folder / "log"), new.size))
        except (LogForked, LogDamaged) as error:
            evidence = self.state / f"refused-{new.size}-{new.root.hex()[:16]}.checkpoint"
            write_whole(evidence, note.encode())
            error.add_note(note)
            raise

    def _check_clock(self, at_s: float | None, now: datetime, whose: str) -> None:
        if at_s is not None and datetime.fromtimestamp(at_s, UTC) > now + SKEW:
            raise ClockSkewed(
                f"This device's clock says {now:%Y-%m-%d %H:%M} UTC, which is before what {whose} says: "
                f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC.",
                "clock",
                "Set the clock: by a wrong one, old signatures look new.",
            )

    def _seen(self) -> dict[str, Any]:
        path = self.state / "seen.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, UnicodeDecodeError) as error:
            raise PackError(
                f"What this device has seen cannot be read: {error}.",
                str(path),
                "Restore it from a copy; without it, a log that was forked could not be told.",
            ) from error
        return found

    def _keep(self, seen: dict[str, Any], note: str, pack: Pack, now: datetime) -> None:
        log = str(Trust.of(_Signed((self.state / "metadata" / "root.json").read_bytes()).signed, "root").log)
        kept = {
            "logs": {**seen.get("logs", {}), log: note},
            "packs": {**seen.get("packs", {}), pack.name: pack.version},
            "digests": {**seen.get("digests", {}), pack.name: pack.digest.removeprefix("sha256:")},
            "at": max(now.timestamp(), float(seen.get("at", 0.0))),
        }
        write_whole(self.state / "seen.json", json.dumps(kept, indent=1).encode())


class _Signed:
    """Metadata with the bytes that it was read from."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.metadata: Metadata[Any] = Metadata.from_bytes(raw)

    @property
    def signed(self) -> Any:
        return self.metadata.signed


class _Folder(FetcherInterface):
    """Reads from a folder what python-tuf would fetch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self._folder / unquote(urlparse(url).path).lstrip("/")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DownloadHTTPError(f"{path.name} ({error.strerror})", 404) from error
        return iter((data,))


def _read_target(folder: Path, target: TargetFile) -> bytes:
    path = folder / "targets" / f"{target.hashes['sha256']}.{target.path}"
    try:
        with path.open("rb") as file:
            data = file.read(min(target.length, MOST_BYTES) + 1)
    except OSError as error:
        raise PackError(
            f"The pack's file is missing: {error.strerror}.", str(path), "Fetch it again."
        ) from error
    target.verify_length_and_hashes(data)
    return data
