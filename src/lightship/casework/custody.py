"""The chain of custody, read from the ledger: who had an exhibit when, and where the chain is broken.

Every hand-over is acknowledged by who received it, with the hash as it was received. What cannot be is refused; what
went wrong is entered all the same, and named as a break by :func:`chains`, which needs nothing but the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lightship.casework.capture import SHA256
from lightship.core.errors import AccessDenied, InputError
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement

ACKNOWLEDGE = timedelta(hours=24)
"""After this a hand-over that nobody acknowledged is a break; a force's own policy may be shorter."""

TIMES = {
    "evidence-captured": "captured_at",
    "evidence-handed": "handed_at",
    "evidence-acknowledged": "acknowledged_at",
}


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken.

    Parameters
    ----------
    entry
        Number of the ledger's entry, from 0.
    """

    entry: int
    what: str


@dataclass(slots=True)
class Chain:
    """One exhibit's custody.

    Parameters
    ----------
    holder
        Who has it; who handed it over still does until the other has acknowledged.
    sha256
        As it was last acknowledged or captured.
    to, handed_at, handed_entry
        A hand-over that nobody has acknowledged.
    steps
        In words, in order.
    """

    exhibit: str
    holder: str = ""
    sha256: str = ""
    to: str = ""
    handed_at: datetime | None = None
    handed_entry: int = 0
    last_at: datetime | None = None
    steps: list[str] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing broke it."""
        return not self.breaks


def chains(entries: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, Chain]:
    """Return each exhibit's custody, by reference, from a ledger's entries in their order.

    Parameters
    ----------
    now
        Aware UTC: a hand-over that was not acknowledged within :data:`ACKNOWLEDGE` is a break.
    """
    found: dict[str, Chain] = {}
    for number, entry in enumerate(entries):
        if entry.get("kind") in TIMES:
            _step(found.setdefault(entry["exhibit"], Chain(entry["exhibit"])), number, entry)
    for chain in found.values():
        if chain.handed_at is not None and now - chain.handed_at > ACKNOWLEDGE:
            what = f"{chain.holder} handed it to {chain.to} at {chain.handed_at.isoformat()}, who never acknowledged it"
            chain.breaks.append(Break(chain.handed_entry, what))
    return found


def _step(chain: Chain, number: int, entry: Mapping[str, Any]) -> None:
    def broken(what: str) -> None:
        chain.breaks.append(Break(number, what))

    kind = entry["kind"]
    at = datetime.fromisoformat(entry[TIMES[kind]])
    if chain.last_at is not None and at < chain.last_at:
        broken(f"it is dated {at.isoformat()}, before the step that it follows")
    chain.last_at = at
    if kind == "evidence-captured":
        if chain.holder:
            broken("it was captured a second time under the same reference")
        chain.holder, chain.sha256, chain.to, chain.handed_at = (
            entry["captured_by"], entry["sha256_after"], "", None,
        )  # fmt: skip
        chain.steps.append(f"{at.isoformat()} captured by {chain.holder}")
    elif kind == "evidence-handed":
        _handed(chain, number, entry, at)
    else:
        _acknowledged(chain, number, entry, at)


def _handed(chain: Chain, number: int, entry: Mapping[str, Any], at: datetime) -> None:
    giver = entry["from"]
    if giver != chain.holder:
        chain.breaks.append(Break(number, f"{giver} handed it over, and {chain.holder or 'nobody'} had it"))
    if chain.handed_at is not None:
        chain.breaks.append(
            Break(number, f"it was handed over again, and {chain.to} had not acknowledged it")
        )
    chain.holder, chain.to, chain.handed_at, chain.handed_entry = giver, entry["to"], at, number
    chain.steps.append(f"{at.isoformat()} handed by {giver} to {chain.to}: {entry['why']}")


def _acknowledged(chain: Chain, number: int, entry: Mapping[str, Any], at: datetime) -> None:
    who = entry["by"]
    if chain.to != who:
        chain.breaks.append(Break(number, f"{who} acknowledged it, and it was not handed to {who}"))
    if entry["sha256"] != chain.sha256:
        chain.breaks.append(Break(number, f"{who} received it with another hash than {chain.holder} had"))
    chain.holder, chain.sha256, chain.to, chain.handed_at = who, entry["sha256"], "", None
    chain.steps.append(f"{at.isoformat()} acknowledged by {who}")


def _chain(entries: Iterable[Mapping[str, Any]], exhibit: str, now: datetime) -> Chain:
    chain = chains(entries, now).get(exhibit)
    if chain is None:
        raise InputError("There is no such exhibit.", f"exhibit {exhibit}", "Check its reference.")
    if chain.last_at is not None and now < chain.last_at:
        raise InputError("The clock is behind the chain's last step.", f"exhibit {exhibit}", "Set it right.")
    return chain


def handed(
    entries: Iterable[Mapping[str, Any]],
    exhibit: str,
    *,
    by: str,
    to: str,
    why: str,
    now: datetime,
    signer: SigningKey,
) -> Mapping[str, Any]:
    """Return the entry of a hand-over, signed.

    Raises
    ------
    InputError
        If there is no such exhibit, or it waits to be acknowledged, or no reason or receiver is said.
    AccessDenied
        If somebody else has it.
    """
    chain = _chain(entries, exhibit, now)
    where = f"exhibit {exhibit}"
    if chain.holder != by:
        raise AccessDenied(f"{chain.holder} has it.", where, "They hand it over.")
    if chain.handed_at is not None:
        raise InputError(f"{chain.to} has not acknowledged it.", where, "Ask them to.")
    if not to.strip() or to == by or not why.strip():
        raise InputError("It is handed to somebody else, for a reason.", where, "Say to whom and why.")
    facts = {
        "exhibit": exhibit, "from": by, "to": to, "why": why.strip(), "handed_at": now.isoformat(),
    }  # fmt: skip
    return {"kind": "evidence-handed", **facts, "note": sign_statement("hand-over", facts, signer)}


def acknowledged(
    entries: Iterable[Mapping[str, Any]],
    exhibit: str,
    *,
    by: str,
    sha256: str,
    now: datetime,
    signer: SigningKey,
) -> Mapping[str, Any]:
    """Return the entry of an acknowledgement, signed. A hash that differs is entered: it is a break, and named as one.

    Raises
    ------
    InputError
        If there is no such exhibit, or the hash is none.
    AccessDenied
        If it was not handed to one.
    """
    chain = _chain(entries, exhibit, now)
    if chain.to != by:
        raise AccessDenied(
            "It was not handed to you.", f"exhibit {exhibit}", f"Ask {chain.holder} to hand it over."
        )
    if not SHA256.fullmatch(sha256):
        raise InputError(
            "A hash is 64 hexadecimal characters of SHA-256.", f"exhibit {exhibit}", "Hash it anew."
        )
    facts = {"exhibit": exhibit, "by": by, "sha256": sha256, "acknowledged_at": now.isoformat()}
    return {
        "kind": "evidence-acknowledged", **facts, "note": sign_statement("acknowledgement", facts, signer),
    }  # fmt: skip
