"""Sequences: which stretch of a stream shows which stretch of a listed video, from one look after the other.

A state machine: :func:`step` takes in a look and returns the segments that are over; :func:`finish` returns the rest.
A segment is a listed video (or still) seen from one stream second to another, with the listed seconds that were shown.

**Order.** A look continues a segment where one of its matches lies where the play would be by now: not before the last
one, and moved on by a third to three times the time that passed, give or take :data:`SLACK_S`. So play at another
speed, pauses, lost frames and lists made at another cadence continue it; a loop or a seek begins another segment.

**What counts.** Looks of one picture are one piece of evidence, however long it stands: a look counts as another frame
only where its picture differs by more than :data:`DISTINCT_BITS` from those that were counted and it matches another
listed frame. That limit is the lists' own: what they call the same picture is the same picture here.

**Weight.** The best frame gives its own weight, measured (:mod:`lightship.detect.chance`). Chances must not be
multiplied from there: the next frame of a scene that looks like a listed one by chance will look like it too, and no
count of that dependence exists yet. Two frames lie in order by chance every other time. So from the third counted frame
of good quality on, each adds only :data:`FURTHER_DB` (as if nine of ten scenes that fooled one frame did not fool the
next distinct one: a judgement), each match of the same video out of order within the segment takes one such step away
again, and the caps for errors of the lists stay above the sum. Shuffled frames therefore gain nothing over one frame
but in one or two of a hundred shuffles, unrelated and standing ones never, and poor ones never exceed their own cap.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lightship.detect.bank import Hit
from lightship.detect.chance import LOW_QUALITY, ONE_LIST_DB, TWO_LISTS_DB
from lightship.detect.matcher import Finding

GAP_S = 30.0
"""A segment that nothing continues for so long is over."""

SLACK_S = 2.0
"""Looks and listed frames are both taken about once a second, each off by up to one."""

FASTEST = 3.0
"""Speeds from a third to three times that of the listed video continue a segment."""

DISTINCT_BITS = 31
"""Pictures that differ by no more are one piece of evidence."""

FURTHER_DB = 10.0

_OPEN = 256  # segments a stream keeps open; beyond that those that waited longest are handed out early
_COUNTED = 32  # pictures a segment remembers, to tell whether the next one is another

Key = tuple[str, str, str]
"""List, video (or a still's reference), and how the picture was turned."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a stream.

    Parameters
    ----------
    at_s
        Stream seconds.
    picture
        The picture's PDQ hash as a number of 256 bits, as it was seen (not turned): tells pictures apart.
    finding
        What the lists say of it.
    """

    at_s: float
    picture: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a stream that shows something listed.

    Parameters
    ----------
    bank, video, transform
        The list, its video (or a still's reference), and how the picture was turned.
    still
        Whether it is a listed still, or a video whose seconds are not told.
    nearest
        The nearest match within it.
    from_s, to_s
        The stretch of the stream, first and last look, seconds.
    listed_from_s, listed_to_s
        The stretch of the listed video; NaN for stills.
    looks
        Looks that continue it.
    frames
        Distinct frames among them, in order.
    sure
        Those of them whose picture and entry are of good quality.
    astray
        Looks between its first and last that match the same video, but out of order.
    best_db
        Weight of its best frame.
    lists
        Lists that hold a match of its looks.
    counted
        Pictures of the last distinct frames.
    doubts
        Looks out of order since the last that continued it.
    """

    bank: str
    video: str
    transform: str
    still: bool
    nearest: Hit
    from_s: float
    to_s: float
    listed_from_s: float
    listed_to_s: float
    looks: int = 0
    frames: int = 0
    sure: int = 0
    astray: int = 0
    best_db: float = 0.0
    lists: frozenset[str] = frozenset()
    counted: tuple[int, ...] = ()
    doubts: int = 0

    @property
    def key(self) -> Key:
        """What it is a segment of."""
        return self.bank, self.video, self.transform

    @property
    def speed(self) -> float:
        """Listed seconds a stream second; NaN where it is too short to tell, or a still."""
        shown_s = self.to_s - self.from_s
        if self.still or shown_s < 2.0 * SLACK_S:
            return math.nan
        return (self.listed_to_s - self.listed_from_s) / shown_s

    @property
    def weight_db(self) -> float:
        """Weight of evidence, decibans; the rule stands at the head of this module."""
        further = max(0, self.sure - 2 - self.astray)
        cap_db = ONE_LIST_DB if len(self.lists) < 2 else TWO_LISTS_DB
        return min(cap_db, self.best_db + FURTHER_DB * further)

    @property
    def why(self) -> str:
        """How its weight came about, a sentence."""
        further = max(0, self.sure - 2 - self.astray)
        cap_db = ONE_LIST_DB if len(self.lists) < 2 else TWO_LISTS_DB
        astray = f", {self.astray} of them taken back for looks out of order" if self.astray else ""
        return (
            f"Its best frame weighs {self.best_db:.1f} dB alone; {self.sure} distinct frames are of good quality, "
            f"of which each beyond the second adds {FURTHER_DB:.0f} dB{astray}: {FURTHER_DB * further:.0f} dB; "
            f"{'one list holds it' if len(self.lists) < 2 else f'{len(self.lists)} lists agree'}, so at most "
            f"{cap_db:.0f} dB count. It weighs {self.weight_db:.1f} dB."
        )

    def to_json(self) -> dict[str, object]:
        """Return it as a JSON object; never a hash."""
        return {
            "list": self.bank,
            "video": "" if self.still else self.video,
            "entry": self.nearest.reference,
            "from_s": round(self.from_s, 3),
            "to_s": round(self.to_s, 3),
            "listed_from_s": None if self.still else round(self.listed_from_s, 3),
            "listed_to_s": None if self.still else round(self.listed_to_s, 3),
            "speed": None if math.isnan(self.speed) else round(self.speed, 2),
            "looks": self.looks,
            "frames": self.frames,
            "out_of_order": self.astray,
            "distance": self.nearest.distance,
            "transform": self.transform,
            "lists": sorted(self.lists),
            "weight_db": round(self.weight_db, 1),
        }

    def __str__(self) -> str:
        span = f"{self.from_s:.1f} to {self.to_s:.1f} s"
        turned = "" if self.transform == "as it is" else f", {self.transform}"
        agree = f"{self.frames} distinct frame{'s' if self.frames != 1 else ''} of {self.looks} looks"
        weight = f"{self.weight_db:.0f} dB"
        if self.still:
            return (
                f"{span}: list {self.bank}, entry {self.video}, shown throughout ({agree}){turned}, {weight}"
            )
        speed = "" if math.isnan(self.speed) else f" at {self.speed:.1f} times its speed"
        astray = f", {self.astray} out of order" if self.astray else ""
        return (
            f"{span}: list {self.bank}, video {self.video} from {self.listed_from_s:.1f} to {self.listed_to_s:.1f} s"
            f"{speed}: {agree} agree in order{astray}{turned}, {weight}"
        )


@dataclass(frozen=True, slots=True)
class Stream:
    """What is remembered of a stream: bounded, however long it is and whatever it shows.

    Parameters
    ----------
    gap_s
        A segment that nothing continues for so long is over; some looks at the stream's cadence at least.
    now_s
        The last look.
    open
        Segments that may go on.
    """

    gap_s: float = GAP_S
    now_s: float = -math.inf
    open: tuple[Segment, ...] = ()


def step(stream: Stream, look: Look) -> tuple[Stream, tuple[Segment, ...]]:
    """Take in a look; returns the segments that are over."""
    over = [one for one in stream.open if not 0.0 <= look.at_s - one.to_s <= stream.gap_s]
    live = [one for one in stream.open if 0.0 <= look.at_s - one.to_s <= stream.gap_s]
    lists = frozenset(hit.bank.terms.name for hit in look.finding.hits)
    places: dict[Key, list[int]] = {}
    for number, one in enumerate(live):
        places.setdefault(one.key, []).append(number)
    for key, hits in _by_video(look.finding).items():
        same = places.get(key, [])
        fits = [
            (live[number].looks, -_astray_s(live[number], look.at_s, hit), number, hit)
            for number in same
            for hit in [_continuation(live[number], look.at_s, hits)]
            if hit is not None
        ]
        taken = -1
        if fits:
            *_, taken, hit = max(fits, key=lambda one: one[:2])
            live[taken] = _continued(live[taken], look, hit, lists)
        else:
            live.append(_begun(key, look, hits[0], lists))
        for number in same:
            if number != taken:
                live[number] = replace(live[number], doubts=live[number].doubts + 1)
    live.sort(key=lambda one: (one.to_s, one.looks), reverse=True)
    over += live[_OPEN:]
    return Stream(stream.gap_s, look.at_s, tuple(live[:_OPEN])), tuple(over)


def finish(stream: Stream) -> tuple[Segment, ...]:
    """Return the segments that are still open, as the stream is over."""
    return tuple(sorted(stream.open, key=lambda one: one.from_s))


def segments(looks: Iterable[Look], gap_s: float = GAP_S) -> Iterator[Segment]:
    """Yield the segments of a whole stream as they end."""
    stream = Stream(gap_s)
    for look in looks:
        stream, over = step(stream, look)
        yield from over
    yield from finish(stream)


def _by_video(finding: Finding) -> dict[Key, list[Hit]]:
    """Return the PDQ matches by what they are of, nearest first."""
    found: dict[Key, list[Hit]] = {}
    for hit in finding.hits:
        if hit.kind == "pdq":
            key = (hit.bank.terms.name, hit.video or hit.reference, finding.transform)
            found.setdefault(key, []).append(hit)
    return found


def _continuation(segment: Segment, at_s: float, hits: list[Hit]) -> Hit | None:
    """Return the match that lies nearest to where the play would be by now, if one is near enough."""
    if segment.still:
        return hits[0]
    passed_s = at_s - segment.to_s
    low_s, high_s = max(0.0, passed_s / FASTEST - SLACK_S), passed_s * FASTEST + SLACK_S
    near = [hit for hit in hits if low_s <= hit.at_s - segment.listed_to_s <= high_s]
    return min(near, key=lambda hit: (_astray_s(segment, at_s, hit), hit.distance)) if near else None


def _astray_s(segment: Segment, at_s: float, hit: Hit) -> float:
    """Return how far a match lies from where the play would be by now, seconds."""
    if segment.still:
        return 0.0
    speed = 1.0 if math.isnan(segment.speed) else segment.speed
    return abs(hit.at_s - segment.listed_to_s - speed * (at_s - segment.to_s))


def _begun(key: Key, look: Look, hit: Hit, lists: frozenset[str]) -> Segment:
    bank, video, transform = key
    begin = Segment(
        bank,
        video,
        transform,
        not hit.video or math.isnan(hit.at_s),
        hit,
        look.at_s,
        look.at_s,
        hit.at_s,
        hit.at_s,
    )
    return _continued(begin, look, hit, lists)


def _continued(segment: Segment, look: Look, hit: Hit, lists: frozenset[str]) -> Segment:
    finding = look.finding
    moved = not segment.looks or (not segment.still and hit.at_s > segment.listed_to_s)
    other = all((look.picture ^ one).bit_count() > DISTINCT_BITS for one in segment.counted)
    new = moved and other
    sure = new and min(finding.quality, hit.quality) >= LOW_QUALITY
    # What the finding weighs was computed for its nearest match; one that lies further away may not claim it.
    nearest = finding.nearest is not None and hit.distance <= finding.nearest.distance
    return replace(
        segment,
        nearest=min(segment.nearest, hit, key=lambda one: one.distance),
        to_s=look.at_s,
        listed_to_s=hit.at_s,
        looks=segment.looks + 1,
        frames=segment.frames + new,
        sure=segment.sure + sure,
        astray=segment.astray + segment.doubts,
        doubts=0,
        best_db=max(segment.best_db, finding.weight_db if nearest else 0.0),
        lists=segment.lists | lists,
        counted=(*segment.counted, look.picture)[-_COUNTED:] if new else segment.counted,
    )
