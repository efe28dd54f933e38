"""Links between people of different referrals: a machine proposes, people decide, and what they did can be undone.

One reviewer's yes accepts a proposed link, and the two inquiries become one (:mod:`lightship.casework.mergers`); one no
refuses it. Where one says yes and another no, it is contested, and stays as it is until three independent reviewers
agree: who proposed it, and whose yes alone accepted it, are not independent. A child and an adult are never one person:
:func:`apart` is asked of every pair, and of everybody whom accepted links hold together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lightship.casework.desk import MACHINE, identity, log_use, use_of
from lightship.casework.mergers import join, meanwhile, part
from lightship.casework.urgency import Ladder
from lightship.core.casework import (
    Identifier,
    Inquiry,
    Link,
    LinkState,
    Merger,
    PersonRole,
    Referral,
    referral_of,
)
from lightship.core.errors import AccessDenied, InputError
from lightship.core.lookup import any_of
from lightship.core.ports import Work

INDEPENDENT = 3
"""Reviewers who must agree on a contested link."""

ADULT: frozenset[PersonRole] = frozenset({"suspect", "facilitator"})
OPEN: tuple[LinkState, ...] = ("contested", "proposed")

_Roles = dict[str, set[PersonRole]]


@dataclass(frozen=True, slots=True)
class Votes:
    """Who said what of a link.

    Parameters
    ----------
    yes, no
        Each person once, in the order in which they first said something.
    parties
        Who is not independent.
    lacking
        Independent reviewers who must still agree with one side before a contested link is decided; 0 for others.
    """

    yes: tuple[str, ...]
    no: tuple[str, ...]
    parties: frozenset[str]
    lacking: int


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one referral names them."""

    key: str
    roles: frozenset[PersonRole]
    referral: Referral
    inquiry: Inquiry
    identifiers: Sequence[Identifier]


@dataclass(frozen=True, slots=True)
class Review:
    """A link with all that its reviewer needs.

    Parameters
    ----------
    merger
        What made the inquiries one by it, where it did and stands.
    """

    link: Link
    one: Person
    other: Person
    votes: Votes
    merger: Merger | None


def apart(roles: Collection[PersonRole]) -> bool:
    """Return whether nobody can have all these roles: no child is ever merged with an adult suspect."""
    return "child" in roles and not ADULT.isdisjoint(roles)


def pair(one: str, other: str) -> tuple[str, str]:
    """Return two persons in their one order."""
    return (one, other) if one < other else (other, one)


def link_id(one: str, other: str) -> str:
    """Return the id of the link between two persons, whichever comes first."""
    return identity("link", *pair(one, other))


def votes_of(link: Link) -> Votes:
    """Return who said what of a link."""
    yes, no, parties = _said(link.votes)
    most = max(len(set(yes) - parties), len(set(no) - parties))
    return Votes(yes, no, parties, max(0, INDEPENDENT - most) if link.state == "contested" else 0)


def propose(
    work: Work, links: Iterable[Link], *, by: str = MACHINE, now: datetime, leave_out: bool = False
) -> tuple[Link, ...]:
    """Keep links for review; returns those that are new or weigh otherwise than before. Decided ones stay as they are.

    Parameters
    ----------
    leave_out
        Leave out one that would make a child and an adult one person, on the record, and keep the others: a pass over
        many does not stop at what one sender said of one person.

    Raises
    ------
    AccessDenied
        If one would make a child and an adult one person.
    InputError
        If one is of somebody who is not there, or of one referral only.
    """
    wanted = list(links)
    roles = _roles(work, wanted)
    if leave_out:
        wanted = _possible(work, wanted, roles, by, now)
    found = _proposed(work, wanted, roles, by, now)
    if found:
        work.record({"kind": "links-proposed", "count": len(found), "by": by, "at": now.isoformat()})
    return tuple(found)


def waiting(
    work: Work,
    *,
    by: str,
    now: datetime,
    states: tuple[LinkState, ...] = OPEN,
    limit: int | None = 50,
    after: str = "",
) -> list[Link]:
    """Return links for review, contested ones first, then the heaviest; ``after`` is the last id of the page before."""
    log_use(work, "consultation", "links", by, now)
    return work.find(Link, {"state": states}, order=("state", "-weight_db"), limit=limit, after=after)


def of_inquiry(work: Work, inquiry_id: str, *, by: str, now: datetime) -> list[Link]:
    """Return all links of people of an inquiry's referrals, the heaviest first."""
    log_use(work, "consultation", inquiry_id, by, now)
    referrals = tuple(one.id for one in work.find(Referral, {"inquiry_id": inquiry_id}))
    persons = {one.person for one in any_of(work, Identifier, "referral_id", referrals)}
    return sorted(_touching(work, persons), key=lambda one: (-one.weight_db, one.id))


def look(work: Work, id_: str, *, by: str, now: datetime) -> Review:
    """Return a link with both persons, their referrals and inquiries; logged as a consultation.

    Raises
    ------
    InputError
        If it is not there.
    """
    link = _there(work, id_)
    log_use(work, "consultation", link.id, by, now)
    return Review(
        link, _person(work, link.one), _person(work, link.other), votes_of(link), _merger(work, link)
    )


def vote(work: Work, ladder: Ladder, id_: str, *, yes: bool, by: str, why: str, now: datetime) -> Link:
    """Say whether the two are one person; who says something again counts once, by what was said last.

    Raises
    ------
    AccessDenied
        If a machine votes, somebody accepts a proposal of their own, or a child and an adult would be one person.
    InputError
        If there is no such link, or no reason is said.
    """
    link = _there(work, id_)
    _may(link, by, why)
    decided = _decide(work, link, "yes" if yes else "no", by, now)
    _say(work, "link-voted", decided, by, why, now, said="yes" if yes else "no")
    merger = _merger(work, decided)
    if decided.state == "accepted" and merger is None:
        join(work, ladder, decided, by=by, now=now)
    elif decided.state == "refused" and merger is not None:
        part(work, ladder, merger, _accepted_of(work, merger), by=by, now=now)
    return decided


def undo(work: Work, ladder: Ladder, id_: str, *, by: str, why: str, now: datetime) -> Link:
    """Undo an accepted link: the inquiries are parted at once, and it is decided anew.

    Every yes until now is gone and the undoing counts as a no; whose yes alone accepted it stays a party. Where
    somebody else had said yes, it is contested from now on.

    Raises
    ------
    AccessDenied
        If a machine asks, or a later merger rests on this one.
    InputError
        If there is no such link, it holds nothing together, or no reason is said.
    """
    link = _there(work, id_)
    _may(link, by, why)
    merger = _merger(work, link)
    if link.state != "accepted" and merger is None:
        raise InputError("This link holds nothing together.", f"link {id_}", "Refuse it instead.")
    decided = _decide(work, link, "no", by, now, anew=True)
    _say(work, "link-undone", decided, by, why, now)
    if merger is not None:
        part(work, ladder, merger, _accepted_of(work, merger), by=by, now=now)
    return decided


def _proposed(work: Work, links: Sequence[Link], roles: _Roles, by: str, now: datetime) -> list[Link]:
    there = {one.id: one for one in any_of(work, Link, "id", (link_id(one.one, one.other) for one in links))}
    new, changed = dict[str, Link](), list[Link]()
    for link in links:
        first, second = pair(link.one, link.other)
        where = f"link of {first} and {second}"
        if first not in roles or second not in roles:
            raise InputError("One of them is named in no referral.", where, "Link people who are there.")
        if referral_of(first) == referral_of(second):
            raise InputError("One referral names both: they are two.", where, "Link different referrals.")
        if apart(roles[first] | roles[second]):
            raise _never(where)
        id_ = link_id(first, second)
        votes = () if by == MACHINE else (f"{_who(by)}:proposed",)
        one = Link(id_, first, second, link.weight_db, link.reasons, link.rival, now, votes=votes)
        if (old := there.get(id_)) is None:
            new[id_] = one
        elif old.state == "proposed" and (old.weight_db, old.reasons, old.rival) != (
            one.weight_db,
            one.reasons,
            one.rival,
        ):
            again = work.change(
                Link,
                id_,
                {"state": "proposed"},
                weight_db=one.weight_db,
                reasons=one.reasons,
                rival=one.rival,
            )
            changed += [again] if again is not None else []
            log_use(work, "combination", id_, by, now)
    work.save(*new.values(), *(use_of("combination", id_, by, now) for id_ in new))
    return [*new.values(), *changed]


def _roles(work: Work, links: Iterable[Link]) -> _Roles:
    """Return all that anybody called each person of links, whatever the kind of identifier."""
    persons = {person for one in links for person in (one.one, one.other)}
    roles: _Roles = {}
    for named in any_of(work, Identifier, "person", persons):
        roles.setdefault(named.person, set()).add(named.role)
    return roles


def _possible(work: Work, links: Sequence[Link], roles: _Roles, by: str, now: datetime) -> list[Link]:
    """Return links without those of a child and an adult, which go on the record."""
    possible = []
    for one in links:
        if not apart(roles.get(one.one, set()) | roles.get(one.other, set())):
            possible.append(one)
            continue
        entry = {"kind": "link-left-out", "referral": referral_of(one.one), "at": now.isoformat()}
        work.record({**entry, "other": referral_of(one.other), "by": by})
        log_use(work, "consultation", link_id(one.one, one.other), by, now)
    return possible


def _may(link: Link, by: str, why: str) -> None:
    where = f"link {link.id}"
    if _who(by) in {MACHINE, ""}:
        raise AccessDenied("A machine proposes; people decide.", where, "Say who you are.")
    if not why.strip():
        raise InputError("A link is decided for a reason.", where, "Write it.")


def _who(name: str) -> str:
    """Return a name as names are compared: one person who is written in two ways has one vote."""
    return name.strip().casefold()


def _decide(
    work: Work, link: Link, said: Literal["yes", "no"], by: str, now: datetime, *, anew: bool = False
) -> Link:
    """Keep what somebody says of a link, and what it is by then: here alone it becomes accepted."""
    own = _who(by)
    others = set(_said(link.votes)[0]) - {own}
    kept = tuple(
        one
        for one in link.votes
        if not (_who(one.rpartition(":")[0]) == own and one.endswith((":yes", ":no")))
        and not (anew and one.endswith(":yes"))
    )
    votes = (*kept, f"{own}:{said}")
    state = _state("contested" if anew and others else link.state, votes)
    if (
        said == "yes" and state == "accepted" and link.state != "contested" and not others
    ):  # by this yes alone
        if f"{own}:proposed" in {_mark(one) for one in kept}:
            raise AccessDenied(
                "You proposed it: somebody else decides.", f"link {link.id}", "Ask a colleague."
            )
        votes = (*(one for one in kept if _mark(one) != f"{own}:merged"), f"{own}:merged", f"{own}:{said}")
    if said == "no" and state == "accepted" != link.state:
        state = "contested"  # nobody's no makes two people one
    if said == "yes" or state == "accepted" != link.state:
        _hold_apart(work, link)
    changed = work.change(
        Link,
        link.id,
        {"state": link.state},
        state=state,
        votes=votes,
        decided_at=None if state == "contested" else now,
    )
    if changed is None:
        raise InputError("Somebody else decided this link meanwhile.", f"link {link.id}", "Look again.")
    return changed


def _said(votes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """Return who said yes, who said no, each by what they said last, and who is a party."""
    marks = [_mark(one).rpartition(":")[::2] for one in votes]
    last = {who: what for who, what in marks if what in {"yes", "no"}}
    yes, no = (tuple(who for who, what in last.items() if what == wanted) for wanted in ("yes", "no"))
    return yes, no, frozenset(who for who, what in marks if what in {"proposed", "merged"})


def _mark(vote: str) -> str:
    who, _, what = vote.rpartition(":")
    return f"{_who(who)}:{what}"


def _state(was: LinkState, votes: Sequence[str]) -> LinkState:
    """Return what votes make of a link; what was contested once needs three who are independent."""
    yes, no, parties = _said(votes)
    if was != "contested" and not (yes and no):
        return "accepted" if yes else "refused"
    for_, against = len(set(yes) - parties), len(set(no) - parties)
    if for_ >= INDEPENDENT > against:
        return "accepted"
    return "refused" if against >= INDEPENDENT > for_ else "contested"


def _hold_apart(work: Work, link: Link) -> None:
    """See that accepting a link makes no child and adult one person, over all that hangs together by then."""
    together, coming = set[str](), {link.one, link.other}
    while coming:
        together |= coming
        held = (one for one in _touching(work, coming) if one.state == "accepted" or _merger(work, one))
        coming = {person for one in held for person in (one.one, one.other)} - together
    if apart({one.role for one in any_of(work, Identifier, "person", together)}):
        raise _never(f"link {link.id}")


def _never(where: str) -> AccessDenied:
    return AccessDenied(
        "A child and an adult suspect are never one person.", where, "Refuse it, or correct who is who."
    )


def _touching(work: Work, persons: Collection[str]) -> list[Link]:
    found = [*any_of(work, Link, "one", persons), *any_of(work, Link, "other", persons)]
    return list({one.id: one for one in found}.values())


def _accepted_of(work: Work, merger: Merger) -> list[Link]:
    going = (*merger.referrals, *meanwhile(work, merger))
    persons = {one.person for one in any_of(work, Identifier, "referral_id", going)}
    return [one for one in _touching(work, persons) if one.state == "accepted"]


def _there(work: Work, id_: str) -> Link:
    link = work.get(Link, id_)
    if link is None:
        raise InputError("There is no such link.", f"link {id_}", "See those that wait for review.")
    return link


def _merger(work: Work, link: Link) -> Merger | None:
    found = work.find(Merger, {"link_id": link.id, "undone_at": None}, limit=1)
    return found[0] if found else None


def _person(work: Work, key: str) -> Person:
    referral = work.get(Referral, referral_of(key))
    inquiry = None if referral is None else work.get(Inquiry, referral.inquiry_id)
    if referral is None or inquiry is None:
        raise InputError(
            "A person's referral or inquiry is not there.", f"person {key}", "Restore the store."
        )
    identifiers = work.find(Identifier, {"person": key})
    return Person(key, frozenset(one.role for one in identifiers), referral, inquiry, identifiers)


def _say(work: Work, kind: str, link: Link, by: str, why: str, now: datetime, **more: object) -> None:
    work.record(
        {
            "kind": kind,
            "link": link.id,
            "by": by,
            "why": why.strip(),
            "state": link.state,
            "at": now.isoformat(),
            **more,
        }
    )
    log_use(work, "alteration", link.id, by, now, reason=why.strip())
