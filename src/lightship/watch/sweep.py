"""Near copies: which recordings and clips show a span that a case is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR, Collected, Table, Texts
from lightship.core.errors import InputError, LightshipError
from lightship.core.known import Terms
from lightship.detect.bank import Bank, build
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import pdq
from lightship.detect.sequence import Look, Segment, segments
from lightship.media.frames import Gap, Sound
from lightship.media.keyframes import Keyframes
from lightship.media.sources import Source, open_source


@dataclass(frozen=True, slots=True)
class Span:
    """A case's span as hashes.

    Parameters
    ----------
    case_id
        The case.
    at_s
        Stream seconds of each picture.
    hashes
        Their PDQ hashes ``(N, 4) uint64``.
    qualities
        0 to 100 each.
    """

    case_id: str
    at_s: tuple[float, ...]
    hashes: NDArray[np.uint64]
    qualities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What was found in one recording.

    Parameters
    ----------
    recording
        Its path or address.
    copies
        Stretches that show the span; empty where there is none.
    looks
        Pictures that were looked at.
    missed
        Why parts of it, or all, could not be looked at.
    """

    recording: str
    copies: tuple[Segment, ...]
    looks: int
    missed: tuple[str, ...] = ()


def span_of(case_id: str, stills: Iterable[tuple[float, bytes]]) -> Span:
    """Return the hashes of stills, each with its stream seconds; what is no picture is left out.

    Raises
    ------
    InputError
        If none of them can be matched: a sweep by them would find nothing, and seem to have found nothing.
    """
    import cv2

    at: list[float] = []
    hashes, qualities = [], []
    for at_s, data in stills:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
        if found is not None:
            words, quality = pdq(found.astype(np.uint8, copy=False))
            at.append(at_s)
            hashes.append(words)
            qualities.append(quality)
    if not any(one >= QUALITY_FLOOR for one in qualities):
        raise InputError(
            f"None of {len(qualities)} pictures can be matched: they are too flat, or there is none.",
            f"case {case_id}",
            "Give a picture with --picture.",
        )
    return Span(case_id, tuple(at), np.stack(hashes), tuple(qualities))


def bank_of(span: Span, today: date) -> Bank:
    """Return a list of the span's pictures; poor ones cannot be matched and are left out."""
    size = len(span.at_s)
    table = Table(
        np.ascontiguousarray(span.hashes.astype(">u8")).view(np.uint8).reshape(size, 32),
        np.array(span.qualities, dtype=np.uint8),
        Texts.of([f"{span.case_id} {at_s:.1f} s" for at_s in span.at_s]),
        Texts.of([span.case_id] * size),
        np.array(span.at_s, dtype=np.float32),
    )
    good = table.take(np.flatnonzero(table.quality >= QUALITY_FLOOR))
    poor = size - len(good)
    return build(Terms(f"case {span.case_id}"), Collected({"pdq": good}, today, 0, poor, 0), today)


def _opened(recording: str) -> Source:
    return open_source(recording, keyframes=Keyframes(every_s=1.0))


def sweep(
    span: Span, recordings: Iterable[str], today: date, open_: Callable[[str], Source] = _opened
) -> Iterator[Swept]:
    """Yield what each recording has of the span; one that cannot be read is told, and the sweep goes on.

    Parameters
    ----------
    recordings
        Paths, or addresses that were checked by :func:`lightship.watch.address.pin`.
    """
    matcher = Matcher((bank_of(span, today),))
    for recording in recordings:
        looks: list[Look] = []
        missed: list[str] = []
        try:
            with open_(recording) as source:
                for item in source:
                    if isinstance(item, Gap):
                        missed.append(item.reason)
                    elif not isinstance(item, Sound):
                        looks.append(_look(matcher, item.luma(), item.at_s, recording))
        except LightshipError as error:
            missed.append(str(error))
        copies = tuple(one for one in segments(looks) if one.frames)
        yield Swept(recording, copies, len(looks), tuple(missed))


def _look(matcher: Matcher, luma: NDArray[np.uint8], at_s: float, recording: str) -> Look:
    words, quality = pdq(luma)
    (finding,) = matcher.match(words[None], [quality], subject=recording, at_s=at_s)
    return Look(at_s, _number(words), finding)


def _number(words: Sequence[int] | NDArray[np.uint64]) -> int:
    number = 0
    for word in words:
        number = number << 64 | int(word)
    return number
