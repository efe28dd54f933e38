"""A platform's engineer finds which part of a stream is which part of a listed video, and reads why."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import av
import cv2
import numpy as np
import pytest
from skimage import data

from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink
from tests.story.scenes import free_port

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]
PHOTOS = [
    np.atleast_3d(one())
    for one in (data.astronaut, data.coffee, data.chelsea, data.camera, data.coins, data.brick)
]


def lightship(*words):
    return subprocess.run(
        [*LIGHTSHIP, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


def scene(second, seed):
    """Return what a video shows in one of its seconds: a part of a photograph."""
    rng = np.random.default_rng([seed, second])
    photo = PHOTOS[rng.integers(len(PHOTOS))]
    photo = np.repeat(photo, 3, axis=2) if photo.shape[2] == 1 else photo
    height, width = photo.shape[:2]
    side = int(rng.uniform(0.5, 0.8) * min(height, width))
    top, left = rng.integers(height - side), rng.integers(width - side)
    return np.ascontiguousarray(cv2.resize(photo[top : top + side, left : left + side], (320, 240)))


def write_clip(path, shown, *, fps=6, alter=lambda picture: picture):
    """Write a video that shows, second by second, what the pairs of seed and second say."""
    first = alter(scene(shown[0][1], shown[0][0]))
    sink = open_sink(
        str(path), MediaInfo(first.shape[1], first.shape[0], fps, None, None, live=False, name="clip")
    )
    for number, (seed, second) in enumerate(one for one in shown for _ in range(fps)):
        sink.write(ArrayPicture(number / fps, np.ascontiguousarray(alter(scene(second, seed)))))
    sink.close()
    return path


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("video")
    write_clip(folder / "listed.mp4", [(1, second) for second in range(20)])
    done = lightship("hash", folder / "listed.mp4", "--format", "vpdq", "--out", folder / "bank.vpdq.json")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_stretch_of_the_stream_and_of_the_listed_video_is_told(here, tmp_path):
    shown = [(2, second) for second in range(5)] + [(1, second) for second in range(8, 18)] + [(3, 0), (3, 1)]
    clip = write_clip(tmp_path / "mixed.mp4", shown, alter=lambda picture: cv2.resize(picture, (480, 360)))
    done = lightship("match", clip, "--list", here / "bank.vpdq.json", "--format", "vpdq")
    assert done.returncode == 0, done.stderr
    (segment,) = [line for line in done.stdout.splitlines() if ", segment " in line]
    assert (
        "segment 5.0 to 14.0 s: list bank.vpdq, video bank.vpdq from 8.0 to 17.0 s at 1.0 times its speed"
        in segment
    )
    agree = re.search(r"(\d+) distinct frames of (\d+) looks agree in order, ", segment)
    assert int(agree[1]) == int(agree[2]) >= 7  # a close view of bricks may not survive the encoder
    assert segment.endswith(" dB")
    as_json = lightship("match", clip, "--list", here / "bank.vpdq.json", "--format", "vpdq", "--json")
    *looks, last = map(json.loads, as_json.stdout.splitlines())
    assert last["segment"]["listed_from_s"] == pytest.approx(8.0, abs=0.1)
    assert last["segment"]["frames"] == int(agree[1])
    assert last["segment"]["weight_db"] >= max(look["weight_db"] for look in looks)


def test_a_mirrored_letterboxed_copy_at_double_speed_is_found(here, tmp_path):
    def alter(picture):
        boxed = cv2.copyMakeBorder(picture[:, ::-1], 40, 40, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        return np.ascontiguousarray(boxed)

    clip = write_clip(tmp_path / "fast.mp4", [(1, second) for second in range(0, 20, 2)], alter=alter)
    done = lightship("match", clip, "--list", here / "bank.vpdq.json", "--format", "vpdq", "--json")
    segments = [json.loads(line)["segment"] for line in done.stdout.splitlines() if '"segment"' in line]
    assert max(one["frames"] for one in segments) >= 7
    longest = max(segments, key=lambda one: one["frames"])
    assert longest["transform"] == "without its border, mirrored"
    assert longest["speed"] == pytest.approx(2.0, abs=0.2)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program to publish")
def test_a_live_stream_is_matched_while_it_plays_and_ctrl_c_loses_nothing(here):
    address = f"127.0.0.1:{free_port()}/live/key"
    words = [
        "match",
        "--stream",
        f"rtmp+listen://{address}",
        "--list",
        here / "bank.vpdq.json",
        "--format",
        "vpdq",
    ]
    watching = subprocess.Popen(
        [*LIGHTSHIP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    publish = ["ffmpeg", "-v", "error", "-re", "-i", str(here / "listed.mp4"), "-c", "copy", "-f", "flv"]
    # A publisher that finds nobody listening yet tries again.
    publishing = subprocess.Popen(
        [
            "sh",
            "-c",
            f"for i in $(seq 60); do {shlex.join([*publish, f'rtmp://{address}'])} && break; sleep 0.2; done",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        first = [watching.stdout.readline() for _ in range(3)]
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    finally:
        watching.kill()
        os.killpg(publishing.pid, signal.SIGKILL)
        publishing.wait()
    assert all("list bank.vpdq, entry" in line for line in first)
    assert watching.returncode == 130, err
    (segment,) = [line for line in out.splitlines() if ", segment " in line]
    assert "video bank.vpdq from 0.0 to" in segment


def test_own_pictures_become_a_list_that_is_read_back(tmp_path):
    for name, photo in (("cat.png", data.chelsea()), ("coffee.jpg", data.coffee())):
        cv2.imwrite(str(tmp_path / name), photo[..., ::-1])
    files = [tmp_path / "cat.png", tmp_path / "coffee.jpg"]
    assert lightship("hash", *files, "--out", tmp_path / "mine.csv").returncode == 0
    assert lightship("hash", *files, "--format", "digests", "--out", tmp_path / "sums.txt").returncode == 0
    by_sight = lightship("match", *files, "--list", tmp_path / "mine.csv")
    assert "entry cat.png: PDQ within 31 bits, distance 0" in by_sight.stdout
    assert "entry coffee.jpg: PDQ within 31 bits, distance 0" in by_sight.stdout
    by_digest = lightship("match", files[0], "--list", tmp_path / "sums.txt", "--format", "digests")
    assert "entry cat.png: the same" in by_digest.stdout
    done = lightship("hash", files[0], "--format", "psychic", "--out", tmp_path / "x")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_why_is_told_in_words_and_pictures_are_drawn_of_a_benign_test_list_only(tmp_path):
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "cat.png"), data.chelsea()[..., ::-1])
    cv2.imwrite(str(tmp_path / "seen.jpg"), data.chelsea()[:, ::-1, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    bank = tmp_path / "bank.csv"
    assert lightship("hash", tmp_path / "pictures" / "cat.png", "--out", bank).returncode == 0
    draw = ("--pictures", tmp_path / "pictures", "--out", tmp_path / "drawn")
    refused = lightship("match", tmp_path / "seen.jpg", "--list", bank, "--explain", *draw)
    assert refused.returncode == 2
    assert "benign test lists only" in refused.stderr
    assert not (tmp_path / "drawn").exists()

    bank.write_text("# benign-test: true\n# as-of: 2026-11-01\n" + bank.read_text())
    done = lightship("match", tmp_path / "seen.jpg", "--list", bank, "--explain", *draw)
    assert done.returncode == 0, done.stderr
    assert "entry cat.png of list bank: PDQ within 31 bits, mirrored" in done.stdout
    assert "as of 2026-11-01" in done.stdout
    assert "sha256:" in done.stdout
    assert "one list holds it, so at most 80 dB count" in done.stdout
    assert "the lists are counted 2 times over" in done.stdout
    drawn = cv2.imread(str(tmp_path / "drawn" / "seen-0.0s.png"))
    assert drawn.shape[1] > 1000
    why = lightship("match", tmp_path / "seen.jpg", "--list", bank, "--explain", "--json")
    (look,) = map(json.loads, why.stdout.splitlines())
    assert look["why"]["matches"][0]["as_of"] == "2026-11-01"


def test_a_page_s_address_is_looked_up_and_never_fetched(tmp_path):
    (tmp_path / "pages.txt").write_text("https://bad.example/gallery/ case-1\nworse.example case-2\n")
    words = ("--list", tmp_path / "pages.txt", "--format", "urls")
    done = lightship(
        "match",
        "--url",
        "HTTP://WWW.Bad.example:80/gallery/./a?b=c",
        "--url",
        "https://x.worse.example",
        *words,
    )
    first, second = done.stdout.splitlines()
    assert "list pages, entry case-1: the same url" in first
    assert "entry case-2" in second
    assert "on no list" in lightship("match", "--url", "https://fine.example", *words).stdout
    wrong = lightship("match", "--url", "https://", *words)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_every_picture_of_an_animation_is_looked_at(tmp_path, here):
    with av.open(str(tmp_path / "x.gif"), "w") as container:
        stream = container.add_stream("gif", rate=10, width=320, height=240)
        stream.pix_fmt = "rgb8"
        for second in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(second, 1)).reformat(format="rgb8")))
        container.mux(stream.encode(None))
    done = lightship(
        "match", tmp_path / "x.gif", "--list", here / "bank.vpdq.json", "--format", "vpdq", "--json"
    )
    looks = [json.loads(line) for line in done.stdout.splitlines() if '"matches"' in line]
    assert len(looks) == 6
    assert all(look["matches"] for look in looks)
    assert done.stderr == ""

    whole = (tmp_path / "x.gif").read_bytes()
    (tmp_path / "cut.gif").write_bytes(whole[: len(whole) // 2])
    cut = lightship("match", tmp_path / "cut.gif", "--list", here / "bank.vpdq.json", "--format", "vpdq")
    assert "cut.gif: it is cut short" in cut.stderr
    assert "cut.gif at 0.0 s: list" in cut.stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("short.png", None, "cut short"),
        (
            "bomb.png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\0\0" * 2 + b"\x08\0\0\0\0",
            "65536×65536 pixels",
        ),
        ("empty.jpg", b"", "empty"),
    ],
)
def test_a_picture_that_cannot_be_used_is_one_sentence(tmp_path, here, name, content, said):
    path = tmp_path / name
    cv2.imwrite(str(path), data.coffee())
    path.write_bytes(path.read_bytes()[:90_000] if content is None else content)
    done = lightship("match", path, "--list", here / "bank.vpdq.json", "--format", "vpdq")
    assert done.returncode == 2
    assert said in done.stderr
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_is_gone_through_and_one_bad_file_does_not_stop_it(tmp_path):
    folder = tmp_path / "uploads"
    (folder / "inner").mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), data.coins())
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:5000])
    (folder / "c.txt").write_text("no picture")
    cv2.imwrite(str(folder / "inner" / "d.jpg"), data.coffee()[..., ::-1])
    assert lightship("hash", folder / "inner" / "d.jpg", "--out", tmp_path / "mine.csv").returncode == 0
    done = lightship("match", folder, "--list", tmp_path / "mine.csv")
    assert done.returncode == 2
    first, last = done.stdout.splitlines()
    assert first.endswith("a.png: on no list")
    assert "d.jpg at 0.0 s: list mine, entry d.jpg" in last
    assert [line.startswith("lightship: ") for line in done.stderr.splitlines()] == [True, True]
    assert "b.png" in done.stderr
    assert "c.txt" in done.stderr


def test_a_hole_in_a_file_is_said(tmp_path, here):
    whole = (here / "listed.mp4").read_bytes()
    with av.open(str(here / "listed.mp4")) as source, av.open(str(tmp_path / "x.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut = (tmp_path / "x.mkv").read_bytes()
    (tmp_path / "x.mkv").write_bytes(cut[: len(cut) // 2])
    done = lightship("match", tmp_path / "x.mkv", "--list", here / "bank.vpdq.json", "--format", "vpdq")
    assert len(whole) > 0
    assert "cut short or damaged" in done.stderr
    assert ", segment 0.0 to" in done.stdout


def test_the_robustness_of_ones_own_pictures(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("coffee", "chelsea", "astronaut"):
        small = cv2.resize(getattr(data, name)(), (200, 160))
        cv2.imwrite(str(tmp_path / "photos" / f"{name}.png"), small[..., ::-1])
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    done = lightship(
        "match", "robustness", tmp_path / "photos", "--out", tmp_path / "report", "--decoys", 200
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "report" / "robustness.md").read_text(encoding="utf-8")
    assert "| mirror | 0 → 100 → 100 |" in text
    assert (tmp_path / "report" / "pictures" / "robustness-recall.png").stat().st_size > 10_000
