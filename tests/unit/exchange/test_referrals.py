"""Every form is read, nothing is assumed, and no bytes whatever make a reader fail."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import stix2
from bench.duties_made import details, tip
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.unit.exchange.cybertip_server import XSD, needs_xsd
from tests.unit.exchange.referral_samples import CYBERTIP, MAPPING, SAMPLES, malformed
from tests.unit.exchange.test_goaml import made as made_goaml
from tests.unit.exchange.test_goaml import transfer

from lightship import packs
from lightship.core.cases import Case, Stream
from lightship.core.casework import Named, Parsed
from lightship.core.duties import Held
from lightship.core.errors import InputError
from lightship.duties.filing_snapshot import fields_table
from lightship.exchange.cybertip import build
from lightship.exchange.cybertip_schema import load
from lightship.exchange.referrals import FORMS, cybertip, parse_mapping, platform_referral, reader_of, split
from lightship.exchange.schedule1 import complete, parse_fields

AT = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
MAPPED = parse_mapping(MAPPING, "mapping.toml")
READERS = {form: reader_of(form, MAPPED) for form in FORMS}


def read(form: str, data: bytes | None = None, at: datetime = AT) -> Parsed:
    return READERS[form](SAMPLES[form] if data is None else data, at)


def ids(parsed: Parsed) -> set[tuple[str, str, str, str]]:
    return {(one.person, one.role, one.kind, one.value) for one in parsed.named}


def test_a_sample_of_every_form_is_read_without_a_note():
    assert set(SAMPLES) == set(FORMS)
    for form in FORMS:
        parsed = read(form)
        assert not parsed.notes, form
        assert parsed.reference, form
        assert parsed.named, form
        assert parsed.happened_at is not None or form == "schedule1-json", form
        assert 0 < parsed.held <= parsed.holdable, form


def test_a_cybertip_says_who_what_and_how_urgent_its_sender_finds_it():
    tip = read("cybertip-xml")
    assert (tip.source, tip.reference) == ("cybertip", "4564654")
    assert set(tip.facts) == {
        "sender-says=urgent", "contact=grooming", "extortion=active", "material=known", "live=now",
    }  # fmt: skip
    assert ("suspect-1", "suspect", "handle", "@Made_Up") in ids(tip)
    assert ("suspect-1", "suspect", "phone", "+447700 900123") in ids(tip)
    assert ("child-1", "child", "handle", "kid_1") in ids(tip)
    assert {one.platform for one in tip.named if one.kind == "handle"} == {"Example Live"}
    assert "scheduled again" in tip.narrative


def test_a_cybertip_of_bodily_abuse_says_so():
    data = CYBERTIP.replace(b"Online Enticement of Children for Sexual Acts", b"Child Sexual Molestation")
    assert "contact=hands-on" in read("cybertip-xml", data).facts
    assert "contact=grooming" not in read("cybertip-xml", data).facts


def test_a_mark_that_is_said_to_be_false_is_no_fact():
    for mark in (b"<sextortion/>", b"<viral/>", b"<liveStreaming/>"):
        data = CYBERTIP.replace(mark, mark.replace(b"/>", b">false</" + mark[1:-2] + b">"))
        assert len(read("cybertip-xml", data).facts) == len(read("cybertip-xml").facts) - 1, mark


@needs_xsd
def test_a_cybertip_that_our_own_builder_makes_is_read():
    schema = load(XSD)
    data = b"<reports>" + b"".join(
        build(schema, root, table).partition(b"?>")[2]
        for root, table in (
            ("report", tip()),
            ("fileDetails", details(fileAnnotations={"liveStreaming": True})),
        )
    )
    made = read("cybertip-xml", data + b"</reports>")
    assert not made.notes
    assert made.reference == "1001"
    assert set(made.facts) == {"sender-says=urgent", "live=now"}
    assert {
        ("suspect-1", "suspect", "handle", "host7"),
        ("suspect-1", "suspect", "phone", "+447700900123"),
        ("suspect-1", "suspect", "email", "seven@example.org"),
        ("suspect-1", "suspect", "ip", "2001:db8::7"),
        ("files", "unknown", "hash", "ab" * 32),
    } <= ids(made)
    assert all(one.first_at is not None for one in made.named if one.kind == "ip")


@needs_xsd
def test_the_fields_of_a_cybertip_are_the_schemas_own_names():
    names = set(etree.parse(str(XSD)).xpath("//@name"))
    assert set(cybertip.FIELDS) <= names


def test_a_schedule_1_report_that_our_own_list_completes_is_read():
    form = parse_fields(*packs.report_text("gb-schedule-1"))
    held = {
        "service": Held("Example Live"), "user-name": Held(("host7",)), "priority": Held("P1"),
        "login-ips": Held(("192.0.2.7:4431 at 2026-11-28T23:31:07+00:00", "[2001:db8::7]:1")),
    }  # fmt: skip
    table = fields_table(complete(held, form, AT.date()))
    parsed = read("schedule1-json", json.dumps({"filing": "f-1", "fields": table}).encode())
    assert not parsed.notes
    assert (parsed.reference, parsed.facts, parsed.held) == ("f-1", ("sender-says=urgent",), 4)
    assert parsed.holdable == len(form.on(AT.date()))
    assert {one.value for one in parsed.named} == {"host7", "192.0.2.7", "2001:db8::7"}


def test_a_goaml_report_that_our_own_writer_makes_is_read():
    _, _, xml = made_goaml(transfer(), transfer(payment="a1", at="2026-03-12T22:30:00"))
    parsed = read("goaml-xml", xml)
    assert not parsed.notes
    assert parsed.reference == "ls-0001"
    assert parsed.facts == ("payments=repeated",)
    assert parsed.named


def test_what_was_live_is_live_for_a_time_only():
    assert "live=now" in read("cybertip-xml").facts
    assert "live=day" in read("cybertip-xml", at=datetime(2026, 11, 29, 20, tzinfo=UTC)).facts
    assert not [
        one for one in read("cybertip-xml", at=datetime(2026, 12, 1, tzinfo=UTC)).facts if "live" in one
    ]
    ahead = read("cybertip-xml", at=datetime(2026, 11, 28, 20, tzinfo=UTC))
    assert not [one for one in ahead.facts if "live" in one]
    assert any("after it was received" in one for one in ahead.notes)


def test_no_entity_of_an_xml_is_resolved_and_no_file_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    for entity in (f'SYSTEM "file://{secret}"', '"do not tell"'):
        doctype = b"?><!DOCTYPE reports [<!ENTITY e %s>]>" % entity.encode()
        data = CYBERTIP.replace(b"?>", doctype, 1).replace(b"Seen by", b"Seen &e; by")
        tip = read("cybertip-xml", data)
        assert "do not tell" not in repr(tip)
        assert any("doctype" in one for one in tip.notes)


def test_a_small_xml_that_would_grow_without_end_does_not():
    grow = b"".join(b'<!ENTITY e%d "%s">' % (n, (b"&e%d;" % (n - 1)) * 10 if n else b"ha") for n in range(12))
    tip = read(
        "cybertip-xml",
        b"<!DOCTYPE report [" + grow + b"]><report><additionalInfo>&e11;</additionalInfo></report>",
    )
    assert len(tip.narrative) < 1000


def test_payments_of_a_report_are_repeated_when_they_come_close():
    assert read("goaml-xml").facts == ("payments=repeated",)
    later = SAMPLES["goaml-xml"].replace(b"2026-11-11", b"2026-11-28")
    assert read("goaml-xml", later).facts == ("payments=once",)
    assert {one.role for one in read("goaml-xml").named} == {"unknown"}, "who is whom is for a person to say"


def test_an_alert_of_a_victim_names_a_child_and_no_suspect():
    victim = SAMPLES["alerts-jsonl"].replace(b"livestream-payer", b"extortion-victim")
    assert [(one.role, one.value) for one in read("alerts-jsonl", victim).named] == [("child", "C-77")]
    assert read("alerts-jsonl", victim).facts == ("extortion=active",)
    assert "Against it: Family abroad." in read("alerts-jsonl").narrative


def test_what_our_own_alerts_file_writes_is_read():
    from lightship.exchange.alerts_file import alert_from_json, to_lines

    alert = alert_from_json(json.loads(SAMPLES["alerts-jsonl"]))
    lines = split("alerts-jsonl", to_lines([alert, alert]))
    assert len(lines) == 2
    assert read("alerts-jsonl", lines[0]).facts == ("payments=repeated",)


def test_a_platforms_case_travels_without_its_address_and_its_still():
    case = Case(
        "c1", "s1", "machine", AT, AT, "words", 60.0, "end", 0.5, 1.0, 0.5, still="ff" * 32, danger_now=True
    )
    stream = Stream("s1", "rtmp://inner/secret", "host-9", "public", "b", "public-live", AT)
    data = platform_referral(case, stream, "Example Live")
    assert b"secret" not in data
    assert b"ffff" not in data
    parsed = read("platform-json", data)
    assert ids(parsed) == {("host-1", "unknown", "handle", "host-9")}, "a host may be the child"
    assert set(parsed.facts) == {"live=now", "danger=now"}
    taken_back = read(
        "platform-json", platform_referral(replace(case, state="reversed"), stream, "Example Live")
    )
    assert taken_back.reference == parsed.reference, "it joins what was said before"
    assert taken_back.facts == (), "what was reversed says nothing of now, though its stream runs again"
    assert "reversed its decision" in taken_back.narrative


def test_two_objects_are_one_person_only_where_a_bundle_says_so():
    people = {one.value: one.person for one in read("stix-json").named}
    assert people["made_up"] == people["Made Up"] == "identity--1"
    assert people["other@example.org"] == "email-addr--1"
    assert read("stix-json").marking.tlp == "amber+strict"


def test_a_bundle_of_the_reference_library_is_read():
    account = stix2.UserAccount(user_id="u-1", account_login="made_up", account_type="chat")
    who = stix2.Identity(name="Made Up", identity_class="individual", roles=["victim"])
    ties = stix2.Relationship(source_ref=account.id, target_ref=who.id, relationship_type="related-to")
    report = stix2.Report(
        name="r", published=AT, object_refs=[account.id], object_marking_refs=[stix2.TLP_RED]
    )
    parsed = read("stix-json", stix2.Bundle(account, who, ties, report).serialize().encode())
    assert not parsed.notes
    assert {(one.role, one.value) for one in parsed.named} == {
        ("child", "u-1"),
        ("child", "made_up"),
        ("child", "Made Up"),
    }
    assert (parsed.reference, parsed.marking.tlp) == (report.id, "red")


RED, GREEN = (
    f"marking-definition--{one}"
    for one in ("e828b379-4e03-4974-9ac4-e53a884c97c1", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb")
)
THEIRS = "marking-definition--00000000-0000-4000-8000-000000000001"
PAP = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
TLP = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"


@pytest.mark.parametrize(
    ("refs", "said", "tlp", "pap"),
    [
        ([GREEN], None, "green", "clear"),
        ([GREEN, THEIRS], None, "red", "red"),
        ([GREEN, 5], None, "red", "red"),
        ([THEIRS], {}, "red", "red"),
        ([THEIRS], {"definition_type": "statement", "definition": {"statement": "Ours alone"}}, "red", "red"),
        ([THEIRS], {"definition_type": "tlp", "definition": {"tlp": "red"}}, "red", "clear"),
        ([THEIRS], {"definition_type": "tlp", "definition": {"tlp": "white"}}, "clear", "clear"),
        ([THEIRS], {"extensions": {TLP: {"tlp_2_0": "amber+strict"}}}, "amber+strict", "clear"),
        ([GREEN, THEIRS], {"extensions": {PAP: {"pap": "amber"}}}, "green", "amber"),
        ([THEIRS], {"extensions": {PAP: {"pap": "mauve"}}}, "red", "red"),
        ([THEIRS], {"extensions": {PAP: {"pap": "green"}, "extension-definition--1": {}}}, "red", "red"),
        ([GREEN, "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"], None, "green", "red"),
    ],
)
def test_a_marking_that_a_bundle_does_not_explain_is_held_as_red(refs, said, tlp, pap):
    objects = [{"type": "report", "id": "report--1", "name": "r", "object_marking_refs": refs}]
    if said is not None:
        objects.append({"type": "marking-definition", "id": THEIRS, **said})
    parsed = read("stix-json", json.dumps({"type": "bundle", "objects": objects}).encode())
    assert (parsed.marking.tlp, parsed.marking.pap) == (tlp, pap)
    assert bool(parsed.notes) == (tlp == pap == "red"), "what was not understood is said"


def test_part_of_an_object_is_marked_as_all_of_it():
    report = {"type": "report", "id": "report--1", "name": "r", "object_marking_refs": [GREEN]}
    report["granular_markings"] = [{"lang": "en", "selectors": ["name"]}]
    whole = {"type": "bundle", "objects": [report]}
    assert read("stix-json", json.dumps(whole).encode()).marking.tlp == "green"
    report["granular_markings"].append({"marking_ref": RED, "selectors": ["name"]})
    assert read("stix-json", json.dumps(whole).encode()).marking.tlp == "red"


@pytest.mark.parametrize("where", ["Attribute", "Object", "inner"])
def test_the_strictest_tag_within_an_event_marks_it(where):
    tagged = {"type": "email", "value": "a@b.example", "Tag": [{"name": "tlp:red"}]}
    inner = {"name": "person", "Attribute": [tagged]} if where == "inner" else tagged
    event = {"info": "x", "Tag": ["tlp:green"], "Attribute" if where == "Attribute" else "Object": [inner]}
    assert read("misp-json", json.dumps({"Event": event}).encode()).marking.tlp == "red"


def test_markings_of_misp_are_kept_and_an_unknown_one_is_the_strictest():
    marking = read("misp-json").marking
    assert (marking.tlp, marking.pap, marking.originator) == ("green", "red", "CERT")
    odd = read("misp-json", SAMPLES["misp-json"].replace(b"tlp:green", b"tlp:mauve"))
    assert odd.marking.tlp == "red"
    assert odd.notes


def test_a_table_is_read_by_its_mapping_row_by_row():
    data = SAMPLES["csv"] + "H-2;29/11/2026 00:30;Ähnlich;@x;perhaps\r\n".encode()
    one, two = (read("csv", row) for row in split("csv", data, MAPPED))
    assert (one.reference, one.facts, one.happened_at) == (
        "H-1",
        ("live=now",),
        datetime(2026, 11, 28, 23, tzinfo=UTC),
    )
    assert two.facts == ()
    assert two.notes == ("Live?: a value that the mapping does not have",)
    assert two.narrative == "Ähnlich"


@pytest.mark.parametrize(
    "spoil",
    [
        ("source = ", "sauce = "),
        ('role = "suspect"', 'role = "baddie"'),
        ("[columns]", "[columns"),
        ("UTC", "UTC"),
    ],
)
def test_a_mapping_with_a_mistake_is_refused(spoil):
    text = MAPPING.replace(*spoil) if spoil[0] != spoil[1] else MAPPING.replace("Europe/London", "Mars/Base")
    with pytest.raises(InputError):
        parse_mapping(text, "mapping.toml")


def test_a_form_that_nobody_knows_is_refused():
    with pytest.raises(InputError, match="form"):
        reader_of("fax")
    with pytest.raises(InputError, match="mapping"):
        reader_of("csv")


def test_completeness_is_of_the_format_and_rises_with_each_field():
    whole = read("signal-json")
    row = json.loads(SAMPLES["signal-json"])
    for name in row:
        less = read("signal-json", json.dumps({key: one for key, one in row.items() if key != name}).encode())
        assert less.held == whole.held - 1, name
        assert less.holdable == whole.holdable


def sound(parsed: Parsed, data: bytes) -> None:
    """What every reading must be, whatever was read."""
    assert not any("defect" in note for note in parsed.notes), data
    assert 0 <= parsed.held <= parsed.holdable
    assert parsed.happened_at is None or parsed.happened_at.tzinfo is not None
    texts = [parsed.reference, parsed.kind, parsed.narrative, *parsed.facts, *parsed.notes]
    for one in parsed.named:
        assert isinstance(one, Named)
        texts += [one.value, one.person, one.platform]
        assert len(one.value) <= 512
    for text in texts:
        assert "\0" not in text
        text.encode()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FORMS), st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail(form, data):
    parsed = read(form, data)
    sound(parsed, data)
    assert parsed.notes or form == "csv" or data.strip().startswith((b"<", b"{")), "what is not read is said"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([one for one in FORMS if one.endswith(("json", "jsonl"))]), st.data())
def test_no_json_makes_a_reader_fail(form, data):
    whole = json.loads(SAMPLES[form])
    for key in data.draw(st.sets(st.sampled_from(sorted(whole)), min_size=1)):
        whole[key] = data.draw(JSON)
    raw = json.dumps(whole).encode()
    sound(read(form, raw), raw)


def test_thousands_of_spoiled_referrals_are_all_read():
    rng = random.Random(7)
    for number in range(4000):
        form = FORMS[number % len(FORMS)]
        data = malformed(rng, form)
        sound(read(form, data), data)


@pytest.mark.slow
def test_a_million_spoiled_referrals_are_all_read():
    rng = random.Random(8)
    for number in range(1_000_000):
        form = FORMS[number % len(FORMS)]
        data = malformed(rng, form)
        sound(read(form, data), data)


def test_a_reader_with_a_defect_loses_no_referral(monkeypatch):
    from lightship.exchange import referrals

    monkeypatch.setitem(referrals._READERS, "signal-json", lambda data, at: 1 // 0)
    parsed = referrals.reader_of("signal-json")(b"{}", AT)
    assert "ZeroDivisionError" in parsed.notes[0]


def test_depth_and_numbers_without_end_are_notes():
    for data in (b"[" * 100_000, b'{"a":' * 50_000, b'{"id": ' + b"9" * 10_000 + b"}"):
        assert read("signal-json", data).notes
