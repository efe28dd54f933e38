"""Statements of reasons for what was done in a period: one for each act that restricted somebody, nobody named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lightship.core.cases import Case, Effect, Judgement
from lightship.core.duties import Detection
from lightship.duties.crosswalk import Crosswalk
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.exchange.dsa_statement import checked

_ACTS: dict[str, dict[str, Any]] = {
    "cover": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"]},
    "stop-stream": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"]},
    "revoke-key": {"decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION"},
}
"""What each act is called there; acts that restrict nobody have no statement."""

_GROUND = "Illegal content within the meaning of Article 3(h) of Regulation (EU) 2022/2065."
FALLBACK = "csea-other"


def reasons(
    source: Source, period: Period, crosswalk: Crosswalk, states: Sequence[str], key: bytes
) -> Iterator[dict[str, Any]]:
    """Yield a checked statement for each act that was confirmed in the period.

    An act that was taken back has none: it restricts nobody any more. The statement names neither stream nor host, and
    its own id is one that only the platform can trace to the act.

    Parameters
    ----------
    states
        Where the restriction holds.
    key
        Secret, so that ids cannot be guessed.

    Raises
    ------
    InputError
        If a statement is not right.
    """
    labels = dict(
        source.rows(Detection, ("case_id", "label"), "aware_at", period.before(3)[0].begins, period.ends)
    )
    people = {
        case
        for case, verdict in source.rows(
            Judgement, ("case_id", "verdict"), "at", period.before(3)[0].begins, period.ends
        )
        if verdict == "abuse"
    }
    undone = {
        undoes
        for (undoes,) in source.rows(
            Effect, ("undoes",), "ordered_at", period.before(3)[0].begins, period.ends
        )
        if undoes
    }
    fields = ("id", "kind", "case_id", "ordered_by", "done_at", "undoes")
    of = (Case, "case_id", ("opened_by", "aware_at"))
    for id_, kind, case, by, done_at, undoes, opener, aware_at in source.rows(
        Effect, fields, "done_at", period.begins, period.ends, of=of
    ):
        if kind not in _ACTS or undoes or id_ in undone:
            continue
        label = labels.get(case, FALLBACK)
        yield statement(
            id_,
            kind,
            label if label in crosswalk.ids else FALLBACK,
            crosswalk,
            states,
            key,
            by_machine=str(by).startswith("policy "),
            confirmed=case in people,
            reported=opener == "report",
            content_at=aware_at or done_at,
            done_at=done_at,
        )


def statement(
    act_id: str,
    kind: str,
    label: str,
    crosswalk: Crosswalk,
    states: Sequence[str],
    key: bytes,
    *,
    by_machine: bool,
    confirmed: bool,
    reported: bool,
    content_at: datetime,
    done_at: datetime,
) -> dict[str, Any]:
    """Return the statement of one act.

    Raises
    ------
    InputError
        If it is not right.
    """
    category, keyword = crosswalk.to("dsa", label)
    said = next(one.says for one in crosswalk.labels if one.id == label)
    how = "A machine stopped it" if by_machine else "A person decided it"
    then = " and a person confirmed it" if by_machine and confirmed else ""
    return checked(
        {
            **_ACTS[kind],
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": _GROUND,
            "illegal_content_explanation": f"{said}.",
            "category": category,
            "category_specification": [keyword],
            "content_type": ["CONTENT_TYPE_VIDEO"],
            "content_date": content_at.date().isoformat(),
            "application_date": done_at.date().isoformat(),
            "decision_facts": f"A live stream. {'A user reported it. ' if reported else ''}{how}{then}.",
            "source_type": "SOURCE_TYPE_OTHER_NOTIFICATION" if reported else "SOURCE_VOLUNTARY",
            "automated_detection": "No" if reported else "Yes",
            # a person's verdict afterwards makes the act no less automatic when it was taken
            "automated_decision": f"AUTOMATED_DECISION_{'FULLY' if by_machine else 'NOT_AUTOMATED'}",
            "territorial_scope": list(states),
            "puid": hashlib.blake2b(act_id.encode(), key=key[:64], digest_size=16).hexdigest(),
        }
    )
