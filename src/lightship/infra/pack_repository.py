"""Making and signing packs: the authors' side of TUF (The Update Framework), in a folder of static files.

``staged/`` holds what waits for signatures, ``metadata/`` and ``targets/`` what is published. What must be signed by
two is published only with their signatures; the online key says no more than what is newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from lightship.core.errors import InputError, PackError, SinkError
from lightship.core.notes import SigningKey, VerifierKey
from lightship.core.pack import Pack
from lightship.core.tiles import ENTRY_MOST
from lightship.core.witnesses import WitnessKey
from lightship.infra.pack_trust import (
    ONLINE,
    SIGNED_BY_SIGNERS,
    Trust,
    in_our_words,
    names_of,
    root_fields,
    signer_of,
    tuf_key,
)
from lightship.infra.whole_file import write_whole

LIFE = {
    "root": timedelta(days=365),
    "targets": timedelta(days=180),
    "snapshot": timedelta(days=7),
    "timestamp": timedelta(days=7),
}
"""How long signatures hold. The last two bound how long a device can be kept from what is new."""


class Repository:
    """A folder in which packs are made, signed and published.

    Parameters
    ----------
    folder
        Such as ``repo``; ``repo/metadata`` and ``repo/targets`` are what devices get, beside the log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # What is there ------------------------------------------------------------------------------

    def published(self, role: str) -> Path | None:
        """Return the newest published metadata of a role, None if there is none."""
        if role == "timestamp":
            path = self.folder / "metadata" / "timestamp.json"
            return path if path.exists() else None
        found = [
            path
            for path in (self.folder / "metadata").glob(f"*.{role}.json")
            if path.name.partition(".")[0].isdecimal()
        ]
        return max(found, key=lambda path: int(path.name.partition(".")[0]), default=None)

    def _staged(self, role: str) -> Path:
        return self.folder / "staged" / f"{role}.json"

    def _newest(self, role: str) -> Metadata[Any] | None:
        """Return what is staged of a role, or else what is published."""
        staged = self._staged(role)
        path = staged if staged.exists() else self.published(role)
        return _load(path) if path is not None else None

    def _root(self) -> Root:
        newest = self._newest("root")
        if newest is None:
            raise InputError(
                "There are no packs here yet.", str(self.folder), "Begin with `lightship packs init`."
            )
        root: Root = newest.signed
        return root

    def trust(self) -> Trust:
        """Return what the newest root says."""
        return Trust.of(self._root(), str(self.folder))

    def pack(self, name: str, *, staged: bool = False) -> Pack | None:
        """Return a pack as published, or as staged; None if there is none."""
        path = self._staged("targets") if staged else self.published("targets")
        if path is None or not path.exists():
            return None
        target = _load(path).signed.targets.get(f"{name}.json")
        if target is None:
            return None
        file = self._target(target)
        try:
            data = file.read_bytes()
            with in_our_words(str(file)):
                target.verify_length_and_hashes(data)
            return Pack.parse(data, str(file))
        except OSError as error:
            raise PackError(
                f"The pack cannot be read: {error.strerror}.", str(file), "Build it again."
            ) from error

    def names(self) -> tuple[str, ...]:
        """Return the names of the packs, staged ones included."""
        newest = self._newest("targets")
        return tuple(sorted(path.removesuffix(".json") for path in newest.signed.targets)) if newest else ()

    def _target(self, target: TargetFile) -> Path:
        return self.folder / "targets" / f"{target.hashes['sha256']}.{target.path}"

    # What people do -----------------------------------------------------------------------------

    def init(
        self,
        signers: Sequence[VerifierKey],
        online: VerifierKey,
        log: VerifierKey,
        witnesses: Sequence[WitnessKey],
        *,
        needed: int,
        quorum: int,
        now: datetime,
    ) -> Trust:
        """Stage a root: the first, or, where there is one, the next with other keys.

        Raises
        ------
        InputError
            If the signers are too few, one is named twice, or one holds the online key.
        SinkError
            If it cannot be written.
        """
        keys = [tuf_key(key) for key in signers]
        if len({key.keyid for key in keys}) != len(keys) or not 2 <= needed <= len(keys):
            raise InputError(
                f"{needed} of {len(keys)} signers cannot be asked for: at least 2, of as many different keys.",
                "",
                "Name three signers of different bodies.",
            )
        before = self._newest("root")
        version = 1
        if before is not None:
            version = before.signed.version + (0 if self._staged("root").exists() else 1)
        root = Root(
            version=version,
            expires=_until(now, "root"),
            consistent_snapshot=True,
            unrecognized_fields=root_fields(log, witnesses, quorum),
        )
        for role in SIGNED_BY_SIGNERS:
            for key in keys:
                root.add_key(key, role)
            root.roles[role].threshold = needed
        for role in ONLINE:
            root.add_key(tuf_key(online), role)
        trust = Trust.of(root, str(self.folder))
        self._write(self._staged("root"), Metadata(root))
        if self._newest("targets") is None:
            self._write(self._staged("targets"), Metadata(Targets(expires=_until(now, "targets"))))
        return trust

    def build(self, name: str, title: str, files: dict[str, str], now: datetime) -> Pack:
        """Stage a pack's next version; whoever calls has it checked. Signatures of what was staged before are gone.

        Raises
        ------
        PackError
            If it is no pack, or its metadata would not fit into the log.
        """
        self._root()
        last = self.pack(name)
        pack = Pack(name, last.version + 1 if last else 1, title, files)
        pack.check_form(str(self.folder))
        published = self.published("targets")
        newest = self._newest("targets")
        targets = Targets(
            version=_load(published).signed.version + 1 if published is not None else 1,
            expires=_until(now, "targets"),
            targets=dict(newest.signed.targets) if newest is not None else {},
        )
        target = TargetFile.from_data(f"{name}.json", pack.data, ["sha256"])
        target.unrecognized_fields["custom"] = {"version": pack.version, "title": title}
        targets.targets[target.path] = target
        self._write_bytes(self._target(target), pack.data)
        metadata = Metadata(targets)
        if len(metadata.to_bytes(_Compact())) + 400 * len(self.trust().signers) > ENTRY_MOST:
            raise PackError(
                "So many packs do not fit into one entry of the log.", str(self.folder), "Begin another."
            )
        self._write(self._staged("targets"), metadata)
        return pack

    def sign(self, key: SigningKey, now: datetime) -> list[str]:
        """Sign what a key may sign, and publish what has all its signatures; returns what was done, in words.

        A signer's key signs the staged root and targets. The online key publishes them, once enough have signed,
        and says what is newest.

        Raises
        ------
        InputError
            If the key may sign nothing here.
        PackUnsigned
            If the online key is used while signatures are missing.
        """
        root, signer = self._root(), signer_of(key)
        done = []
        for role in SIGNED_BY_SIGNERS:
            staged = self._staged(role)
            if not staged.exists() or signer.public_key.keyid not in self._may_sign(role, root):
                continue
            metadata = _load(staged)
            metadata.sign(signer, append=True)
            self._write(staged, metadata)
            names = names_of(root, role, metadata)
            done.append(f"{role} {metadata.signed.version} is signed by {', '.join(names)}")
        if signer.public_key.keyid in root.roles["timestamp"].keyids:
            done += self._publish(root, signer, now)
        if not done:
            raise InputError(
                f"There is nothing here for {key.name} to sign.",
                str(self.folder),
                "Build first, or use another key.",
            )
        return done

    def _may_sign(self, role: str, root: Root) -> set[str]:
        published = self.published("root")
        before = (
            _load(published).signed.roles["root"].keyids if role == "root" and published is not None else ()
        )
        return {*root.roles[role].keyids, *before}

    def _publish(self, root: Root, signer: Any, now: datetime) -> list[str]:
        staged = {
            role: _load(self._staged(role)) for role in SIGNED_BY_SIGNERS if self._staged(role).exists()
        }
        published = self.published("root")
        with in_our_words(str(self.folder)):
            for role, metadata in staged.items():
                root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
                if role == "root" and published is not None:
                    before: Root = _load(published).signed
                    before.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
        done = []
        for role, metadata in staged.items():
            self._write(self.folder / "metadata" / f"{metadata.signed.version}.{role}.json", metadata)
            self._staged(role).unlink()
            done.append(f"{role} {metadata.signed.version} is published; append it to the log")
        path = self.published("targets")
        assert path is not None
        targets = path.read_bytes()
        newest = self._newest("snapshot")
        version = newest.signed.version + 1 if newest is not None else 1
        meta = MetaFile.from_data(_load(path).signed.version, targets, ["sha256"])
        snapshot = Metadata(Snapshot(version, expires=_until(now, "snapshot"), meta={"targets.json": meta}))
        data = self._write(self.folder / "metadata" / f"{version}.snapshot.json", snapshot, signer)
        stamp = self._newest("timestamp")
        number = stamp.signed.version + 1 if stamp is not None else 1
        newest_meta = MetaFile.from_data(version, data, ["sha256"])
        timestamp = Metadata(Timestamp(number, expires=_until(now, "timestamp"), snapshot_meta=newest_meta))
        self._write(self.folder / "metadata" / "timestamp.json", timestamp, signer)
        until = timestamp.signed.expires
        return [*done, f"timestamp {number} says that this is the newest, until {until:%Y-%m-%d %H:%M} UTC"]

    def to_log(self) -> tuple[bytes, bytes]:
        """Return what must be in the log: the published root and targets, with their signatures."""
        paths = [self.published(role) for role in SIGNED_BY_SIGNERS]
        if None in paths:
            raise InputError("Nothing is published here yet.", str(self.folder), "Sign first.")
        first, second = (path.read_bytes() for path in paths if path is not None)
        return first, second

    def _write(self, path: Path, metadata: Metadata[Any], signer: Any = None) -> bytes:
        if signer is not None:
            metadata.sign(signer)
        data = metadata.to_bytes(_Compact())
        self._write_bytes(path, data)
        return data

    def _write_bytes(self, path: Path, data: bytes) -> None:
        try:
            write_whole(path, data)
        except OSError as error:
            raise SinkError(
                f"The packs cannot be written: {error.strerror}.", str(path), "Name another folder."
            ) from error


class _Compact(JSONSerializer):
    """Without spaces."""

    def __init__(self) -> None:
        super().__init__(compact=True)


def _load(path: Path) -> Metadata[Any]:
    with in_our_words(str(path)):
        return Metadata.from_bytes(path.read_bytes())


def _until(now: datetime, role: str) -> datetime:
    return (now + LIFE[role]).replace(microsecond=0)


def fingerprint(root: bytes) -> str:
    """Return what two people compare by telephone to know that they have the same root.

    Examples
    --------
    >>> fingerprint(b"root")
    '4813 494d 137e 1631 bba3 01d5 acab 6e7b'
    """
    text = sha256(root).hexdigest()[:32]
    return " ".join(text[at : at + 4] for at in range(0, 32, 4))
