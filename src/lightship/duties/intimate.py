"""Intimate images: within 48 hours of a notice the image, and the same or nearly the same, are down (R28).

The notice starts the clock. Each sweep for near copies is kept as a version of a paper on that clock: what was looked
at, what showed the image still, and what could not be read. What an earlier sweep found, and a later one does not name
again, stays open. The clock ends when the last sweep found nothing that is not answered for, or by an exception with
its reason; not because somebody says that it is done, or says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lightship.core.duties import Clock, Paper
from lightship.core.errors import AccessDenied, InputError
from lightship.core.ports import Work
from lightship.duties import clocks
from lightship.duties import record_book_papers as papers
from lightship.duties.clocks import SWEPT

PAPER = "sweep"
NOT_AGAIN = "It was not swept again."
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What a sweep found in one recording.

    Parameters
    ----------
    copies
        Stretches that show the image, seconds from and to.
    looks
        Pictures that were looked at.
    missed
        Why all or parts of it could not be looked at.
    """

    recording: str
    copies: tuple[tuple[float, float], ...]
    looks: int
    missed: tuple[str, ...] = ()


def swept(
    work: Work,
    clock_id: str,
    found: Iterable[Looked],
    pictures: int,
    *,
    by: str,
    now: datetime,
    began_at: datetime | None = None,
    unused: Sequence[str] = (),
) -> Paper:
    """Keep what a sweep found, and what an earlier one found in recordings that this one does not name again.

    An exception that was made before stands, unless there is now what it did not answer for: a copy in what could not
    be read, or the other way round.

    Parameters
    ----------
    pictures
        By how many pictures it was looked for.
    now
        When this is written: after all that was looked at.
    began_at
        When the first recording was opened; None is ``now``.
    unused
        Pictures by which it could not be looked for, each with why.

    Raises
    ------
    InputError
        If the clock is of no intimate image, or nothing was looked at.
    AccessDenied
        If the clock was ended.
    """
    clock = _running(work, clock_id)
    before = said(work, clock_id)
    earlier = {one["recording"]: one for one in before["recordings"]} if before else {}
    rows = [
        _answered(
            {
                "recording": one.recording,
                "copies": [[round(from_s, 3), round(to_s, 3)] for from_s, to_s in one.copies],
                "looks": one.looks,
                "missed": list(one.missed) or ([] if one.looks else ["No picture of it could be looked at."]),
            },
            earlier.get(one.recording, {}),
        )
        for one in found
    ]
    if not rows:
        raise InputError("A sweep looks at recordings.", f"clock {clock_id}", "Name what is still up.")
    named = {one["recording"] for one in rows}
    rows += [
        _unswept(one)
        for name, one in earlier.items()
        if name not in named and (one["copies"] or one["missed"])
    ]
    by_what = {"pictures": pictures, "unused": list(unused)}
    sweep = {
        "began_at": (began_at or now).isoformat(),
        "swept": len(named),
        **by_what,
        "recordings": rows,
    }
    return _kept(work, clock, sweep, by, now)


def except_(work: Work, clock_id: str, recording: str, *, why: str, by: str, now: datetime) -> Paper:
    """Take in why a recording may stay although it shows the image, or could not be read.

    Raises
    ------
    InputError
        If there is no reason, or the last sweep did not look at the recording.
    AccessDenied
        If the clock was ended.
    """
    clock, before = _running(work, clock_id), said(work, clock_id)
    where = f"clock {clock_id}"
    if not why.strip() or len(why) > clocks.LONGEST:
        raise InputError("An exception has a reason.", where, "Write it.")
    known = [one["recording"] for one in before["recordings"]] if before else []
    if before is None or recording not in known:
        raise InputError("The last sweep did not look at this recording.", where, "Name it as the sweep did.")
    rows = [
        {**one, "excepted": why.strip(), "answers": _kinds(one)} if one["recording"] == recording else one
        for one in before["recordings"]
    ]
    return _kept(work, clock, {**before, "recordings": rows}, by, now)


def said(work: Work, clock_id: str) -> Mapping[str, Any] | None:
    """Return what the last sweep on a clock says; None where there was none.

    Raises
    ------
    StoreError
        If it was changed since it was written.
    """
    paper = papers.latest(work, PAPER, clock_id)
    return papers.body(paper) if paper is not None else None


def residual(sweep: Mapping[str, Any]) -> list[str]:
    """Return the recordings that show the image still and are not answered for."""
    return [one["recording"] for one in sweep["recordings"] if one["copies"] and not one["excepted"]]


def unread(sweep: Mapping[str, Any]) -> list[str]:
    """Return the recordings that could not be looked at whole and are not answered for."""
    return [one["recording"] for one in sweep["recordings"] if one["missed"] and not one["excepted"]]


def in_words(sweep: Mapping[str, Any] | None) -> str:
    """Return what a sweep says, in sentences."""
    if sweep is None:
        return "Nothing was swept for copies yet."
    left, dark = residual(sweep), unread(sweep)
    excepted = sum(bool(one["excepted"]) for one in sweep["recordings"])
    count = sweep.get("swept", len(sweep["recordings"]))
    told = f"Swept {_number(count, 'recording')} for {_number(sweep['pictures'], 'picture')}."
    if poor := sweep.get("unused", []):
        told += f" Not looked for: {_some(poor)}."
    if left:
        told += f" Copies are still up in {len(left)}: {_some(left)}."
    elif not dark:
        told += " No copy is up."
    told += f" Not looked at whole: {_some(dark)}." if dark else ""
    return told + (f" Excepted with a reason: {excepted}." if excepted else "")


def end(work: Work, clock_id: str, *, outcome: str, by: str, now: datetime, exception: bool = False) -> Clock:
    """End the clock: by what the last sweep says, or by an exception of which the outcome is the reason.

    Raises
    ------
    InputError
        If the clock is of no intimate image, an exception has no reason, or it is late and nobody says why.
    AccessDenied
        If copies are still up or something was not looked at, or nothing was swept.
    """
    clock = _running(work, clock_id)
    if exception:
        return clocks.close(
            work, clock, outcome=f"An exception: {outcome}" if outcome.strip() else "", by=by, now=now
        )
    sweep = said(work, clock_id)
    if sweep is None or residual(sweep) or unread(sweep):
        raise AccessDenied(
            f"It is not done before a sweep says so. {in_words(sweep)}",
            f"clock {clock_id}",
            "Take the copies down and sweep again, or say why one may stay.",
        )
    if now > clock.due_at and not outcome.strip():
        raise InputError("It is late.", f"clock {clock_id}", "Say why.")
    words = f"{in_words(sweep)} {outcome.strip()}".strip()
    return clocks.close(work, clock, outcome=words[: clocks.LONGEST], by=by, now=now)


def _kinds(row: Mapping[str, Any]) -> list[str]:
    """Return what an exception of a recording would answer for."""
    return [kind for kind in ("copies", "missed") if row[kind]]


def _answered(row: Mapping[str, Any], earlier: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what was found in a recording, with the exception that was made earlier where it answers for that."""
    answers = earlier.get("answers", [])
    stands = set(_kinds(row)) <= set(answers)
    return {
        **row,
        "excepted": earlier["excepted"] if stands and earlier else "",
        "answers": answers if stands else [],
    }


def _unswept(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is known of a recording that was not named again: as it was where that is answered for."""
    if row["excepted"]:
        return row
    shown = ["It showed the image."] if row["copies"] else []
    return {**row, "copies": [], "missed": list(dict.fromkeys([*shown, *row["missed"], NOT_AGAIN]))}


def _running(work: Work, clock_id: str) -> Clock:
    """Return the clock, held: what is done to one clock takes turns, so that each act rests on the last paper."""
    clock = work.get(Clock, clock_id)
    if clock is None or clock.kind != SWEPT:
        raise InputError("This clock is of no intimate image.", f"clock {clock_id}", "Check its id.")
    if work.change(Clock, clock_id, {"ended_at": None}, about=clock.about) is None:
        raise AccessDenied("This clock was ended before.", f"clock {clock_id}", "Look at its outcome.")
    return clock


def _kept(work: Work, clock: Clock, sweep: Mapping[str, Any], by: str, now: datetime) -> Paper:
    body = {**sweep, "clock": clock.id, "about": clock.about, "at": now.isoformat()}
    paper = papers.write(work, PAPER, body, subject=clock.id, author=by, now=now)
    numbers = {
        "recordings": len(sweep["recordings"]),
        "residual": len(residual(sweep)),
        "unread": len(unread(sweep)),
    }
    entry = {"kind": "intimate-swept", "clock": clock.id, "about": clock.about, "by": by, "paper": paper.id}
    work.record({"at": now.isoformat(), **entry, **numbers})
    return paper


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
