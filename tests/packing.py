"""A small world of signed packs for tests: three signers, an online key, a log, a witness, a device."""

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tuf.api.metadata import Metadata, MetaFile

from lightship import packs
from lightship.core.consent import Consent
from lightship.core.manifest import Manifest, signed
from lightship.core.notes import SigningKey
from lightship.core.pack import Pack
from lightship.core.witnesses import WitnessKey
from lightship.infra.pack_reader import Device, Opened
from lightship.infra.pack_repository import Repository
from lightship.infra.pack_trust import signer_of
from lightship.infra.tile_log import append
from lightship.infra.witness import witness

DETECTORS = frozenset({"test-card", "known-media", "camera", "exposure"})
_SEEDS = itertools.count(1)


def new_key(name: str) -> SigningKey:
    return SigningKey.from_seed(name, next(_SEEDS).to_bytes(32, "big"))


ALICE, BOB, CAROL, ONLINE, LOG, WITNESS, MALLORY = (
    new_key(f"{name}.example.org")
    for name in ("alice", "bob", "carol", "online", "log", "witness", "mallory")
)
LIST_SIGNERS = (new_key("hotline.example.org"), new_key("police.example.org"))


def shipped(*names: str) -> dict[str, str]:
    root = packs.root()
    return {name: (root / name).read_text("utf-8") for name in names}


def small_files() -> dict[str, str]:
    """A pack that any machine can run: the test policy and its help lines."""
    return shipped("policies/test.toml", "jurisdictions/gb.toml")


def with_list(files: Mapping[str, str], manifest: Manifest, signers=LIST_SIGNERS) -> dict[str, str]:
    note = manifest.note()
    for key in signers:
        note = signed(note, key)
    keys = "".join(f"{key.verifier}\n" for key in LIST_SIGNERS)
    name = manifest.name
    return {**files, f"lists/{name}.manifest": note, f"lists/{name}.keys": keys}


def edited(files: Mapping[str, str], path: str, old: str, new: str) -> dict[str, str]:
    assert old in files[path], old
    return {**files, path: files[path].replace(old, new)}


@dataclass
class World:
    """The authors' folder and what a device gets of it."""

    folder: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    needed: int = 2

    def __post_init__(self) -> None:
        self.repo = Repository(self.folder / "repo")
        self.log = self.folder / "repo" / "log"
        self.mirror = self.folder / "mirror"
        if self.repo.published("root") is None:
            self.repo.init(
                [key.verifier for key in (ALICE, BOB, CAROL)],
                ONLINE.verifier,
                LOG.verifier,
                [WitnessKey.of(WITNESS)],
                needed=self.needed,
                quorum=1,
                now=self.now,
            )

    def publish(self, files: Mapping[str, str], name: str = "device", signers=(ALICE, BOB)) -> Pack:
        pack = self.repo.build(name, f"The pack {name}", dict(files), self.now)
        for key in signers:
            self.repo.sign(key, self.now)
        self.repo.sign(ONLINE, self.now)
        self.log_it()
        self.fetch()
        return pack

    def log_it(self, *, seen: bool = True) -> None:
        append(self.log, LOG, self.repo.to_log())
        if seen:
            witness(self.log, LOG.verifier, WITNESS, self.folder / "witness", self.now)

    def fetch(self, into: Path | None = None) -> Path:
        """Copy what a device gets."""
        target = into or self.mirror
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        for part in ("metadata", "targets", "log"):
            shutil.copytree(self.folder / "repo" / part, target / part)
        return target

    @property
    def root(self) -> bytes:
        return (self.folder / "repo" / "metadata" / "1.root.json").read_bytes()

    def device(self, name: str = "device-one", consent: str | None = None) -> Device:
        device = Device(self.folder / name)
        device.begin(self.root, consent)
        return device

    def open(self, device: Device, mirror: Path | None = None, name: str = "device", **more) -> Opened:
        return device.open(mirror or self.mirror, name, DETECTORS, **more)


def consent_to_test(**changed) -> str:
    agreed = Consent.to(packs.policy("test"), "a tester", "2026-11-24")
    text = agreed.to_toml()
    for old, new in changed.items():
        text = text.replace(old, new)
    return text


def forge(
    path: Path, change: Callable[[Metadata], None], *keys: SigningKey, into: Path | None = None
) -> bytes:
    """Write metadata as an attacker with some keys would: changed, and signed with those alone."""
    metadata = Metadata.from_bytes(path.read_bytes())
    change(metadata)
    metadata.signatures.clear()
    for key in keys:
        metadata.sign(signer_of(key), append=True)
    target = into or path
    target.write_bytes(metadata.to_bytes())
    return target.read_bytes()


def republish_online(folder, number, **versions):
    """What a thief of the online key can do: sign any snapshot and timestamp."""
    metadata = folder / "metadata"

    def snapshot(found):
        found.signed.version = number
        found.signed.meta["targets.json"] = versions["targets"]

    data = forge(metadata / "1.snapshot.json", snapshot, ONLINE, into=metadata / f"{number}.snapshot.json")

    def timestamp(found):
        found.signed.version = number
        found.signed.snapshot_meta = MetaFile.from_data(number, data, ["sha256"])

    forge(metadata / "timestamp.json", timestamp, ONLINE)
