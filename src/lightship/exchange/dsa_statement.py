"""Statements of reasons for the EU's DSA Transparency Database: built, and checked before they go.

Source of the fields and closed sets: the database's API documentation (transparency.dsa.ec.europa.eu, version 2 of the
schema, in force since 1 July 2025), read at second hand. Articles 17 and 24(5) of Regulation (EU) 2022/2065.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from lightship.core.errors import InputError

MOST_AT_ONCE = 100
"""Statements in one call of the interface."""

_DECISIONS = {
    "decision_visibility": (
        *("REMOVED", "DISABLED", "DEMOTED", "AGE_RESTRICTED", "INTERACTION_RESTRICTED", "LABELLED"),
        "OTHER",
    ),
    "decision_monetary": ("SUSPENSION", "TERMINATION", "OTHER"),
    "decision_provision": (
        *("PARTIAL_SUSPENSION", "TOTAL_SUSPENSION", "PARTIAL_TERMINATION", "TOTAL_TERMINATION"),
    ),
    "decision_account": ("SUSPENDED", "TERMINATED"),
}
_STEMS = {
    "decision_visibility": "DECISION_VISIBILITY_CONTENT_",
    "decision_monetary": "DECISION_MONETARY_",
    "decision_provision": "DECISION_PROVISION_",
    "decision_account": "DECISION_ACCOUNT_",
}
CLOSED: Mapping[str, frozenset[str]] = {
    **{
        field: frozenset(
            "DECISION_VISIBILITY_OTHER"
            if (field, one) == ("decision_visibility", "OTHER")
            else _STEMS[field] + one
            for one in values
        )
        for field, values in _DECISIONS.items()
    },
    "decision_ground": frozenset({"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"}),
    "content_type": frozenset(
        f"CONTENT_TYPE_{one}"
        for one in ("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")
    ),
    "source_type": frozenset(
        {"SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"}
    ),
    "automated_detection": frozenset({"Yes", "No"}),
    "automated_decision": frozenset(
        {"AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"}
    ),
    "account_type": frozenset({"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"}),
    "incompatible_content_illegal": frozenset({"Yes", "No"}),
}
"""Fields whose values are closed sets."""

STATES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)
"""Of the EEA: what the territorial scope may name."""

_MOST = {
    "decision_facts": 5000,
    "illegal_content_legal_ground": 500,
    "illegal_content_explanation": 2000,
    "incompatible_content_ground": 500,
    "incompatible_content_explanation": 2000,
    "puid": 500,
    "decision_ground_reference_url": 500,
}
_REQUIRED = (
    *("decision_ground", "category", "content_type", "content_date", "application_date", "decision_facts"),
    *("source_type", "automated_detection", "automated_decision", "puid", "territorial_scope"),
)
_DATES = (
    *("content_date", "application_date", "end_date_visibility_restriction", "end_date_monetary_restriction"),
    *("end_date_service_restriction", "end_date_account_restriction"),
)
_OTHERS = (
    *("category", "category_addition", "category_specification", "category_specification_other"),
    *("content_type_other", "content_language", "decision_visibility_other", "decision_monetary_other"),
    *("source_identity", "content_id"),
)
_MANY = frozenset(
    {
        "decision_visibility",
        "content_type",
        "territorial_scope",
        "category_addition",
        "category_specification",
    }
)
FIELDS = frozenset({*CLOSED, *_MOST, *_REQUIRED, *_DATES, *_OTHERS})
"""All fields of a statement."""


def problems(statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a statement, each with the name of its field."""
    for name in sorted(set(statement) - FIELDS):
        yield f"{name}: not a field"
    for name in _REQUIRED:
        if not statement.get(name):
            yield f"{name}: missing"
    if not any(statement.get(name) for name in _STEMS):
        yield f"{', '.join(_STEMS)}: one at least is needed"
    for name, value in statement.items():
        if (name in _MANY) is not isinstance(value, list | tuple):
            yield f"{name}: {'a list' if name in _MANY else 'one value'} is needed"
            continue
        yield from _value(name, list(value) if name in _MANY else [value])
    ground = statement.get("decision_ground")
    stem = "illegal" if ground == "DECISION_GROUND_ILLEGAL_CONTENT" else "incompatible"
    names = ("illegal_content_legal_ground", "illegal_content_explanation")
    if stem == "incompatible":
        names = ("incompatible_content_ground", "incompatible_content_explanation")
    for name in names:
        if not statement.get(name):
            yield f"{name}: missing, on the ground {ground}"
    if statement.get("source_type") == "SOURCE_TRUSTED_FLAGGER" and not statement.get("source_identity"):
        yield "source_identity: missing, of a trusted flagger"


def _value(name: str, values: list[Any]) -> Iterator[str]:
    for one in values:
        if name == "content_id":
            continue
        if not isinstance(one, str):
            yield f"{name}: no text"
        elif name in CLOSED and one not in CLOSED[name]:
            yield f"{name}: “{one[:60]}” is none of its values"
        elif len(one) > _MOST.get(name, 5000):
            yield f"{name}: {len(one)} characters, {_MOST[name] if name in _MOST else 5000} at most"
        elif name in _DATES and not _is_day(one):
            yield f"{name}: “{one[:40]}” is no day"
        elif name == "territorial_scope" and one not in STATES:
            yield f"{name}: “{one[:10]}” is no state of the EEA"
        elif name == "puid" and not all(char.isascii() and (char.isalnum() or char in "-_") for char in one):
            yield "puid: letters, digits, - and _ only"
        elif name == "decision_ground_reference_url" and urlsplit(one).scheme not in {"http", "https"}:
            yield f"{name}: no address"
        elif name.startswith("category") and not name.endswith("other"):
            stem = "KEYWORD_" if name == "category_specification" else "STATEMENT_CATEGORY_"
            if not one.startswith(stem):
                yield f"{name}: “{one[:60]}” does not begin with {stem}"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def checked(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement that is right.

    Raises
    ------
    InputError
        Naming each field that is not.
    """
    wrong = list(problems(statement))
    if wrong:
        raise InputError(
            f"The statement of reasons is refused: {'; '.join(wrong)}.",
            f"statement {str(statement.get('puid', ''))[:40]}",
            "Correct the fields that are named.",
        )
    return dict(statement)
