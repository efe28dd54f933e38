"""What the record tells of a stream: signals, effects, and the time in which nobody looked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from lightship.console.prose import told
from lightship.console.timeline import Mark
from lightship.core.cases import Stream
from lightship.core.entry_time import at_of

Entry = Mapping[str, Any]
_MINUTE = timedelta(minutes=1)
_AWAY = frozenset({"watch-ended", "let-go"})
_EFFECTS = frozenset(
    {"effect-done", "effect-undone", "effect-failed", "effect-not-confirmed", "effect-hastened"}
)


def traced(
    entries: Iterable[Entry], stream: Stream, effects: Mapping[str, str], now: datetime, *, whole: bool
) -> list[Mark]:
    """Return a stream's marks.

    Parameters
    ----------
    entries
        Of the record, oldest first, about the stream or its effects.
    effects
        What each of its effects does, by id.
    whole
        Whether these are all; if older ones are missing, nothing is said of the time before the first.
    """
    found = list(entries)
    return [
        *(mark for one in found for mark in _told(one, effects)),
        *_unwatched(found, stream, now, whole=whole),
    ]


def _told(entry: Entry, effects: Mapping[str, str]) -> Iterator[Mark]:
    """Yield what one entry says by itself."""
    kind, at = str(entry.get("kind")), at_of(entry)
    if kind == "watch-began":
        yield Mark(at, "stream", told(entry))
        for name, why in dict(entry.get("absent", {})).items():
            yield Mark(at, "gap", f"{name} is absent: {why}")
    elif kind in _AWAY:
        yield Mark(at, "stream", told(entry))
    elif kind == "handed-over":
        yield Mark(at, "gap", told(entry))
    elif kind == "taken-over":
        yield Mark(_since(entry), "gap", told(entry), at)
    elif kind == "coverage" and entry.get("gap_s"):
        # which part of the minute it was, the record does not say
        yield Mark(at - _MINUTE, "gap", f"{entry['gap_s']:g} s of this minute were not looked at", at)
    elif kind in {"decision", "judged-anew"}:
        yield Mark(at, "signal", told(entry))
    elif kind in {"refused", "trouble"}:
        yield Mark(at, "gap", told(entry))
    elif kind in _EFFECTS:
        act = effects.get(str(entry.get("effect")), "an effect")
        yield Mark(at, "effect", f"{act}: {kind.removeprefix('effect-').replace('-', ' ')}")


def _since(entry: Entry) -> datetime:
    """Return from when on a stream that was taken over was not looked at, as far as its last worker told."""
    return min(at_of({"at": entry.get("since")}), at_of(entry))


def _unwatched(entries: Iterable[Entry], stream: Stream, now: datetime, *, whole: bool) -> Iterator[Mark]:
    """Yield the spans of the stream's life in which nobody watched it."""
    since, why = (stream.began_at, "nobody had begun to watch") if whole else (None, "")
    for entry in entries:
        kind, at = entry.get("kind"), at_of(entry)
        if kind == "watch-began":
            if since is not None and at > since:
                yield Mark(since, "gap", f"not watched: {why}", at)
            since = None
        elif kind == "taken-over" and since is None:
            since, why = _since(entry), f"{entry.get('worker')} was gone"
        elif kind in _AWAY and since is None:
            since, why = at, str(entry.get("reason", "let go"))
    if since is not None and stream.ended_at is None and now > since:
        yield Mark(since, "gap", f"not watched: {why}", now)
