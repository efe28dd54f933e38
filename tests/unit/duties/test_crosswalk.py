"""What others call what was found: there and back."""

import os
import re
from pathlib import Path

import pytest

from lightship import app_regulator, packs
from lightship.core.errors import InputError, PolicyError
from lightship.duties.crosswalk import parse_crosswalk

WALK = app_regulator.crosswalk()
PAIRS = [(one.id, scheme) for one in WALK.labels for scheme in one.codes]
XSD = Path(
    os.environ.get("LIGHTSHIP_XSD", Path(__file__).parents[4] / "shared/conformance/cyber_tipline.xsd")
)


@pytest.mark.parametrize(("label", "scheme"), PAIRS)
def test_a_label_comes_back_or_is_known_to_say_more(label, scheme):
    back = WALK.back(scheme, WALK.to(scheme, label))
    assert (back == label) is not WALK.says_less(scheme, label)


@pytest.mark.parametrize("scheme", WALK.schemes)
def test_every_code_of_a_scheme_comes_back_as_itself(scheme):
    codes = {WALK.to(scheme, one.id) for one in WALK.labels if scheme in one.codes}
    assert len(codes) > 1
    for code in codes:
        assert WALK.to(scheme, WALK.back(scheme, code)) == code


def test_the_mapping_is_named_with_its_version():
    assert re.fullmatch(r"crosswalk \d{4}-\d\d-\d\d sha256:[0-9a-f]{64}", WALK.mapping)


def test_what_is_not_known_is_refused():
    for act in (
        lambda: WALK.to("uk", "nonsense"),
        lambda: WALK.to("mars", "csea-other"),
        lambda: WALK.to("ncmec", "intimate-image"),
        lambda: WALK.back("ncmec", ("incidentType=None",)),
    ):
        with pytest.raises(InputError):
            act()


@pytest.mark.parametrize(
    "change",
    [
        ('match = "broader"', 'match = "exact"'),
        ('match = "exact"', 'match = "near"'),
        ("[schemes.uk]", "[schemes.xx]"),
    ],
)
def test_a_mapping_that_does_not_come_back_is_refused(change):
    _, text = packs.read("labels", "crosswalk", ".toml", "crosswalk")
    with pytest.raises(PolicyError):
        parse_crosswalk(text.replace(*change, 1), "crosswalk.toml")


@pytest.mark.skipif(not XSD.exists(), reason="the CyberTipline schema is not there")
def test_ncmecs_words_are_those_of_its_schema_and_none_is_left_out():
    text = XSD.read_text(encoding="utf-8")
    place = text.index("Child Sex Trafficking")
    block = text[text.rindex("<xs:simpleType", 0, place) : text.index("</xs:simpleType>", place)]
    known = set(re.findall(r'enumeration value="([^"]+)"', block))
    assert len(known) == 8
    ours = {part.partition("=")[2] for one in WALK.labels if "ncmec" in one.codes
            for part in WALK.to("ncmec", one.id) if part.startswith("incidentType=")}  # fmt: skip
    assert ours == known
    for one in WALK.labels:
        for part in WALK.to("ncmec", one.id)[1:] if "ncmec" in one.codes else ():
            assert f'name="{part.partition("=")[2]}"' in text
