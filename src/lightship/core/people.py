"""Who works at the console, and what they were shown: accounts, sessions, shifts and looks. Frozen; no I/O.

Times are aware UTC. A store keeps these like any other value, each under its ``id``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["moderator", "lead", "auditor", "administrator", "analyst"]
Shown = Literal["words", "blurred", "still", "motion", "sound"]

PLATFORM_ROLES: tuple[Role, ...] = ("moderator", "lead", "auditor", "administrator")
BODY_ROLES: tuple[Role, ...] = ("analyst", "auditor", "administrator")
"""Who there is at a platform's console, and at an investigating body's."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Parameters
    ----------
    id
        The name they sign in with.
    password_hash
        Of argon2id, with its parameters.
    totp_sealed
        The secret of their one-time codes, encrypted.
    totp_used
        The number of the last time step whose code was taken: a code is good once.
    trained_until
        Until when their training holds; without it they see and decide nothing.
    failures, locked_until
        Failed sign-ins in a row, and until when no more are tried.
    keys
        Their own keyboard: ``action=key`` pairs with spaces between; ``off`` is no keyboard at all.
    """

    id: str
    shown_as: str
    role: Role
    password_hash: str
    totp_sealed: str
    made_at: datetime
    trained_until: datetime
    active: bool = True
    totp_used: int = 0
    failures: int = 0
    locked_until: datetime | None = None
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in.

    Parameters
    ----------
    id
        SHA-256 of the token in the cookie, hexadecimal; the token itself is kept nowhere.
    role
        What the account was when it signed in; a changed role ends the session.
    csrf
        What forms of this session carry.
    """

    id: str
    account: str
    role: Role
    csrf: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """What one person was exposed to between the begin and the end of a shift.

    Parameters
    ----------
    seconds, items, severity
        Of clear pictures: time, different cases, and the sum of the cases' severities.
    stretch_s
        Seconds since the last break.
    break_until
        The end of the break they are on.
    opted_out
        They want no more pictures this shift, and are not asked why.
    decided, unseen
        Cases decided, and those of them whose pictures nobody opened.
    handover
        Words for whoever comes next.
    """

    id: str
    account: str
    began_at: datetime
    seconds: float = 0.0
    items: int = 0
    severity: float = 0.0
    stretch_s: float = 0.0
    break_until: datetime | None = None
    opted_out: bool = False
    decided: int = 0
    unseen: int = 0
    handover: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look of one person at one record.

    Parameters
    ----------
    purpose
        What for, as they said or as their act implies.
    seconds
        What was charged to their shift: what was granted, or less if it was covered again before.
    """

    id: str
    account: str
    shift_id: str
    case_id: str
    exhibit_id: str
    shown: Shown
    purpose: str
    at: datetime
    granted_s: float = 0.0
    seconds: float = 0.0
    covered_at: datetime | None = None
