"""The release gate: nothing leaves casework but through :func:`release`, field by field, for one recipient."""

from __future__ import annotations

from collections.abc import Iterable

from lightship.core.casework import Marking
from lightship.core.errors import InputError
from lightship.core.markings import read_marking, refusal, strictest
from lightship.core.release import Field, Partner, Released, Thing, Withheld


def release(fields: Iterable[Field], to: Partner) -> tuple[Released, tuple[Withheld, ...]]:
    """Return what a recipient may have, and what stays and why.

    A field leaves if it is marked, every marking can be read, and the strictest of them is within the recipient's grade
    and conditions. A thing whose needed field stays, stays whole; so does a reference to a thing that stays.
    """
    each = tuple(fields)
    read = {one: _read(one, to) for one in dict.fromkeys(one.markings for one in each)}
    stays = {number: read[one.markings][1] for number, one in enumerate(each) if read[one.markings][1]}
    while more := _follow(each, stays):
        stays |= more
    things: dict[str, list[int]] = {}
    for number, one in enumerate(each):
        if number not in stays:
            things.setdefault(one.thing, []).append(number)
    under = {id_: frozenset(each[number].markings for number in numbers) for id_, numbers in things.items()}
    marked = {those: strictest(read[one][0] for one in those) for those in dict.fromkeys(under.values())}
    released = tuple(
        Thing(
            id_,
            each[numbers[0]].kind,
            {each[number].name: each[number].value for number in numbers},
            marked[under[id_]],
        )
        for id_, numbers in things.items()
    )
    withheld = tuple(
        Withheld(each[number].thing, each[number].name, why) for number, why in sorted(stays.items())
    )
    return Released(to, released), withheld


def _read(markings: tuple[str, ...], to: Partner) -> tuple[Marking, str]:
    """Return the strictest of markings, and why what is under them stays; empty where it may go."""
    try:
        found = strictest(map(read_marking, markings))
    except InputError as error:
        return Marking(), error.what
    return found, refusal(found, to.grade, to.agreed)


def _follow(each: tuple[Field, ...], stays: dict[int, str]) -> dict[int, str]:
    """Return what stays because of what else does."""
    whole = {each[number].thing for number in stays if each[number].needed}
    gone = {one.thing for one in each} - {one.thing for number, one in enumerate(each) if number not in stays}
    there = {one.thing for one in each} - gone
    more = {}
    for number, one in enumerate(each):
        if number in stays:
            continue
        if one.thing in whole:
            more[number] = "what it is useless or telling without stays"
        elif one.refers and one.value not in there:
            more[number] = "what it refers to stays"
    return more
