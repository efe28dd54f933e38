"""What a platform keeps of its live streams: streams, reports, cases, verdicts, effects and exhibits. Frozen; no I/O.

Times are aware UTC. Texts that come from outside (titles, reports) are plain text and never markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Visibility = Literal["public", "private"]
Opener = Literal["machine", "report"]
CaseState = Literal["open", "decided", "appealed", "reversed", "closed"]
EffectKind = Literal[
    "cover", "uncover", "stop-stream", "cut-viewers", "revoke-key", "restore", "preserve", "sweep", "refer"
]
EffectState = Literal["waiting", "sending", "done", "failed", "undone"]
Verdict = Literal["abuse", "not-abuse", "unsure"]
ReportKind = Literal["child-at-risk-now", "other"]

REVERSIBLE: frozenset[EffectKind] = frozenset(
    {"cover", "uncover", "stop-stream", "cut-viewers", "revoke-key", "restore"}
)
"""What a later effect can really undo. Ordered by a person, these wait out an undo window unless a child is in danger
now; ordered by a policy they do not wait, since nobody has looked who could take them back: a reversal undoes them."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One live stream of the platform.

    Parameters
    ----------
    id
        The platform's own name for it.
    address
        Where it is pulled from, or the key it is pushed under; shown to nobody but administrators.
    host
        The platform's pseudonym of who streams.
    visibility, basis
        Public or private, and the recorded legal basis of looking at it; a private stream without one is not looked at.
    child_host
        Whether the host, or anybody who streams in it together with others, is known to be a child; None is not known.
    viewers
        How many watch now, as the platform last said.
    policy
        Name of the policy it is judged by.
    began_at, ended_at
        When.
    host_age
        Of the youngest who streams in it, in years, where age assurance has told it.
    """

    id: str
    address: str
    host: str
    visibility: Visibility
    basis: str
    policy: str
    began_at: datetime
    ended_at: datetime | None = None
    child_host: bool | None = None
    viewers: int = 0
    title: str = ""
    host_age: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a viewer, or somebody else, said of a stream.

    Parameters
    ----------
    kind
        ``"child-at-risk-now"`` jumps the queue.
    case_id
        The case that it opened or joined.
    seen_at
        When a person first had it in front of them: ends the clock report → human.
    """

    id: str
    stream_id: str
    kind: ReportKind
    text: str
    received_at: datetime
    case_id: str
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What a person must look at, or has looked at.

    Parameters
    ----------
    words
        What, by what, how sure, how long: read before anything is seen.
    weight_db, rung
        The evidence, and the response in force when it opened.
    reach, severity, likelihood
        The three named parts of its place in the queue (measure C5), each 0 to 1.
    live
        Whether the stream still runs.
    danger_now
        Whether somebody said that a child is in danger now.
    aware_at, stopped_at
        When the platform became aware, and when the stream was stopped: aware → stopped.
    claimed_by, claimed_until
        Who has it before them, and until when without a sign of life.
    place
        The three parts together, which orders cases that are alike in danger and life.
    near_of
        The case that this one is a near-duplicate of; empty for none.
    seen
        Whether any person opened its pictures.
    still
        PDQ hash of its still, hexadecimal, to find near-duplicates by; shown to nobody, empty where there is none.
    detectors
        Whose evidence it rests on.
    matched
        Entries of lists that it matched, as ``list/reference``.
    """

    id: str
    stream_id: str
    opened_by: Opener
    opened_at: datetime
    aware_at: datetime
    words: str
    weight_db: float
    rung: str
    reach: float
    severity: float
    likelihood: float
    state: CaseState = "open"
    live: bool = True
    danger_now: bool = False
    stopped_at: datetime | None = None
    claimed_by: str = ""
    claimed_until: datetime | None = None
    near_of: str = ""
    seen: bool = False
    still: str = ""
    place: float = 0.0
    detectors: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decided of a case, on which clause and why.

    Parameters
    ----------
    second_by, second_at
        The second person, where a grave act needs one.
    reused_of
        The earlier judgement that this one repeats for a near-duplicate; empty for none.
    """

    id: str
    case_id: str
    by: str
    at: datetime
    verdict: Verdict
    clause: str
    reason: str
    second_by: str = ""
    second_at: datetime | None = None
    reused_of: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that is to happen outside, once.

    Parameters
    ----------
    id
        The idempotency key that the receiver sees.
    due_at
        Not before this: the end of the undo window.
    attempts, next_at
        How often it was tried, and when it is tried again.
    done_at
        When the receiver confirmed it.
    undoes
        The effect that this one reverses; empty for none.
    """

    id: str
    case_id: str
    stream_id: str
    kind: EffectKind
    ordered_by: str
    ordered_at: datetime
    due_at: datetime
    state: EffectState = "waiting"
    attempts: int = 0
    next_at: datetime | None = None
    done_at: datetime | None = None
    undoes: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A span of a stream kept in the vault.

    Parameters
    ----------
    id
        Content address: SHA-256 of what was sealed, hexadecimal.
    from_s, to_s
        Stream seconds.
    media
        Such as ``"image/png"`` or ``"video/mp4"``.
    expires_at
        When its key is destroyed, unless it is on hold.
    hold
        Why it is held beyond that; empty for no hold.
    destroyed_at
        When its key was destroyed.
    """

    id: str
    case_id: str
    stream_id: str
    from_s: float
    to_s: float
    media: str
    size: int
    sealed_at: datetime
    expires_at: datetime
    hold: str = ""
    destroyed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What a worker found on its latest round of its streams.

    Parameters
    ----------
    id
        The worker's name.
    most
        How many streams it takes at most.
    streams, unseen_s
        What it watches, and for how many seconds each was not looked at then; -1 where it was never looked at.
    late_s
        By how much its slowest stream comes late.
    troubles
        What does not work there, in sentences.
    """

    id: str
    at: datetime
    most: int
    streams: tuple[str, ...] = ()
    unseen_s: tuple[float, ...] = ()
    late_s: float = 0.0
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surge:
    """One time of crisis mode, from its start to its stop, and why (measures C15, C16)."""

    id: str
    began_at: datetime
    began_by: str
    reason: str
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""
