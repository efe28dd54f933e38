"""Payments as columns of small integers, before they become rows of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

TEXTS = (
    "school",
    "uniform",
    "medical",
    "accommodation",
    "family support",
    "education",
    "salary",
    "invoice",
)
"""Reference texts: the everyday categories that the official guidance names (C10), and the two of payrolls."""
FAMILY_TEXTS = (0, 1, 2, 3, 4, 5)
SALARY, INVOICE, NO_TEXT = 6, 7, -1

TYPOLOGIES = ("livestream-payer", "livestream-receiver", "extortion-victim", "extortion-mule")
PAYER_PART, VICTIM_PART, MULE_PART = 0, 2, 3

VIAS = tuple(f"remitter {number}" for number in range(1, 9))
NO_VIA = -1


@dataclass(frozen=True, slots=True)
class Flow:
    """Payments in columns of one length.

    Parameters
    ----------
    at_us
        (n,) int64, microseconds since 1970 in UTC.
    payer, payee
        (n,) int32, numbers of accounts in the :class:`~lightship.payments.generate.world.World`.
    amount
        (n,) int64, minor units of home's currency, above 0.
    arrives
        (n,) int64, minor units of the payee's currency; 0 where it is not known or the same.
    rail, via, text
        (n,) int8, places in ``RAILS``, `VIAS` and `TEXTS`; -1 is none.
    code
        (n,) int16, the merchant's category code; 0 is none.
    timed
        (n,) bool, false where only the booking day is known.
    part
        (n,) int8, place in `TYPOLOGIES` of the pattern that the payment belongs to; -1 is none.
    """

    at_us: Ints
    payer: NDArray[np.int32]
    payee: NDArray[np.int32]
    amount: Ints
    arrives: Ints
    rail: NDArray[np.int8]
    via: NDArray[np.int8]
    text: NDArray[np.int8]
    code: NDArray[np.int16]
    timed: NDArray[np.bool_]
    part: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.at_us)

    def take(self, rows: Ints | NDArray[np.bool_] | slice) -> Flow:
        """Return some of the payments."""
        return Flow(*(getattr(self, column.name)[rows] for column in fields(self)))

    def sorted(self) -> Flow:
        """Return the payments by time; those of one moment by payer, so that a rerun gives the same order."""
        return self.take(np.lexsort((self.payer, self.at_us)))


def joined(flows: Sequence[Flow]) -> Flow:
    """Return several flows as one."""
    return Flow(*(np.concatenate([getattr(flow, column.name) for flow in flows]) for column in fields(Flow)))
