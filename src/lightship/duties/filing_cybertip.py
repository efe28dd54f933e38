"""Brings a report to NCMEC's CyberTipline, and knows what its answers mean after a crash.

The CyberTipline knows no key by which a request that is sent twice would be known: every ``submit`` opens another
report. What makes filing once possible is that an opened report is nothing until it is finished, and is dropped 24 h
after it was opened or 1 h after its last change, the later. So, of a step of which nobody knows whether it was taken:

========== ======================================================================================================
open       Open another. The one that may have been opened has no number here, is never finished, and is dropped.
upload     The file may be in the report without a number here. The report is taken back, and opened anew: what is
           filed is the snapshot, and not the snapshot with a file twice. If the file certainly did not arrive whole,
           it is uploaded again in the same report.
describe   Describe again: a description replaces itself.
finish     Finish again. ``5102``, finished already, says that the lost answer was yes: it is filed. That there is no
           such report (``5001``) leaves open whether it was finished or dropped: a person asks NCMEC.
retract    Take back again; that it was taken back, or is gone, is the same.
========== ======================================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from lightship.core.duties import Filing
from lightship.core.errors import FilingError
from lightship.duties.filing import Open, Stopped, Taken, unknown
from lightship.duties.filing_snapshot import Snapshot
from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip import build
from lightship.exchange.cybertip_client import Answer
from lightship.exchange.cybertip_schema import Change, Schema
from lightship.exchange.faults import Refused

OPEN_H, CHANGED_H = 24.0, 1.0
"""An opened report is dropped so long after it was opened or last changed, the later (NCMEC's documentation)."""


class Line(Protocol):
    """The CyberTipline as :mod:`lightship.exchange.cybertip_client` asks it; failing is an ``Answer``."""

    def xsd(self) -> bytes:
        """Return the live schema."""

    def submit(self, report: bytes) -> str:
        """Open a report; returns its number."""

    def upload(self, report_id: str, name: str, pieces: Iterable[bytes], size: int) -> str:
        """Add a file; returns its number."""

    def fileinfo(self, details: bytes) -> None:
        """Describe a file."""

    def finish(self, report_id: str) -> tuple[str, ...]:
        """Make a report final; returns the numbers of its files."""

    def retract(self, report_id: str) -> None:
        """Take an opened report back."""


class CyberTipCarrier:
    """Brings reports to the CyberTipline.

    Parameters
    ----------
    line
        Where to.
    schema
        The one that reports are built by.
    clock
        For the time-outs.
    """

    def __init__(self, line: Line, schema: Schema, clock: Callable[[], datetime]) -> None:
        self._line, self._schema, self._clock = line, schema, clock
        self._judged_by = ""  # digest of the live schema that was last found to take what is built here

    def next(self, filing: Filing, snapshot: Snapshot) -> str:
        """Return the step that comes now."""
        done, many = filing.step.removesuffix("?"), len(snapshot.files)
        word, _, number = done.partition(":")
        if unknown(filing.step) and word in {"finish", "describe", "retract"}:
            return done
        if (unknown(filing.step) and word == "upload") or (filing.remote and self.dropped(filing)):
            return "retract"
        if not filing.remote:
            return "open"
        if word == "upload":
            return f"describe:{number}"
        at = 0 if word == "open" else int(number) + 1
        return f"upload:{at}" if at < many else "finish"

    def dropped(self, filing: Filing) -> bool:
        """Return whether NCMEC has dropped the opened report by now."""
        until = max(
            filing.opened_at + timedelta(hours=OPEN_H), filing.changed_at + timedelta(hours=CHANGED_H)
        )
        return self._clock() > until

    def take(self, step: str, filing: Filing, snapshot: Snapshot, pieces: Open) -> Taken:
        """Take a step.

        Raises
        ------
        Stopped
            If it was not completed.
        """
        word, _, number = step.partition(":")
        try:
            if word == "open":
                return self._open(snapshot)
            if word == "upload":
                return self._upload(int(number), filing, snapshot, pieces)
            if word == "describe":
                return self._describe(int(number), filing, snapshot)
            if word == "finish":
                return self._finish(filing)
            self._retract(filing)
        except Answer as answer:
            return self._answered(answer, word, filing)
        return Taken("", facts={"dropped": filing.remote})

    def retract(self, filing: Filing) -> str:
        """Take back the opened report.

        Raises
        ------
        Stopped
            If it was not taken back.
        """
        try:
            self._line.retract(filing.remote)
        except Answer as answer:
            if answer.means == "finished":
                return filing.remote
            if answer.means == "retracted" or (answer.means == "gone" and filing.step != "finish?"):
                return ""
            raise Stopped(answer) from answer  # gone, after its end was asked for: dropped, or filed?
        return ""

    def _open(self, snapshot: Snapshot) -> Taken:
        self.check()
        body = snapshot.body.encode()
        remote = self._line.submit(body)
        return Taken("open", remote, facts={"sent": _digest(body)})

    def _upload(self, at: int, filing: Filing, snapshot: Snapshot, pieces: Open) -> Taken:
        one = snapshot.files[at]
        file_id = self._line.upload(filing.remote, one.name, _whole(pieces(one.exhibit), one.size), one.size)
        facts = {"sent": f"sha256:{one.exhibit}", "size": one.size}
        return Taken(f"upload:{at}", filing.remote, (*filing.files[:at], file_id), facts=facts)

    def _describe(self, at: int, filing: Filing, snapshot: Snapshot) -> Taken:
        table = {**(snapshot.files[at].details or {}), "reportId": filing.remote, "fileId": filing.files[at]}
        try:
            body = build(self._schema, "fileDetails", table)
        except Refused as refused:
            raise Stopped(refused, undone=True, refused=True) from refused
        self._line.fileinfo(body)
        return Taken(f"describe:{at}", filing.remote, filing.files, facts={"sent": _digest(body)})

    def _finish(self, filing: Filing) -> Taken:
        files = self._line.finish(filing.remote)
        odd = sorted(set(files) ^ set(filing.files))
        said = f"NCMEC lists {len(files)} files, and {len(filing.files)} were sent." if odd else ""
        return Taken("finish", filing.remote, filing.files, filing.remote, said)

    def _retract(self, filing: Filing) -> None:
        try:
            self._line.retract(filing.remote)
        except Answer as answer:
            if answer.means not in {"gone", "retracted"}:
                raise

    def _answered(self, answer: Answer, word: str, filing: Filing) -> Taken:
        """Return what an answer that is not success leads to, or say what stops it."""
        asked_before = filing.step == "finish?"
        if word == "finish" and answer.means == "finished" and asked_before:
            return Taken("finish", filing.remote, filing.files, filing.remote, facts={"answer": answer.code})
        if answer.means == "finished" or (
            word == "finish" and asked_before and answer.means not in {"again", "denied"}
        ):
            raise Stopped(
                FilingError(
                    f"NCMEC answers {answer.code} to the {word} of report {filing.remote}, so that nobody here knows "
                    "whether it was filed.",
                    f"filing {filing.id}",
                    "Ask NCMEC about this number; then record its reference, or let it be opened anew.",
                ),
                undone=True,
                held=True,
            ) from answer
        if answer.means in {"gone", "retracted"}:
            return Taken("", facts={"dropped": filing.remote, "answer": answer.code})
        refused = answer.means == "refused"  # it answered, so that nothing was done
        final = refused or answer.means == "denied"
        raise Stopped(answer, undone=final or answer.unsent, held=final, refused=refused) from answer

    def check(self) -> tuple[Change, ...]:
        """Compare the schema that NCMEC judges by now with the one reports are built by; returns what differs.

        Raises
        ------
        Stopped
            If a report that is right here may be wrong there: nothing is sent until a person has looked.
        Answer
            If it cannot be fetched.
        """
        data = self._line.xsd()
        if hashlib.sha256(data).hexdigest() in {self._schema.sha256, self._judged_by}:
            return ()
        found = cybertip_schema.changes(self._schema, cybertip_schema.read(data, "NCMEC's live schema"))
        breaking = [str(one) for one in found if one.breaking]
        if breaking:
            raise Stopped(
                FilingError(
                    f"NCMEC's schema has changed so that reports built here may be refused: {'; '.join(breaking[:3])}.",
                    f"{len(breaking)} breaking changes",
                    "Take the new schema with `lightship duties report schema`, check a report by it, and resume.",
                ),
                undone=True,
                held=True,
            )
        self._judged_by = hashlib.sha256(data).hexdigest()
        return found


def _whole(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield pieces, and end early rather than send more or fewer bytes than were said."""
    left = size
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left != 0:
        raise FilingError(
            "A file of this report is not as long as its snapshot says.", "", "Build the report anew."
        )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
