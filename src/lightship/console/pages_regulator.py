"""The regulator's view: which measure, what evidence, what the numbers say, what is missing. Nothing changes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.problems import Problem
from lightship.console.room import Room
from lightship.console.visits import Visit
from lightship.core.duties import Paper
from lightship.duties import record_book, record_book_papers
from lightship.duties.measures_figures import FIGURES
from lightship.duties.record_book_words import in_words

_BOOK = ("assessment", "measures", "configuration", "statement")


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/regulator", include_in_schema=False)
    reading = room.visitor("see-record-book", "audit")

    @router.get("")
    def latest(request: Request, lacking: str = "", visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "record book")
            paper = record_book_papers.latest(work, "record-book")
        return page(request, paper, lacking=bool(lacking))

    @router.get("/{paper_id}")
    def one(request: Request, paper_id: str, lacking: str = "", visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "record book")
            paper = work.get(Paper, paper_id)
        if paper is None or paper.kind != "record-book":
            raise Problem("not-found")
        return page(request, paper, lacking=bool(lacking))

    def page(request: Request, paper: Paper | None, *, lacking: bool) -> Response:
        with room.store.look() as work:
            books = record_book_papers.versions(work, "record-book")
            kept = work.find(Paper, {"kind": _BOOK}, order=("made_at", "version"))
        table = room.settings.measures
        now = room.settings.clock()
        flags = list(record_book.flags(table, kept, now)) if table is not None else []
        book = record_book_papers.body(paper) if paper is not None else None
        rows = _rows(book, lacking=lacking) if book is not None else []
        return room.page(
            request,
            "regulator.html",
            "Record book",
            paper=paper,
            book=book,
            rows=rows,
            lacking=lacking,
            lacking_count=sum(bool(one["missing"]) for one in book["measures"]) if book else 0,
            binding=sum(one["binds"] for one in book["measures"]) if book else 0,
            books=books,
            flags=flags,
            papers=[one for one in reversed(kept) if one.kind != "configuration"],
        )

    return router


def _rows(book: Mapping[str, Any], *, lacking: bool) -> list[dict[str, Any]]:
    """Return the measures to show, with their figures in words; those that bind first."""
    found = [
        {
            **one,
            "told": [
                (FIGURES[name].title, FIGURES[name].says, in_words(name, book["figures"].get(name)))
                for name in one["figures"]
                if name in FIGURES
            ],
        }
        for one in book["measures"]
        if one["missing"] or not lacking
    ]
    return sorted(found, key=lambda one: not one["binds"])
