"""A picture's other forms are asked only where the first finds nothing, and their chance is shared out beforehand."""

from datetime import date

import cv2
import numpy as np
import pytest
from tests.unit.detect.pictures import luma, photo

from lightship.core.entries import collect
from lightship.core.errors import InputError
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.look_up import CUT, look_up, look_up_address
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import DIHEDRAL, pdq
from lightship.exchange.addresses import normalise
from lightship.media.frames import ArrayPicture


def listed(*pictures, role="known", name="bank"):
    entries = []
    for number, picture in enumerate(pictures):
        hash_, quality = pdq(luma(picture))
        entries.append(Entry("pdq", hash_.astype(">u8").tobytes(), quality, f"{name}-{number}"))
    return build(Terms(name, role), collect(entries, name), date(2026, 11, 1))


def seen(picture, *banks, **more):
    return look_up(Matcher(banks), ArrayPicture(1.5, np.ascontiguousarray(picture)), **more)


PICTURE = photo("coffee")


def test_as_it_is_comes_first_and_keeps_half_of_the_chance():
    found = seen(PICTURE, listed(PICTURE)).finding
    assert (found.transform, found.tries, found.nearest.distance) == ("as it is", 2.0, 0)


def test_mirrored_play_is_found_without_asking_for_it():
    found = seen(PICTURE[:, ::-1], listed(PICTURE)).finding
    assert found.transform == "mirrored"
    assert found.nearest.distance <= 2  # 8-bit luma


@pytest.mark.parametrize(
    ("alter", "name"),
    [
        (lambda p: p[::-1], "upside down"),
        (lambda p: np.rot90(p, 1), "turned by 90° clockwise"),
        (lambda p: np.rot90(p, -1), "turned by 90° anticlockwise"),
    ],
)
def test_turned_pictures_only_when_asked_and_said_as_what_undoes_it(alter, name):
    assert seen(alter(PICTURE), listed(PICTURE)).finding.hits == ()
    found = seen(alter(PICTURE), listed(PICTURE), turned=True).finding
    assert found.transform == name
    assert found.tries == 14.0


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_a_letterbox_is_cut_off(mirrored, turned):
    framed = cv2.copyMakeBorder(PICTURE, 90, 90, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    found = seen(framed[:, ::-1] if mirrored else framed, listed(PICTURE), turned=turned).finding
    assert found.transform == (f"{CUT}, mirrored" if mirrored else CUT)
    assert found.tries == (30.0 if turned else 6.0)


def test_what_matches_as_it_is_is_not_asked_again_and_lawful_stays_lawful():
    finding = seen(PICTURE, listed(PICTURE), listed(PICTURE, role="negative", name="lawful")).finding
    assert finding.hits == ()
    assert "lawful-0" in finding.overridden[0][1]


def test_a_picture_on_no_list_says_so_and_still_has_a_hash_to_compare():
    one = seen(photo("brick"), listed(PICTURE))
    assert (one.at_s, one.finding.hits, one.finding.quality) == (1.5, (), 100)
    assert one.picture == int.from_bytes(pdq(luma(photo("brick")))[0].astype(">u8").tobytes(), "big")


def test_every_turned_form_is_named():
    assert len(set(DIHEDRAL)) == 8


def addresses(*texts):
    entries = [Entry("url", normalise(text).encode(), reference=f"page-{n}") for n, text in enumerate(texts)]
    return Matcher((build(Terms("pages"), collect(entries, "pages"), date(2026, 11, 1)),))


@pytest.mark.parametrize(
    ("asked", "reference"),
    [
        ("HTTPS://WWW.Example.org:443/a/../Gallery/%7Ex?b=1#top", "page-0"),
        ("example.org/Gallery/~x?b=1", "page-0"),
        ("http://bad.example.net/whatever/it?is=1", "page-1"),
        ("https://deep.bad.example.net", "page-1"),
        ("https://example.com/folder/inner/page.html", "page-2"),
        ("https://bücher.example/seite", "page-3"),
        ("https://xn--bcher-kva.example/seite/", None),
        ("https://example.org/gallery/~x?b=1", None),
        ("https://notbad.example.net.evil.example/", None),
        ("https://example.com/folderish", None),
    ],
)
def test_an_address_is_found_in_any_form_under_its_host_and_folder(asked, reference):
    matcher = addresses(
        "https://example.org/Gallery/~x?b=1",
        "bad.example.net",
        "example.com/folder/",
        "https://xn--bcher-kva.example/seite",
    )
    found = look_up_address(matcher, asked)
    assert (found.nearest.reference if found.nearest else None) == reference


def test_what_is_no_address_is_said():
    with pytest.raises(InputError, match="no address"):
        look_up_address(addresses("example.org/a"), "http://")
