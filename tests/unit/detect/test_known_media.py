"""The detector that says which list a picture is on."""

from datetime import date

import numpy as np
import pytest
from skimage import data

from lightship.core.errors import DetectorError
from lightship.core.known import Terms
from lightship.detect.bank import load
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.pdq import pdq, to_hex

GOOD = "0123456789abcdef" * 4


def write(tmp_path, text, name="bank.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


@pytest.fixture
def bank(tmp_path):
    """A list that holds one benign photograph, as if it were known."""
    rng = np.random.default_rng(3)
    others = "".join(to_hex(one) + "\n" for one in rng.integers(0, 2**64, (500, 4), dtype=np.uint64))
    hash_, quality = pdq(data.camera())
    return write(tmp_path, others + f"{to_hex(hash_)},{quality},benign-photo\n")


def test_a_listed_picture_is_found_and_its_list_named_but_never_its_hash(bank):
    detector = KnownMediaDetector.load([str(bank)])
    ((reading,),) = detector.read([data.camera()])
    assert reading.detail == "list bank, entry benign-photo, distance 0, quality 100"
    assert 40.0 <= reading.score <= 80.0, "one list gives at most 80 dB"


def test_a_compressed_copy_is_found_with_a_little_less_weight(bank):
    import cv2

    copy = cv2.imdecode(cv2.imencode(".jpg", data.camera(), [1, 25])[1], 0)
    detector = KnownMediaDetector.load([str(bank)])
    ((reading,),), ((exact,),) = detector.read([copy]), detector.read([data.camera()])
    assert 40.0 <= reading.score <= exact.score


@pytest.mark.parametrize(
    "frame", [data.coins(), np.zeros((300, 400), np.uint8), np.full((64, 64), 255, np.uint8)]
)
def test_other_and_flat_pictures_are_not_found(bank, frame):
    assert KnownMediaDetector.load([str(bank)]).read([frame]) == [()]


def test_coverage_says_how_old_a_list_is(bank):
    loaded = load(
        write(bank.parent, f"# as-of: 2026-01-01\n{GOOD}\n", "old.csv"), Terms("old", max_age_days=30)
    )
    (state,) = KnownMediaDetector([loaded], today=date(2026, 11, 24)).coverage()
    assert state.stale
    assert state.entries == 1


def test_a_list_dates_itself_else_by_its_file_and_is_never_stale_without_a_limit(bank):
    (state,) = KnownMediaDetector.load(bank).coverage()
    assert state.age_days == 0
    assert not state.stale


def test_several_lists_are_matched_and_each_named(tmp_path, bank):
    hash_, _ = pdq(data.coins())
    second = write(tmp_path, f"{to_hex(hash_)},,coins\n", "second.txt")
    detector = KnownMediaDetector.load([str(bank), str(second)])
    details = [reading.detail for (reading,) in detector.read([data.camera(), data.coins()])]
    assert details[0].startswith("list bank, entry benign-photo")
    assert details[1].startswith("list second, entry coins")
    assert not any(to_hex(hash_)[:8] in detail for detail in details)


def test_the_version_names_the_lists_by_their_digests(bank):
    assert KnownMediaDetector.load(bank).version == load(bank).digest.removeprefix("sha256:")[:12]


def test_no_list_is_said():
    with pytest.raises(DetectorError, match="--list"):
        KnownMediaDetector.load()


def test_a_picture_on_two_lists_weighs_more(tmp_path, bank):
    hash_, quality = pdq(data.camera())
    again = write(tmp_path, f"{to_hex(hash_)},{quality},theirs\n", "again.csv")
    ((one,),) = KnownMediaDetector.load([bank]).read([data.camera()])
    ((both,),) = KnownMediaDetector.load([bank, again]).read([data.camera()])
    assert both.score >= one.score
    assert one.matched == ("bank/benign-photo",)
    assert both.matched == ("again/theirs", "bank/benign-photo"), "each owner can be told"
    assert "also on again" in both.detail or "also on bank" in both.detail


def test_an_entry_that_many_streams_show_is_set_aside_and_one_stream_alone_never_does_that(bank):
    shared = KnownMediaDetector.load([str(bank)])
    shared.matcher.brake.subjects = 3
    streams = [shared.of_stream(f"host-{n}") for n in range(3)]
    for _ in range(20):
        assert streams[0].read([data.camera()])[0]
    assert streams[1].read([data.camera()])[0]
    assert streams[2].read([data.camera()])[0], "the third trips it; what it saw counts"
    assert not streams[0].read([data.camera()])[0]
    [flood] = shared.matcher.brake.waiting()
    assert flood.within == ("host-0", "host-1", "host-2")
    assert "entry benign-photo of the list bank is set aside" in shared.matcher.alarms()[0]
