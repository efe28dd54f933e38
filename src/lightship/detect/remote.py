"""A matcher that is somebody else's: the same questions and findings, for a platform that may not hold the lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR
from lightship.core.errors import InputError
from lightship.core.known import Kind, Terms
from lightship.detect.bank import Bank, Hit
from lightship.detect.matcher import Finding
from lightship.detect.pdq import to_hex
from lightship.exchange.matcher_client import MatcherClient

_BATCH = 1000


class RemoteMatcher:
    """Asks a matcher service; see :class:`lightship.detect.matcher.Matcher` for what it stands in for.

    Parameters
    ----------
    client
        The service. It is asked at once which kinds of lists it has.

    Raises
    ------
    LightshipError
        If it cannot be reached, or refuses.
    """

    def __init__(self, client: MatcherClient) -> None:
        self._client = client
        try:
            self._kinds = frozenset(kind for one in client.lists() for kind in one["entries"])
        except (KeyError, TypeError) as error:
            what = f"The answer is not one of a matcher: {type(error).__name__}."
            raise InputError(what, client.address, "Is its version another?") from error

    @property
    def kinds(self) -> frozenset[Kind]:
        """What its lists hold."""
        return self._kinds

    def match(
        self,
        hashes: NDArray[np.uint64],
        qualities: Sequence[int],
        *,
        subject: str = "",
        at_s: float = 0.0,
        tries: float = 1.0,
    ) -> list[Finding]:
        """Return what the lists say of each picture; ``subject`` and ``at_s`` stay here.

        Raises
        ------
        LightshipError
            If the service cannot be reached, or refuses.
        """
        del subject, at_s
        found = [Finding(quality=int(quality)) for quality in qualities]
        told = [place for place, quality in enumerate(qualities) if quality >= QUALITY_FLOOR]
        for start in range(0, len(told), _BATCH):
            places = told[start : start + _BATCH]
            asked = [{"hash": to_hex(hashes[place]), "quality": int(qualities[place])} for place in places]
            for place, finding in zip(places, self._ask("pdq", asked, tries), strict=True):
                found[place] = replace(finding, tries=tries)
        return found

    def equal(self, kind: Kind, values: Sequence[bytes], *, subject: str = "", at_s: float = 0.0) -> Finding:
        """Return what the lists say of a file by its digest.

        Raises
        ------
        LightshipError
            If the service cannot be reached, or refuses; or the kind is no digest.
        """
        del subject, at_s
        if kind in {"pdq", "url"}:
            raise InputError(f"A {kind} is not asked about in this way.", "remote matcher", "")
        found = self._ask("digests", [value.hex() for value in values])
        return max(found, key=lambda one: one.weight_db)

    def _ask(self, name: str, asked: list[Any], tries: float = 1.0) -> list[Finding]:
        value = self._client.ask({name: asked, "tries": tries})
        try:
            found = [_finding(one) for one in value[name]]
        except (KeyError, TypeError, ValueError) as error:
            what = f"The answer is not one of a matcher: {type(error).__name__}."
            raise InputError(what, self._client.address, "Is its version another?") from error
        if len(found) != len(asked):
            raise InputError("The matcher did not answer all questions.", self._client.address, "")
        return found


def _finding(value: dict[str, Any]) -> Finding:
    return Finding(
        tuple(_hit(one) for one in value["matches"]),
        float(value["weight_db"]),
        int(value["quality"]),
        tuple((_hit(one), str(one["by"])) for one in value["overridden"]),
    )


def _hit(value: dict[str, Any]) -> Hit:
    """Return a match with a bank that has its terms and day, and none of its entries."""
    terms = Terms(str(value["list"]), distance=int(value["within"]))
    bank = Bank(terms, (), {}, date.fromisoformat(value["as_of"]), str(value["version"]))
    reference = "(not told)" if value["reference"] is None else str(value["reference"])
    return Hit(
        bank,
        reference,
        str(value["video"] or ""),
        float("nan") if value["at_s"] is None else float(value["at_s"]),
        int(value["distance"]),
        int(value["entry_quality"]),
        value["kind"],
    )
