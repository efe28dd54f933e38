"""Streams that lie, flood, stall or change under way, each a real one, through the worker: named, counted, survived."""

import socketserver
import threading
import time

import numpy as np
from tests.unit.media.making import make, numbered, write
from tests.unit.watch.making import stream
from tests.unit.watch.memory import MemoryLeases, MemoryStore
from tests.unit.watch.test_watcher import BOUND, Quick
from tests.unit.watch.test_worker import until

from lightship.detect.loop import Sensors
from lightship.media import address
from lightship.media.keyframes import Keyframes
from lightship.media.sources import Reconnect, open_source
from lightship.watch.basis import Bases
from lightship.watch.watcher import TROUBLES
from lightship.watch.worker import Setup, Worker

GOOD_LOOKS = 5


def lies_about_its_codec(folder):
    """An FLV whose H.264 says of itself that it is Sorenson's H.263."""
    whole = bytearray(make(folder / "good.flv", seconds=20.0, sound=False, encoder={"g": "5"}).read_bytes())
    at = 13
    while at < len(whole):
        size = int.from_bytes(whole[at + 1 : at + 4], "big")
        if whole[at] == 9:
            whole[at + 11] = whole[at + 11] & 0xF0 | 2
        at += 15 + size
    path = folder / "lies.flv"
    path.write_bytes(whole)
    return path


def never_sends_a_keyframe(folder):
    return make(folder / "endless.ts", seconds=8.0, sound=False, encoder={"g": "1000", "keyint_min": "1000"})


def floods(folder):
    shown = [numbered(32, 32, number % 50) for number in range(7400)]
    return write(folder / "flood.ts", shown, fps=200, encoder={"g": "100000", "keyint_min": "100000"})


def stalls(folder):
    times = [number / 10 for number in range(20)] + [14 + number / 10 for number in range(20)]
    return make(folder / "stall.ts", fps=10, times=times, sound=False, encoder={"g": "5"})


def changes_its_size(folder):
    one = make(folder / "a.ts", seconds=2.0, sound=False)
    later = [2 + number / 25 for number in range(50)]
    other = make(folder / "b.ts", width=320, height=192, times=later, sound=False)
    path = folder / "sizes.ts"
    path.write_bytes(one.read_bytes() + other.read_bytes())
    return path


def has_empty_packets(folder):
    """An FLV with an empty tag, and one that holds a header and no picture, before each real one."""
    whole = make(folder / "good.flv", seconds=4.0, sound=False, encoder={"g": "5"}).read_bytes()
    made, at = bytearray(whole[:13]), 13
    while at < len(whole):
        size = int.from_bytes(whole[at + 1 : at + 4], "big")
        tag = whole[at : at + 15 + size]
        if tag[0] == 9 and tag[12] == 1:
            for body in (b"", tag[11:16]):
                head = bytes([9]) + len(body).to_bytes(3, "big") + tag[4:11]
                made += head + body + (11 + len(body)).to_bytes(4, "big")
        made += tag
        at += 15 + size
    path = folder / "empty.flv"
    path.write_bytes(made)
    return path


def is_damaged(folder):
    whole = bytearray(make(folder / "good.ts", seconds=8.0, sound=False, encoder={"g": "5"}).read_bytes())
    rng = np.random.default_rng(3)
    for place in range(20 * 188, len(whole) - 188, 188):
        if rng.random() < 0.3:
            whole[place + 40 : place + 188] = rng.integers(0, 256, 148, dtype=np.uint8).tobytes()
    path = folder / "damaged.ts"
    path.write_bytes(whole)
    return path


def is_cut_short(folder):
    whole = make(folder / "whole.mkv", seconds=8.0, sound=False, encoder={"g": "5"}).read_bytes()
    path = folder / "short.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    return path


def is_no_video(folder):
    path = folder / "text.ts"
    path.write_bytes(b"Not a stream at all.\n" * 1000)
    return path


HOSTILE = {
    lies_about_its_codec: "not-open",
    never_sends_a_keyframe: "no-keyframe",
    floods: "flood",
    stalls: "no-picture",
    changes_its_size: "new-size",
    is_damaged: "damaged-packets",
    is_cut_short: "cut-short",
    is_no_video: "not-open",
    has_empty_packets: None,  # nothing is lost by them
}


def platform(opened, *names):
    store = MemoryStore()
    with store.begin() as work:
        work.save(*(stream(name, address=address_) for name, address_ in names))
    setup = Setup(
        store, MemoryLeases(), lambda _policy: Sensors((Quick(),), (), BOUND), opened, Bases("terms")
    )
    return store, Worker("one", setup, 1.0)


def entries(store, kind, name):
    return [entry for entry in store.kinds(kind) if entry["stream"] == name]


def test_each_misbehaviour_has_a_name_and_a_count_and_hurts_no_other_stream(tmp_path):
    paths = {maker.__name__: maker(tmp_path) for maker in HOSTILE}
    paths["good"] = make(tmp_path / "good.ts", seconds=float(GOOD_LOOKS), sound=False, encoder={"g": "25"})
    store, worker = platform(
        lambda one: open_source(str(paths[one.id]), keyframes=Keyframes(1.0, 2.0)),
        *((name, "") for name in paths),
    )
    worker.start()
    try:
        wanted = {maker.__name__: trouble for maker, trouble in HOSTILE.items() if trouble}
        assert until(
            lambda: all(
                any(entry["trouble"] == trouble for entry in entries(store, "trouble", name))
                for name, trouble in wanted.items()
            ),
            10.0,
        ), {name: [entry["trouble"] for entry in entries(store, "trouble", name)] for name in wanted}
        assert until(
            lambda: (
                entries(store, "watch-ended", "good") and entries(store, "watch-ended", "has_empty_packets")
            )
        )
        dead = {id_ for id_, one in list(worker.running.items()) if not one.thread.is_alive()}
        assert dead <= {entry["stream"] for entry in store.kinds("watch-ended")}
    finally:
        worker.stop()
    for entry in store.kinds("trouble"):
        assert entry["trouble"] in TROUBLES
        assert entry["count"] >= 1
        assert entry["reason"]
        assert "Traceback" not in entry["reason"]
    for name in ("good", "has_empty_packets"):
        assert entries(store, "trouble", name) == []
    assert sum(entry["looks"] for entry in entries(store, "coverage", "good")) == GOOD_LOOKS
    assert sum(entry["looks"] for entry in entries(store, "coverage", "has_empty_packets")) >= 3
    (ended,) = entries(store, "watch-ended", "changes_its_size")
    assert ended["troubles"]["new-size"] == 1


def test_a_server_that_stalls_is_given_up_and_called_again(tmp_path, monkeypatch):
    monkeypatch.setattr(address, "STALL_S", 0.5)
    body = make(tmp_path / "clip.ts", seconds=4.0, sound=False, encoder={"g": "5"}).read_bytes()
    calls = []

    class Stalls(socketserver.BaseRequestHandler):
        def handle(self):
            calls.append(self.client_address)
            if len(calls) > 1:
                self.request.sendall(body)
                return
            self.request.sendall(body[: len(body) // 2 // 188 * 188])
            time.sleep(2.0)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stalls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        port = server.server_address[1]
        quick = Reconnect(first_s=0.1, most_s=0.2, total_s=5.0)
        store, worker = platform(
            lambda _one: open_source(f"tcp://127.0.0.1:{port}", reconnect=quick, keyframes=Keyframes(1.0)),
            ("stalls", ""),
        )
        worker.start()
        try:
            assert until(lambda: entries(store, "watch-ended", "stalls"), 15.0)
        finally:
            worker.stop()
            server.shutdown()
    assert len(calls) == 2
    (lost,) = entries(store, "trouble", "stalls")
    assert (lost["trouble"], lost["count"]) == ("lost", 1)
    assert "nothing came any more" in lost["reason"]
    assert sum(entry["looks"] for entry in entries(store, "coverage", "stalls")) >= 4
