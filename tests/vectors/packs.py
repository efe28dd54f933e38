"""A small signed pack as a device gets it, and forged ones, each opened on a device that has opened others before."""

import base64
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from unittest import mock

from tuf.api.metadata import Metadata, MetaFile

from lightship.core.errors import LightshipError
from lightship.core.notes import SigningKey
from lightship.infra import pack_repository
from lightship.infra.pack_reader import Device
from lightship.infra.tile_log import append
from lightship.infra.witness import witness
from tests.packing import (
    ALICE,
    BOB,
    CAROL,
    DETECTORS,
    LOG,
    ONLINE,
    WITNESS,
    World,
    edited,
    forge,
    republish_online,
    small_files,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = timedelta(days=30_000)
"""So that the accepted ones do not expire while these vectors are in use."""

TEST = "policies/test.toml"


@dataclass(frozen=True)
class Case:
    """What a device is given, what it has opened before, how its clock is off, and what it makes of it."""

    name: str
    files: dict[str, bytes]
    expect: str
    before: tuple[str, ...] = ()
    clock_s: float = 0.0


def made():
    life = dict.fromkeys(pack_repository.LIFE, LATER)
    with tempfile.TemporaryDirectory() as name, mock.patch.object(pack_repository, "LIFE", life):
        cases = _cases(Path(name))
        by_name = {case.name: case for case in cases}
        root = by_name["first"].files["metadata/1.root.json"]
        rows = [
            _row(case, by_name, root, Path(name) / f"device-{number}") for number, case in enumerate(cases)
        ]
    blobs = {_name(data): data for case in cases for data in case.files.values()}
    return {
        "root": root.decode(),
        "detectors": sorted(DETECTORS),
        "now": NOW.isoformat(),
        "skew_s": 3600,
        "signed_bytes_sha256": [
            [path, sha256(Metadata.from_bytes(data).signed_bytes).hexdigest()]
            for path, data in by_name["first"].files.items()
            if path.startswith("metadata/")
        ],
        "blobs": [[name, base64.b64encode(data).decode()] for name, data in blobs.items()],
        "cases": rows,
    }


def _name(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]


def _row(case: Case, by_name: dict[str, Case], root: bytes, folder: Path):
    device = Device(folder / "state")
    device.begin(root, None)
    for number, (name, expect, clock_s) in enumerate(
        [*((name, "accepted", 0.0) for name in case.before), (case.name, case.expect, case.clock_s)]
    ):
        place = folder / str(number)
        _write(place, by_name[name].files)
        found: dict[str, object] = {"expect": "accepted"}
        try:
            opened = device.open(place, "device", DETECTORS, NOW + timedelta(seconds=clock_s))
            found |= {key: value for key, value in opened.to_json().items() if key != "checkpoint"}
        except LightshipError as error:
            found = {"expect": type(error).__name__}
        assert found["expect"] == expect, (name, found)
    files = {path: _name(data) for path, data in case.files.items()}
    return {"name": case.name, "before": list(case.before), "clock_s": case.clock_s, "files": files, **found}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def _cases(folder: Path) -> list[Case]:
    world = World(folder / "world", now=NOW)
    world.publish(small_files())
    first = _files(world.mirror)
    shutil.copytree(world.folder / "repo", folder / "fork")
    world.publish(edited(small_files(), TEST, "1 per hour", "2 per hour"))
    second = _files(world.mirror)
    append(folder / "fork" / "log", LOG, [b"for one device", b"alone"])
    witness(folder / "fork" / "log", LOG.verifier, WITNESS, folder / "another", NOW)
    fork = {f"log/{path}": data for path, data in _files(folder / "fork" / "log").items()}
    old_log = {path: data for path, data in first.items() if path.startswith("log/")}
    target = next(path for path in first if path.startswith("targets/"))
    tile = next(path for path in first if path.startswith("log/tile/0/"))
    whole = first[tile]
    expired = _expired(folder)
    return [
        Case("first", first, "accepted"),
        Case("second", second, "accepted"),
        Case("second after first", second, "accepted", ("first",)),
        Case("rolled back", first, "PackRolledBack", ("second",)),
        Case("log rolled back", second | old_log, "PackRolledBack", ("second",)),
        Case("forked", second | fork, "LogForked", ("second",)),
        Case("clock behind", first, "ClockSkewed", (), -2 * 3600.0),
        Case("expired", expired, "PackExpired"),
        Case("expired, and accepted before", expired, "accepted", ("first",)),
        Case("expired, and another than before", expired, "PackExpired", ("of another",)),
        Case("signers' word expired, and accepted before", _outlived(folder), "PackExpired", ("first",)),
        Case("of another", _other_title(folder), "accepted"),
        Case(
            "pack changed",
            first | {target: first[target].replace(b"1 per hour", b"9 per hour")},
            "PackChanged",
        ),
        Case("tile cut short", first | {tile: whole[:-1]}, "LogDamaged"),
        Case("tile changed", first | {tile: bytes(32) + whole[32:]}, "LogDamaged"),
        Case("tile missing", {path: data for path, data in first.items() if path != tile}, "LogDamaged"),
        Case("mixed", second | {"metadata/2.targets.json": first["metadata/1.targets.json"]}, "PackChanged"),
        Case("checkpoint by another", first | {"log/checkpoint": _other_checkpoint(folder)}, "PackUnlogged"),
        Case("unseen", first | {"log/checkpoint": _unseen(first["log/checkpoint"])}, "PackUnlogged"),
        Case("one signature", _resigned(folder, first, CAROL), "PackUnsigned"),
        Case("the same twice", _resigned(folder, first, CAROL, CAROL), "PackUnsigned"),
        Case("by one who may not", _resigned(folder, first, CAROL, ONLINE), "PackUnsigned"),
        Case("not in the log", _unlogged(folder), "PackUnlogged"),
        *(
            Case(name, _other_pack(folder / name, old, new), "PackError")
            for name, old, new in (
                ("a label outside the set", '["test-card"]', '["test-card", "protest-sign"]'),
                ("a detector outside the registry", 'name = "camera"', 'name = "face-finder"'),
                (
                    "an option that names a file",
                    'name = "camera"',
                    'name = "camera"\noptions = {lists = "x"}',
                ),
                ("a jurisdiction that is not there", 'jurisdiction = "gb"', 'jurisdiction = "fr"'),
            )
        ),
    ]


def _other_pack(folder: Path, old: str, new: str) -> dict[str, bytes]:
    world = World(folder, now=NOW)
    world.publish(edited(small_files(), TEST, old, new))
    return _files(world.mirror)


def _expired(folder: Path) -> dict[str, bytes]:
    world = World(folder / "expired", now=NOW)
    world.publish(small_files())
    return _re_signed(world)


def _outlived(folder: Path) -> dict[str, bytes]:
    """The same pack, of which two signers said that it holds until yesterday."""
    life = pack_repository.LIFE | {"targets": timedelta(days=8)}
    with mock.patch.object(pack_repository, "LIFE", life):
        world = World(folder / "outlived", now=NOW)
        world.now = NOW - timedelta(days=9)
        world.publish(small_files())
        world.repo.sign(ONLINE, NOW)
        world.fetch()
    return _files(world.mirror)


def _other_title(folder: Path) -> dict[str, bytes]:
    world = World(folder / "titled", now=NOW)
    world.publish({**small_files(), "lists/note.toml": 'words = "another pack"\n'})
    return _files(world.mirror)


def _re_signed(world: World) -> dict[str, bytes]:
    with mock.patch.object(pack_repository, "LIFE", dict.fromkeys(pack_repository.LIFE, timedelta(days=1))):
        world.repo.sign(ONLINE, NOW - timedelta(days=9))
    world.fetch()
    return _files(world.mirror)


def _other_checkpoint(folder: Path) -> bytes:
    append(folder / "other", SigningKey.from_seed(LOG.name, bytes(31) + b"\xff"), [b"x", b"y"])
    return (folder / "other" / "checkpoint").read_bytes()


def _unseen(note: bytes) -> bytes:
    lines = note.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"— {WITNESS.name}")).encode()


def _resigned(folder: Path, files: dict[str, bytes], *keys: SigningKey) -> dict[str, bytes]:
    """Targets signed with other keys, and what names them with the online key."""
    place = folder / f"resigned-{'-'.join(key.name for key in keys)}"
    _write(place, files)
    targets = forge(place / "metadata" / "1.targets.json", lambda _found: None, *keys)
    republish_online(place, 2, targets=MetaFile.from_data(1, targets, ["sha256"]))
    return _files(place)


def _unlogged(folder: Path) -> dict[str, bytes]:
    world = World(folder / "unlogged", now=NOW)
    world.publish(small_files())
    world.repo.build("device", "secret", small_files(), NOW)
    for key in (ALICE, BOB, ONLINE):
        world.repo.sign(key, NOW)
    world.fetch()
    return _files(world.mirror)
