"""Documents that the law wants kept: written in versions, approved by somebody else, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lightship.core.canonical import canonical, digest
from lightship.core.duties import Paper
from lightship.core.errors import AccessDenied, StoreError
from lightship.core.ports import Work


def write(
    work: Work,
    kind: str,
    body: Mapping[str, Any],
    *,
    subject: str,
    author: str,
    now: datetime,
    configuration: str = "",
) -> Paper:
    """Keep a document as the next version of its kind and subject; the same as the latest one is that one.

    Parameters
    ----------
    configuration
        Digest of the configuration that it is about.

    Raises
    ------
    StoreError
        If the store cannot be written to, or holds a version that was changed.
    """
    last = latest(work, kind, subject)
    text = canonical(body).decode()
    if last is not None and last.body == text and last.configuration == configuration:
        return last
    version = last.version + 1 if last is not None else 1
    paper = Paper(
        f"{digest([kind, subject, body])}-v{version}",
        kind,
        subject,
        version,
        now,
        author,
        text,
        configuration,
        last.id if last is not None else "",
    )
    work.save(paper)
    work.record(
        {
            "kind": "paper-written",
            "at": now.isoformat(),
            "paper": paper.id,
            "of": kind,
            "subject": subject,
            "version": version,
            "before": paper.before,
            "configuration": configuration,
            "by": author,
        }
    )
    return paper


def approve(work: Work, paper_id: str, *, by: str, now: datetime) -> Paper:
    """Take in that somebody approves a version; once, and not its author.

    Raises
    ------
    StoreError
        If there is no such version, it was changed, or it is approved already.
    AccessDenied
        If it is the author, or nobody.
    """
    paper = work.get(Paper, paper_id)
    if paper is None:
        raise StoreError("There is no such paper.", paper_id, "Give the id that writing it printed.")
    body(paper)
    if not by.strip() or by == paper.author:
        raise AccessDenied("Whoever wrote it cannot approve it.", paper_id, "Ask whoever is responsible.")
    done = work.change(Paper, paper_id, {"approved_at": None}, approved_by=by, approved_at=now)
    if done is None:
        raise StoreError("This version is approved already.", paper_id, "Write another version to change it.")
    work.record(
        {
            "kind": "paper-approved",
            "at": now.isoformat(),
            "paper": paper_id,
            "of": paper.kind,
            "subject": paper.subject,
            "version": paper.version,
            "by": by,
        }
    )
    return done


def body(paper: Paper) -> dict[str, Any]:
    """Return what a paper says.

    Raises
    ------
    StoreError
        If it is not what was written: its id no longer names it.
    """
    found: dict[str, Any] = json.loads(paper.body)
    named = digest([paper.kind, paper.subject, found])
    if paper.id != f"{named}-v{paper.version}":
        raise StoreError(
            "This paper is not what was written.", paper.id, "Bring back the store's copy that verifies."
        )
    return found


def latest(work: Work, kind: str, subject: str | None = None) -> Paper | None:
    """Return the last version of a kind: of one subject by its number, else of the one that was written last."""
    found = work.find(Paper, _where(kind, subject), order=_newest(subject), limit=1)
    return found[0] if found else None


def versions(work: Work, kind: str, subject: str | None = None) -> list[Paper]:
    """Return all versions of a kind, the newest first."""
    return work.find(Paper, _where(kind, subject), order=_newest(subject))


def _newest(subject: str | None) -> tuple[str, ...]:
    """Return the order; times are what a writer says, and two may write at once, so numbers go before them."""
    return ("-made_at", "-version") if subject is None else ("-version",)


def _where(wanted: str, subject: str | None) -> dict[str, object]:
    return {"kind": wanted} if subject is None else {"kind": wanted, "subject": subject}


def in_force(papers: Iterable[Paper], at: datetime) -> Paper | None:
    """Return the last version that was approved before a moment."""
    approved = [one for one in papers if one.approved_at is not None and one.approved_at < at]
    return max(approved, key=lambda one: (one.made_at, one.version), default=None)
