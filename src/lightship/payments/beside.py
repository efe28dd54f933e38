"""What a learned model says beside an alert, as it is kept in ``learned.jsonl`` and shown in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lightship.core.errors import InputError

LEARNED = "learned.jsonl"
"""The file beside the alerts."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a model says beside one alert, as it is kept; thousandths of a deciban.

    Parameters
    ----------
    alert, typology, subject
        Which one.
    rank, learned_rank
        Among the pack's alerts; among all subjects by the model.
    pack_mdb, learned_mdb
        The two weights.
    start_mdb, fixed_mdb
        Before any indicator, and of those that are not learned; with the parts they sum to `learned_mdb`.
    parts
        Indicator, its weight in the pack, its Shapley value; the heaviest first.
    model
        Digest of the model.
    """

    alert: str
    typology: str
    subject: str
    rank: int
    learned_rank: int
    pack_mdb: int
    learned_mdb: int
    start_mdb: int
    fixed_mdb: int
    parts: tuple[tuple[str, int, int], ...]
    model: str

    @classmethod
    def from_json(cls, value: Any, where: str) -> Beside:
        """Return what was kept.

        Raises
        ------
        InputError
            If it is something else.
        """
        try:
            parts = tuple((str(name), int(pack), int(own)) for name, pack, own in value["parts"])
            return cls(**{**value, "parts": parts})
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"It is no line about an alert: {error}.", where, "Score anew with --model."
            ) from error
