"""The people who keep lists: they import one, vouch for it, look files up, take an entry out, and account for it all."""

import json
import shutil
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from skimage import data

from lightship.cli import main
from lightship.detect.pdq import pdq, to_hex
from tests.story.scenes import free_port, write_video


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    hash_, quality = pdq(data.camera())
    rng = np.random.default_rng(1)
    others = [
        f"{to_hex(one)},100,other-{n}"
        for n, one in enumerate(rng.integers(0, 2**64, (50, 4), dtype=np.uint64))
    ]
    lines = [f"{to_hex(hash_)},{quality},case-7", *others]
    (tmp_path / "bank.csv").write_text("\n".join(["# as-of: 2026-11-01", *lines]) + "\n")
    (tmp_path / "next.csv").write_text(
        "\n".join(["# as-of: 2026-11-20", *lines[:-1], f"{'d' * 64},100,new-1"]) + "\n"
    )
    (tmp_path / "lawful.csv").write_text(f"{to_hex(hash_)},{quality},press-photo\n")
    cv2.imwrite("known.png", data.camera())
    cv2.imwrite("other.png", data.coins())
    return tmp_path


@pytest.fixture
def lightship(here, monkeypatch, capsys):
    """Run the program in this process; returns its exit code and what it said on both outputs."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lightship", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        assert to_hex(pdq(data.camera())[0])[:16] not in said.out + said.err, "a hash was printed"
        return code, said.out, said.err

    return run


def test_a_newcomer_imports_a_list_looks_files_up_and_takes_an_entry_out(lightship):
    code, out, err = lightship("lists", "add", "bank", "bank.csv")
    assert (code, "51 pdq" in out, "in force" in out) == (0, True, True)
    assert "no signers" in err
    code, out, _ = lightship("match", "known.png", "other.png")
    assert "list bank, entry case-7: PDQ within 31 bits, distance 0" in out
    assert "other.png: on no list" in out
    code, out, _ = lightship(
        "lists", "disable", "bank", "case-7", "--reason", "it shows a statue", "--by", "ada"
    )
    assert code == 0
    assert "known.png: on no list" in lightship("match", "known.png")[1]
    assert "disabled case-7: it shows a statue (ada" in lightship("lists", "show")[1]
    lightship("lists", "enable", "bank", "case-7", "--reason", "it does not")
    assert "case-7" in lightship("match", "known.png")[1]
    code, out, _ = lightship("lists", "verify")
    assert code == 0
    assert "version 1 holds" in out
    assert "Verified: 5 entries" in out


def test_two_people_vouch_for_a_version_before_it_counts(lightship, here):
    keys = [
        lightship("lists", "sign", "--key", f"{who}.key", "--make", f"example.org/{who}")[1].strip()
        for who in ("ada", "bo")
    ]
    (here / "terms.toml").write_text(
        f'name = "bank"\nowner = "us"\nmax_age_days = 3000\nsigners = {json.dumps(keys)}\n'
    )
    assert "NOT in force" in lightship("lists", "add", "bank", "bank.csv", "--terms", "terms.toml")[1]
    code, _, err = lightship("match", "known.png")
    assert (code, "no list of known media" in err) == (2, True)
    assert "NOT in force" in lightship("lists", "sign", "bank", "--key", "ada.key")[1]
    assert (
        "signed by example.org/ada, example.org/bo; in force"
        in lightship("lists", "sign", "bank", "--key", "bo.key")[1]
    )
    assert "case-7" in lightship("match", "known.png")[1]
    assert lightship("lists", "show")[0] == 0
    (here / "old.note").write_text(lightship("lists", "show", "bank", "--manifest")[1])
    code, _, err = lightship("lists", "refresh", "bank", "bank.csv", "--manifest", "old.note")
    assert code == 8
    assert "rolled back" in err
    assert "Version 1 of 2026-11-01" in err
    assert "goes on serving" in err
    assert "case-7" in lightship("match", "known.png")[1]
    code, _, err = lightship("lists", "show")
    assert (code, "ALARM" in err) == (8, True)


def test_a_stale_list_is_an_alarm_that_nobody_can_miss_and_still_serves(lightship, here):
    (here / "terms.toml").write_text('name = "bank"\nmax_age_days = 0.5\n')
    lightship("lists", "add", "bank", "bank.csv", "--terms", "terms.toml")
    code, out, err = lightship("match", "known.png")
    assert (code, "case-7" in out) == (0, True)
    assert "ALARM: the list bank is stale" in err
    assert lightship("lists", "show")[0] == 8


def test_what_came_and_went_is_told_by_reference(lightship):
    lightship("lists", "add", "bank", "bank.csv")
    lightship("lists", "refresh", "bank", "next.csv")
    assert lightship("lists", "diff", "bank")[1] == "added 1 pdq: new-1\nremoved 1 pdq: other-49\n"


def test_lawful_material_overrides_from_its_own_governed_list(lightship):
    lightship("lists", "add", "bank", "bank.csv")
    lightship("lists", "add", "lawful", "lawful.csv", "--role", "negative")
    assert (
        "does not count (found lawful: list lawful, entry press-photo)" in lightship("match", "known.png")[1]
    )
    assert "Verified: 7 entries" in lightship("lists", "verify")[1], "the override is on record"


def test_the_six_month_record(lightship, here):
    lightship("lists", "add", "bank", "bank.csv")
    _, out, _ = lightship("match", "known.png", "other.png", "--json")
    (here / "matches.jsonl").write_text(out)
    _, out, _ = lightship(
        "lists", "review", "bank", "--sample", "5", "--matches", "matches.jsonl", "--seed", "3"
    )
    item = out.split()[0]
    lightship("lists", "review", "bank", item, "confirmed", "--reason", "looked", "--by", "ada")
    lightship(
        "lists",
        "review",
        "bank",
        "--decide",
        "keep",
        "--reason",
        "no false ones",
        "--by",
        "bo",
        "--record",
        "out",
    )
    record = json.loads((here / "out" / "bank.json").read_text())
    assert (record["reviewed"], record["confirmed"], record["decision"], record["overdue"]) == (
        1,
        1,
        "keep",
        False,
    )
    assert record["precision_bounds_95"] == pytest.approx([0.025, 1.0])
    assert "keep, no false ones (bo)" in (here / "out" / "bank.md").read_text()


def test_feedback_for_the_owner_is_a_file(lightship, here):
    lightship("lists", "add", "bank", "bank.csv")
    lightship("lists", "feedback", "bank", "case-7", "false-positive", "--reason", "a press photograph")
    lightship("lists", "feedback", "bank", "--export", "for-owner.json")
    (said,) = json.loads((here / "for-owner.json").read_text())["feedback"]
    assert (said["entry"], said["verdict"], said["reason"]) == (
        "case-7",
        "false-positive",
        "a press photograph",
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("lists", "show", "none"), 2, "There is no list"),
        (("lists", "add", "../x", "bank.csv"), 2, "cannot be the name"),
        (("lists", "add", "x", "missing.csv"), 2, "cannot be read"),
        (("lists", "add", "x"), 2, "neither a file nor an exchange"),
        (("lists", "add", "x", "bad.csv"), 2, "2 of the list's lines are bad: line 1"),
        (("lists", "disable", "x", "y"), 2, "There is no list"),
        (("match", "known.png"), 2, "no list of known media"),
        (("match", "known.png", "--list", "none"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_clear_sentence(lightship, here, words, code, said):
    (here / "bad.csv").write_text(f"{'a' * 63}\n{'b' * 64},101\n{'c' * 64}\n{'C' * 64}\n")
    exit_code, _, err = lightship(*words)
    assert exit_code == code
    (line,) = [line for line in err.splitlines() if line.startswith("lightship: ")]
    assert said in line


def test_a_list_with_bad_lines_says_what_was_left_out(lightship, here):
    (here / "bad.csv").write_text(f"\ufeff{'a' * 63}\n{'b' * 64},40\n{'c' * 64}\n{'C' * 64}\n")
    code, out, _ = lightship("lists", "add", "x", "bad.csv", "--skip-bad")
    assert code == 0
    assert "1 pdq (1 bad and left out, 1 of too low a quality, 1 seen before)" in out


def test_the_guard_takes_a_governed_list_by_name(lightship, here):
    lightship("lists", "add", "bank", "bank.csv")
    code, _, err = lightship("guard", "known.png", "null", "--list", "bank", "--policy", "test")
    assert code == 0
    assert "1 of them covered" in err


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed")
def test_a_live_rtmp_stream_is_looked_up_in_the_governed_lists(lightship, here):
    lightship("lists", "add", "bank", "bank.csv")
    picture = cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2BGR)
    cv2.imwrite("frame.png", picture)
    video = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-loop",
        "1",
        "-i",
        "frame.png",
        "-t",
        "2",
        "-r",
        "10",
        "-pix_fmt",
        "yuv420p",
    ]
    subprocess.run([*video, "-g", "10", "clip.mp4"], check=True, timeout=60)
    address = f"127.0.0.1:{free_port()}/live/x"
    listening = subprocess.Popen(
        [sys.executable, "-c", "from lightship.cli import main; main()", "match", f"rtmp+listen://{address}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    publish = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-re",
        "-i",
        "clip.mp4",
        "-c",
        "copy",
        "-f",
        "flv",
        f"rtmp://{address}",
    ]
    for _ in range(40):
        time.sleep(0.3)
        if subprocess.run(publish, check=False, timeout=60, stderr=subprocess.DEVNULL).returncode == 0:
            break
    out, err = listening.communicate(timeout=60)
    assert "list bank, entry case-7" in out, err


def test_a_video_of_something_else_is_on_no_list(lightship, here):
    lightship("lists", "add", "bank", "bank.csv")
    write_video(here / "clip.mp4", seconds=1.0)
    assert "clip.mp4: on no list" in lightship("match", "clip.mp4")[1]
