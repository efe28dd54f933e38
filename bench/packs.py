"""What it costs a device to verify a signed pack of 10 MB: TUF, the log's proofs, what widens the content."""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lightship.core.notes import SigningKey
from lightship.core.witnesses import WitnessKey
from lightship.infra.pack_reader import Device
from lightship.infra.pack_repository import Repository
from lightship.infra.tile_log import append
from lightship.infra.witness import witness
from lightship.packs import root as shipped

PACK_BYTES = 10_000_000
LOG_ENTRIES = 10_000
REACH_MS = 200.0  # the figure to reach
DETECTORS = frozenset({"test-card", "known-media", "camera", "exposure"})
ROUNDS = 15
IMPORT = """
import time
began = time.perf_counter()
import lightship.infra.pack_reader
print((time.perf_counter() - began) * 1000)
"""


def _files() -> dict[str, str]:
    """Return the test policy, and benign calibrations until the pack is large enough."""
    names = ("policies/test.toml", "jurisdictions/gb.toml")
    files = {name: (shipped() / name).read_text("utf-8") for name in names}
    draw = random.Random(5)
    size, number = 0, 0
    while size < PACK_BYTES:
        maxima = [round(draw.random(), 6) for _ in range(50_000)]
        stream = {"name": "made", "digest": "made", "maxima": maxima, "lengths_s": [2.0] * len(maxima)}
        text = json.dumps({"format": "lightship.calibration/1", "streams": [stream]})
        files[f"calibrations/made-{number}.json"] = text
        size, number = size + len(text), number + 1
    return files


@contextmanager
def large_pack() -> Iterator[tuple[Path, bytes]]:
    """Yield a folder as a device gets it, with a pack of 10 MB called ``device``, and the root to trust."""
    keys = [SigningKey.from_seed(f"{n}.example.org", bytes([n]) * 32) for n in range(1, 7)]
    alice, bob, carol, online, log, watching = keys
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repo = Repository(folder / "repo")
        signers = [key.verifier for key in (alice, bob, carol)]
        repo.init(
            signers, online.verifier, log.verifier, [WitnessKey.of(watching)], needed=2, quorum=1, now=now
        )
        repo.build("device", "A large pack", _files(), now)
        for key in (alice, bob, online):
            repo.sign(key, now)
        others = [b"another pack %d" % number for number in range(LOG_ENTRIES)]
        append(folder / "repo" / "log", log, [*others[:-200], *repo.to_log(), *others[-200:]])
        witness(folder / "repo" / "log", log.verifier, watching, folder / "seen", now)
        yield folder / "repo", (folder / "repo" / "metadata" / "1.root.json").read_bytes()


def run() -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met."""
    with large_pack() as (repo, root), tempfile.TemporaryDirectory() as name:
        (path,) = (repo / "targets").iterdir()
        data = path.read_bytes()
        device = _fresh(Path(name), root)
        again_ms = _median_ms(lambda: device.open(repo, "device", DETECTORS))
        first_ms = _median_ms(lambda: _fresh(Path(name), root).open(repo, "device", DETECTORS))
        floor_ms = _median_ms(lambda: hashlib.sha256(data).hexdigest())
        imports = [
            float(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True).stdout)
            for _ in range(5)
        ]
    size = f"{len(data) / 1e6:.1f} MB, log of {LOG_ENTRIES + 2:,} entries"
    peer = f"SHA-256 of the pack {floor_ms:.0f} ms"
    rows = [
        {
            "what": f"verify a pack of {size}, {when}",
            "ours": f"{ours_ms:.0f} ms",
            "peer": peer,
            "ratio": f"{ours_ms / floor_ms:.1f}",
            "reach": f"≤ {REACH_MS:.0f} ms",
            "met": "yes" if ours_ms <= REACH_MS else "no",
        }
        for when, ours_ms in (("first time on a device", first_ms), ("with what was seen before", again_ms))
    ]
    loading = {
        "what": "load python-tuf and what verifies, once a process that verifies",
        "ours": f"{statistics.median(imports):.0f} ms",
    }
    return [*rows, {**loading, "peer": "-", "ratio": "-", "reach": "-", "met": "-"}]


def _fresh(folder: Path, root: bytes) -> Device:
    device = Device(folder / f"device-{time.perf_counter_ns()}")
    device.begin(root, None)
    return device


def _median_ms(act: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
