"""Statements of reasons for the EU's DSA Transparency Database: built, and checked before they go.

Source of the fields and closed sets: the database's API documentation (transparency.dsa.ec.europa.eu, version 2 of the
schema, in force since 1 July 2025), read at second hand. Articles 17 and 24(5) of Regulation (EU) 2022/2065.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS"),
        *("IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
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
_GROUNDS = {
    "DECISION_GROUND_ILLEGAL_CONTENT": ("illegal_content_legal_ground", "illegal_content_explanation"),
    "DECISION_GROUND_INCOMPATIBLE_CONTENT": (
        "incompatible_content_ground",
        "incompatible_content_explanation",
    ),
}
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
    for name in (*_REQUIRED, *_GROUNDS.get(str(statement.get("decision_ground")), ())):
        if not statement.get(name):
            yield f"{name}: missing"
    if not any(statement.get(name) for name in _STEMS):
        yield f"{', '.join(_STEMS)}: one at least is needed"
    if statement.get("source_type") == "SOURCE_TRUSTED_FLAGGER" and not statement.get("source_identity"):
        yield "source_identity: missing, of a trusted flagger"
    for name, value in statement.items():
        yield from (f"{name}: {wrong}" for wrong in _field(name, value))


def _field(name: str, value: Any) -> Iterator[str]:
    if (name in _MANY) is not isinstance(value, list | tuple):
        yield "a list is needed" if name in _MANY else "one value is needed"
    elif name != "content_id":
        for one in value if name in _MANY else [value]:
            wrong = _wrong(name, one) if isinstance(one, str) else "no text"
            if wrong:
                yield wrong


def _wrong(name: str, text: str) -> str:
    """Return what is wrong with a value; empty if nothing is."""
    if name in CLOSED:
        return "" if text in CLOSED[name] else f"“{text[:60]}” is none of its values"
    most = _MOST.get(name, 5000)
    if len(text) > most:
        return f"{len(text)} characters, {most} at most"
    right, said = _RULES.get(name, (None, ""))
    return "" if right is None or right(text) else f"“{text[:40]}” {said}"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_id(text: str) -> bool:
    return all(char.isascii() and (char.isalnum() or char in "-_") for char in text)


_RULES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    **dict.fromkeys(_DATES, (_is_day, "is no day")),
    "territorial_scope": (STATES.__contains__, "is no state of the EEA"),
    "puid": (_is_id, "has more than letters, digits, - and _"),
    "decision_ground_reference_url": (
        lambda text: urlsplit(text).scheme in {"http", "https"},
        "is no address",
    ),
    "category": (lambda text: text.startswith("STATEMENT_CATEGORY_"), "is no category"),
    "category_addition": (lambda text: text.startswith("STATEMENT_CATEGORY_"), "is no category"),
    "category_specification": (lambda text: text.startswith("KEYWORD_"), "is no keyword"),
}
"""What a field's text must be like, where it is of no closed set."""


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
