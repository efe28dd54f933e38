"""Models under one budget, through a worker, on real streams: a tiny ONNX model that fires on red stands for exposure."""

import math
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest
from tests.unit.detect.test_exposure import classifier, load
from tests.unit.media.making import numbered, write
from tests.unit.watch.making import stream
from tests.unit.watch.memory import MemoryLeases, MemoryStore
from tests.unit.watch.test_worker import until

from lightship import packs
from lightship.core.cases import Case
from lightship.core.ladder import parse_policy
from lightship.core.weight import BenignStream, Calibration
from lightship.detect.loop import load_sensors
from lightship.media.keyframes import Keyframes
from lightship.media.sources import open_source
from lightship.watch.basis import Bases
from lightship.watch.scheduler import Budget
from lightship.watch.worker import Setup, Worker

STREAMS, SECONDS, RED_FROM_S, PER_S = 6, 7.0, 3.0, 4.0
RED = np.full((96, 160, 3), (230, 20, 20), np.uint8)


def clip(path, *, red_from_s=math.inf, seed=0):
    """Write a stream of pictures that change each second, red from some moment on, with two keyframes a second."""
    times = [number / 10 for number in range(int(SECONDS * 10))]
    pictures = [
        RED if at_s >= red_from_s else numbered(160, 96, 37 * seed + 11 * int(at_s)) for at_s in times
    ]
    return write(path, pictures, fps=10, encoder={"g": "5", "keyint_min": "5"})


@pytest.fixture
def platform(tmp_path):
    """Six public streams with an exposure model, of which one turns red; one without a model, and a private one."""
    detector = load(tmp_path, classifier())
    text = (packs.root() / "policies" / "broadcast.toml").read_text()
    text = text.replace('"nudenet-320n"', f'"{tmp_path / "tiny.toml"}"').replace(
        "required = false", "required = true", 1
    )
    plain = (packs.root() / "policies" / "test.toml").read_text()
    rng = np.random.default_rng(1)
    benign = tuple(
        BenignStream(f"b{n}", "sha256:0", tuple(rng.uniform(0.0, 0.6, 1800)), (2.0,) * 1800) for n in range(5)
    )
    calibration = Calibration(
        "exposure", detector.version, "exposed", 4.0, benign, "2026-11-24", "made in the test"
    )
    policies = {"with-model": parse_policy(text), "without": parse_policy(plain)}
    store = MemoryStore()
    names = [f"s{number}" for number in range(STREAMS)]
    for number, name in enumerate([*names, "plain", "private"]):
        clip(tmp_path / f"{name}.ts", seed=number, red_from_s=RED_FROM_S if name == "s4" else math.inf)
    with store.begin() as work:
        work.save(*(stream(name, policy="with-model") for name in names))
        work.save(stream("plain", policy="without"))
        work.save(stream("private", policy="with-model", visibility="private", basis=""))

    @cache
    def sensors(policy):
        return load_sensors(policies[policy], lambda _name: calibration)

    def opened(one):
        return open_source(str(tmp_path / f"{one.id}.ts"), realtime=True, keyframes=Keyframes(0.25, 5.0))

    setup = Setup(
        store, MemoryLeases(), sensors, opened, Bases(public="terms"), budget=Budget(PER_S), model_threads=2
    )
    return store, Worker("one", setup)


def test_models_share_one_budget_over_real_streams_and_find_what_only_they_can_see(platform):
    store, worker = platform
    began_s = time.monotonic()
    worker.start()
    try:
        assert until(lambda: store.kinds("decision"), SECONDS)
        found_s = time.monotonic() - began_s
        bound_s = worker.models.standing().bound_s
        assert until(lambda: len(store.kinds("watch-ended")) == STREAMS + 1, 2.0 * SECONDS)
    finally:
        worker.stop()
    took_s = time.monotonic() - began_s

    assert {entry["stream"] for entry in store.kinds("decision")} == {"s4"}
    assert store.kinds("decision")[0]["reasons"][0]["detector"] == "exposure"
    with store.begin() as work:
        assert {case.stream_id for case in work.find(Case, {})} <= {"s4"}
    assert RED_FROM_S <= found_s <= RED_FROM_S + bound_s + 2.0

    scans = Counter()
    for entry in store.kinds("scans"):
        scans[entry["detector"], entry["stream"]] += entry["pictures"]
    looks = {name: count for (detector, name), count in scans.items() if detector == "exposure"}
    assert set(looks) == {f"s{number}" for number in range(STREAMS)}
    assert sum(looks.values()) <= PER_S * took_s + 2
    assert min(looks.values()) >= math.floor(SECONDS / (bound_s + 1.0))

    minutes = [entry for entry in store.kinds("coverage") if entry["stream"] in looks]
    assert sum(entry["model_looks"] for entry in minutes) == sum(looks.values())
    assert sum(entry["model_passed_over"] for entry in minutes) > 0
    assert max(entry["model_unseen_s"] for entry in minutes) <= 3.0 * STREAMS / PER_S + 1.0
    (told,) = store.kinds("models")
    assert (told["worker"], told["looks"]) == ("one", sum(looks.values()))
    assert [entry["stream"] for entry in store.kinds("refused")] == ["private"]
