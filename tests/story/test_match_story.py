"""A platform's engineer looks files up in lists, and reads why."""

import hashlib
import json
import subprocess
import sys
from functools import partial

import cv2
import numpy as np
import pytest
from skimage import data

from lightship import app_match
from lightship.core.known import Terms
from lightship.detect.bank import load
from lightship.detect.look_up import Seen
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import pdq, to_hex
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.keyframes import Keyframes
from lightship.media.sinks import open_sink
from lightship.media.sources import Reconnect
from tests.story.scenes import free_port, write_video
from tests.unit.media.test_live import Publisher

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]


def matcher(here):
    return Matcher((load(here / "bank.csv", Terms("bank")),))


def match(*words):
    return subprocess.run(
        [*LIGHTSHIP, "match", *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("match")
    picture = data.camera()
    cv2.imwrite(str(folder / "known.png"), picture)
    cv2.imwrite(str(folder / "mirrored.jpg"), np.ascontiguousarray(picture[:, ::-1]))
    cv2.imwrite(str(folder / "turned.png"), np.rot90(picture, -1))
    cv2.imwrite(str(folder / "other.png"), data.coins())
    hash_, quality = pdq(picture)
    rng = np.random.default_rng(1)
    others = "".join(f"{to_hex(one)}\n" for one in rng.integers(0, 2**64, (20_000, 4), dtype=np.uint64))
    (folder / "bank.csv").write_text(f"# as-of: 2026-11-01\n{to_hex(hash_)},{quality},case-7\n{others}")
    (folder / "lawful.csv").write_text(f"{to_hex(hash_)},{quality},press-photo\n")
    return folder


def test_a_hit_names_list_entry_distance_rule_and_weight(here):
    done = match(here / "known.png", here / "other.png", "--list", here / "bank.csv")
    assert done.returncode == 0, done.stderr
    hit, miss = done.stdout.splitlines()
    assert "list bank, entry case-7: PDQ within 31 bits, distance 0, quality 100" in hit
    assert hit.endswith(" dB")
    assert miss.endswith("other.png: on no list")


def test_a_mirrored_copy_is_found_and_a_turned_one_when_turned_forms_are_looked_up(here):
    assert "entry case-7" in match(here / "mirrored.jpg", "--list", here / "bank.csv").stdout
    assert "on no list" in match(here / "turned.png", "--list", here / "bank.csv").stdout
    done = match(here / "turned.png", "--list", here / "bank.csv", "--turned")
    assert "case-7" in done.stdout
    assert "turned by 90° anticlockwise" in done.stdout


def test_known_lawful_material_overrides_and_the_record_says_by_what(here):
    done = match(here / "known.png", "--list", here / "bank.csv", "--lawful", here / "lawful.csv", "--json")
    (look,) = map(json.loads, done.stdout.splitlines())
    assert look["matches"] == []
    assert look["weight_db"] == 0.0
    assert "press-photo" in look["overridden"][0]["by"]


def test_a_file_is_found_by_its_digest_and_no_hash_is_printed(here, tmp_path):
    digest = hashlib.sha256((here / "other.png").read_bytes()).hexdigest()
    (tmp_path / "sums.txt").write_text(f"{digest},file-3\n")
    done = match(here / "other.png", "--list", tmp_path / "sums.txt", "--format", "digests")
    assert "list sums, entry file-3: the same sha256" in done.stdout
    assert digest not in done.stdout


def test_a_video_is_looked_at_once_a_second(here, tmp_path):
    write_video(tmp_path / "clip.mp4", seconds=4.0)
    done = match(tmp_path / "clip.mp4", "--list", here / "bank.csv", "--json")
    assert [json.loads(line)["at_s"] for line in done.stdout.splitlines()] == pytest.approx(
        [0, 1, 2, 3], abs=0.05
    )


def test_a_live_stream_is_matched_by_its_keyframes_and_says_when_it_has_too_few(here, tmp_path, monkeypatch):
    rgb = cv2.cvtColor(cv2.resize(data.camera(), (512, 512)), cv2.COLOR_GRAY2RGB)
    clip, url = tmp_path / "clip.mp4", f"rtmp://127.0.0.1:{free_port()}/live/secret"
    with open_sink(str(clip), MediaInfo(512, 512, 25.0, None, None, live=False, name="scene")) as sink:
        for number in range(75):
            sink.write(ArrayPicture(number / 25, rgb))
    # Our sink sends a keyframe every two seconds; a bound below that makes it fall back to every picture.
    for bound_s, pictures, gaps in ((5.0, 2, 0), (1.0, 3, 1)):
        monkeypatch.setattr(app_match, "Keyframes", partial(Keyframes, bound_s=bound_s))
        Publisher(clip, url).start()
        said = []
        waits = Reconnect(listen_s=20.0, linger_s=0.2)
        address = url.replace("rtmp", "rtmp+listen", 1)
        told = app_match.match(
            address, matcher(here), fps=1.0, turned=False, say=said.append, reconnect=waits
        )
        looks = [one for one in told if isinstance(one, Seen)]
        assert [look.finding.nearest.reference for look in looks] == ["case-7"] * len(looks)
        assert len(looks) == pictures
        assert len(said) == gaps
        assert all("no keyframe" in text and "secret" not in text for text in said)


def test_what_cannot_be_read_is_one_clear_sentence(here, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    done = match(tmp_path / "broken.png", "--list", here / "bank.csv")
    assert done.returncode == 2
    assert "broken.png" in done.stderr
    assert "Traceback" not in done.stderr
