"""A partner's collection becomes referrals: each thing told once, with its subjects, in the same bytes every time."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st
from tests.sharing import NOW, OWN, PARTNER

from lightship.core.release import Released, Thing
from lightship.exchange.referrals import reader_of
from lightship.exchange.referrals.collection import bundles_of
from lightship.exchange.referrals.stix import IDENTIFIERS
from lightship.exchange.stix_bundle import _EXTENSION, bundle, bundle_json

P1, P2 = ({"person": f"r1/p{n}", "referral_id": "r1"} for n in (1, 2))
MARK = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
OBJECTS = [
    {"type": "marking-definition", "id": MARK},
    {"type": "report", "id": "report--1", "object_refs": ["user-account--1", "report--2"], "object_marking_refs": [MARK]},
    {"type": "report", "id": "report--2", "object_refs": ["email-addr--1"]},
    {"type": "user-account", "id": "user-account--1", "account_login": "k9", "account_type": "chat.example"},
    {"type": "identity", "id": "identity--1", "identity_class": "individual", "roles": ["suspect"]},
    {"type": "relationship", "id": "relationship--1", "source_ref": "identity--1", "target_ref": "user-account--1"},
    {"type": "relationship", "id": "relationship--2", "source_ref": "email-addr--1", "target_ref": "user-account--1"},
    {"type": "email-addr", "id": "email-addr--1", "value": "k9@example.org"},
]  # fmt: skip


def ids(data):
    return {one["id"] for one in json.loads(data)["objects"]}


def test_each_report_goes_with_what_it_is_about_and_the_rest_goes_together():
    one, other, rest = bundles_of(OBJECTS)
    assert ids(one) == {"report--1", "user-account--1", MARK}
    assert ids(other) == {"report--2", "email-addr--1"}
    assert ids(rest) >= {"identity--1", "relationship--1", "relationship--2"}
    parsed = reader_of("stix-json")(one, NOW)
    assert parsed.reference == "report--1"
    assert parsed.marking.tlp == "amber"
    assert [each.value for each in parsed.named] == ["k9"]


@given(st.integers(), st.lists(st.sampled_from(OBJECTS), max_size=4))
def test_the_order_and_repeats_of_a_server_change_no_byte(seed, again):
    objects = [*OBJECTS, *again]
    random.Random(seed).shuffle(objects)
    assert bundles_of(objects) == bundles_of(OBJECTS)


def test_a_later_version_takes_the_place_of_an_earlier_one():
    versions = [
        {"type": "report", "id": "report--1", "name": name, "modified": f"2026-11-{day}T00:00:00Z"}
        for name, day in (("new", 29), ("old", 28))
    ]
    (data,) = bundles_of(versions)
    assert json.loads(data)["objects"][0]["name"] == "new"


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "type", "object_refs", "x_ref", "modified"]), st.text(max_size=4)
        )
    )
)
def test_whatever_a_server_sends_is_some_bundle_or_none(objects):
    assert all(json.loads(one)["type"] == "bundle" for one in bundles_of(objects))


def test_what_our_own_extension_carries_is_read_back_as_the_same_persons():
    assert IDENTIFIERS == _EXTENSION
    grouping = {
        "type": "grouping",
        "id": "grouping--1",
        "object_refs": ["identity--1"],
        "extensions": {
            IDENTIFIERS: {
                "identifiers": [
                    {
                        "kind": "phone",
                        "value": "+447700900123",
                        "role": "suspect",
                        "person_ref": "identity--1",
                    },
                    {"kind": "account", "value": "C-77", "role": "suspect", "person_ref": "identity--1"},
                ]
            }
        },
    }
    (data,) = bundles_of([grouping, OBJECTS[4]])
    named = {one.kind: one for one in reader_of("stix-json")(data, NOW).named}
    assert set(named) == {"phone", "account"}
    assert {(one.person, one.role) for one in named.values()} == {("identity--1", "suspect")}


def test_what_we_send_to_a_partner_who_has_lightship_arrives_with_its_people_and_its_urgency():
    released = Released(
        PARTNER,
        (
            Thing("q1", "inquiry", {"opened_at": NOW.isoformat(), "title": "A stream"}, OWN),
            Thing("r1", "referral", {"source": "platform", "facts": "live=day\ncontact=hands-on"}, OWN),
            Thing(
                "i1",
                "identifier",
                {"kind": "handle", "value": "k9", "platform": "chat", "role": "child", **P1},
                OWN,
            ),
            Thing("i2", "identifier", {"kind": "account", "value": "C-77", "role": "suspect", **P2}, OWN),
        ),
    )
    made, lost = bundle(released, "A force", NOW)
    (data,) = bundles_of(json.loads(bundle_json(made))["objects"])
    parsed = reader_of("stix-json")(data, NOW)
    assert lost == ()
    assert set(parsed.facts) == {"live=day", "contact=hands-on"}
    assert {(one.kind, one.value, one.platform, one.role) for one in parsed.named} == {
        ("handle", "k9", "chat", "child"),
        ("account", "C-77", "", "suspect"),
    }
