"""What could not be used of what was read: each row with its file, field and reason, counted, up to a limit."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lightship.core.errors import InputError

LIMIT = 10_000
"""With more rejects than this the mapping is wrong, or the file: a person looks before anything is built on it."""

HEADER = ("file", "row", "field", "reason")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was left out.

    Parameters
    ----------
    file
        As it was named.
    row
        Counted from 1, a header not counted; of a message the transaction. 0 is the file as a whole.
    field
        The column or element, as Lightship names it.
    reason
        What is wrong with it.
    """

    file: str
    row: int
    field: str
    reason: str


@dataclass(slots=True)
class Rejects:
    """Collects rejects, and stops the reading where they are too many.

    Parameters
    ----------
    limit
        As many are borne.
    """

    limit: int = LIMIT
    rows: list[Reject] = field(default_factory=list)

    def add(self, one: Reject) -> None:
        """Take in a reject.

        Raises
        ------
        InputError
            If it is one too many.
        """
        self.rows.append(one)
        if len(self.rows) > self.limit:
            worst, times = Counter(
                (one.field, one.reason.partition("“")[0]) for one in self.rows
            ).most_common(1)[0]
            first = self.rows[0]
            raise InputError(
                f"More than {self.limit} rows cannot be used, so the reading stops; the first: {first.reason}.",
                f"{first.file}, row {first.row}, field {first.field}",
                f"Most often ({times} times) it is the field {worst[0]}. Correct the mapping or the file; "
                "--reject-limit raises the limit.",
            )

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each field."""
        return dict(sorted(Counter(one.field for one in self.rows).items()))

    def to_csv(self) -> bytes:
        """Return them as a CSV, by file as it was read and by row."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        files = {one.file: place for place, one in reversed(list(enumerate(self.rows)))}
        found = sorted(self.rows, key=lambda one: (files[one.file], one.row, one.field))
        writer.writerows((one.file, one.row, one.field, one.reason) for one in found)
        return text.getvalue().encode()
