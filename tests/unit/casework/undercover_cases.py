"""Made-up applications and people for the tests of the undercover register."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from lightship import packs
from lightship.casework.authorisation_rules import Rules, parse_rules
from lightship.core.undercover import Application, Authorisation

FULL, TOP, URGENT = "assistant chief constable", "chief constable", "superintendent"


@cache
def rules() -> Rules:
    where, text = packs.read("undercover", "gb", ".toml", "rules")
    return parse_rules(text, str(where))


def asked(**changes: str) -> Application:
    plain = Application(
        source="S-17",
        source_kind="officer",
        investigation="INV-1",
        operation_id="OP-1",
        applicant="Ash",
        handler="Birch",
        cover="Cedar",
        controller="Dale",
        record_keeper="Elm",
        ground="prevent-or-detect-crime-or-disorder",
        conduct="Keep one account on one platform in use for the investigation.",
        necessity="The paying customer is known only by this handle, and no other enquiry can reach him.",
        proportionality="Two months of records gave nothing; one account intrudes least.",
        collateral="Others in the room are neither recorded nor kept.",
        confidential="None is likely; if any comes it is sealed and reported.",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def soon(moment: datetime, days: int = 28) -> date:
    return (moment + timedelta(days=days)).date()


def granted(moment: datetime, id_: str = "A-1", **changes: str) -> Authorisation:
    from lightship.casework import authorisation

    new = authorisation.apply_for(id_, asked(**changes), moment, rules())
    return authorisation.grant(new, "Fir", FULL, moment, soon(moment), (), rules())
