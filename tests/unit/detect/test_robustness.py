"""The robustness report: what it measures is what was done to the pictures."""

import json

import numpy as np
import pytest
from tests.unit.detect.pictures import photo

from lightship.core.errors import InputError
from lightship.detect.alterations import ALTERATIONS, Alteration
from lightship.detect.robustness import measure, pictures_in
from lightship.detect.robustness_report import write

PICTURES = {name: photo(name) for name in ("coffee", "chelsea", "astronaut", "brick")}
FLAT = {"flat": np.full((200, 300, 3), 90, np.uint8)}


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda one: one.name)
def test_every_alteration_gives_a_picture_and_leaves_its_own_alone(alteration):
    picture = photo("coffee")
    for strength in (alteration.strengths[0], alteration.strengths[-1]):
        altered = alteration.apply(picture, strength)
        assert altered.ndim == 3
        assert altered.dtype == np.uint8
        assert not np.array_equal(altered, picture)


def test_nothing_done_is_found_and_another_picture_is_not():
    same = Alteration("nothing", (0,), "", lambda picture, _: picture)
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    lost = Alteration("another", (0,), "", lambda _picture, _: noise)
    report = measure({**PICTURES, **FLAT, "again": photo("coffee")}, decoys=500, alterations=(same, lost))
    assert report.pictures == ("coffee", "chelsea", "astronaut", "brick")
    assert report.left_out == ("flat", "again")
    found, missed = report.rows
    assert found.recall == (1.0, 1.0, 1.0)
    assert found.bits == (0.0, 0.0, 0.0, 0.0)
    assert missed.recall == (0.0, 0.0, 0.0)
    assert found.false == missed.false == (0, 0, 0)


def test_another_picture_s_entry_is_a_false_match():
    swapped = Alteration("swapped", (0,), "", lambda _picture, _: photo("coffee"))
    (row,) = measure(PICTURES, decoys=10, alterations=(swapped,)).rows
    assert row.recall[0] == 0.25
    assert row.false[0] == 3


def test_retries_pay_where_the_report_says_that_they_do():
    kinds = [one for one in ALTERATIONS if one.name in {"mirror", "letterbox", "white border"}]
    rows = measure(PICTURES, decoys=500, alterations=kinds).rows
    assert sum(row.recall[0] for row in rows) / len(rows) < 0.3
    assert sum(row.recall[1] for row in rows) / len(rows) > 0.8
    assert all(row.recall[2] >= row.recall[1] for row in rows)


def test_the_report_is_written_as_json_words_and_plots(tmp_path):
    report = measure(PICTURES, decoys=100, alterations=ALTERATIONS[:1])
    written = write(report, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "robustness.json",
        "robustness.md",
        "pictures/robustness-recall.png",
        "pictures/robustness-distance.png",
    }
    value = json.loads((tmp_path / "robustness.json").read_text(encoding="utf-8"))
    assert value["rows"][0]["alteration"] == "JPEG"
    assert "| JPEG, quality | 90: 100 ·" in (tmp_path / "robustness.md").read_text(encoding="utf-8")
    assert all(path.stat().st_size > 1000 for path in written)


def test_pictures_that_cannot_be_matched_and_folders_without_any_are_said(tmp_path):
    with pytest.raises(InputError, match="None of the pictures"):
        measure(FLAT)
    with pytest.raises(InputError, match="no pictures"):
        pictures_in(tmp_path, lambda _: None)
    with pytest.raises(InputError, match="cannot be read"):
        pictures_in(tmp_path / "none", lambda _: None)
