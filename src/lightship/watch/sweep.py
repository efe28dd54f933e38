"""Near copies: which recordings and clips show a span that a case is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR, Collected, Table, Texts
from lightship.core.errors import InputError, LightshipError
from lightship.core.known import Terms
from lightship.core.values import Luma
from lightship.detect.bank import Bank, build
from lightship.detect.border import inside
from lightship.detect.look_up import in_all_forms
from lightship.detect.matcher import Finding, Matcher
from lightship.detect.pdq import pdq
from lightship.detect.sequence import Look, Segment, segments
from lightship.media.frames import Gap, Sound
from lightship.media.keyframes import Keyframes
from lightship.media.sources import Source, open_source

_POOR = "it is too flat or too dark to be matched"


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
    unused
        Pictures that were given and cannot be matched: the place of each, from 0 on, and why.
    """

    case_id: str
    at_s: tuple[float, ...]
    hashes: NDArray[np.uint64]
    qualities: tuple[int, ...]
    unused: tuple[tuple[int, str], ...] = ()


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
    """Return the hashes of stills, each with its stream seconds; those that cannot be matched are told apart.

    Raises
    ------
    InputError
        If none of them can be matched: a sweep by them would find nothing, and seem to have found nothing.
    """
    import cv2

    at: list[float] = []
    hashes, qualities = [], []
    unused: list[tuple[int, str]] = []
    for place, (at_s, data) in enumerate(stills):
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
        if found is None:
            unused.append((place, "it is no picture that can be read"))
            continue
        words, quality = pdq(found.astype(np.uint8, copy=False))
        if quality < QUALITY_FLOOR:
            unused.append((place, _POOR))
            continue
        at.append(at_s)
        hashes.append(words)
        qualities.append(quality)
    if not at:
        raise InputError(
            f"None of {len(unused)} pictures can be matched: they are too flat or dark, damaged, or there is none.",
            f"case {case_id}",
            "Give a picture with --picture.",
        )
    return Span(case_id, tuple(at), np.stack(hashes), tuple(qualities), tuple(unused))


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

    Pictures are looked up in the forms in which a watch looks them up: mirrored and without a border too. No brake on
    floods counts here: where the span is in many recordings, all of them are what is asked for.

    Parameters
    ----------
    recordings
        Paths, or addresses that were checked by :func:`lightship.watch.address.pin`.
    """
    matcher = Matcher((bank_of(span, today),))
    for recording in recordings:
        looks: list[Look] = []
        missed: list[str] = []
        matched = False
        try:
            with open_(recording) as source:
                for item in source:
                    if isinstance(item, Gap):
                        missed.append(item.reason)
                    elif not isinstance(item, Sound):
                        luma = item.luma()
                        finding, number = in_all_forms(matcher, luma, at_s=item.at_s)
                        looks.append(Look(item.at_s, number, finding))
                        matched = matched or _matchable(luma, finding)
        except LightshipError as error:
            missed.append(str(error))
        if looks and not matched:
            missed.append(
                f"None of its {len(looks)} pictures could be matched: each is too flat or too dark."
            )
        copies = tuple(one for one in segments(looks) if one.frames)
        yield Swept(recording, copies, len(looks), tuple(missed))


def _matchable(luma: Luma, finding: Finding) -> bool:
    """Return whether a picture could be matched in any form: as it is, or without its border."""
    if finding.quality >= QUALITY_FLOOR:
        return True
    inner = inside(luma)
    return inner is not None and pdq(np.ascontiguousarray(inner.of(luma)))[1] >= QUALITY_FLOOR
