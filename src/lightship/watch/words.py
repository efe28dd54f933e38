"""What a person reads before anything is seen: what, by what, how sure, how long. Plain text, never markup."""

from __future__ import annotations

from collections.abc import Mapping

from lightship.core.values import Decision

LABELS = {
    "test-card": "The benign test card",
    "exposed": "Exposed skin of the kind that the policy covers",
    "known-media": "A picture on a list of known abuse material",
    "camera-frozen": "A frozen picture",
    "camera-black": "A black picture",
}

_TEXT = 2_000


def how_sure(weight_db: float) -> str:
    """Return a weight of evidence as a sentence.

    Examples
    --------
    >>> how_sure(60.0)
    '60 dB: about one in a million benign scenes look like this'
    >>> how_sure(43.0)
    '43 dB: about one in 20,000 benign scenes look like this'
    >>> how_sure(2.0)
    '2 dB: many benign scenes look like this'
    """
    if weight_db < 5.0:
        return f"{max(weight_db, 0.0):.0f} dB: many benign scenes look like this"
    times = 10.0 ** (min(weight_db, 90.0) / 10.0)
    digits = len(str(int(times)))
    rounded = int(round(times, 1 - digits))
    names = {1_000_000: "a million", 1_000_000_000: "a thousand million"}
    return (
        f"{weight_db:.0f} dB: about one in {names.get(rounded, f'{rounded:,}')} benign scenes look like this"
    )


def of_decision(decision: Decision, versions: Mapping[str, str], from_s: float, details: str = "") -> str:
    """Return the words of a decision.

    Parameters
    ----------
    versions
        Of the detectors, by name.
    from_s
        When evidence was first seen, stream seconds.
    details
        What a detector says of it: which list, which entry.
    """
    what = [
        f"{LABELS.get(one.label, one.label)}. Found by {one.detector} {versions.get(one.detector, '')}".rstrip()
        + f" ({how_sure(one.weight_db)})."
        for one in sorted(decision.reasons, key=lambda one: -one.weight_db)
    ]
    shown_s = max(0.0, decision.at_s - from_s)
    long = f"for {shown_s:.0f} seconds so far" if shown_s >= 1.0 else "in one picture so far"
    said = f" {details[:1].upper()}{details[1:]}." if details else ""
    return (
        f"{' '.join(what) or 'Nothing was named.'}{said} Seen {clock(from_s)} into the stream, {long}. "
        f"Response: {decision.rung or 'none'}."
    )


def clock(at_s: float) -> str:
    """Return stream seconds as hours, minutes and seconds.

    Examples
    --------
    >>> clock(3725.0)
    '1:02:05'
    """
    minutes, seconds = divmod(int(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def plain(text: str, most: int = _TEXT) -> str:
    r"""Return what somebody outside wrote as one plain line of bounded length: no control characters.

    Examples
    --------
    >>> plain("help\x00 me\n\u202enow")
    'help me now'
    """
    kept = "".join(char if char.isprintable() else " " for char in text[: 4 * most])
    return " ".join(kept.split())[:most]
