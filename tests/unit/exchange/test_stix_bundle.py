"""What is sent is STIX 2.1 by its own validator, holds nothing above the partner's grade, and says what did not fit."""

import json
from dataclasses import replace

import pytest
from tests.sharing import CANARY, NOW, OWN, PARTNER, fill
from tests.tables import tables

from lightship.casework.disseminate import preview
from lightship.core.casework import Marking
from lightship.core.errors import InputError
from lightship.core.markings import SCALES
from lightship.exchange.referrals.stix import read_stix
from lightship.exchange.stix_bundle import bundle, bundle_json, marking_definitions, marking_of
from lightship.infra.store import SqlStore


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    with SqlStore(tables(tmp_path_factory.mktemp("s") / "s")) as store, store.begin() as work:
        inquiry = fill(work)
        return preview(work, inquiry.id, PARTNER, OWN)[0]


# The standard recommends random ids, and ours are made from what they name, so that an object sent again is a version of
# the same; its list of platforms is open. Nothing else is let off.
OPTIONS = {"version": "2.1", "silent": True, "disabled": "uuid-check,account-type"}


def sound(*objects: dict) -> bool:
    """Return whether the validator takes each and warns of nothing; an exception of its own counts as invalid."""
    from stix2validator import ValidationOptions, validate_instance

    try:
        results = [validate_instance(one, ValidationOptions(**OPTIONS)) for one in objects]
    except Exception:  # noqa: BLE001 - it crashes on some inputs, and those are not valid
        return False
    for one in results:
        print(*one.errors, *one.warnings, sep="\n")
    return all(one.is_valid and not one.warnings for one in results)


@pytest.mark.parametrize("extension", [True, False])
def test_a_bundle_is_valid_and_says_what_it_lost(released, extension):
    made, lost = bundle(released, "Lightship force", NOW, extension=extension)
    table = json.loads(bundle_json(made))
    kinds = {one["type"]: one for one in table["objects"]}  # one of each: the validator is slow
    assert sound(*(table["objects"] if extension else [kinds["grouping"]]))
    assert len(kinds) == 10 + extension
    assert [str(one) for one in lost] == (
        []
        if extension
        else [
            f"{i} {kind}: STIX 2.1 has no observable for it"
            for i, kind in (("i3", "phone"), ("i7", "wallet"))
        ]
    )
    text = json.dumps(table)
    assert CANARY not in text
    assert ("+447700900123" in text) == extension
    for kept in (
        "viewer@example.org",
        "viewer_1",
        "viewer_2",
        "203.0.113.9",
        "2001:db8::1",
        "ab" * 32,
        "a shared device",
    ):
        assert kept in text, kept
    assert not {"artifact", "payload_bin"} & {
        word for one in table["objects"] for word in (one["type"], *one)
    }
    assert "withheld" not in text.replace("assessment withheld", "")


def test_what_is_sent_again_is_a_later_version_of_the_same(released):
    first, later = (
        json.loads(bundle_json(bundle(released, "f", at)[0])) for at in (NOW, NOW.replace(hour=20))
    )
    assert [one["id"] for one in first["objects"]] == [one["id"] for one in later["objects"]]
    moved = [(a, b) for a, b in zip(first["objects"], later["objects"], strict=True) if a != b]
    assert moved
    assert all(a["modified"] < b["modified"] for a, b in moved)


def test_every_object_bears_a_marking_that_reads_back(released):
    objects = json.loads(bundle_json(bundle(released, "f", NOW)[0]))["objects"]
    definitions = {one["id"]: one for one in objects if one["type"] == "marking-definition"}
    markings = [marking_of(one, definitions) for one in objects]
    assert None not in markings
    assert {one.tlp for one in markings} == {"clear", "green", "amber"}
    assert marking_of({"type": "note"}, definitions) is None


@pytest.mark.parametrize(
    "marking",
    [
        Marking("SECRET", "green", "red", "C", "ask first", "met"),
        Marking("OFFICIAL-SENSITIVE", "amber+strict", "amber", "P", "", "met"),
        Marking("OFFICIAL", "red", "clear", "C", "destroy after use; tell us", "met; yard"),
    ],
)
def test_a_marking_that_is_sent_comes_back_equal(released, marking):
    items = [replace(one, marking=marking) for one in released.things]
    made, _ = bundle(replace(released, things=tuple(items)), "Lightship force", NOW)
    assert read_stix(bundle_json(made), NOW).marking == marking


@pytest.mark.parametrize("step", range(5))
def test_every_marking_definition_is_valid(step):
    marking = Marking("SECRET", SCALES["tlp"][step], SCALES["pap"][min(step, 3)], "C", "ask first", "met")
    assert sound(*(json.loads(one.serialize()) for one in marking_definitions(marking)))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("grouping", {"context": 7}),  # an integer in an open vocabulary crashes the validator
        ("identity", {"identity_class": 7}),
        ("relationship", {"source_ref": "viewer"}),
        ("note", {"object_refs": []}),
        ("marking-definition", {"created": "yesterday"}),
        ("email-addr", {"value": "no address"}),
        ("user-account", {"id": "user-account--1"}),
        ("ipv4-addr", {"value": "300.1.1.1"}),
    ],
)
def test_the_validator_sees_what_is_wrong(released, kind, changes):
    objects = json.loads(bundle_json(bundle(released, "f", NOW)[0]))["objects"]
    one = next(one for one in objects if one["type"] == kind)
    assert not sound(one | changes)


def test_nothing_released_makes_no_bundle(released):
    from dataclasses import replace

    with pytest.raises(InputError, match="Nothing of the inquiry"):
        bundle(replace(released, things=()), "f", NOW)
