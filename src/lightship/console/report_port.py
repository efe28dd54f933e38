"""What the console asks of whoever builds and files reports to authorities, as a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lightship.core.duties import Filing
from lightship.duties.filing_report import Draft, Told
from lightship.exchange.schedule1 import FieldList


@dataclass(frozen=True, slots=True)
class Built:
    """A report before anybody stands for it.

    Parameters
    ----------
    form
        Its fields, in their order.
    declaration
        What the person who files it says by that.
    """

    filing: Filing
    draft: Draft
    form: FieldList
    declaration: str


class Reporter(Protocol):
    """Builds, files and shows reports; each act is on the ledger when it returns.

    Every method raises a :class:`~lightship.core.errors.LightshipError` that says what to do. Who may ask at all is the
    console's to decide, before; who may stand for a report, the register of people says.
    """

    def build(self, duty_id: str, told: Told) -> Built:
        """Return a duty's report as it would go now; it is begun, and nothing leaves."""

    def file(self, duty_id: str, told: Told, *, by: str) -> Filing:
        """Let a person stand for a report: a worksheet then waits for its reference, the rest is on its way."""

    def reference(self, filing_id: str, given: str, *, by: str) -> Filing:
        """Record the reference that came back."""

    def sent(self, filing_id: str, *, by: str) -> str:
        """Return the report as it was sealed."""
