"""Brings a report to an authority through a person: the worksheet is printed, entered, and its reference recorded."""

from __future__ import annotations

from lightship.core.duties import Filing
from lightship.core.errors import FilingError
from lightship.duties.filing import Open, Stopped, Taken
from lightship.duties.filing_snapshot import Snapshot


class WorksheetCarrier:
    """Waits for a person to enter the worksheet, and for the reference that they record."""

    def next(self, filing: Filing, snapshot: Snapshot) -> str:  # noqa: ARG002
        """Return the one step there is."""
        return "worksheet"

    def take(self, step: str, filing: Filing, snapshot: Snapshot, pieces: Open) -> Taken:  # noqa: ARG002
        """Hand it to a person: from now on it waits."""
        return Taken(
            step, waits="Enter the worksheet in the portal, then record the reference that comes back."
        )

    def retract(self, filing: Filing) -> str:  # noqa: ARG002
        """Take it back: the person who does says by that that it was not entered."""
        return ""


class EmptySlot:
    """The slot of an interface that is not public."""

    def next(self, filing: Filing, snapshot: Snapshot) -> str:  # noqa: ARG002
        """Return the step that cannot be taken."""
        return "send"

    def take(self, step: str, filing: Filing, snapshot: Snapshot, pieces: Open) -> Taken:  # noqa: ARG002
        """Say that there is nothing to send by.

        Raises
        ------
        Stopped
            Always.
        """
        raise Stopped(
            FilingError(
                "No specification of the NCA's API is public, so nothing is sent by it.",
                f"filing {filing.id}",
                "Take the report back, and file it by the worksheet.",
            ),
            undone=True,
            held=True,
        )

    def retract(self, filing: Filing) -> str:  # noqa: ARG002
        """Take back what was never sent."""
        return ""
