"""What any authority's report is made from: the parties, the transfers, the narrative, and who stands for it.

A machine drafts; a person files. A draft becomes final only when two different people are named and a person gave the
narrative; and even then nothing here sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightship.core.errors import AccessDenied, InputError

UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a report.

    Parameters
    ----------
    customer
        Whether it is the reporter's own.
    facts
        What the reporter adds from the customer's file, by the field's name in the form.
    """

    id: str
    customer: bool
    name: str | None
    country: str | None
    kind: str = UNKNOWN
    opened: str | None = None
    born_year: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment in a report.

    Parameters
    ----------
    amount, local
        Decimal text, in its own currency and in that of the report; `local` is None where no rate is known.
    at
        ISO 8601 to the second, UTC; the day alone where the time of day is not known.
    """

    payment: str
    at: str
    payer: str
    payee: str
    amount: str
    currency: str
    local: str | None
    rail: str
    via: str | None
    payer_country: str | None
    payee_country: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Who made a draft and who agreed to it.

    Parameters
    ----------
    final
        Agreed by two people. It is not filed by that: filing is their act.
    """

    prepared_by: str = ""
    approved_by: str = ""
    final: bool = False

    @property
    def words(self) -> str:
        """Return the standing as it is written on the form."""
        if self.final:
            people = f"prepared by {self.prepared_by}, approved by {self.approved_by}"
            return f"FINAL, NOT FILED: {people}. A person files it."
        return "DRAFT, NOT REPORTED. A person checks, completes, signs and files it."


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A report before any form.

    Parameters
    ----------
    codes
        To consider, with their meaning.
    missing
        What a person must look up.
    """

    alert: str
    typology: str
    subject: Party
    others: tuple[Party, ...]
    transfers: tuple[Transfer, ...]
    narrative: str
    codes: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    standing: Standing


def standing(prepared_by: str, approved_by: str, *, final: bool, own_narrative: bool) -> Standing:
    """Return how far a report has come.

    Parameters
    ----------
    own_narrative
        Whether a person gave the narrative; a machine's draft never becomes final.

    Raises
    ------
    AccessDenied
        If it is to be final without two different people, or with a machine's narrative.
    """
    one, two = prepared_by.strip(), approved_by.strip()
    if final and (not one or not two or one.casefold() == two.casefold()):
        raise AccessDenied(
            "Two different people stand for a report that is final.",
            "--prepared-by, --approved-by",
            "Name who prepared it and who else approved it.",
        )
    if final and not own_narrative:
        raise AccessDenied(
            "A draft's narrative does not become final by itself.",
            "--narrative",
            "Give the text that the two people agreed on.",
        )
    return Standing(one, two, final)


def own_words(text: str, where: str, limit: int) -> str:
    """Return a person's narrative.

    Raises
    ------
    InputError
        If it is empty, too long, or still says that it is a draft.
    """
    text = text.strip()
    if not text or len(text) > limit:
        raise InputError(
            f"The narrative has {len(text):,} characters; it may have 1 to {limit:,}.",
            where,
            "Shorten it, or write it.",
        )
    if "DRAFT, NOT REPORTED" in text:
        raise InputError(
            "The narrative still says that it is a draft.", where, "Complete it, then take out that line."
        )
    return text
