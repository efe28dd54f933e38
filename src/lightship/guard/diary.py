"""The local log: what the guard writes down, and how a person reads it. No content, no hash, no name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lightship.core.ports import Ledger
from lightship.core.values import Decision
from lightship.detect.loop import Sensors


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


class Diary:
    """Writes the guard's acts into a ledger.

    Parameters
    ----------
    ledger
        Where entries go; None keeps no log.
    """

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger

    def _write(self, kind: str, at_s: float, **fields: Any) -> None:
        if self._ledger is not None:
            self._ledger.append({"kind": kind, "at_s": round(at_s, 3), **fields})

    def started(self, sensors: Sensors, source: str) -> None:
        """Write what is watching, and what is not."""
        policy = sensors.bound.policy
        self._write(
            "started",
            0.0,
            policy=policy.name,
            policy_version=policy.version,
            policy_digest=policy.digest,
            source_kind=source,
            detectors={detector.name: detector.version for detector in sensors.detectors},
            absent={absence.detector: absence.reason for absence in sensors.absent},
            rungs={
                rung.rule.rung: {
                    "budget": str(rung.rule.budget),
                    "alarm_db": _finite(rung.alarm_db),
                    "extrapolated": rung.extrapolated,
                }
                for rung in sensors.bound.rungs
            },
        )

    def decided(self, decision: Decision) -> None:
        """Write a decision with its reasons."""
        self._write(
            "decision",
            decision.at_s,
            rung=decision.rung,
            before=decision.before,
            by=decision.by,
            level_db=_finite(decision.total_db),
            policy_digest=decision.policy,
            reasons=[
                {"detector": signal.detector, "label": signal.label, "weight_db": _finite(signal.weight_db)}
                for signal in decision.reasons
            ],
        )

    def gap(self, from_s: float, to_s: float, reason: str) -> None:
        """Write a hole in the source."""
        self._write("gap", from_s, to_s=round(to_s, 3), reason=reason)

    def blind(self, at_s: float, reason: str, answer: str) -> None:
        """Write that detection cannot see, and what the policy does about it."""
        self._write("blind", at_s, reason=reason, answer=answer)

    def sees_again(self, at_s: float) -> None:
        """Write that detection can see again."""
        self._write("sees-again", at_s)

    def asked(self, at_s: float, act: str, allowed: bool) -> None:
        """Write a person's act, and whether the policy allowed it."""
        self._write("person", at_s, act=act, allowed=allowed)

    def finished(self, at_s: float, reason: str, counts: Mapping[str, int | float]) -> None:
        """Write how it ended, with the counts."""
        self._write("finished", at_s, reason=reason, counts=dict(counts))


_RESPONSE = {
    "observe": "began to look more often",
    "blur": "blurred the picture and muted the sound",
    "pause": "paused the picture and showed the help card",
    "end": "ended the stream",
}
_LABEL = {
    "test-card": "the benign test card",
    "exposed": "exposed skin of the kind that the policy covers",
    "known-media": "a picture on a list of known abuse material",
    "camera-frozen": "a frozen picture",
    "camera-black": "a black picture",
}


def clock(at_s: float) -> str:
    """Return stream seconds as minutes and seconds.

    Examples
    --------
    >>> clock(83.25)
    '1:23.2'
    """
    minutes, seconds = divmod(at_s, 60.0)
    return f"{int(minutes)}:{math.floor(seconds * 10) / 10:04.1f}"


def in_words(entry: Mapping[str, Any]) -> str:
    """Return one entry as a sentence that needs no training to read."""
    kind = str(entry.get("kind"))
    sentence = _SENTENCES.get(kind, str)(entry)
    return f"{clock(float(entry.get('at_s', 0.0)))}  {sentence}"


def _started(entry: Mapping[str, Any]) -> str:
    lines = [f"The guard started under the policy “{entry['policy']}” (version {entry['policy_version']})."]
    lines += [f"        Watching with {', '.join(entry['detectors'])}. Nothing leaves this device."]
    lines += [f"        Not watching with {name}: {reason}" for name, reason in entry["absent"].items()]
    return "\n".join(lines)


def _gap(entry: Mapping[str, Any]) -> str:
    return f"The source was away until {clock(entry['to_s'])}: {entry['reason']}."


def _blind(entry: Mapping[str, Any]) -> str:
    answer = {
        "cover": "so the picture was covered",
        "pass-with-notice": "and the picture was passed on, as the policy says",
    }
    return f"Detection could not see ({entry['reason']}), {answer[entry['answer']]}."


def _person(entry: Mapping[str, Any]) -> str:
    verdict = "allowed" if entry["allowed"] else "did not allow"
    return f"You asked to {entry['act']}; the policy {verdict} it."


def _finished(entry: Mapping[str, Any]) -> str:
    counts = entry["counts"]
    return (
        f"The guard stopped: {entry['reason']}. {counts['pictures_in']} pictures came in, "
        f"{counts['pictures_covered']} were covered, {counts['pictures_looked_at']} were looked at."
    )


def _decision_in_words(entry: Mapping[str, Any]) -> str:
    if entry["by"] == "blind":
        return "The guard covered the picture, because detection could not see."
    if entry["rung"] is None:
        why = "you asked to go on" if entry["by"] == "person" else "the picture has been clear for a while"
        return f"The guard went back to normal, because {why}."
    reasons = [
        f"{_LABEL.get(reason['label'], reason['label'])} ({plain_weight(reason['weight_db'])})"
        for reason in entry["reasons"]
    ]
    because = f", because it saw {' and '.join(reasons)}" if reasons else ""
    return f"The guard {_RESPONSE[entry['rung']]}{because}."


def _pack(entry: Mapping[str, Any]) -> str:
    seen = f", seen by {', '.join(entry['seen_by'])}" if entry["seen_by"] else ""
    since = entry.get("stale_since")
    stale = (
        f"OLD PACK: nobody has said since {since[:10]} that it is the newest; it stays in force.\n"
        if since
        else ""
    )
    return (
        f"{stale}The pack “{entry['pack']}” (version {entry['version']}) holds: "
        f"signed by {', '.join(entry['signed_by'])}, "
        f"entry {entry['index']} of {entry['size']} in the log {entry['log']}{seen}."
    )


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "pack accepted": _pack,
    "pack refused": lambda entry: f"A pack was refused, and the guard did not start: {entry['what']}",
    "started": _started,
    "decision": _decision_in_words,
    "gap": _gap,
    "blind": _blind,
    "sees-again": lambda _entry: "Detection could see again.",
    "person": _person,
    "finished": _finished,
}


def plain_weight(weight_db: float | None) -> str:
    """Return a weight of evidence in plain words.

    Examples
    --------
    >>> plain_weight(30.0)
    '30 dB: 1,000 times likelier than by chance'
    """
    if weight_db is None:
        return "no weight"
    times = 10.0 ** (min(weight_db, 120.0) / 10.0)
    rounded = round(times, 1 - len(str(int(times)))) if times >= 10 else round(times, 1)
    return f"{weight_db:.0f} dB: {rounded:,.0f} times likelier than by chance"


def explain(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return a whole log in plain words."""
    return "\n".join(in_words(entry) for entry in entries)
