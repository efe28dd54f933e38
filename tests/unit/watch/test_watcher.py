"""One stream under watch: matched, judged, and whatever was not looked at is said by name."""

import contextlib
import threading
import time

import av
import numpy as np
import pytest
from tests.story.scenes import frame
from tests.unit.media.making import make
from tests.unit.watch.making import picture, stream

from lightship import packs
from lightship.core.errors import LightshipError
from lightship.core.judge import bind
from lightship.core.values import Reading
from lightship.detect.camera import CameraEvidence
from lightship.detect.loop import Sensors
from lightship.detect.pdq import pdq
from lightship.media.frames import Gap
from lightship.media.keyframes import Keyframes
from lightship.media.sources import open_source
from lightship.watch.basis import proof
from lightship.watch.ring import ProcessKey, Ring
from lightship.watch.scheduler import Budget
from lightship.watch.turns import ModelThreads
from lightship.watch.watcher import TROUBLES, StreamWatcher, trouble_of


class Quick:
    """Reads a weight from a list, by the number of the look."""

    name, version, labels, takes, evidence = (
        "known-media",
        "1",
        frozenset({"known-media"}),
        "luma",
        "analytic",
    )

    def __init__(self, at=None):
        self.at, self.looks = at, 0

    def read(self, frames):
        self.looks += 1
        hit = self.looks == self.at
        return [
            (Reading(self.name, "known-media", 80.0, "list demo, entry 7", matched=("demo/7",)),)
            if hit
            else ()
            for _ in frames
        ]


class Model(Quick):
    name, labels = "test-card", frozenset({"test-card"})

    def read(self, frames):
        self.looks += 1
        return [() for _ in frames]


BOUND = bind(packs.policy("test"), [Quick(), Model()], {})


class Broken(Quick):
    def read(self, frames):
        raise ValueError("broken")


def watching(*detectors, **more):
    log, filed = [], []
    watcher = StreamWatcher(
        more.pop("stream", stream("s1")),
        "terms",
        Sensors(detectors, (), BOUND),
        Ring(ProcessKey(), 30.0),
        log.append,
        filed.append,
        run=4,
        models=frozenset({"test-card"}),
        **more,
    )
    return watcher, log, filed


def kinds(log, kind):
    return [entry for entry in log if entry["kind"] == kind]


def test_known_media_decides_at_the_first_picture_that_shows_it():
    watcher, log, filed = watching(Quick(at=3))
    for at_s in range(5):
        watcher.arrive(picture(float(at_s), at_s))
    assert (filed[0].decision.at_s, filed[0].from_s, filed[0].run) == (2.0, 2.0, 4)
    assert filed[0].decision.reasons[0].weight_db > 40.0
    assert filed[0].details == "list demo, entry 7"
    assert filed[0].matched == ("demo/7",)
    assert len(filed[0].still) == 64
    assert watcher.interest() is None
    watcher.finish("over")
    assert len(watcher.ring) == 0
    assert proof(log)[0].pictures == 5


def test_models_look_on_their_turn_and_what_they_passed_over_is_written_down():
    quick, model = Quick(), Model()
    watcher, log, _ = watching(quick, model, stream=stream("s1", child_host=True))
    for at_s in range(61):
        watcher.arrive(picture(float(at_s), at_s))
        if at_s % 10 == 9:
            assert watcher.interest().known == {"new host", "child host"}
            assert watcher.model_look()
            assert not watcher.model_look()
    (minute,) = kinds(log, "coverage")
    assert (minute["looks"], minute["model_looks"], minute["model_passed_over"]) == (60, 6, 54)
    assert (quick.looks, model.looks) == (61, 6)


def test_a_look_in_which_the_stream_ends_is_counted_as_its_scan_is():
    class Slow(Model):
        def read(self, frames):
            watcher.finish("over")
            return super().read(frames)

    watcher, log, _ = watching(Quick(), Slow())
    watcher.arrive(picture(0.0))
    watcher.model_look()
    (minute,) = kinds(log, "coverage")
    (scan,) = (one for one in kinds(log, "scans") if one["detector"] == "test-card")
    assert minute["model_looks"] == scan["pictures"] == 1


def test_every_gap_has_a_name_and_a_count():
    watcher, log, _ = watching(Quick())
    watcher.arrive(picture(0.0))
    watcher.arrive(picture(1.0, width=320, height=180))
    watcher.arrive(picture(30.0, width=320, height=180))
    for reason in (
        "no keyframe for 5.1 s, so its pictures come late; from here on all are decoded",
        "3 damaged picture packets could not be decoded and were left out",
        "it was lost (nothing came any more) and came back",
        "it is cut short or damaged: it ends before the length it declares",
        "something new",
    ):
        watcher.gap(Gap(30.0, 31.0, reason))
    watcher.failed("Not one picture could be decoded.")
    watcher.finish("over")
    assert dict(watcher.troubles) == {
        **dict.fromkeys(("new-size", "no-picture", "no-keyframe", "lost", "other-gap", "not-open"), 1),
        "damaged-packets": 1,
        "cut-short": 1,
    }
    assert set(watcher.troubles) <= set(TROUBLES)
    assert sum(entry["gap_s"] for entry in kinds(log, "coverage")) == pytest.approx(34.0)
    assert kinds(log, "watch-ended")[0]["troubles"]["lost"] == 1


def test_a_detector_that_fails_is_blindness_not_silence():
    watcher, log, filed = watching(Broken())
    watcher.arrive(picture(0.0))
    watcher.arrive(picture(1.0))
    assert watcher.troubles == {"blind": 1}
    assert filed[0].decision.by == "blind"
    assert "broken" in kinds(log, "trouble")[0]["reason"]


def test_a_stream_that_fails_all_the_time_does_not_fill_the_ledger():
    watcher, log, _ = watching(Quick())
    for _ in range(1000):
        watcher.failed("no")
    assert len(kinds(log, "trouble")) == 20
    assert watcher.troubles["not-open"] == 1000


def test_a_flood_of_pictures_is_sampled():
    quick = Quick()
    watcher, _, _ = watching(quick)
    shown = picture(0.0)
    for number in range(7500):
        watcher.arrive(shown.at(number / 150.0))
    assert quick.looks == 50
    assert watcher.troubles["flood"] == 1


def test_model_threads_share_one_budget_over_all_streams():
    clock = time.monotonic
    watchers = [watching(Quick(), Model(), stream=stream(f"s{n}"), clock=clock)[0] for n in range(6)]
    threads = ModelThreads(Budget(200.0), lambda: watchers, threads=2)
    for at_s in range(8):
        for one in watchers:
            one.arrive(picture(float(at_s), at_s))
        time.sleep(0.06)
    standing = threads.standing()
    threads.stop()
    assert all(one._models[0].looks >= 4 for one in watchers)
    assert standing.turns <= 0.06 * 8 * 200 * 1.5
    assert not [one for one in threading.enumerate() if one.name.startswith("lightship-model")]


def looked(path):
    watcher, _, _ = watching(Quick())
    try:
        with open_source(str(path), keyframes=Keyframes(1.0, 2.0)) as source:
            for item in source:
                if isinstance(item, Gap):
                    watcher.gap(item)
                else:
                    watcher.arrive(item)
    except LightshipError as error:
        watcher.failed(str(error))
    watcher.finish("over")
    return watcher


def test_streams_that_misbehave_are_named_and_nothing_crashes(tmp_path):
    endless = make(
        tmp_path / "endless.ts", seconds=6.0, sound=False, encoder={"g": "1000", "keyint_min": "1000"}
    )
    assert looked(endless).troubles["no-keyframe"] == 1

    good = make(tmp_path / "good.flv", seconds=6.0, sound=False, encoder={"g": "25"})
    whole = bytearray(good.read_bytes())
    rng = np.random.default_rng(3)
    for place in rng.integers(2000, len(whole), 400):
        whole[place] = int(rng.integers(0, 256))
    (tmp_path / "damaged.flv").write_bytes(whole)
    looked(tmp_path / "damaged.flv")  # whatever it makes of it, it ends in good order

    lying = bytearray(good.read_bytes())
    place = lying.find(b"\x17\x00")  # an AVC sequence header
    lying[place] = 0x12  # says that it is H.263
    (tmp_path / "lying.flv").write_bytes(lying)
    assert set(looked(tmp_path / "lying.flv").troubles) <= set(TROUBLES)

    empty = tmp_path / "empty.ts"
    with av.open(str(empty), "w") as container:
        video = container.add_stream("libx264", rate=10, width=160, height=96)
        video.pix_fmt = "yuv420p"
        for number in range(60):
            shown = av.VideoFrame.from_ndarray(frame(number / 10, width=160, height=96))
            shown.pts = number
            for packet in video.encode(shown):
                hollow = av.Packet(b"")
                hollow.pts = hollow.dts = packet.dts
                hollow.time_base, hollow.stream = packet.time_base, video
                container.mux([packet])
                with contextlib.suppress(ValueError, av.error.FFmpegError):
                    container.mux([hollow])
    assert looked(empty).progress().looks >= 1
    assert trouble_of(Gap(0.0, 1.0, "it was lost (x) and came back")) == "lost"


def test_a_change_of_resolution_in_mid_stream_is_named(tmp_path):
    one = make(tmp_path / "a.ts", seconds=2.0, sound=False)
    other = make(
        tmp_path / "b.ts",
        seconds=2.0,
        sound=False,
        width=320,
        height=192,
        times=[2 + n / 25 for n in range(50)],
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + other.read_bytes())
    assert looked(joined).troubles["new-size"] == 1


def test_what_models_know_of_a_stream_follows_what_they_saw():
    watcher, _, _ = watching(Quick(), Model())
    watcher.arrive(picture(0.0, 1))
    assert "same picture" not in watcher.interest().known
    watcher.model_look()
    watcher.arrive(picture(1.0, 1))
    assert "same picture" in watcher.interest().known
    watcher.arrive(picture(2.0, 2))
    assert "same picture" not in watcher.interest().known
    watcher.model_look()
    watcher.arrive(picture(3.0, 3))
    assert watcher.interest().spent == 2
    watcher.reports = 1
    assert watcher.interest().spent == 0
    watcher.reports = 0  # a person has looked: nothing new
    assert (watcher.interest().spent, watcher.interest().reports) == (0, 0)


def test_a_models_late_answer_is_weighed_in_the_scene_that_is_shown_now():
    watcher, _, _ = watching(Quick(), Model())
    watcher.arrive(picture(0.0, 1))
    for at_s in (0.5, 1.0, 1.5):
        watcher.arrive(picture(at_s, 2))
        watcher._waiting = (picture(0.0, 1), pdq(picture(0.0, 1).luma()))
        watcher.model_look()
    assert watcher.standing.base.pictures == 2


def test_each_streams_camera_is_judged_by_its_own_pictures():
    shared = CameraEvidence()
    still, moving = (watching(Quick(), shared, stream=stream(name))[0] for name in ("still", "moving"))
    for number in range(12):
        still.arrive(picture(float(number), 1))
        moving.arrive(picture(float(number), number))
    assert "camera evidence" in still._known
    assert "camera evidence" not in moving._known


def test_a_picture_is_hashed_once_for_all_who_need_it(monkeypatch):
    hashed = []

    class Hashes(Quick):
        def read_hashed(self, frames, hashes):
            hashed.extend(hashes)
            return [() for _ in frames]

    counted = []
    monkeypatch.setattr("lightship.watch.watcher.pdq", lambda *given: counted.append(1) or pdq(*given))
    monkeypatch.setattr("lightship.detect.loop.pdq", None)
    watcher, _, _ = watching(Hashes(), Model())
    for at_s in range(3):
        watcher.arrive(picture(float(at_s), at_s))
        watcher.model_look()
    assert len(counted) == len(hashed) == 3
    assert (hashed[2][0] == pdq(picture(0.0, 2).luma())[0]).all()


class Fires(Model):
    """A model that sees the card while it is told to."""

    fires = True

    def read(self, frames):
        self.looks += 1
        return [(Reading(self.name, "test-card", 79.0),) if self.fires else () for _ in frames]


def test_what_a_model_saw_is_released_only_after_a_model_no_longer_sees_it():
    watcher, _, filed = watching(Quick(), Fires())
    watcher.arrive(picture(0.0, 0))
    watcher.model_look()
    assert watcher.standing.rung == "blur"
    for at_s in range(1, 30):  # matching alone cannot tell that it is gone
        watcher.arrive(picture(float(at_s), at_s))
    assert watcher.standing.covered
    watcher._models[0].fires = False
    watcher.model_look()
    for at_s in range(30, 40):
        watcher.arrive(picture(float(at_s), at_s))
    assert watcher.standing.rung is None
    assert [one.decision.rung for one in filed] == ["blur", "pause", None]


def test_a_stream_at_the_top_of_its_ladder_waits_its_time_like_any_other():
    watcher, _, _ = watching(Quick(), Fires())
    watcher.reports = 2
    for at_s in range(4):
        watcher.arrive(picture(float(at_s), at_s))
        watcher.model_look()
    watcher.arrive(picture(4.0, 4))
    assert watcher.standing.rung == "pause"
    assert watcher.interest().hazard == 2.0
