"""Viral and repeat reports are bundled: seen as one, each kept whole, and taken apart again without a trace.

What bundles is written in ``packs/casework/linking.toml``: the same known hash, the same event, or the same account
reported again within a time of each other. A bundle is a mark on its members and nothing else: no inquiry is merged or
closed by it, for many who share one file are many people. So a machine may bundle, and undoing it gives back every row
byte for byte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightship.casework.desk import MACHINE, identity, log_use
from lightship.casework.normal import platform_name
from lightship.core.casework import Bundle, Identifier, IdentifierKind, Referral
from lightship.core.errors import InputError
from lightship.core.lookup import any_of
from lightship.core.ports import Work


@dataclass(frozen=True, slots=True)
class Shared:
    """What referrals may share, and how near in time they must then be.

    Parameters
    ----------
    within
        From one to the next, by when it happened, or else when it came.
    says
        In words, for whoever reads the bundle's key.
    """

    kind: IdentifierKind
    within: timedelta
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """A referral as bundling sees it: when, and what it shares; values are keys such as ``hash|…``."""

    referral: str
    at: datetime
    values: tuple[tuple[IdentifierKind, str], ...]


def bundles_of(told: Iterable[Told], rules: Sequence[Shared]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the bundles of referrals, ``(key, members)``: the first rule that bundles a referral has it.

    Members are in the order of their time; a bundle has two at least.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    taken: set[str] = set()
    ordered = sorted(told, key=lambda one: (one.at, one.referral))
    for rule in rules:
        by_value: defaultdict[str, list[Told]] = defaultdict(list)
        for one in ordered:
            if one.referral not in taken:
                for value in {value for kind, value in one.values if kind == rule.kind}:
                    by_value[value].append(one)
        for value, those in sorted(by_value.items()):
            free = [one for one in those if one.referral not in taken]
            for group in _near(free, rule.within):
                members = tuple(one.referral for one in group)
                found.append((f"{value} from {group[0].at:%Y-%m-%dT%H:%MZ}", members))
                taken.update(members)
    return found


def bundle(work: Work, rules: Sequence[Shared], *, by: str = MACHINE, now: datetime) -> tuple[Bundle, ...]:
    """Bundle what is in no bundle yet and says the same; returns the new bundles."""
    referrals = work.find(Referral, {"bundle": ""})
    undone = [one for one in work.find(Bundle) if one.undone_at is not None]
    kinds = tuple({rule.kind for rule in rules})
    values: defaultdict[str, list[tuple[IdentifierKind, str]]] = defaultdict(list)
    for one in work.find(Identifier, {"kind": kinds}):
        values[one.referral_id].append((one.kind, shared_key(one)))
    told = [
        Told(one.id, one.happened_at or one.received_at, tuple(values[one.id]))
        for one in referrals
        if one.id in values
    ]
    apart = {frozenset(one.members) for one in undone}
    made = []
    for key, members in bundles_of(told, rules):
        if any(len(one & set(members)) > 1 for one in apart):
            continue  # a person took these apart: a machine does not put them together again
        made.append(put(work, key, members, by=by, now=now))
    return tuple(made)


def put(work: Work, key: str, members: Sequence[str], *, by: str, now: datetime) -> Bundle:
    """Bundle these referrals.

    Raises
    ------
    InputError
        If they are fewer than two, or one is not there or in a bundle already.
    """
    where = f"bundle {key}"
    if len(set(members)) < 2:
        raise InputError("A bundle has two referrals at least.", where, "Name them.")
    number = work.count(Bundle, {"key": key})
    one = Bundle(identity("bundle", key, str(number)), key, now, tuple(members))
    for id_ in one.members:
        if work.change(Referral, id_, {"bundle": ""}, bundle=one.id) is None:
            raise InputError(
                "A referral is not there, or in a bundle already.", where, f"See referral {id_}."
            )
    work.save(one)
    for id_ in one.members:
        log_use(work, "combination", id_, by, now, reason=one.id)
    work.record(
        {
            "kind": "referrals-bundled",
            "bundle": one.id,
            "count": len(members),
            "by": by,
            "at": now.isoformat(),
        }
    )
    return one


def take_apart(work: Work, bundle_id: str, *, by: str, why: str, now: datetime) -> Bundle:
    """Take a bundle apart: every referral's row is as it was before, byte for byte.

    Raises
    ------
    InputError
        If there is no such bundle, it was taken apart already, or no reason is said.
    """
    where = f"bundle {bundle_id}"
    if not why.strip():
        raise InputError("A bundle is taken apart for a reason.", where, "Write it.")
    one = work.change(Bundle, bundle_id, {"undone_at": None}, undone_at=now, undone_by=by)
    if one is None:
        raise InputError("There is no such bundle.", where, "It may have been taken apart already.")
    for id_ in one.members:
        work.change(Referral, id_, {"bundle": one.id}, bundle="")
        log_use(work, "alteration", id_, by, now, reason=why.strip())
    work.record(
        {
            "kind": "referrals-unbundled",
            "bundle": one.id,
            "why": why.strip(),
            "by": by,
            "at": now.isoformat(),
        }
    )
    return one


def standing(work: Work, *, by: str, now: datetime) -> list[Bundle]:
    """Return the bundles that stand, the newest first."""
    log_use(work, "consultation", "bundles", by, now)
    return work.find(Bundle, {"undone_at": None}, order=("-made_at",))


def folded(work: Work, inquiries: Sequence[str], *, by: str, now: datetime) -> Mapping[str, Bundle]:
    """Return the bundle of each inquiry that has one, by the inquiry's id, so that a queue can show them as one."""
    log_use(work, "consultation", "bundles", by, now)
    marked: dict[str, str] = {}
    for one in any_of(work, Referral, "inquiry_id", inquiries):
        if one.bundle:
            marked.setdefault(one.inquiry_id, one.bundle)
    found = {one.id: one for one in any_of(work, Bundle, "id", dict.fromkeys(marked.values()))}
    return {inquiry: found[id_] for inquiry, id_ in marked.items()}


def shared_key(one: Identifier) -> str:
    """Return what two identifiers must have in common to be the same thing."""
    return f"{one.kind}|{platform_name(one.platform)}|{one.value}"


def _near(told: Sequence[Told], within: timedelta) -> list[list[Told]]:
    """Return the runs of two or more in which each follows the one before within a time."""
    groups: list[list[Told]] = []
    for one in told:
        if groups and one.at - groups[-1][-1].at <= within:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [group for group in groups if len(group) > 1]
