"""Opening pictures: blurred ones to see that there is something, clear ones against the exposure budget alone."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from lightship.console.pictures import blurred, part_of
from lightship.console.problems import Problem
from lightship.console.room import WatchRoom
from lightship.console.sounds import silent, sound_of, wave_of
from lightship.console.visits import Visit
from lightship.core.access import Purpose, covered, grant
from lightship.core.cases import Case, Exhibit, Judgement
from lightship.core.errors import VaultError
from lightship.core.people import Look, Shift, Shown
from lightship.core.ports import Work

_TRIES = 5
_CLEAR: tuple[Shown, ...] = ("still", "motion", "sound")
_OF: Mapping[Shown, frozenset[str]] = {
    "still": frozenset({"image"}),
    "motion": frozenset({"video"}),
    "sound": frozenset({"video", "audio"}),
}
"""What can be shown of which media."""


def exhibit_of(work: Work, case: Case, exhibit_id: str) -> Exhibit:
    """Return an exhibit of a case.

    Raises
    ------
    Problem
        If it is none of its, or was destroyed.
    """
    exhibit = work.get(Exhibit, exhibit_id)
    if exhibit is None or exhibit.case_id != case.id:
        raise Problem("not-found", "The case has no such exhibit.")
    if exhibit.destroyed_at is not None:
        raise Problem("not-found", "The exhibit was destroyed when its time was over.")
    return exhibit


def open_blurred(room: WatchRoom, visit: Visit, case: Case, exhibit_id: str) -> bytes:
    """Return a blurred still; the look is on the record first."""
    with room.store.begin() as work:
        exhibit = exhibit_of(work, case, exhibit_id)
        if not exhibit.media.startswith("image/"):
            raise Problem("not-found", "Only stills are shown blurred.")
        room.looked(work, visit, f"case {case.id}", case=case, shown="blurred", exhibit=exhibit.id)
    return blurred(_opened(room, visit, exhibit, "blurred preview"))


def open_clear(
    room: WatchRoom,
    visit: Visit,
    case: Case,
    exhibit_id: str,
    *,
    shown: Shown,
    purpose: Purpose,
    judgement: Judgement | None,
    part: int = 0,
) -> tuple[bytes, str, Look]:
    """Return what is shown clearly, its media type, and the look that it was charged as.

    A film is shown without its sound, and its sound is heard without the film: the one is never sent with the other.

    Parameters
    ----------
    part
        Of a still, the one of nine parts that is clear while the rest stays blurred; 0 is the whole.

    Raises
    ------
    Problem
        If the person, the case's state or the exposure budget does not allow it.
    """
    if purpose == "second-opinion":
        visit.must("second", purpose=purpose, case=case, judgement=judgement)
    visit.must("reveal", purpose=purpose, case=case)
    with room.store.begin() as work:
        exhibit = exhibit_of(work, case, exhibit_id)
        if exhibit.media.partition("/")[0] not in _OF[shown]:
            raise Problem("invalid", "The exhibit is not of this kind.")
        look = _charge(room, work, visit, case, exhibit, shown, purpose)
        work.change(Case, case.id, {}, seen=True)
        entry = {"kind": "reveal", "at": visit.now.isoformat(), "by": visit.account.id, "case": case.id}
        work.record({**entry, "shown": shown, "part": part, "purpose": purpose, "granted_s": look.granted_s})
    data = _opened(room, visit, exhibit, purpose)
    if shown == "sound":
        return sound_of(data), "audio/wav", look
    if shown == "motion":
        return silent(data), exhibit.media, look
    return (part_of(data, part), "image/png", look) if part else (data, exhibit.media, look)


def open_wave(room: WatchRoom, visit: Visit, case: Case, exhibit_id: str) -> bytes:
    """Return how loud an exhibit is over its time, as a picture (SVG); the look is on the record first."""
    with room.store.begin() as work:
        exhibit = exhibit_of(work, case, exhibit_id)
        if exhibit.media.partition("/")[0] not in _OF["sound"]:
            raise Problem("not-found", "The exhibit has no sound.")
        room.looked(
            work, visit, f"loudness in case {case.id}", case=case, shown="blurred", exhibit=exhibit.id
        )
    return wave_of(_opened(room, visit, exhibit, "loudness")).encode()


def cover_again(room: WatchRoom, visit: Visit, look_id: str) -> float:
    """End a look; returns the seconds that were charged, by the server's clock.

    Raises
    ------
    Problem
        If it is not a look of this person's.
    """
    for _ in range(_TRIES):
        with room.store.begin() as work:
            look = work.get(Look, look_id)
            if look is None or look.account != visit.account.id or look.shown not in _CLEAR:
                raise Problem("not-found", "There is no such look.")
            if look.covered_at is not None:
                return look.seconds
            used_s = min(look.granted_s, max(0.0, (visit.now - look.at).total_seconds()))
            shift = work.get(Shift, look.shift_id)
            if shift is None or _swap(work, shift, covered(shift, granted_s=look.granted_s, used_s=used_s)):
                work.change(Look, look.id, {"covered_at": None}, seconds=used_s, covered_at=visit.now)
                entry = {"kind": "covered", "at": visit.now.isoformat(), "by": visit.account.id}
                work.record({**entry, "case": look.case_id, "seconds": round(used_s, 1)})
                return used_s
    raise Problem("busy", "Others changed the same record. Try again.", retry_after_s=1.0)


def _charge(
    room: WatchRoom, work: Work, visit: Visit, case: Case, exhibit: Exhibit, shown: Shown, purpose: Purpose
) -> Look:
    for _ in range(_TRIES):
        shift = room.current_shift(work, visit.account.id)
        if shift is None:
            raise Problem("forbidden", "Begin your shift first.")
        before = work.find(Look, {"shift_id": shift.id, "case_id": case.id, "shown": _CLEAR}, limit=50)
        if shown != "still" and not any(one.shown == "still" for one in before):
            stills = work.find(Exhibit, {"case_id": case.id, "destroyed_at": None}, limit=50)
            if any(one.media.startswith("image/") for one in stills):
                raise Problem("forbidden", "Stills come before motion and sound.")
        after, granted_s, answer = grant(
            shift, room.settings.budget, severity=case.severity, seen_before=bool(before), now=visit.now
        )
        if not answer:
            raise Problem("forbidden", answer.why)
        if _swap(work, shift, after):
            look = Look(
                uuid4().hex, visit.account.id, shift.id, case.id, exhibit.id, shown, purpose, visit.now,
                granted_s=granted_s, seconds=granted_s,
            )  # fmt: skip
            work.save(look)
            return look
    raise Problem("busy", "You opened something else at the same moment. Try again.", retry_after_s=1.0)


def _swap(work: Work, old: Shift, new: Shift) -> bool:
    """Put a shift's new exposure in place of the old, unless another request was there first."""
    expect = {"seconds": old.seconds, "items": old.items, "severity": old.severity, "ended_at": old.ended_at}
    return (
        work.change(
            Shift,
            old.id,
            expect,
            seconds=new.seconds,
            items=new.items,
            severity=new.severity,
            stretch_s=new.stretch_s,
            break_until=new.break_until,
        )
        is not None
    )


def _opened(room: WatchRoom, visit: Visit, exhibit: Exhibit, purpose: str) -> bytes:
    try:
        return room.vault.open(exhibit, by=visit.account.id, purpose=purpose)
    except VaultError as error:
        raise Problem("not-ready", f"{error.what} {error.todo}".strip()) from error
