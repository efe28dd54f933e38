"""Counts for each day, from the guard's own log, made private before anyone may see them. Off unless asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lightship.core.ladder import COVERING, RUNGS
from lightship.core.randomised import ANSWERS, answer_of, randomised

QUESTIONS = tuple(rung for rung in RUNGS if rung in COVERING)
"""What is counted: how often the guard did each of these on a day."""


def per_day(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return, for each day (UTC) on which the guard ran, how often it did what; never to be shared as it is."""
    days: dict[str, dict[str, int]] = {}
    for entry in entries:
        day = days.setdefault(str(entry["at"])[:10], dict.fromkeys(QUESTIONS, 0))
        if entry.get("kind") == "decision" and entry.get("by") == "evidence" and entry.get("rung") in day:
            day[str(entry["rung"])] += 1
    return days


def shareable(
    days: Mapping[str, Mapping[str, int]], epsilon: float, secret: bytes
) -> dict[str, dict[str, str]]:
    """Return what a person may share of each day; ``ε`` is for the whole day, divided among its questions.

    Raises
    ------
    InputError
        If ``ε`` is outside its range.
    """
    each = epsilon / len(QUESTIONS)
    return {
        day: {
            question: ANSWERS[
                randomised(answer_of(counts[question]), len(ANSWERS), each, secret, question, day)
            ]
            for question in QUESTIONS
        }
        for day, counts in sorted(days.items())
    }
