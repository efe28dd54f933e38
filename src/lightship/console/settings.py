"""What a console is given besides its ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from argon2 import PasswordHasher

from lightship.console.gate import Limits
from lightship.console.health import Health
from lightship.console.metrics import Metrics
from lightship.console.oidc import Oidc
from lightship.console.report_port import Reporter
from lightship.console.tenants import Tenants
from lightship.core.access import Budget
from lightship.core.ladder import Policy
from lightship.core.ledger import VerifyReport
from lightship.core.ports import ReadableLedger
from lightship.duties.measures import MeasureTable
from lightship.duties.provider import Provider
from lightship.watch.controls import RuleSet

CLAUSES = (
    ("abuse-live", "Live abuse of a child"),
    ("abuse-known", "Known abuse material shown in a stream"),
    ("abuse-other", "Other abuse or exploitation of a child"),
    ("none", "No clause: nothing against the rules"),
)
REASONS = (
    ("seen", "Seen in the pictures"),
    ("known-hash", "A known-media match; pictures were not needed"),
    ("words", "What reports and words say suffices"),
    ("duplicate", "A near-duplicate of a decided case"),
    ("false-match", "The machine was wrong"),
    ("cannot-tell", "It cannot be told from what is here"),
)


def _any_address(_address: str) -> None:
    return None


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a console is given besides its ports.

    Parameters
    ----------
    secret
        At least 32 random bytes that outlive a restart.
    tenants
        Who may use the interface.
    ledger, verify
        The ledger that the store writes to, and the check of all of it.
    health
        How the watch stands.
    ready
        What ``/readyz`` says: whether ``ready``, and if not, the ``reason``.
    policies
        Those in force, whose alarm budgets are held against what happened.
    measures
        The table of measures by which papers are checked; None checks none.
    controls
        The dated rules of what a livestream may do; None asks for nothing.
    check_address
        Raises ``InputError`` for an address that must not be pulled from.
    oidc
        The provider that people may sign in through; None for local accounts alone.
    secure
        Whether browsers reach it by TLS: cookies are then for TLS alone.
    provider
        Under whose law something may be owed; None shows no duties.
    reporter
        Builds and files reports; None where that is done in the shell alone.
    topics
        Those of the bus of which pages are told that something changed, never what.
    """

    secret: bytes
    tenants: Tenants
    ledger: ReadableLedger
    verify: Callable[[], VerifyReport]
    health: Callable[[], Health]
    log: Any
    ready: Callable[[], Mapping[str, object]] = lambda: {"ready": True}
    policies: tuple[Policy, ...] = ()
    measures: MeasureTable | None = None
    controls: RuleSet | None = None
    check_address: Callable[[str], object] = _any_address
    budget: Budget = field(default_factory=Budget)
    clauses: tuple[tuple[str, str], ...] = CLAUSES
    reasons: tuple[tuple[str, str], ...] = REASONS
    topics: tuple[str, ...] = ("cases", "streams", "effects", "health")
    oidc: Oidc | None = None
    secure: bool = True
    clock: Callable[[], datetime] = utc_now
    limits: Limits = field(default_factory=lambda: Limits(under_way=1024))
    metrics: Metrics = field(default_factory=Metrics)
    hasher: PasswordHasher | None = None
    provider: Provider | None = None
    reporter: Reporter | None = None
