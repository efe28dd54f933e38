"""A platform's engineer looks files up in lists, and reads why."""

import hashlib
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import data

from lightship.detect.pdq import pdq, to_hex
from tests.story.scenes import write_video

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]


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


def test_what_cannot_be_read_is_one_clear_sentence(here, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    done = match(tmp_path / "broken.png", "--list", here / "bank.csv")
    assert done.returncode == 2
    assert "broken.png" in done.stderr
    assert "Traceback" not in done.stderr
