"""What is wrong with a report, field by field."""

from __future__ import annotations

from dataclasses import dataclass

from lightship.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field.

    Parameters
    ----------
    field
        Its place, as ``report/incidentSummary/incidentDateTime``.
    """

    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}"


class Refused(InputError):
    """A report that would not be accepted: each fault names its field.

    Parameters
    ----------
    faults
        All of them.
    """

    def __init__(self, faults: tuple[Fault, ...], where: str) -> None:
        first = "; ".join(str(one) for one in faults[:3])
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        super().__init__(
            f"The report is not right: {first}{more}.", where, "Correct the fields that are named."
        )
        self.faults = faults
