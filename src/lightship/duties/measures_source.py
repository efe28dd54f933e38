"""Where figures come from: the rows of a store and the entries of ledgers, of a stretch of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from lightship.core.ports import Identified


class Source(Protocol):
    """What is told of a stretch of time; nothing that may still change is asked for."""

    def rows(
        self,
        kind: type[Identified],
        fields: Sequence[str],
        since: str,
        begins: datetime,
        ends: datetime,
        *,
        of: tuple[type[Identified], str, Sequence[str]] | None = None,
        unless: Iterable[str] = (),
        where: Mapping[str, Iterable[str]] | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Yield fields of the values whose time ``since`` lies in ``[begins, ends)``.

        Parameters
        ----------
        of
            Another kind, the field that holds its id, and its fields, which follow; None where it is gone.
        unless
            Times: values that have one of them before ``ends`` are left out.
        where
            Texts that fields may have.
        """

    def entries(self, kinds: Iterable[str], begins: datetime, ends: datetime) -> Iterator[Mapping[str, Any]]:
        """Yield the ledger's entries of some kinds whose time lies in ``[begins, ends)``, in their order."""

    def list_entries(self, ends: datetime) -> Iterator[Mapping[str, Any]]:
        """Yield all entries of the ledger of the hash lists before a moment; none where there is no such ledger."""

    def written(self, ends: datetime) -> int:
        """Return how many entries the ledger has from before a moment."""
