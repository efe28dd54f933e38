"""What an undercover unit keeps: authorisations, source records, contacts, tasks, possible errors. Frozen; no I/O.

These values live in the unit's compartment and nowhere else. Times are aware UTC. They hold authority and record, never
a persona, a script or a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Form = Literal["written", "oral_urgent", "written_urgent_only"]
"""How it was granted; the last is by somebody who may act only in urgent cases."""
State = Literal["applied", "refused", "awaiting_jc", "granted", "cancelled"]
Standing = Literal["applied", "refused", "awaiting_jc", "pending", "active", "lapsed", "cancelled"]
"""What an authorisation is worth at a moment: a state, and what the clock has made of it."""
SourceKind = Literal["officer", "other", "juvenile"]
Act = Literal[
    "apply",
    "refuse",
    "grant",
    "grant-oral",
    "write-down",
    "approve-jc",
    "refuse-jc",
    "review",
    "renew",
    "cancel",
]


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of an authorisation, with the law it went by.

    Parameters
    ----------
    sections
        Of statute, regulation or code, one for each rule that was applied.
    rules
        Those rules by id.
    version, digest
        Of the file of rules.
    unverified
        What those rules say of themselves that a person has yet to verify.
    """

    at: datetime
    act: Act
    by: str
    before: State | None
    after: State
    sections: tuple[str, ...]
    rules: tuple[str, ...]
    version: str
    digest: str
    words: str = ""
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    """What is asked for, in the applicant's words.

    Parameters
    ----------
    source
        The name by which the unit refers to the source; the identity is in the source record.
    investigation
        What the time of a long-term authorisation is counted over.
    ground
        Of the Act's grounds of necessity.
    confidential
        What confidential material is likely, or why none is.
    """

    source: str
    source_kind: SourceKind
    investigation: str
    operation_id: str
    applicant: str
    handler: str
    cover: str
    controller: str
    record_keeper: str
    ground: str
    conduct: str
    necessity: str
    proportionality: str
    collateral: str
    confidential: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time for which a source was authorised, from its first moment up to, not including, its end.

    Parameters
    ----------
    first_at, ends_at
        ``ends_at`` is when it would end by itself; a cancellation cuts it short.
    """

    form: Form
    first_at: datetime
    ends_at: datetime
    authoriser: str
    rank: str
    granted_at: datetime
    written_down_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A long-term grant or renewal that waits for a Judicial Commissioner.

    Parameters
    ----------
    renewal
        Whether it would follow a period that is still running.
    """

    authoriser: str
    rank: str
    asked_at: datetime
    review_due: date
    total_days: int
    renewal: bool


@dataclass(frozen=True, slots=True)
class Review:
    """A review of the use made of a source, the tasks given and the information obtained."""

    at: datetime
    by: str
    use: str
    tasks: str
    information: str
    next_due: date


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An authorisation of the conduct or use of a source, with all that happened to it."""

    id: str
    application: Application
    state: State
    transitions: tuple[Transition, ...]
    spans: tuple[Span, ...] = ()
    waiting: Waiting | None = None
    reviews: tuple[Review, ...] = ()
    review_due: date | None = None
    cancelled_at: datetime | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ends_at(self) -> datetime | None:
        """When it ends or ended; None before it had effect."""
        if not self.spans:
            return None
        last = self.spans[-1].ends_at
        return last if self.cancelled_at is None else min(last, self.cancelled_at)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation; it is closed only when each of its authorisations is cancelled or was refused."""

    id: str
    name: str
    investigation: str
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """Who had a function for a source, and from when until when (reg. 3(h), (i))."""

    function: Literal["handler", "cover", "controller", "record-keeper"]
    person: str
    from_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The record of a source (SI 2000/2725 reg. 3); contacts, tasks and information are values of their own.

    Parameters
    ----------
    id
        How the unit refers to the source.
    identity, identity_used
        (a), (b). Under a key of their own: the need to know is judged apart (RIPA 2000 s.29(5)(e)).
    other_authorities, referred_to_as
        (c), (d): ``authority: name there``.
    security_and_welfare, risks_explained
        (e), (f): the confirmation, by whom and when.
    recruited
        (g): the day, and how.
    functions
        (h), (i).
    welfare_due, tenure_due
        The next assessment and the next review of tenure.
    """

    id: str
    identity: str
    identity_used: str
    other_authorities: tuple[str, ...]
    referred_to_as: tuple[str, ...]
    security_and_welfare: str
    risks_explained: str
    recruited: str
    functions: tuple[Filled, ...] = ()
    welfare_due: date | None = None
    tenure_due: date | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact with a source, or one use of it (reg. 3(j)-(n)); all are kept.

    Parameters
    ----------
    use
        Whether it was conduct or use of the source, which needs an authorisation in force at ``at``.
    means
        Such as ``"meeting"``, ``"call"``, ``"online"``.
    tasks, information, dissemination, payment
        (j), (l), (m), (n), in a line each; never what was said to a suspect.
    """

    id: str
    source: str
    authorisation_id: str
    at: datetime
    logged_at: datetime
    by: str
    means: str
    use: bool
    words: str
    tasks: str = ""
    information: str = ""
    dissemination: str = ""
    payment: str = ""


@dataclass(frozen=True, slots=True)
class PossibleError:
    """Something that may have to be reported to the Commissioner; a person decides, and it is never deleted."""

    id: str
    raised_at: datetime
    about: str
    words: str
    section: str
    contact: Contact | None = None
    decided_by: str = ""
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due or overdue, with its law."""

    due_at: datetime
    what: Literal[
        "expiry", "review", "write-down", "judicial-approval", "welfare", "tenure", "possible-error"
    ]
    about: str
    words: str
    section: str
    overdue: bool
