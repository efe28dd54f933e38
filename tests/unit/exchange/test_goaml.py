"""goAML: the order and sides of a report, and the three traps of the published schema, each both ways."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lightship import packs
from lightship.core.errors import AccessDenied, InputError, PolicyError
from lightship.exchange.fincen import fincen_fields
from lightship.exchange.goaml import PERSON, goaml, latin, parse_filer, parse_profile, problems
from lightship.exchange.goaml_schema import faults, load_schema, unanchored
from lightship.exchange.report_draft import Party, ReportDraft, Standing, Transfer, own_words, standing
from lightship.exchange.uk_sar import worksheet

ANCHORED = Path(__file__).parent / "goaml-anchored.xsd"
GENERIC = (packs.root() / "payments" / "goaml-generic.toml").read_text()
NOTICES = (packs.root() / "payments" / "fincen.toml").read_text()
FILER = """
rentity_id = 42
institution = "Example Bank"
institution_code = "EXBK"
branch = "Head office"
person = { first_name = "Ann", last_name = "Lee" }
location = { address_type = "B", address = "1 Street", city = "Town", country_code = "IE", state = "-" }
"""
FACTS = {
    "gender": "M", "first_name": "Zoë", "last_name": "O'Nuñez", "birthdate": "1970-02-03T00:00:00", "id_number": "X1",
    "nationality1": "IE", "residence": "IE", "phones": [{"tph_number": "1", "tph_contact_type": "P"}],
}  # fmt: skip
ON = date(2026, 4, 1)
A_DRAFT = Standing()


def transfer(**more):
    fields = {
        "payment": "a0", "at": "2026-03-02T22:30:00", "payer": "p1", "payee": "r1", "amount": "20.00", "currency": "EUR",
        "local": "20.00", "rail": "remittance", "via": "SwiftSend", "payer_country": "IE", "payee_country": "PH", "text": None,
        **more,
    }  # fmt: skip
    return Transfer(**fields)


def report(*transfers, facts=None, standing=A_DRAFT, narrative="DRAFT, NOT REPORTED.\nWHO\nA person."):
    subject = Party(
        "p1", customer=True, name=None, country="IE", kind="person", opened="2020-05-04", facts=facts or {}
    )
    receiver = Party("r1", customer=False, name="Ana Núñez 孙", country="PH")
    return ReportDraft(
        "ls-0001", "livestream-payer", subject, (receiver,), transfers or (transfer(),), narrative,
        (("XXV3XX", "risk to children"),), ("the subject's name",), standing,
    )  # fmt: skip


def test_a_time_of_day_that_is_not_known_is_not_claimed():
    found = made(transfer(at="2026-03-02"), transfer(payment="a1"))[0]
    assert [one.text for one in found.iter("date_transaction")] == [
        "2026-03-02T00:00:00",
        "2026-03-02T22:30:00",
    ]
    assert [one.text for one in found.iter("transaction_description")] == ["The time of day is not known."]
    assert "2026-03-02  EUR 20.00" in worksheet(report(transfer(at="2026-03-02"))).decode()


def made(*transfers, **more):
    xml, missing = goaml(
        report(*transfers, **more), parse_profile(GENERIC, "generic"), parse_filer(FILER, "filer"), ON
    )
    return etree.fromstring(xml), missing, xml


def test_a_report_keeps_the_order_of_the_form():
    root, _, xml = made(transfer(), transfer(payment="a1", text="school"))
    assert problems(xml) == ()
    assert [child.tag for child in root if isinstance(child.tag, str)] == [
        "schema_version", "rentity_id", "rentity_branch", "submission_code", "report_code", "entity_reference", "submission_date",
        "currency_code_local", "reporting_person", "location", "reason", "action", "transaction", "transaction",
        "report_indicators",
    ]  # fmt: skip
    first, second = root.iter("transaction")
    assert first.findtext("amount_local") == "20.00"
    assert second.findtext("transaction_description") == "school"
    assert root.findtext("reason").startswith("DRAFT, NOT REPORTED")
    assert b"<!-- DRAFT, NOT REPORTED" in xml


def test_a_customer_without_facts_stands_as_any_party_and_that_is_said():
    root, missing, _ = made()
    assert root.find("transaction/t_from_my_client") is None
    assert root.findtext("transaction/t_from/from_account/account_name") == "UNKNOWN"
    assert missing == (
        "of customer p1: gender, first_name, last_name, birthdate, id_number, nationality1, residence",
    )


def test_a_customer_with_facts_stands_as_my_client_in_order():
    root, missing, xml = made(facts=FACTS)
    person = root.find("transaction/t_from_my_client/from_person")
    assert [child.tag for child in person] == [name for name in PERSON if name in FACTS]
    assert (person.findtext("first_name"), person.findtext("last_name")) == ("Zoe", "O'Nunez")
    assert missing == ()
    assert problems(xml) == ()


def test_a_name_in_other_letters_is_kept_beside():
    account = made()[0].find("transaction/t_to/to_account")
    assert account.findtext("account_name") == "Ana Nunez"
    assert account.findtext("comments") == "Name as given: Ana Núñez 孙"


def test_money_in_another_currency_needs_a_rate():
    root, _, _ = made(transfer(currency="GBP", amount="17.00", local="20.00"))
    assert root.findtext("transaction/t_from/from_foreign_currency/foreign_amount") == "17.00"
    with pytest.raises(InputError, match="no rate is known"):
        made(transfer(currency="GBP", local=None))


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30))
def test_whatever_data_hold_it_is_well_formed_and_without_anchors(text):
    _, _, xml = made(transfer(text=text, via=text, payer_country=None), narrative=f"x{text}")
    assert problems(xml) == ()
    name = latin(text)
    assert not set(name) & set("^$")
    assert name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: root.append(etree.Element("rentity_id")), "out of order"),
        (lambda root: root.remove(root.find("rentity_id")), "rentity_id is missing"),
        (lambda root: root.append(etree.Element("mood")), "mood is no element of report"),
        (lambda root: root.find("transaction").remove(root.find("transaction/t_to")), "not one to side"),
        (
            lambda root: root.find("transaction/t_to/to_account/account_name").__setattr__(
                "text", "^Ann Lee$"
            ),
            "characters",
        ),
    ],
)
def test_what_breaks_the_form_is_found(change, said):
    root, _, _ = made()
    change(root)
    assert any(said in one for one in problems(etree.tostring(root)))


def party(name, more=""):
    return f"<party><name>{name}</name>{more}</party>".encode()


def test_read_to_the_letter_the_traps_would_refuse_every_name():
    letter = etree.parse(str(ANCHORED))
    for node in letter.iter("{*}assert", "{*}element"):
        if node.get("name") == "only_11" or "assert" in node.tag:
            node.getparent().remove(node)
    for node in letter.iter("{*}pattern"):
        node.set("value", node.get("value").replace("9-+", r"9+\-"))
    schema = etree.XMLSchema(letter)
    assert not schema.validate(etree.fromstring(party("Ann Lee")))
    assert schema.validate(etree.fromstring(party("^Ann Lee$")))
    with pytest.raises(etree.XMLSchemaParseError):
        etree.XMLSchema(etree.parse(str(ANCHORED)))  # the range that runs backwards, and the assertion


def test_repaired_it_takes_names_and_refuses_anchors():
    schema = load_schema(ANCHORED)
    assert faults(party("Ann Lee"), schema) == ()
    assert faults(party("Ann Lee", "<email>a-b+c@example.org</email>"), schema) == ()
    assert "line 1" in faults(party("^Ann Lee$"), schema)[0]
    assert faults(party("Ann", "<email>a b@example.org</email>"), schema)
    assert faults(party("Ann", "<only_11>x</only_11>"), schema)


@pytest.mark.parametrize(
    ("pattern", "bare"),
    [
        ("^[^0-9]*$", "[^0-9]*"),
        (r"\^a\$", r"\^a\$"),
        ("^(a|b)$", "(a|b)"),
        ("^a$|^b$", "a|b"),
        ("", ""),
    ],
)
def test_anchors_go_and_characters_stay(pattern, bare):
    assert unanchored(pattern) == bare


def test_a_schema_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.xsd").write_text("<no/>")
    for path in (tmp_path / "a.xsd", tmp_path / "absent.xsd"):
        with pytest.raises(InputError, match="cannot be used"):
            load_schema(path)
    with pytest.raises(InputError, match="not XML"):
        faults(b"<", load_schema(ANCHORED))


@pytest.mark.skipif(
    "LIGHTSHIP_GOAML_XSD" not in os.environ,
    reason="LIGHTSHIP_GOAML_XSD names no schema: it is the FIU's to give, not ours",
)
def test_the_fius_own_schema_takes_a_report():
    schema = load_schema(Path(os.environ["LIGHTSHIP_GOAML_XSD"]))
    assert faults(made()[2], schema) == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("currency =", "money ="),
        lambda text: text.replace('cash = "B"', ""),
        lambda text: text.replace("transmode_comment", "mood"),
        lambda text: text.replace('"gender"', '"mood"'),
        lambda text: text + "[",
    ],
)
def test_a_profile_that_cannot_be_used_is_refused(change):
    with pytest.raises(PolicyError):
        parse_profile(change(GENERIC), "generic")


@pytest.mark.parametrize("text", ["", "rentity_id = 'x'", FILER + "[customers.p1]\nmood = 1\n", "["])
def test_a_filer_that_cannot_be_read_is_refused(text):
    with pytest.raises(InputError):
        parse_filer(text, "filer")


def test_two_different_people_stand_for_what_is_final():
    for one, two, own in (("", "", True), ("Ann", "", True), ("Ann", " ann ", True), ("Ann", "Bea", False)):
        with pytest.raises(AccessDenied):
            standing(one, two, final=True, own_narrative=own)
    agreed = standing("Ann", "Bea", final=True, own_narrative=True)
    assert "NOT FILED" in agreed.words
    assert "DRAFT" in standing("", "", final=False, own_narrative=False).words


@pytest.mark.parametrize("text", ["", " ", "x" * 8001, "DRAFT, NOT REPORTED. But fine."])
def test_a_narrative_that_is_no_persons_is_refused(text):
    with pytest.raises(InputError):
        own_words(text, "narrative.txt", 8000)


def test_the_uk_worksheet_has_the_parts_in_order():
    text = worksheet(report()).decode()
    heads = [line for line in text.splitlines() if line.startswith("== ")]
    assert heads == ["== HEADER ==", "== MAIN SUBJECT ==", "== ASSOCIATED SUBJECTS ==", "== TRANSACTIONS ==", "== REASON FOR SUSPICION =="]  # fmt: skip
    assert "Name: UNKNOWN" in text
    assert "DRAFT, NOT REPORTED" in text.splitlines()[1]
    assert "XXV3XX" in text


def test_fincen_fields_carry_the_published_keywords():
    import json

    fields = json.loads(fincen_fields(report(), NOTICES, "fincen.toml"))
    assert fields["2 filing institution note"] == "OCSE-FIN-2021-NTC3"
    assert fields["38(z) other"] == "OCSE"
    assert fields["narrative"].startswith("OCSE-FIN-2021-NTC3")
    assert fields["43 IP address and time"] == "UNKNOWN"
    with pytest.raises(PolicyError, match="No notice"):
        fincen_fields(report(), "notices = []", "fincen.toml")
    with pytest.raises(PolicyError, match="refused"):
        fincen_fields(report(), "[", "fincen.toml")
