"""Who answers for what, on which day: the register of people, and whom it lets file.

An account's own training (:class:`~lightship.core.people.Account`) decides who sees pictures; a seat's training decides
who speaks to an authority in the provider's name. Either that ran out stops what it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import get_args

from lightship.core.duties import Post, Seat
from lightship.core.errors import AccessDenied, InputError, StoreError
from lightship.core.identity import identity
from lightship.core.ports import Work

POSTS: tuple[Post, ...] = get_args(Post)
FILES: tuple[Post, ...] = ("administrator", "replacement", "authorised")
"""Posts whose holders may file: the administrator with the authority, the replacement, and those authorised."""

NEEDED: tuple[Post, ...] = ("accountable", "administrator", "replacement")
"""Posts that somebody must hold at any time."""


def seat(
    work: Work,
    post: Post,
    *,
    name: str,
    account: str = "",
    begins_at: datetime,
    trained_until: datetime | None = None,
    registered_as: str = "",
    by: str,
) -> Seat:
    """Give a person a post from a moment on; whoever held a post that one person holds leaves it then.

    Parameters
    ----------
    account
        At the console; empty for somebody who does not sign in.
    registered_as
        With the authority.

    Raises
    ------
    InputError
        If there is no such post, or nobody is named.
    AccessDenied
        If the same person is administrator and replacement at once, or somebody begins in the post later.
    """
    if post not in POSTS or not name.strip():
        raise InputError("A seat has a post and a person.", str(post), f"Posts: {', '.join(POSTS)}.")
    others = [one for one in work.find(Seat, order=("begins_at",)) if _holds(one, begins_at)]
    twin = {"administrator": "replacement", "replacement": "administrator"}.get(post)
    if any(one.post == twin and _same(one, name, account) for one in others):
        raise AccessDenied(
            "The administrator and the replacement are two people.", f"post {post}", "Name somebody else."
        )
    if post in NEEDED:
        later = [one for one in work.find(Seat, {"post": post}) if one.begins_at > begins_at]
        if later:
            raise AccessDenied("Somebody begins in this post later.", f"post {post}", "Give a later day.")
        for one in others:
            if one.post == post:
                leave(work, one.id, ends_at=begins_at, by=by)
    id_ = identity("seat", post, name, account, begins_at.isoformat())
    made = Seat(id_, post, name.strip(), account, begins_at, None, trained_until, registered_as)
    try:
        work.save(made)
    except StoreError as error:
        raise AccessDenied("This person holds the post from then on already.", f"post {post}", "") from error
    entry = {"kind": "seat-taken", "seat": id_, "post": post, "name": made.name, "account": account, "by": by}
    until = trained_until.isoformat() if trained_until else ""
    work.record(
        {**entry, "begins_at": begins_at.isoformat(), "trained_until": until, "registered_as": registered_as}
    )
    return made


def leave(work: Work, seat_id: str, *, ends_at: datetime, by: str) -> Seat:
    """End a seat.

    Raises
    ------
    InputError
        If there is no such seat, or it would end before it began.
    AccessDenied
        If it was ended before.
    """
    found = work.get(Seat, seat_id)
    if found is None or ends_at < found.begins_at:
        raise InputError("There is no such seat, or it began later.", f"seat {seat_id}", "Check id and day.")
    left = work.change(Seat, seat_id, {"ends_at": None}, ends_at=ends_at)
    if left is None:
        raise AccessDenied("This seat was ended before.", f"seat {seat_id}", "")
    entry = {"kind": "seat-left", "seat": seat_id, "post": left.post, "name": left.name, "by": by}
    work.record({**entry, "ends_at": ends_at.isoformat()})
    return left


def train(work: Work, seat_id: str, *, until: datetime, materials: str, by: str) -> Seat:
    """Take in that somebody was trained for their post, with which version of the materials.

    Raises
    ------
    InputError
        If there is no such seat, or the materials are not named.
    """
    changed = work.change(Seat, seat_id, {}, trained_until=until) if materials.strip() else None
    if changed is None:
        raise InputError("There is no such seat, or no materials are named.", f"seat {seat_id}", "Give both.")
    entry = {"kind": "seat-trained", "seat": seat_id, "post": changed.post, "name": changed.name, "by": by}
    work.record({**entry, "until": until.isoformat(), "materials": materials})
    return changed


def roster(work: Work, at: datetime) -> list[Seat]:
    """Return who held which post at a moment, past or to come, by post and name."""
    held = [one for one in work.find(Seat) if _holds(one, at)]
    return sorted(held, key=lambda one: (POSTS.index(one.post), one.name, one.id))


def lacks(seats: Iterable[Seat], at: datetime) -> tuple[str, ...]:
    """Return what a roster lacks at a moment, a sentence each: posts that nobody holds, training that ran out."""
    seats = list(seats)
    held = {one.post for one in seats}
    found = [f"Nobody is {post}." for post in NEEDED if post not in held]
    found += [f"{one.name} ({one.post}): {said}" for one in seats if (said := _untrained(one, at))]
    return tuple(found)


def declarant(work: Work, account: str, now: datetime) -> Seat:
    """Return the seat in which somebody may file now.

    Raises
    ------
    AccessDenied
        If they hold none that files, or their training for it ran out.
    """
    mine: Sequence[Seat] = [one for one in roster(work, now) if one.account == account and one.post in FILES]
    where = f"account {account}"
    if not mine:
        raise AccessDenied(
            "Reports are filed by the organisation's administrator, the replacement, or somebody authorised.",
            where,
            "Give them a seat: lightship duties people seat.",
        )
    trained = next((one for one in mine if not _untrained(one, now)), None)
    if trained is None:
        raise AccessDenied(_untrained(mine[0], now), where, "Renew the training first.")
    return trained


def _holds(seat: Seat, at: datetime) -> bool:
    return seat.begins_at <= at and (seat.ends_at is None or at < seat.ends_at)


def _same(seat: Seat, name: str, account: str) -> bool:
    return (bool(account) and seat.account == account) or seat.name.casefold() == name.strip().casefold()


def _untrained(seat: Seat, at: datetime) -> str:
    if seat.trained_until is None:
        return "No training for the post is on record."
    if seat.trained_until <= at:
        return f"The training for the post ran out on {seat.trained_until:%-d %B %Y}."
    return ""
