"""A store is linked: all of it by one pass, or the people of one referral more by what they share.

Both propose, and only propose, the links that hold each person's referrals together: of those who are one already, the
heaviest link says enough. What people decided stays as it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from lightship.casework.desk import MACHINE, log_use
from lightship.casework.link_model import KINDS, Model
from lightship.casework.linking import Weighed, rarity_of, stands, weigh
from lightship.casework.links import link_id, propose
from lightship.casework.profiles import Held, Pair, comparable, profiles
from lightship.core.casework import Comparison, Identifier, Link, Referral, referral_of
from lightship.core.errors import AccessDenied, InputError
from lightship.core.lookup import any_of
from lightship.core.ports import K, Store, Work

_PAGE = 20_000
_LINKS = 2_000  # of one transaction
_MANY = 2_000  # from which one pass over all is quicker than one by one
_COMPARED = "compared with who shares something"


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass over a store did."""

    persons: int
    pairs: int
    groups: int
    proposed: int


def link_all(store: Store, model: Model, *, by: str = MACHINE, now: datetime) -> Passed:
    """Compare everybody in a store with whoever shares something with them, and propose the links that stand.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    from lightship.casework.resolving import compare, rarities, resolve

    with store.begin() as work:
        log_use(work, "consultation", "links", by, now, reason="all referrals compared")
    with store.look() as work:
        waiting = list(
            _all(work, Comparison, where={"done_at": None})
        )  # first: what comes after waits for the next
        placed = {one.id: (_at_s(one), one.inquiry_id) for one in _all(work, Referral)}
        held = [_held(one, placed[one.referral_id][0]) for one in _all(work, Identifier)]
    people = profiles(model, held)
    rarity = rarities(model, held)
    pairs = compare(model, people, rarity, least_db=model.weak_db)
    found = resolve(model, people, pairs, rarity)
    apart = (
        one for one in found.links if placed[referral_of(one.one)][1] != placed[referral_of(one.other)][1]
    )
    proposed = 0
    while part := [_link(one, now) for one in islice(apart, _LINKS)]:
        with store.begin() as work:
            proposed += len(propose(work, part, by=by, now=now, leave_out=True))
    for start in range(0, len(waiting), _LINKS):
        with store.begin() as work:
            for one in waiting[start : start + _LINKS]:
                _done(work, one, now)
    return Passed(len(people), len(pairs), len(found.groups), proposed)


def link_new(store: Store, model: Model, *, now: datetime) -> int:
    """Propose the links of whoever came since the last time; returns how many referrals that were.

    Who waits is on a list of its own, kept with the referral: whenever it was received, and however late that came to
    be known. One transaction each, the longest waiting first; where very many wait, all are compared by one pass
    instead. One that cannot be compared stays on the list, and holds up nobody else.

    Raises
    ------
    StoreError
        If the store cannot be used.
    AccessDenied, InputError
        After all others were compared, of the first that could not be.
    """
    with store.look() as work:
        waiting = work.find(Comparison, {"done_at": None}, order=("asked_at",), limit=_MANY + 1)
    if len(waiting) > _MANY:
        link_all(store, model, now=now)
        return len(waiting)
    failed: AccessDenied | InputError | None = None
    for one in waiting:
        try:
            with store.begin() as work:
                link_one(work, model, one.id, now=now)
        except (AccessDenied, InputError) as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return len(waiting)


def link_one(
    work: Work, model: Model, referral_id: str, *, by: str = MACHINE, now: datetime
) -> tuple[Link, ...]:
    """Propose the links of one referral's people, by looking up what they share; returns what is new.

    Raises
    ------
    InputError
        If there is no such referral.
    """
    asked = work.get(Comparison, referral_id)
    best: list[Weighed] = []
    inquiries = dict[str, str]()
    for person, found in near(work, model, referral_id, by=by, now=now).items():
        good = [one for one in found if one.stands]
        persons = tuple(_other(one.weighed, person) for one in good)
        together = _together(work, persons)
        seen: set[str] = set()
        inquiries |= {
            one.id: one.inquiry_id for one in any_of(work, Referral, "id", map(referral_of, persons))
        }
        for one in good:
            other = _other(one.weighed, person)
            if together[other] not in seen:
                seen.add(together[other])
                best.append(one.weighed)
    own = work.find(Referral, {"id": referral_id})[0].inquiry_id
    apart = [
        one
        for one in best
        if {inquiries.get(referral_of(each), own) for each in (one.one, one.other)} != {own}
    ]
    wanted = [_link(one, now) for one in apart]
    if asked is not None:
        _done(work, asked, now)
    return propose(work, wanted, by=by, now=now, leave_out=True) if wanted else ()


@dataclass(frozen=True, slots=True)
class Near:
    """Somebody who may be one with another; ``stands`` says whether the link is proposed."""

    weighed: Weighed
    stands: bool


def near(
    work: Work, model: Model, referral_id: str, *, by: str = MACHINE, now: datetime
) -> Mapping[str, Sequence[Near]]:
    """Return for each person of a referral who else they may be, the heaviest first; logged as a consultation.

    Raises
    ------
    InputError
        If there is no such referral.
    """
    if work.get(Referral, referral_id) is None:
        raise InputError("There is no such referral.", f"referral {referral_id}", "Check its id.")
    log_use(work, "consultation", referral_id, by, now, reason=_COMPARED)
    own = [one for one in work.find(Identifier, {"referral_id": referral_id}) if one.kind in KINDS]
    people = profiles(model, _around(work, model, own))
    found: dict[str, list[Near]] = {}
    rarity = _Rarity(work, model)
    with_key: defaultdict[str, list[str]] = defaultdict(list)  # few each: what many have is no key
    for one in people.values():
        for key in one.keys:
            with_key[key].append(one.person)
    for person in sorted({one.person for one in own} & people.keys()):
        one = people[person]
        sharing = dict.fromkeys(other for key in one.keys for other in with_key[key])
        others = [people[other] for other in sharing if comparable(one, people[other])]
        those = []
        for other in others:
            pair = Pair(one, other)
            weighed = weigh(model, pair, rarity)
            if weighed.weight_db >= model.weak_db:
                those.append(Near(weighed, stands(model, pair, weighed)))
        found[person] = sorted(
            those, key=lambda each: (-each.weighed.weight_db, each.weighed.one, each.weighed.other)
        )
    return found


def explain(work: Work, model: Model, one: str, other: str, *, by: str, now: datetime) -> Weighed:
    """Return what speaks for two persons being one, weighed now.

    Raises
    ------
    InputError
        If they share nothing, or may never be one.
    """
    found = near(work, replace(model, weak_db=-math.inf), referral_of(one), by=by, now=now).get(one, ())
    for each in found:
        if _other(each.weighed, one) == other:
            return each.weighed
    raise InputError(
        "These two share nothing, or may never be one.", f"{one}, {other}", "See the link's reasons."
    )


class _Rarity(Mapping[str, float]):
    """Counts a name in the store when it is asked for."""

    def __init__(self, work: Work, model: Model) -> None:
        self._work, self._model, self._total = work, model, -1

    def __getitem__(self, name: str) -> float:
        if self._total < 0:
            self._total = self._work.count(Identifier, {"kind": "name"})
        return rarity_of(
            self._model, self._work.count(Identifier, {"kind": "name", "value": name}), self._total
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _around(work: Work, model: Model, own: Sequence[Identifier]) -> list[Held]:
    """Return all that is known of these persons, and of everybody who has something of theirs.

    Nobody is looked up by a line: its holders are asked for where somebody who was found otherwise has it too.
    """
    persons, crowded = _who(work, model, [one for one in own if one.kind not in {"ip", "name"}])
    known = any_of(work, Identifier, "person", persons | {one.person for one in own})
    mine = {one.person for one in own}
    lines = {one.value for one in known if one.kind == "ip" and one.person not in mine}
    others, more = _who(work, model, [one for one in own if one.kind == "ip" and one.value in lines])
    known += any_of(work, Identifier, "person", others - persons - mine)
    whole = {one.id: one for one in (*known, *crowded, *more)}
    referrals = {one.referral_id for one in whole.values()}
    at = {one.id: _at_s(one) for one in any_of(work, Referral, "id", referrals)}
    return [_held(one, at[one.referral_id]) for one in whole.values()]


def _who(work: Work, model: Model, named: Sequence[Identifier]) -> tuple[set[str], list[Identifier]]:
    """Return who has one of these identifiers, and of those that too many have, enough rows to know it."""
    persons, crowded = set[str](), list[Identifier]()
    for kind, value, platform in dict.fromkeys((one.kind, one.value, one.platform) for one in named):
        asked: dict[str, object] = {"kind": kind, "value": value}
        # A handle is looked up everywhere, and where too many have the word, on its platform.
        for where in (asked, {**asked, "platform": platform}) if kind == "handle" else (asked,):
            those = _holders(work, model, where)
            heard = {one.person for one in those}
            if len(heard) <= model.most:
                persons |= heard
                break
            crowded += those
    return persons, crowded


def _holders(work: Work, model: Model, where: Mapping[str, object]) -> list[Identifier]:
    """Return who has something, as far as it takes to know that they are too many; one may have it several times."""
    return work.find(Identifier, where, limit=4 * model.most)


def _together(work: Work, persons: Sequence[str]) -> dict[str, str]:
    """Return a name of the group that each person is in, by links that are proposed or accepted."""
    of = {one: one for one in persons}

    def root(person: str) -> str:
        while of[person] != person:
            person = of[person]
        return person

    for link in any_of(work, Link, "one", persons):
        if link.other in of and link.state in {"proposed", "accepted"}:
            of[root(link.one)] = root(link.other)
    return {one: root(one) for one in persons}


def _done(work: Work, asked: Comparison, now: datetime) -> None:
    """Take a referral from the list, unless it was asked for again meanwhile."""
    work.change(Comparison, asked.id, {"done_at": None, "asked_at": asked.asked_at}, done_at=now)


def _all(work: Work, kind: type[K], where: Mapping[str, object] | None = None) -> Iterator[K]:
    after = ""
    while those := work.find(kind, where, limit=_PAGE, after=after):
        yield from those
        after = those[-1].id


def _held(one: Identifier, at_s: float) -> Held:
    first_s = one.first_at.timestamp() if one.first_at else at_s
    last_s = one.last_at.timestamp() if one.last_at else max(first_s, at_s)
    return Held(one.person, one.role, one.kind, one.value, one.platform, min(first_s, last_s), last_s)


def _at_s(one: Referral) -> float:
    return (one.happened_at or one.received_at).timestamp()


def _link(one: Weighed, now: datetime) -> Link:
    return Link(
        link_id(one.one, one.other), one.one, one.other, round(one.weight_db, 1), one.reasons, one.rival, now
    )


def _other(one: Weighed, person: str) -> str:
    return one.other if one.one == person else one.one
