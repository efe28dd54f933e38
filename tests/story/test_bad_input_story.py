"""Bad input: one clear sentence, a documented exit code, no half-written file, and a log that still verifies."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from lightship.core.errors import LedgerError
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import read_entries, verify_file
from tests.story.scenes import free_port, write_video

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]
HASH = "0123456789abcdef" * 4


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "in.mp4"
    write_video(path, seconds=3.0)
    return path


def run(*words, **more):
    return subprocess.run(
        [*LIGHTSHIP, *map(str, words)], capture_output=True, text=True, check=False, timeout=60, **more
    )


def said_clearly(done, code, *words):
    """The exit code is the documented one, and the error is one sentence with these words and no traceback."""
    assert done.returncode == code, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("lightship: ")]
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in line, line
    return line


def nothing_half_written(folder, name="out.mp4"):
    assert not (folder / name).exists()
    assert [path.name for path in folder.iterdir() if ".part" in path.name] == []


def log_verifies(folder):
    return verify_file(folder / "state" / "guard.ledger", load_public_key(folder / "state" / "guard.pub")).ok


def media(kind, path, video):
    """Write a medium that is bad in one way."""
    import av

    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "no medium":
        path.write_bytes(os.urandom(5000))
    elif kind == "cut off before its index":
        path.write_bytes(video.read_bytes()[:4000])
    elif kind == "only sound":
        with av.open(str(path), "w", format="mp4") as out:
            stream = out.add_stream("aac", rate=48_000)
            for number in range(30):
                sound = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                )
                sound.sample_rate, sound.pts = 48_000, number * 1024
                out.mux(stream.encode(sound))
            out.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("kind", "word"),
    [("empty", ""), ("no medium", ""), ("cut off before its index", ""), ("only sound", "sound")],
)
def test_a_medium_that_cannot_be_used(here, video, kind, word):
    media(kind, here / "bad.mp4", video)
    said_clearly(run("guard", "bad.mp4", "out.mp4", "--policy", "test"), 2, "bad.mp4", word)
    nothing_half_written(here)


def test_a_medium_that_is_not_there(here):
    said_clearly(run("guard", "none.mp4", "out.mp4", "--policy", "test"), 2, "none.mp4")


def test_the_source_is_never_replaced_by_the_output(here, video):
    shutil.copy(video, here / "in.mp4")
    before = (here / "in.mp4").read_bytes()
    said_clearly(run("guard", "in.mp4", "./in.mp4", "--policy", "test"), 2, "replace the source")
    assert (here / "in.mp4").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "sink", "code", "word"),
    [("camera:9", "null", 2, "no such camera"), ("in.mp4", "virtual-camera", 6, "virtual camera")],
)
def test_a_camera_that_is_not_there(here, video, source, sink, code, word):
    shutil.copy(video, here / "in.mp4")
    said_clearly(run("guard", source, sink, "--policy", "test"), code, word)


def test_a_video_cut_off_in_its_middle_is_protected_as_far_as_it_goes_and_the_gap_is_said(here, video):
    with (here / "whole.mkv").open("wb"):
        pass
    write_video(here / "whole.mkv", seconds=4.0)
    whole = (here / "whole.mkv").read_bytes()
    (here / "half.mkv").write_bytes(whole[: len(whole) // 2])
    done = run("guard", "half.mkv", "out.mp4", "--policy", "test")
    assert done.returncode == 0, done.stderr
    assert [entry for entry in read_entries(here / "state" / "guard.ledger") if entry["kind"] == "gap"]
    assert (here / "out.mp4").exists()


@pytest.mark.parametrize(
    ("width", "height", "fps", "seconds"),
    [
        (16, 16, 25, 2),
        pytest.param(7680, 4320, 5, 1, marks=pytest.mark.slow),
        (320, 180, 1, 6),
        (160, 90, 240, 1),
    ],
)
def test_any_size_and_rate_is_taken(here, width, height, fps, seconds):
    write_video(here / "in.mkv", seconds=seconds, width=width, height=height, fps=fps)
    done = run("guard", "in.mkv", "out.mkv", "--policy", "test")
    assert done.returncode == 0, done.stderr
    assert f"{round(seconds * fps)} pictures left" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('name = "test"', 'name = "test"\nsurprise = 1', "surprise"),
        ('labels = ["test-card"]', 'labels = ["something-new"]', "something-new"),
        ("test = true", "test = false", "test = true"),
        ('budget = "1 per hour"', 'budget = "often"', "often"),
        ('title = "Test', "title = [", "TOML"),
    ],
)
def test_a_policy_that_is_refused(here, video, old, new, word):
    from lightship import packs

    text = (packs.root() / "policies" / "test.toml").read_text()
    assert old in text
    (here / "mine.toml").write_text(text.replace(old, new))
    said_clearly(run("guard", video, "out.mp4", "--policy", "./mine.toml"), 3, word)
    nothing_half_written(here)


def test_an_unknown_policy_lists_the_shipped_ones(here, video):
    said_clearly(run("guard", video, "out.mp4", "--policy", "none-such"), 3, "child-device")


def test_a_list_with_bad_lines_is_refused_by_line_unless_they_may_be_skipped(here, video):
    (here / "bank.csv").write_text(f"{HASH}\nnot a hash\n")
    said_clearly(
        run("guard", video, "null", "--policy", "test", "--list", "bank.csv"), 2, "line 2", "--skip-bad"
    )
    done = run("guard", video, "null", "--policy", "test", "--list", "bank.csv", "--skip-bad")
    assert done.returncode == 0, done.stderr


def card(here, **changes):
    """Write a copy of the shipped model card with some lines changed, and a policy that uses it."""
    from lightship.detect.model_card import CARDS

    text = (CARDS / "nudenet-320n.toml").read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    (here / "card.toml").write_text(text)
    from lightship import packs

    policy = (packs.root() / "policies" / "child-device.toml").read_text()
    policy = policy.replace('card = "nudenet-320n"', f'card = "{here / "card.toml"}"').replace(
        "required = false", "required = true", 1
    )
    (here / "mine.toml").write_text(policy)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('resource = "320n.onnx"', 'resource = "none.onnx"', "none.onnx"),
        ('sha256 = "c15d', 'sha256 = "0000', "digest"),
        ('package = "nudenet"', 'package = "no_such_package"', "lightship[exposure]"),
    ],
)
def test_a_missing_or_wrong_model_that_the_policy_requires_stops_the_run(here, video, old, new, word):
    pytest.importorskip("nudenet", reason="the extra lightship[exposure] is not installed")
    card(here, change=(old, new))
    said_clearly(run("guard", video, "out.mp4", "--policy", "./mine.toml"), 4, word)
    nothing_half_written(here)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0,
    reason="a full disk is made with tmpfs, as root",
)
def test_a_full_disk_at_the_sink(here, video):
    full = here / "full"
    full.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)], check=False, capture_output=True
    ).returncode:
        pytest.skip("this machine does not let a test mount a tmpfs")
    try:
        said_clearly(run("guard", video, full / "out.mp4", "--policy", "test"), 6, "full")
        nothing_half_written(full)
    finally:
        subprocess.run(["umount", str(full)], check=False)
    assert log_verifies(here)


def started(here, video, sink):
    child = subprocess.Popen(
        [*LIGHTSHIP, "guard", str(video), sink, "--policy", "test", "--live"],
        stderr=subprocess.PIPE,
        text=True,
    )
    log = here / "state" / "guard.ledger"
    for _ in range(200):
        time.sleep(0.05)
        with suppress(LedgerError):  # the file is there a moment before its table is
            if log.exists() and (here / "state" / "guard.pub").exists() and any(read_entries(log)):
                return child
    raise AssertionError("the guard did not start")


def test_ctrl_c_ends_in_good_order(here, video):
    child = started(here, video, "out.mp4")
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert [path.name for path in here.iterdir() if ".part" in path.name] == []
    assert log_verifies(here)
    assert list(read_entries(here / "state" / "guard.ledger"))[-1]["reason"] == "interrupted"


STUCK_CAMERA = """
import time
from lightship.media import sources
sources._opened = lambda *arguments: time.sleep(60)  # a driver that never returns
from lightship.cli import main
main()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("waits_for", ["publisher", "camera"])
def test_ctrl_c_while_no_picture_has_come_says_so(here, waits_for, how):
    source = (
        f"rtmp+listen://127.0.0.1:{free_port()}/live/key" if waits_for == "publisher" else "camera:/dev/null"
    )
    program = LIGHTSHIP if waits_for == "publisher" else [sys.executable, "-c", STUCK_CAMERA]
    child = subprocess.Popen(
        [*program, "guard", source, "out.mp4", "--policy", "test"], stderr=subprocess.PIPE, text=True
    )
    log = here / "state" / "guard.ledger"
    for _ in range(200):  # the policy's detectors load first, then the log is opened
        time.sleep(0.05)
        if log.exists() and (here / "state" / "guard.pub").exists():
            break
    time.sleep(0.3)
    child.send_signal(how)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 130, said
    line = said.splitlines()[-1]
    assert "Traceback" not in said
    assert line.startswith("Interrupted while waiting for")
    assert "key" not in line
    nothing_half_written(here)
    assert log_verifies(here)


def test_ctrl_c_while_a_lost_source_is_called_again_ends_in_good_order(here, video, tmp_path):
    write_video(here / "clip.ts", seconds=3.0)
    server = socket.create_server(("127.0.0.1", 0))

    def send_and_reset():
        caller, _ = server.accept()
        server.close()
        with caller:
            caller.sendall((here / "clip.ts").read_bytes())
            time.sleep(0.5)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    threading.Thread(target=send_and_reset, daemon=True).start()
    child = started(here, f"tcp://127.0.0.1:{server.getsockname()[1]}", "out.mkv")
    time.sleep(3.5)  # the stream has come and gone, and a source that was lost is called for a minute
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 130, said
    assert "Interrupted after" in said
    assert "Traceback" not in said
    assert log_verifies(here)
    entries = list(read_entries(here / "state" / "guard.ledger"))
    assert entries[-1]["reason"] == "interrupted"
    assert (here / "out.mkv").exists()  # a live recording is whole as far as it goes


def test_kill_9_loses_no_log_entry_and_leaves_no_file_under_the_final_name(here, video):
    for _ in range(3):
        shutil.rmtree(here / "state", ignore_errors=True)
        child = started(here, video, "out.mp4")
        child.kill()
        child.communicate(timeout=20)
        assert not (here / "out.mp4").exists()
        assert log_verifies(here)


def test_a_log_that_was_changed_is_refused(here, video):
    assert run("guard", video, "null", "--policy", "test").returncode == 0
    log = here / "state" / "guard.ledger"
    assert run("ledger", "verify", log).returncode == 0
    import sqlite3

    with sqlite3.connect(log) as db:
        db.execute("UPDATE entries SET entry = replace(entry, 'started', 'stopped') WHERE idx = 0")
    db.close()
    done = run("ledger", "verify", log)
    assert done.returncode == 7
    assert "entr" in done.stdout


def test_srt_without_ffmpeg_says_what_is_missing(here):
    env = {**os.environ, "PATH": str(here)}
    said_clearly(run("guard", "srt://127.0.0.1:9", "null", "--policy", "test", env=env), 2, "ffmpeg")
