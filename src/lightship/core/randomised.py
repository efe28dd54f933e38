"""Randomised response: a count that a person may share without saying what happened.

Each answer is true with a probability that ``ε`` sets, and otherwise drawn from the other answers. Nobody can tell
which it was, and over many people the made-up answers cancel out. The draw is fixed by a secret of the device, the
question and the day, so that asking again for the same day gives the same answer: averaging gains nothing.

References
----------
Warner 1965, "Randomized response"; Kairouz, Bonawitz, Ramage 2016, "Discrete distribution estimation under local
privacy" (k-ary randomised response, its estimator and its variance).
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence

from lightship.core.errors import InputError

LARGEST = 8.0
"""With a larger ``ε`` an answer is true 2,979 times in 2,980 of two: that is no protection any more."""

ANSWERS = ("none", "1", "2 to 4", "5 or more")
"""How often something happened on a day."""

_BITS = 53  # of the draw, so that a double holds it exactly in every language


def answer_of(count: int) -> int:
    """Return which of :data:`ANSWERS` a count is.

    Examples
    --------
    >>> [ANSWERS[answer_of(count)] for count in (0, 1, 4, 70)]
    ['none', '1', '2 to 4', '5 or more']
    """
    return 0 if count <= 0 else 1 if count == 1 else 2 if count < 5 else 3


def p_true(epsilon: float, answers: int) -> float:
    """Return the probability that an answer is the true one: ``e^ε / (e^ε + answers - 1)``.

    Raises
    ------
    InputError
        If ``ε`` is not more than 0 and at most 8, or there are fewer than two answers.
    """
    if not 0.0 < epsilon <= LARGEST or answers < 2:
        raise InputError(f"ε = {epsilon:g} is outside 0 to {LARGEST:g}.", "statistics", "Choose 1, say.")
    return math.exp(epsilon) / (math.exp(epsilon) + answers - 1)


def randomised(true: int, answers: int, epsilon: float, secret: bytes, question: str, day: str) -> int:
    """Return the answer to share in place of the true one.

    Parameters
    ----------
    true
        Which answer is true, from 0.
    answers
        How many there are.
    epsilon
        The privacy of this answer.
    secret
        The device's own, 32 bytes that never leave it.
    question, day
        What is answered.

    Raises
    ------
    InputError
        If ``ε`` or the answer is outside its range.
    """
    keep = p_true(epsilon, answers)
    if not 0 <= true < answers:
        raise InputError(f"There is no answer {true} of {answers}.", "statistics", "")
    drawn = hmac.digest(secret, f"{question}\n{day}".encode(), "sha256")
    if (int.from_bytes(drawn[:8], "big") >> 64 - _BITS) / (1 << _BITS) < keep:
        return true
    other = int.from_bytes(drawn[8:16], "big") % (answers - 1)
    return other + (other >= true)


def estimate(shared: Sequence[int], epsilon: float) -> list[float]:
    """Return how many truly gave each answer, without bias, from how many shared each; may be below 0 by chance.

    Raises
    ------
    InputError
        If ``ε`` is outside its range.

    Examples
    --------
    >>> [round(count) for count in estimate([4000, 6000], math.log(3))]
    [3000, 7000]
    """
    keep = p_true(epsilon, len(shared))
    made_up = (1.0 - keep) / (len(shared) - 1)
    return [(count - sum(shared) * made_up) / (keep - made_up) for count in shared]


def standard_error(people: int, epsilon: float, answers: int) -> float:
    """Return the standard error of an estimated count that is near 0, in people: the price of ``ε``."""
    keep = p_true(epsilon, answers)
    made_up = (1.0 - keep) / (answers - 1)
    return math.sqrt(people * made_up * (1.0 - made_up)) / (keep - made_up)


def in_words(epsilon: float, answers: int) -> str:
    """Return what ``ε`` means for the person who shares.

    Raises
    ------
    InputError
        If ``ε`` is outside its range.

    Examples
    --------
    >>> in_words(1.0, 4)[:58]
    'Of 100 such answers about 48 are true and 52 are made up, '
    """
    true = round(100 * p_true(epsilon, answers))
    return (
        f"Of 100 such answers about {true} are true and {100 - true} are made up, and nobody can tell which. Whatever "
        f"happened, the shared answer would be at most {math.exp(epsilon):.2g} times as likely had something else "
        f"happened (ε = {epsilon:g}). Each further day that is shared says as much again."
    )
