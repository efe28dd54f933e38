"""What is owed for what was detected: detections, duties, filings, holds, clocks and papers. Frozen; no I/O.

Times are aware UTC. Which authority, priority, period and wording the law asks for is dated data
(``packs/jurisdictions/``); here is only what such a rule decides about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DutyState = Literal["open", "owed", "not-owed", "filed", "closed"]
FilingState = Literal["building", "refused", "ready", "sending", "waiting", "filed", "retracted"]
FoundBy = Literal["machine", "report", "person"]
Post = Literal["accountable", "administrator", "replacement", "authorised"]


@dataclass(frozen=True, slots=True)
class Held:
    """A field that the provider has.

    Parameters
    ----------
    value
        As it goes out; several where the field repeats.
    """

    value: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotHeld:
    """A field that the provider does not have: no report waits for it.

    Parameters
    ----------
    because
        Why, in words that the authority reads.
    """

    because: str


Fields = Mapping[str, Held | NotHeld]
"""A report's fields by the names of the jurisdiction's field list; every name of it is there, as one or the other."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Something that was found and may have to be reported.

    Parameters
    ----------
    label
        A kind of the jurisdiction's crosswalk, such as ``"csea-livestream"``.
    aware_at
        When the provider became aware: every clock of the law runs from here.
    facts
        What the chooser of the authority goes by, as ``name=value``: where the provider is, its links to the country,
        whether arrangements to report abroad cover it, identifiers of earlier reports.
    live_danger
        Whether abuse was going on, or a child in danger, when it was found.
    """

    id: str
    case_id: str
    stream_id: str
    label: str
    found_by: FoundBy
    basis: str
    aware_at: datetime
    facts: tuple[str, ...] = ()
    live_danger: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """What is owed for a detection: one, to one authority.

    Parameters
    ----------
    id
        That of its detection: a detection has exactly one duty.
    authority
        Whom it is owed to, by the jurisdiction's name for it; empty while that is open or where nothing is owed.
    priority
        Such as ``"P1"``; empty where the jurisdiction has none.
    rule
        Digest of the dated rules that decided.
    facts
        The facts used, so that the decision can be reproduced.
    reason
        In words: why owed, why not, why this authority.
    due_at
        When it is late: by the law where that names a time, else by the service's own target.
    reference
        What the authority gave back.
    """

    id: str
    case_id: str
    state: DutyState
    aware_at: datetime
    authority: str = ""
    priority: str = ""
    rule: str = ""
    facts: tuple[str, ...] = ()
    reason: str = ""
    due_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    reference: str = ""
    filed_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """One report on its way to one authority, or a supplement to an earlier one.

    Parameters
    ----------
    id
        The idempotency key: made before the first step, the same on every retry.
    adapter
        ``"cybertip"``, ``"worksheet"``, or another that was registered.
    step
        The last step that was completed, in the adapter's own words; a resumed filing goes on after it. One that ends
        in ``?`` was begun, and nobody knows whether it was completed.
    snapshot
        Content address of the exhibit that holds exactly what was or will be sent.
    remote
        The authority's own number of the opened report, before it is final.
    reference
        What stands for it from then on, once filed.
    declared_by, declared_at
        The person who bound themselves to what it says.
    opened_at, changed_at
        From when the authority counts its time-outs.
    problem
        Why it is refused or waits, in words.
    """

    id: str
    duty_id: str
    authority: str
    adapter: str
    state: FilingState
    opened_at: datetime
    changed_at: datetime
    step: str = ""
    snapshot: str = ""
    supplement_of: str = ""
    remote: str = ""
    reference: str = ""
    files: tuple[str, ...] = ()
    declared_by: str = ""
    declared_at: datetime | None = None
    attempts: int = 0
    next_at: datetime | None = None
    filed_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to keep an exhibit beyond its day; it may have several, and is kept while any stands.

    Parameters
    ----------
    basis
        The order, duty or proceedings it rests on.
    lifted_why
        Why it was lifted.
    """

    id: str
    exhibit_id: str
    case_id: str
    basis: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lifted_why: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time that runs: an authority's question, an intimate-image report, a request to erase, a target.

    Parameters
    ----------
    kind
        The rule's id among the jurisdiction's clocks.
    about
        The id of the duty, case, exhibit or report that it runs for.
    words
        What is asked, in words, without content.
    outcome
        What ended it, or why it was missed.
    """

    id: str
    kind: str
    about: str
    began_at: datetime
    due_at: datetime
    words: str = ""
    reference: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """That a person holds a post from one day to another.

    Parameters
    ----------
    account
        At the console; empty for somebody who does not sign in.
    trained_until
        Until when their training for the post holds.
    """

    id: str
    post: Post
    name: str
    account: str
    begins_at: datetime
    ends_at: datetime | None = None
    trained_until: datetime | None = None
    registered_as: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """One version of a document that the law wants kept: it is never changed, only followed by another.

    Parameters
    ----------
    id
        Its digest and version.
    kind
        ``"assessment"``, ``"measures"``, ``"statement"``, ``"notice-answer"``, ``"transparency"``...
    subject
        The service, period or notice it is about.
    body
        Canonical JSON.
    configuration
        Digest of the running configuration when it was made.
    before
        The version that it follows; empty for none.
    """

    id: str
    kind: str
    subject: str
    version: int
    made_at: datetime
    author: str
    body: str
    configuration: str = ""
    before: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
