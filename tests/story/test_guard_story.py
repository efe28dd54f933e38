"""The guard as its users meet it: a phone publishes, a file is protected, a program wraps its frames, a call is covered."""

import asyncio
import json
import shutil
import subprocess
import threading
from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage import data

from lightship import app as wiring
from lightship import packs
from lightship.core.errors import DetectorError
from lightship.core.ladder import parse_policy
from lightship.detect.loop import Sensors, load_sensors
from lightship.detect.pdq import pdq, to_hex
from lightship.detect.test_card import TestCardDetector
from lightship.guard import Guard
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import read_entries, verify_file
from lightship.media.frames import Gap, Sound
from lightship.media.sources import Reconnect, open_source
from tests.story.scenes import FPS, frame, free_port, write_video

CARD_S = (3.0, 6.0)


def items(path):
    with open_source(str(path)) as source:
        return list(source)


def shows_card(picture, detector=TestCardDetector.load()):  # noqa: B008
    return bool(detector.read([picture.luma()])[0])


def loudness(sound):
    return float(np.abs(sound.frame.to_ndarray()).max())


def decisions(log):
    return [(entry["rung"], entry["by"]) for entry in read_entries(log) if entry["kind"] == "decision"]


def policy(**changes):
    """The test policy with some of its lines changed."""
    text = (packs.root() / "policies" / "test.toml").read_text()
    for key, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
        text = f"{key} = {json.dumps(value)}\n" + "\n".join(lines)
    return parse_policy(text)


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    """A file with sound, protected under the test policy."""
    folder = tmp_path_factory.mktemp("file")
    write_video(folder / "in.mp4", seconds=14.0, card_s=CARD_S, sound=True)
    wiring.protect(
        str(folder / "in.mp4"), str(folder / "out.mp4"), "test", log=folder / "guard.ledger", report=folder
    )
    return folder


class TestAFileIsProtected:
    def test_no_picture_with_the_card_leaves_and_none_is_lost(self, protected):
        pictures = [item for item in items(protected / "out.mp4") if not isinstance(item, Sound | Gap)]
        assert len(pictures) == 14 * FPS
        assert not any(map(shows_card, pictures))

    def test_the_benign_parts_leave_as_they_were(self, protected):
        before = {round(i.at_s, 2): i for i in items(protected / "in.mp4") if not isinstance(i, Sound | Gap)}
        after = {round(i.at_s, 2): i for i in items(protected / "out.mp4") if not isinstance(i, Sound | Gap)}
        for at_s in (0.0, 0.48, 0.92, 12.0, 13.0):
            difference = np.abs(before[at_s].rgb().astype(int) - after[at_s].rgb().astype(int)).mean()
            assert difference < 4.0, at_s

    def test_the_sound_is_muted_while_the_picture_is_covered_and_heard_otherwise(self, protected):
        sounds = [item for item in items(protected / "out.mp4") if isinstance(item, Sound)]
        assert all(loudness(sound) < 0.01 for sound in sounds if 1.3 < sound.at_s < 8.0)
        assert all(loudness(sound) > 0.2 for sound in sounds if 0.1 < sound.at_s < 0.9)
        assert all(loudness(sound) > 0.2 for sound in sounds if 11.0 < sound.at_s < 13.5)

    def test_it_was_blurred_then_paused_then_went_on(self, protected):
        assert decisions(protected / "guard.ledger") == [
            ("blur", "evidence"),
            ("pause", "evidence"),
            (None, "benign"),
        ]

    def test_the_log_verifies_and_the_report_has_its_picture(self, protected):
        assert verify_file(protected / "guard.ledger", load_public_key(protected / "guard.pub")).ok
        report = json.loads((protected / "report.json").read_text())
        assert [one["rung"] for one in report["decisions"]] == ["blur", "pause", None]
        assert (protected / "timeline.png").stat().st_size > 10_000

    def test_the_same_file_gives_the_same_decisions_again(self, protected, tmp_path):
        wiring.protect(str(protected / "in.mp4"), "null", "test", log=tmp_path / "guard.ledger")
        first = [entry for entry in read_entries(protected / "guard.ledger") if entry["kind"] == "decision"]
        again = [entry for entry in read_entries(tmp_path / "guard.ledger") if entry["kind"] == "decision"]
        for entry in (*first, *again):
            entry.pop("at")
        assert first == again


def test_under_a_policy_that_is_no_test_the_card_does_nothing(protected, tmp_path):
    known = tmp_path / "bank.csv"
    known.write_text("0123456789abcdef" * 4 + "\n")
    options = {"known-media": {"lists": [str(known)]}}
    wiring.protect(
        str(protected / "in.mp4"), "null", "adult-device", log=tmp_path / "guard.ledger", options=options
    )
    assert decisions(tmp_path / "guard.ledger") == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg program to publish with")
def test_a_phone_publishes_over_rtmp_and_the_recording_shows_the_card_covered(tmp_path):
    write_video(tmp_path / "in.mp4", seconds=10.0, card_s=CARD_S, sound=True)
    address = f"127.0.0.1:{free_port()}/live/phone"
    publish = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-i",
        str(tmp_path / "in.mp4"),
        "-c",
        "copy",
        "-f",
        "flv",
    ]
    publisher = threading.Timer(1.0, lambda: subprocess.run([*publish, f"rtmp://{address}"], check=True))
    publisher.start()
    outcome = wiring.protect(
        f"rtmp+listen://{address}",
        str(tmp_path / "out.mp4"),
        "test",
        log=tmp_path / "guard.ledger",
        reconnect=Reconnect(listen_s=15.0, linger_s=1.0),
    )
    publisher.join()
    pictures = [item for item in items(tmp_path / "out.mp4") if not isinstance(item, Sound | Gap)]
    assert outcome.reason == "the source is over"
    assert len(pictures) >= 9.5 * FPS
    assert not any(map(shows_card, pictures))
    # The first look is not over when the first picture leaves the ring, two seconds later; the end is clear again.
    assert np.abs(pictures[10].rgb().astype(int) - frame(pictures[10].at_s).astype(int)).mean() < 12.0
    assert decisions(tmp_path / "guard.ledger")[:2] == [("blur", "evidence"), ("pause", "evidence")]


class TestAProgramWrapsItsFrames:
    def test_as_many_frames_come_out_as_go_in_and_none_with_the_card(self):
        frames = [frame(n / FPS, 2.0 <= n / FPS < 4.0) for n in range(int(10 * FPS))]
        shown = list(Guard("test").protect(iter(frames), fps=FPS))
        assert len(shown) == len(frames)
        detector = TestCardDetector.load()
        grey = [picture.mean(axis=2).astype(np.uint8) for picture in shown]
        assert not any(map(bool, detector.read(grey)))
        assert np.array_equal(shown[-1], frames[-1])

    def test_without_hold_back_strong_evidence_blurs_within_a_sample_and_pauses_after_two_seconds(self):
        frames = [frame(n / FPS, n / FPS >= 2.0) for n in range(int(8 * FPS))]
        shown = list(Guard(policy(hold_back_s=0.0)).protect(iter(frames), fps=FPS))
        same = [np.array_equal(a, b) for a, b in zip(shown, frames, strict=True)]
        first_covered = same.index(False)
        assert 0 <= first_covered / FPS - 2.0 <= 0.3
        assert not any(same[first_covered:])


class Faulty:
    """A detector that works for a while and then fails."""

    name, version, labels, takes, evidence = "test-card", "1", frozenset({"test-card"}), "luma", "analytic"

    def __init__(self, looks):
        self.looks = looks

    def read(self, frames):
        self.looks -= 1
        if self.looks < 0:
            raise RuntimeError("out of memory")
        return [() for _ in frames]


class Memory:
    def __init__(self):
        self.entries = []

    def append(self, entry):
        self.entries.append(entry)
        return len(self.entries)

    def append_all(self, entries):
        self.entries.extend(entries)
        return len(self.entries)


class TestDetectionThatCannotSee:
    @pytest.mark.parametrize(("answer", "covered"), [("cover", True), ("pass-with-notice", False)])
    def test_a_detector_that_dies_is_said_and_the_policy_decides(self, answer, covered):
        chosen = policy(when_blind=answer, hold_back_s=0.0)
        good = load_sensors(chosen, packs.calibration)
        memory = Memory()
        guard = Guard(chosen, ledger=memory, sensors=Sensors((Faulty(4),), (), good.bound))
        frames = [frame(n / FPS) for n in range(int(4 * FPS))]
        shown = list(guard.protect(iter(frames), fps=FPS))
        assert np.array_equal(shown[-1], frames[-1]) is not covered
        (blind,) = [entry for entry in memory.entries if entry["kind"] == "blind"]
        assert "out of memory" in blind["reason"]
        assert blind["answer"] == answer

    def test_nothing_to_watch_with_stops_the_run(self):
        with pytest.raises(DetectorError, match="nothing to watch with"):
            load_sensors(packs.policy("adult-device"), packs.calibration)

    def test_what_is_absent_is_in_the_log(self):
        memory = Memory()
        list(Guard("test", ledger=memory).protect(iter([frame(0.0)]), fps=FPS))
        assert "--list" in memory.entries[0]["absent"]["known-media"]


class TestAPersonGoesOn:
    def test_where_the_policy_allows_it(self):
        memory = Memory()
        guard = Guard(policy(release="person", hold_back_s=0.0, grace_s=30.0), ledger=memory)
        shown = []
        for number, picture in enumerate(guard.protect((frame(n / FPS, True) for n in range(150)), fps=FPS)):
            shown.append(picture)
            if number == 75:
                assert guard.resume()
        assert not np.array_equal(shown[70], frame(70 / FPS, True))
        assert np.array_equal(shown[100], frame(100 / FPS, True))
        assert {"kind": "person", "at_s": 3.0, "act": "resume", "allowed": True} in memory.entries

    def test_and_not_where_it_does_not(self):
        memory = Memory()
        guard = Guard("test", ledger=memory)
        for number, _ in enumerate(guard.protect((frame(n / FPS, True) for n in range(100)), fps=FPS)):
            if number == 20:
                assert not guard.resume()
        assert [entry["allowed"] for entry in memory.entries if entry["kind"] == "person"] == [False]


def test_a_photograph_on_a_list_is_covered_when_shown_live_and_the_log_names_no_hash(tmp_path):
    photograph = cv2.resize(data.coffee(), (640, 360))
    known = to_hex(pdq(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY))[0])
    (tmp_path / "bank.csv").write_text(f"{known},100,benign-photo\n")
    memory = Memory()
    guard = Guard(
        policy(hold_back_s=0.0), ledger=memory, options={"known-media": {"lists": [tmp_path / "bank.csv"]}}
    )
    frames = [photograph if 2.0 <= n / FPS < 6.0 else frame(n / FPS) for n in range(int(7 * FPS))]
    shown = list(guard.protect(iter(frames), fps=FPS))
    left = [np.array_equal(a, b) for a, b in zip(shown, frames, strict=True)][int(2 * FPS) : int(6 * FPS)]
    assert sum(left) / FPS <= 0.6
    (blurred, paused, *_) = [entry for entry in memory.entries if entry["kind"] == "decision"]
    assert (blurred["rung"], paused["rung"]) == ("blur", "pause")
    assert paused["at_s"] - 2.0 <= 5.0
    assert blurred["reasons"][0]["label"] == "known-media"
    assert known not in json.dumps(memory.entries)


def test_a_call_is_covered_and_muted():
    aiortc = pytest.importorskip("aiortc", reason="the extra lightship[calls] is not installed")
    import av

    from lightship.guard.track import GuardedAudio, GuardedVideo

    class Camera(aiortc.MediaStreamTrack):
        kind = "video"
        number = 0

        async def recv(self):
            await asyncio.sleep(1 / FPS)
            picture = av.VideoFrame.from_ndarray(frame(self.number / FPS, self.number >= 25), format="rgb24")
            picture.pts, picture.time_base = self.number, Fraction(1, int(FPS))
            self.number += 1
            return picture

    class Microphone(aiortc.MediaStreamTrack):
        kind = "audio"

        async def recv(self):
            sound = av.AudioFrame.from_ndarray(np.full((1, 960), 9000, np.int16), format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, 0, Fraction(1, 48_000)
            return sound

    async def call():
        memory = Memory()
        video = GuardedVideo(Camera(), Guard(policy(hold_back_s=0.0), ledger=memory))
        audio = GuardedAudio(Microphone(), video)
        seen = [(await video.recv(), await audio.recv()) for _ in range(60)]
        video.stop()
        return seen, memory.entries

    seen, entries = asyncio.run(call())
    detector = TestCardDetector.load()
    found = [bool(detector.read([np.ascontiguousarray(one.to_ndarray(format="gray"))])[0]) for one, _ in seen]
    heard = [np.abs(sound.to_ndarray()).max() > 100 for _, sound in seen]
    assert sum(found) <= 15, "covered within 0.6 s"
    assert not any(found[45:])
    assert heard[20]
    assert not any(heard[45:])
    assert [one.pts for one, _ in seen] == list(range(60))
    assert entries[-1]["kind"] == "finished"
