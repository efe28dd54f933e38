"""goAML: a report as XML, in the form that a country's profile describes. A draft until two people stand for it.

The order of elements is that of the published schema. Codes, needs and limits are data, ``goaml-*.toml`` in
``packs/payments``. The schema itself is not ours to pass on: :mod:`lightship.exchange.goaml_schema` checks against the
copy that an institution has.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lightship.core.errors import InputError, PolicyError
from lightship.core.payments import RAILS
from lightship.exchange.goaml_schema import parsed
from lightship.exchange.report_draft import UNKNOWN, Party, ReportDraft, Transfer

REPORT = (
    "schema_version", "rentity_id", "rentity_branch", "submission_code", "report_code", "entity_reference",
    "fiu_ref_number", "submission_date", "currency_code_local", "reporting_person", "location", "reason", "action",
    "transaction", "report_indicators",
)  # fmt: skip
TRANSACTION = (
    "transactionnumber", "internal_ref_number", "transaction_location", "transaction_description", "date_transaction",
    "value_date", "transmode_code", "transmode_comment", "amount_local", "t_from_my_client", "t_from", "t_to_my_client",
    "t_to", "comments",
)  # fmt: skip
PERSON = (
    "gender", "title", "first_name", "middle_name", "prefix", "last_name", "birthdate", "birth_place", "mothers_name",
    "alias", "ssn", "passport_number", "passport_country", "id_number", "nationality1", "nationality2", "nationality3",
    "residence", "phones", "addresses", "email", "occupation", "employer_name", "identification", "tax_number",
    "tax_reg_number", "source_of_wealth", "comments",
)  # fmt: skip
_INNER: dict[str, tuple[str, ...]] = {
    "phone": ("tph_contact_type", "tph_communication_type", "tph_country_prefix", "tph_number"),
    "address": ("address_type", "address", "town", "city", "zip", "country_code", "state"),
    "identification": ("type", "number", "issue_date", "expiry_date", "issued_by", "issue_country"),
    "reporting_person": PERSON,
    "location": ("address_type", "address", "town", "city", "zip", "country_code", "state"),
}
_LISTS = {"phones": "phone", "addresses": "address"}
_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .'-")
"""What a name may be written with in the published schema."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one country's goAML wants.

    Parameters
    ----------
    transaction
        Elements that each transaction has there, with their text.
    customer_needs
        Facts without which a customer does not stand as ``my client``.
    """

    name: str
    version: str
    schema_version: str
    report_code: str
    submission_code: str
    currency: str
    unknown_country: str
    reason_limit: int
    transaction: Mapping[str, str]
    customer_needs: tuple[str, ...]
    transmode: Mapping[str, str]
    funds: Mapping[str, str]
    indicators: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Filer:
    """Who reports, and what they know of their customers.

    Parameters
    ----------
    branch
        Of the institution; empty where the form is to have none.
    person
        The reporting person, by the form's names of fields.
    customers
        Facts by customer, by the form's names of fields.
    """

    rentity_id: int
    institution: str
    institution_code: str
    branch: str
    person: Mapping[str, Any]
    location: Mapping[str, Any]
    customers: Mapping[str, Mapping[str, Any]]


def parse_profile(text: str, where: str) -> Profile:
    """Return the profile that a file describes.

    Raises
    ------
    PolicyError
        If a field is missing or of another type, or a rail has no code.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        values = {name: table[name] for name in Profile.__dataclass_fields__}
        values["customer_needs"] = tuple(values["customer_needs"])
        values["indicators"] = {name: tuple(codes) for name, codes in values["indicators"].items()}
        profile = Profile(**values)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"The goAML profile is refused: {error}.", where, "Correct it.") from error
    for name, codes in (("transmode", profile.transmode), ("funds", profile.funds)):
        if missing := sorted(set(RAILS) - set(codes)):
            raise PolicyError(f"{name} has no code for {missing[0]!r}.", where, "Give each rail one.")
    if odd := sorted(set(profile.transaction) - set(TRANSACTION)):
        raise PolicyError(f"{odd[0]!r} is no element of a transaction.", where, "Correct it.")
    if odd := sorted(set(profile.customer_needs) - set(PERSON)):
        raise PolicyError(f"{odd[0]!r} is no fact of a person.", where, "Correct it.")
    return profile


def parse_filer(text: str, where: str) -> Filer:
    """Return who reports.

    Raises
    ------
    InputError
        If a field is missing or of another type.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        filer = Filer(
            int(table["rentity_id"]),
            table["institution"],
            table["institution_code"],
            table.get("branch", ""),
            table.get("person", {}),
            table.get("location", {}),
            table.get("customers", {}),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Who reports cannot be read: {error}.", where, "See docs/guides/payments.md."
        ) from error
    for id_, facts in filer.customers.items():
        if odd := sorted(set(facts) - set(PERSON)):
            raise InputError(
                f"{odd[0]!r} is no fact of a person.", f"{where}, customers.{id_}", "Use the form's names."
            )
    return filer


def goaml(draft: ReportDraft, profile: Profile, filer: Filer, on: date) -> tuple[bytes, tuple[str, ...]]:
    """Return the XML of a report, and what a person must still add.

    Parameters
    ----------
    on
        The day that stands as that of submission.

    Raises
    ------
    InputError
        If a payment has no amount in the report's currency, or the narrative is too long for the country.
    """
    from lxml import etree

    if len(draft.narrative) > profile.reason_limit:
        raise InputError(
            f"The narrative has {len(draft.narrative):,} characters; here it may have {profile.reason_limit:,}.",
            draft.alert,
            "Give a shorter one with --narrative.",
        )
    report = etree.Element("report")
    missing: list[str] = []
    codes = profile.indicators.get(draft.typology, ())
    if not codes:
        missing.append(f"an indicator code for {draft.typology}")
    parties = {party.id: party for party in (draft.subject, *draft.others)}
    head = {
        "schema_version": profile.schema_version,
        "rentity_id": str(filer.rentity_id),
        "rentity_branch": _text(filer.branch),
        "submission_code": profile.submission_code,
        "report_code": profile.report_code,
        "entity_reference": draft.alert,
        "submission_date": f"{on.isoformat()}T00:00:00",
        "currency_code_local": profile.currency,
        "reporting_person": filer.person,
        "location": filer.location,
        "reason": _text(draft.narrative),
        "action": _text(draft.standing.words),
    }
    _fill(report, head, REPORT)
    for transfer in draft.transfers:
        node = etree.SubElement(report, "transaction")
        _transaction(node, transfer, parties, profile, filer, missing)
    if codes:
        indicators = etree.SubElement(report, "report_indicators")
        for code in codes:
            etree.SubElement(indicators, "indicator").text = code
    report.insert(0, etree.Comment(f" {draft.standing.words.replace('--', '-')} "))
    etree.indent(report)
    xml = etree.tostring(report, xml_declaration=True, encoding="UTF-8")
    return xml + b"\n", tuple(dict.fromkeys(missing))


def problems(xml: bytes) -> tuple[str, ...]:
    """Return what is wrong with a report by the rules that all schemas share: elements, their order, sides and names.

    Raises
    ------
    InputError
        If it is no XML.
    """
    report = parsed(xml)
    found = [] if report.tag == "report" else [f"the root is {report.tag}, not report"]
    optional = {
        "schema_version",
        "rentity_branch",
        "fiu_ref_number",
        "reporting_person",
        "location",
        "action",
    }
    found += _order(report, REPORT, set(REPORT) - optional)
    for node in report.iter("transaction"):
        number = node.findtext("transactionnumber", UNKNOWN)
        needed = {"transactionnumber", "date_transaction", "transmode_code", "amount_local"}
        found += [f"transaction {number}: {one}" for one in _order(node, TRANSACTION, needed)]
        for side in ("from", "to"):
            sides = [one for one in node if one.tag in {f"t_{side}", f"t_{side}_my_client"}]
            kinds = [
                child.tag
                for one in sides
                for child in one
                if child.tag in {f"{side}_account", f"{side}_person", f"{side}_entity"}
            ]
            if len(sides) != 1 or len(kinds) != 1:
                found.append(f"transaction {number}: there is not one {side} side with one party")
    for tag in ("account_name", "first_name", "middle_name", "last_name", "name"):
        for node in report.iter(tag):
            if not node.text or not _NAMES.issuperset(node.text):
                found.append(f"{tag} {node.text!r} has characters that a name may not have")
    return tuple(found)


def _order(node: Any, order: Sequence[str], needed: set[str]) -> list[str]:
    tags = [child.tag for child in node if isinstance(child.tag, str)]
    found = [f"{tag} is no element of {node.tag}" for tag in dict.fromkeys(tags) if tag not in order]
    found += [f"{tag} is missing" for tag in order if tag in needed and tag not in tags]
    places = [order.index(tag) for tag in tags if tag in order]
    return found + ([f"the elements of {node.tag} are out of order"] if places != sorted(places) else [])


def _transaction(
    node: Any, one: Transfer, parties: Mapping[str, Party], profile: Profile, filer: Filer, missing: list[str]
) -> None:
    if one.local is None:
        raise InputError(
            f"The payment is in {one.currency}, the report in {profile.currency}, and no rate is known.",
            f"payment {one.payment}",
            "Give rates with --rates.",
        )
    timed = "T" in one.at
    said = [_text(one.text or ""), "" if timed else "The time of day is not known."]
    values = {
        **{name: text for name, text in profile.transaction.items() if text},
        "transactionnumber": one.payment,
        "transaction_description": " ".join(filter(None, said)),
        "date_transaction": one.at if timed else f"{one.at}T00:00:00",  # the schema knows no day alone
        "transmode_code": profile.transmode[one.rail],
        "amount_local": one.local,
    }
    _fill(node, values, TRANSACTION)
    for side, id_, country in (("from", one.payer, one.payer_country), ("to", one.payee, one.payee_country)):
        _side(node, side, parties[id_], country, one, profile, filer, missing)


def _side(
    node: Any,
    side: str,
    party: Party,
    country: str | None,
    one: Transfer,
    profile: Profile,
    filer: Filer,
    missing: list[str],
) -> None:
    from lxml import etree

    lacks = [need for need in profile.customer_needs if need not in party.facts]
    mine = party.customer and not lacks
    if party.customer and lacks:
        missing.append(f"of customer {party.id}: {', '.join(lacks)}")
    place = etree.SubElement(node, f"t_{side}_my_client" if mine else f"t_{side}")
    etree.SubElement(place, f"{side}_funds_code").text = profile.funds[one.rail]
    if one.currency != profile.currency:
        foreign = etree.SubElement(place, f"{side}_foreign_currency")
        etree.SubElement(foreign, "foreign_currency_code").text = one.currency
        etree.SubElement(foreign, "foreign_amount").text = one.amount
    if mine:
        _fill(etree.SubElement(place, f"{side}_person"), party.facts, PERSON)
    else:
        account = etree.SubElement(place, f"{side}_account")
        institution = filer.institution if party.customer else (one.via or UNKNOWN)
        etree.SubElement(account, "institution_name").text = _text(institution)[:255]
        etree.SubElement(account, "institution_code").text = (
            filer.institution_code if party.customer else UNKNOWN
        )
        etree.SubElement(account, "account").text = _text(party.id)[:255]
        etree.SubElement(account, "account_name").text = latin(party.name or UNKNOWN)
        if party.name and latin(party.name) != party.name:
            etree.SubElement(account, "comments").text = f"Name as given: {_text(party.name)}"
    etree.SubElement(place, f"{side}_country").text = country or profile.unknown_country


def latin(name: str) -> str:
    """Return a name in the letters that the schema takes; what has none is UNKNOWN, and stands in the comments.

    Examples
    --------
    >>> latin("Zoë O'Núñez"), latin("孙")
    ("Zoe O'Nunez", 'UNKNOWN')
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if c in _NAMES)
    return " ".join(bare.split())[:255] if any(c.isalpha() for c in bare) else UNKNOWN


def _fill(node: Any, values: Mapping[str, Any], order: Sequence[str]) -> None:
    """Add elements in the schema's order; what is empty is left out."""
    from lxml import etree

    for name in order:
        value = values.get(name)
        if value in (None, "", {}, []):
            continue
        if name in _LISTS:
            place = etree.SubElement(node, name)
            for one in value:
                _fill(etree.SubElement(place, _LISTS[name]), one, _INNER[_LISTS[name]])
        elif isinstance(value, Mapping):
            _fill(etree.SubElement(node, name), value, _INNER[name])
        else:
            etree.SubElement(node, name).text = (
                latin(str(value)) if name.endswith("_name") else _text(str(value))
            )


def _text(text: str) -> str:
    """Return text without the control characters that XML has no form for."""
    return "".join(c for c in text if c in "\n\t" or (c.isprintable() and c not in "\ufffe\uffff"))
