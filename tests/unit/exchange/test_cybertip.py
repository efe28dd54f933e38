"""CyberTips: whatever is asked for is what the schema takes, or the field is named that keeps it from being so."""

from __future__ import annotations

from random import Random

import pytest
from bench.duties_made import SPOILS, details, made, spoiled, tip
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.unit.exchange.cybertip_server import XSD, needs_xsd

from lightship.core.errors import InputError
from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip import build, faults_of
from lightship.exchange.cybertip_schema import PINNED, changes, load, read
from lightship.exchange.faults import Refused

pytestmark = needs_xsd


@pytest.fixture(scope="module")
def schema():
    return load(XSD)


@pytest.fixture(scope="module")
def judge():
    """The schema as lxml reads it, with nothing of ours."""
    return etree.XMLSchema(etree.parse(str(XSD)))


def shuffled(value, random):
    if isinstance(value, dict):
        items = [(name, shuffled(one, random)) for name, one in value.items()]
        random.shuffle(items)
        return dict(items)
    return [shuffled(one, random) for one in value] if isinstance(value, list) else value


def test_the_schema_here_is_the_one_this_release_was_tested_with(schema):
    assert schema.sha256 == PINNED


@given(seed=st.integers(0, 2**32))
def test_the_order_of_a_table_is_of_no_account(seed):
    schema = _schema()
    random = Random(seed)
    assert build(schema, "report", shuffled(tip(), random)) == build(schema, "report", tip())
    assert build(schema, "fileDetails", shuffled(details(), random)) == build(
        schema, "fileDetails", details()
    )


def _schema(kept=[]):  # noqa: B006 - once for all examples
    if not kept:
        kept.append(load(XSD))
    return kept[0]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), root=st.sampled_from(["report", "fileDetails"]))
def test_whatever_the_schema_allows_is_built_as_the_schema_has_it(seed, root):
    schema = _schema()
    table = made(schema, root, Random(seed))
    xml = build(schema, root, table)
    etree.XMLSchema(etree.parse(str(XSD))).assertValid(etree.fromstring(xml))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_spoiled_in_one_place_is_refused_with_that_field_named(seed):
    schema, random = _schema(), Random(seed)
    table, name = spoiled(made(schema, "report", random), random)
    with pytest.raises(Refused) as refused:
        build(schema, "report", table)
    assert any(name in one.field for one in refused.value.faults), refused.value.faults
    assert all(one.field and one.what for one in refused.value.faults)


@pytest.mark.parametrize("at", range(len(SPOILS)))
def test_each_way_to_spoil_a_report_names_its_field(schema, at):
    name, spoil = SPOILS[at]
    found = faults_of(schema, "report", spoil(tip(victim=[{"victimPerson": {}}])))
    assert any(name in one.field for one in found), found


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"fileRelevance": "Supplemental Reported"}, "fileDetails/industryClassification"),
        ({"potentialMeme": True}, "fileDetails/fileAnnotations"),
        ({"ipCaptureEvent": {"ipAddress": "fe80::1%eth0"}}, "fileDetails/ipCaptureEvent/ipAddress"),
        ({"originalFileHash": {"#": "ab"}}, "fileDetails/originalFileHash[1]/@hashType"),
        ({"fileId": " a"}, "fileDetails/fileId"),
        ({"uploadedToEspTimestamp": "2026-13-01T00:00:00Z"}, "fileDetails/uploadedToEspTimestamp"),
        ({"reportId": "1_0"}, "fileDetails/reportId"),
    ],
)
def test_what_the_schema_does_not_catch_in_a_files_details_is_caught(schema, judge, more, field):
    assert [one.field for one in faults_of(schema, "fileDetails", details(**more))] == [field]


CHANGES = [
    (b'name="legalURL" minOccurs="0"', b'name="legalURL" minOccurs="1"', "report/reporter/legalURL: it must now"),
    (b'<xs:enumeration value="A2" />', b"", "fileDetails/industryClassification: its list of values is now without 'A2'"),
    (b'<xs:element name="vehicleDescription" minOccurs="0" type="xs:string">', b'<xs:element name="vehicle" minOccurs="0" type="xs:string">', "vehicleDescription: it is gone"),
    (b'name="port" minOccurs="0" type="xs:int"', b'name="port" minOccurs="0" type="xs:date"', "port: it was int and is date"),
    (b'value="\\+[0-9]{1,3}"', b'value="[0-9]{1,3}"', "@countryCallingCode: its pattern is another"),
    (b'name="profileUrl" minOccurs="0" maxOccurs="unbounded"', b'name="profileUrl" minOccurs="0"', "profileUrl: it may now stand 1 times"),
    (b'<xs:attribute name="hashType" type="xs:string" use="required"', b'<xs:attribute name="hashKind" type="xs:string" use="required"', "originalFileHash/@hashType: it is gone"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), CHANGES)
def test_a_change_that_breaks_what_is_built_here_is_said_with_its_place(schema, old, new, said):
    data = XSD.read_bytes()
    if old not in data:  # the file writes its attributes in another order
        old, new = (
            one.replace(b'type="xs:string" use="required"', b'use="required" type="xs:string"')
            for one in (old, new)
        )
    changed = data.replace(old, new, 1)
    assert changed != data, old
    found = [str(one) for one in changes(schema, read(changed, "live")) if one.breaking]
    assert any(said in one for one in found), found


def test_a_moved_field_breaks_and_a_new_one_nobody_must_give_does_not(schema):
    data = XSD.read_bytes().decode()
    first = data.index('<xs:element ref="lawEnforcement"')
    second = data.index('<xs:element ref="reporter">')
    third = data.index('<xs:element ref="personOrUserReported"')
    moved = data[:first] + data[second:third] + data[first:second] + data[third:]
    found = changes(schema, read(moved.encode(), "live"))
    assert [one.where for one in found if one.breaking] == ["report"]
    assert "its order is now" in found[0].what
    new = '<xs:element name="informational" minOccurs="0" type="xs:boolean" />'
    added = data.replace('<xs:element name="platform"', f'{new}<xs:element name="platform"', 1)
    found = changes(schema, read(added.encode(), "live"))
    assert [(one.where, one.breaking) for one in found] == [("report/incidentSummary/informational", False)]
    assert changes(schema, schema) == ()


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>"])
def test_what_is_no_schema_of_reports_is_said(data):
    with pytest.raises(InputError):
        read(data, "live")


def test_a_schema_that_is_not_there_is_said_with_what_to_do(tmp_path):
    with pytest.raises(InputError, match="Name the XSD"):
        cybertip_schema.load(tmp_path / "none")
