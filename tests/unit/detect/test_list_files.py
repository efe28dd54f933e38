"""A list that is a file: what is written to it is matched at once, and what cannot be read leaves the last good serving."""

import os
import time

import numpy as np
import pytest

from lightship.app_lists import matcher_of
from lightship.core.errors import InputError
from lightship.core.known import Terms
from lightship.detect.bank import load
from lightship.detect.follow import ListFiles
from lightship.detect.matcher import Matcher

RNG = np.random.default_rng(7)
FAR = [RNG.bytes(32) for _ in range(4)]


def write(path, *numbers, beside=""):
    lines = "".join(f"{FAR[one].hex()},100,case-{one}\n" for one in numbers)
    part = path.with_suffix(".part")
    part.write_text(f"# benign-test: true\n{lines}{beside}", encoding="utf-8")
    part.replace(path)


def on(matcher, number):
    words = np.frombuffer(FAR[number], dtype=">u8").astype(np.uint64)[None]
    return matcher.match(words, [100])[0].nearest is not None


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "bank.csv", 0)
    return tmp_path / "bank.csv"


@pytest.fixture
def files(path):
    told = []
    made = ListFiles(Matcher(()), {path: lambda: load(path, Terms("bank"))}, told.append)
    made.told = told
    return made


def settle(files):
    return [files.step() for _ in range(2)]


def test_a_file_that_changed_is_loaded_anew_once_it_has_come_to_rest(files, path):
    assert on(files.matcher, 0)
    assert settle(files) == [False, False]
    write(path, 0, 1)
    assert settle(files) == [False, True]
    assert on(files.matcher, 1)
    assert settle(files) == [False, False]
    write(path, 1)
    settle(files)
    assert not on(files.matcher, 0), "what was taken out matches no more"


def test_a_file_that_cannot_be_used_leaves_the_last_good_serving_and_says_so(files, path):
    write(path, 0, 1, beside="no hash,100,x\n")
    settle(files)
    assert on(files.matcher, 0)
    assert not on(files.matcher, 1)
    (trouble,) = files.matcher.alarms()
    assert "bank.csv cannot be used" in trouble
    assert "goes on serving" in trouble
    assert len(files.told) == 1
    settle(files)
    assert files.matcher.alarms() == (trouble,)
    path.unlink()
    settle(files)
    assert on(files.matcher, 0)
    write(path, 1)
    settle(files)
    assert on(files.matcher, 1)
    assert files.matcher.alarms() == ()


def test_a_file_that_cannot_be_used_at_the_start_is_refused(tmp_path):
    (tmp_path / "bad.csv").write_text("no hash,100,x\n", encoding="utf-8")
    with pytest.raises(InputError), matcher_of([tmp_path / "bad.csv"], [], "pdq", print):
        pass


def test_a_running_matcher_takes_a_change_within_two_seconds(path):
    with matcher_of([path], [], "pdq", print) as matcher:
        assert not on(matcher, 2)
        write(path, 0, 2)
        os.utime(path)
        began_s = time.monotonic()
        while not on(matcher, 2):
            assert time.monotonic() - began_s < 2.0
            time.sleep(0.02)
