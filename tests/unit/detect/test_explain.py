"""Why a match is one: nothing left out, nothing that is a hash, and pictures of benign test lists only."""

from datetime import date

import numpy as np
import pytest
from tests.unit.detect.pictures import luma, photo

from lightship.core.entries import collect
from lightship.core.errors import InputError
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.chance import ChanceTable
from lightship.detect.explain import explanation, in_words
from lightship.detect.explain_picture import as_matched, differing, draw, require_benign
from lightship.detect.look_up import CUT, look_up
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import DIHEDRAL, dihedral, distance, pdq
from lightship.media.frames import ArrayPicture

TABLE = ChanceTable(1000, (31,), (50, 70), (999, 999_999), ((0,), (0,)), ((0,), (0,)))
TODAY = date(2026, 11, 24)


def bank(name="bank", quality=100, **terms):
    value = pdq(luma(photo("coffee")))[0].astype(">u8").tobytes()
    return build(
        Terms(name, **terms),
        collect([Entry("pdq", value, quality, "case-7")], name),
        date(2026, 10, 1),
        version=4,
    )


def told(*banks, picture="coffee", turned=False):
    matcher = Matcher(banks, TABLE)
    found = look_up(matcher, ArrayPicture(0.0, photo(picture)), turned=turned).finding
    return found, explanation(found, matcher, TODAY)


def test_distance_quality_rule_and_provenance_are_told():
    _, why = told(bank(owner="IWF", basis="the agreement of 2026", max_age_days=30))
    (one,) = why["matches"]
    assert one["rule"] == "PDQ within 31 bits"
    assert (one["distance"], one["limit"], one["quality"], one["entry_quality"]) == (0, 31, 100, 100)
    assert (one["owner"], one["basis"], one["as_of"], one["age_days"], one["version"]) == (
        "IWF",
        "the agreement of 2026",
        "2026-10-01",
        54,
        4,
    )
    assert one["stale"]
    words = in_words(why)
    assert "IWF, used under the agreement of 2026, as of 2026-10-01 (54 days old, STALE" in words
    assert one["digest"].startswith("sha256:")
    assert pdq(luma(photo("coffee")))[0].astype(">u8").tobytes().hex() not in words


def test_the_sentence_on_weight_gives_the_number_that_counts():
    found, why = told(bank())
    # One of 1,000,000 against 1,000 entries: one entry asked twice over is one of 500,000,000.
    assert "a list of 2 entries by chance in at most one of 500,000,000 cases" in why["weight"]
    assert "which is 87.0 dB" in why["weight"]
    assert why["weight"].endswith("one list holds it, so at most 80 dB count. It weighs 80.0 dB.")
    assert found.weight_db == 80.0
    _, both = told(bank("one"), bank("two"))
    assert "2 lists agree, so at most 90 dB count. It weighs 84.0 dB." in both["weight"]
    _, poor = told(bank(quality=60))
    assert "quality 60 is low (matched from 50, trusted from 70)" in poor["weight"]
    assert poor["weight"].endswith("It weighs 20.0 dB.")


def test_what_overrode_is_told():
    _, why = told(bank(), bank("lawful", role="negative"))
    assert why["matches"] == []
    assert "does not count: found lawful: list lawful, entry case-7" in in_words(why)
    assert why["weight"] == "Nothing counts, so it weighs 0 dB."


@pytest.mark.parametrize("number", range(8))
def test_the_picture_is_drawn_in_the_form_that_matched(number):
    y = luma(photo("chelsea"))
    expected = dihedral(y)[0][number]
    assert distance(pdq(as_matched(y, DIHEDRAL[number]))[0], expected) == 0
    framed = np.pad(y, 40)
    name = CUT if number == 0 else f"{CUT}, {DIHEDRAL[number]}"
    assert distance(pdq(as_matched(framed, name))[0], expected) <= 4


def test_the_grid_has_the_bits_that_differ():
    one, other = pdq(luma(photo("coffee")))[0], pdq(luma(photo("brick")))[0]
    grid = differing(one, other)
    assert grid.shape == (16, 16)
    assert grid.sum() == distance(one, other)
    assert not differing(one, one).any()
    coarsest = one.copy()
    coarsest[3] ^= np.uint64(1)  # the last bit of the text is the first coefficient
    assert np.argwhere(differing(one, coarsest)).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("head", "benign"),
    [
        ("# benign-test: true\n", True),
        ("# as-of: 2026-11-01\n#Benign-Test:TRUE\n", True),
        ("# benign-test: false\n", False),
        ("benign-test: true\n", False),
        ("", False),
        ("\n" * 30 + "# benign-test: true\n", False),
    ],
)
def test_only_a_list_that_says_so_in_its_head_is_a_benign_test_list(tmp_path, head, benign):
    path = tmp_path / "list.csv"
    path.write_text(head + "0" * 64 + "\n")
    if benign:
        require_benign(path)
    else:
        with pytest.raises(InputError, match="benign test lists only"):
            require_benign(path)


def test_the_wrong_picture_beside_is_said(tmp_path):
    found, _ = told(bank())
    with pytest.raises(InputError, match="not the one that the list's entry was made from"):
        draw(luma(photo("coffee")), luma(photo("brick")), found, tmp_path / "x.png")
    draw(luma(photo("coffee")), luma(photo("coffee")), found, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000
