"""What an investigating body keeps: referrals, identifiers, links, inquiries, tasks, disclosures. Frozen; no I/O.

Times are aware UTC. Texts from outside are plain text and never markup. No imagery is held here, only words about it.
Undercover work has values of its own in a store of its own (:mod:`lightship.core.undercover`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Source = Literal["cybertip", "schedule-1", "financial", "platform", "hotline", "signal", "partner", "police"]
PersonRole = Literal["child", "suspect", "facilitator", "unknown"]
IdentifierKind = Literal[
    "email", "phone", "handle", "account", "wallet", "device", "payment-token", "ip", "name", "hash", "event"
]
InquiryState = Literal["new", "owned", "handed", "filed-away", "merged"]
TaskKind = Literal[
    "safeguard", "triage", "enquire", "preserve", "hand-off", "disseminate", "review", "answer"
]
TaskState = Literal["open", "done", "missed", "withdrawn"]
LinkState = Literal["proposed", "accepted", "refused", "contested"]
Verb = Literal["collection", "alteration", "consultation", "disclosure", "combination", "erasure"]

REFERRED, TAKEN_IN = "referrals", "referrals-taken-in"
"""Topics of the bus: a referral for whoever takes it in, and the answer once it is kept."""


@dataclass(frozen=True, slots=True)
class Marking:
    """How a field may be handled; the strictest of several wins, and only its originator lowers it.

    Parameters
    ----------
    gsc
        Government security classification.
    tlp, pap
        Traffic light protocol 2.0 and permissible actions protocol.
    handling
        3x5x2 handling: ``"P"`` lawful sharing permitted, ``"C"`` with conditions.
    conditions
        Those conditions, in words.
    originator
        Who may lower it.
    """

    gsc: Literal["OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET", "TOP SECRET"] = "OFFICIAL"
    tlp: Literal["clear", "green", "amber", "amber+strict", "red"] = "clear"
    pap: Literal["clear", "green", "amber", "red"] = "clear"
    handling: Literal["P", "C"] = "P"
    conditions: str = ""
    originator: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """One report that came in, exactly as it came, and what was read from it.

    Parameters
    ----------
    original
        SHA-256 of the bytes received, hexadecimal; the bytes lie in the journal under it.
    kind, kind_now
        As the sender classified it, never changed, and as it is held now.
    completeness
        Share of the fields that its format can hold and it held, 0 to 1; no part of its priority.
    facts
        What urgency goes by, as ``name=value`` of the closed list of :mod:`lightship.casework.urgency`.
    narrative
        The sender's words; closed until asked for.
    marking
        JSON of the :class:`Marking` it came under.
    bundle
        The bundle it is a member of; empty for none.
    """

    id: str
    source: Source
    sender: str
    reference: str
    kind: str
    kind_now: str
    received_at: datetime
    original: str
    inquiry_id: str
    completeness: float = 0.0
    facts: tuple[str, ...] = ()
    narrative: str = ""
    marking: str = ""
    bundle: str = ""
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes of a referral as they came, kept before anything is said to the sender.

    Parameters
    ----------
    id
        SHA-256 of ``data``, hexadecimal.
    form
        Such as ``"cybertip-xml"``; what the sender said it is.
    """

    id: str
    form: str
    data: bytes
    sender: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """An identifier as a reader finds it in a referral, before it is normalised.

    Parameters
    ----------
    person
        Which person of this referral it belongs to, such as ``"suspect-1"``; people are never joined by a reader.
    """

    person: str
    role: PersonRole
    kind: IdentifierKind
    value: str
    platform: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reader of :mod:`lightship.exchange` makes of a referral's bytes.

    Parameters
    ----------
    facts
        ``name=value`` of the closed list in ``packs/casework/urgency.toml``: what the referral says, nothing assumed.
    held, holdable
        How many of the fields that the format can hold are there: completeness is their share.
    notes
        What could not be read, each with its place, in words; the referral is taken in all the same.
    """

    source: Source
    reference: str
    kind: str
    facts: tuple[str, ...] = ()
    named: tuple[Named, ...] = ()
    narrative: str = ""
    happened_at: datetime | None = None
    marking: Marking | None = None
    held: int = 0
    holdable: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something that names somebody for a time: a handle that was reused names two people.

    Parameters
    ----------
    value
        Normalised (:mod:`lightship.casework.normal`).
    platform
        Where it is one; empty where it is one everywhere.
    role
        Of the person it was said to belong to.
    person
        The person that a referral says it belongs to, so that what came together stays together.
    """

    id: str
    referral_id: str
    kind: IdentifierKind
    value: str
    role: PersonRole
    person: str
    platform: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None
    marking: str = ""


def referral_of(person: str) -> str:
    """Return the id of the referral that names a person, from the person's key."""
    return person.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Link:
    """That two persons of different referrals may be one, with the reasons and the rival explanation.

    Parameters
    ----------
    weight_db
        Weight of evidence that they are one, decibans.
    reasons
        The waterfall: ``field: +12.3 dB, in words``.
    rival
        What else would explain it, such as a shared device or a recycled number.
    votes
        ``who:yes`` and ``who:no``, names in small letters; also ``who:proposed`` of the person who proposed it, and
        ``who:merged`` of the one whose yes alone accepted it: neither is independent where it is contested
        (:mod:`lightship.casework.links`).
    """

    id: str
    one: str
    other: str
    weight_db: float
    reasons: tuple[str, ...]
    rival: str
    made_at: datetime
    state: LinkState = "proposed"
    votes: tuple[str, ...] = ()
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """That a referral's people are to be compared with everybody else's: asked for when it comes, or is read again.

    Parameters
    ----------
    id
        The referral's.
    done_at
        None while they wait for it.
    """

    id: str
    asked_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Merger:
    """Two inquiries that became one when a link was accepted, with all that it takes to part them again.

    Parameters
    ----------
    kept, gone
        The inquiry that goes on, and the one that is part of it.
    referrals
        Those that came with the one that is gone.
    changes
        Canonical JSON of every field that the merger wrote, as it was and as it became.
    """

    id: str
    link_id: str
    kept: str
    gone: str
    referrals: tuple[str, ...]
    changes: str
    made_at: datetime
    made_by: str
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A case of the investigating body: exactly one owner and one running clock from its first moment.

    Parameters
    ----------
    urgency
        Rung of the live-abuse ladder, 1 most urgent; never lowered by what is missing or by a clean record.
    urgency_db, reasons
        The weight of evidence behind it, and its parts in words.
    owner, due_at
        Who has it, and until when something must happen.
    handed_to, handed_at
        Whom it was handed to and has not acknowledged; it stays with its owner until then.
    child_first
        Pseudonym of the child it is about, where one is known.
    risk
        Recorded suspect-risk result (tool, version, assessor, time, grade), JSON; never computed here.
    merged_into
        The inquiry that it is part of, which has its owner and its clock; only of one whose state is ``"merged"``.
    """

    id: str
    opened_at: datetime
    owner: str
    due_at: datetime
    state: InquiryState = "new"
    title: str = ""
    urgency: int = 5
    urgency_db: float = 0.0
    reasons: tuple[str, ...] = ()
    handed_to: str = ""
    handed_at: datetime | None = None
    child_first: str = ""
    risk: str = ""
    escalations: int = 0
    merged_into: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    closed_why: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done for an inquiry, by somebody, by a time, and by what law or rule."""

    id: str
    inquiry_id: str
    kind: TaskKind
    words: str
    owner: str
    due_at: datetime
    rule: str
    made_at: datetime
    state: TaskState = "open"
    done_at: datetime | None = None
    done_by: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Referrals that say the same; members are never deleted, and taking it apart gives back what was there.

    Parameters
    ----------
    key
        What they share: a hash, an event, an account with a time.
    """

    id: str
    key: str
    made_at: datetime
    members: tuple[str, ...]
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class IntelligenceReport:
    """A 3x5x2 report. The original grade is kept; a re-grading is a report of its own that follows it.

    Parameters
    ----------
    source_grade, assessment
        1 to 3 and A to E.
    source_reference
        Never the source's details.
    """

    id: str
    inquiry_id: str
    text: str
    source_grade: int
    assessment: Literal["A", "B", "C", "D", "E"]
    marking: str
    source_reference: str
    author: str
    made_at: datetime
    follows: str = ""
    review_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dissemination:
    """What was sent to whom, exactly, and what became of it."""

    id: str
    inquiry_id: str
    recipient: str
    way: Literal["taxii", "pack", "misp", "case", "paper"]
    made_at: datetime
    by: str
    content: str
    digest: str
    withheld: tuple[str, ...] = ()
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of personal data, logged by the machine on every path (Data Protection Act 2018 s.62: six verbs)."""

    id: str
    verb: Verb
    about: str
    by: str
    at: datetime
    reason: str = ""
    recipient: str = ""
