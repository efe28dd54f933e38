"""What is known, with its sources: cards to search and to read, under labels in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework import knowledge
from lightship.console.problems import Problem
from lightship.console.room import Room
from lightship.console.visits import Visit
from lightship.exchange.labels import Labels, labels, languages

_ORDER: tuple[knowledge.Kind, ...] = (
    "typology", "evidence", "routes", "country", "glossary", "assessment", "training",
)  # fmt: skip


def routes(room: Room, cards: Iterable[knowledge.Card]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/knowledge", include_in_schema=False)
    reading = room.visitor("see-knowledge", "casework", "audit", "administration")
    by_id = {one.id: one for one in cards}
    spoken = {code: labels(code) for code in languages()}

    def page(request: Request, name: str, title: str, language: str, **values: Any) -> Response:
        if language not in spoken:
            raise Problem("not-found", "There is no catalogue of this language.")
        words: Labels = spoken[language]
        return room.page(
            request,
            name,
            title,
            language=language,
            words=words,
            languages=[(code, one.language) for code, one in spoken.items()],
            today=room.settings.clock().date(),
            **values,
        )

    @router.get("")
    def search(request: Request, _visit: Visit = reading, words: str = "", language: str = "en") -> Response:
        asked = words.strip()[:200]
        return page(
            request,
            "knowledge.html",
            "Knowledge",
            language,
            asked=asked,
            found=knowledge.search(by_id.values(), asked),
            groups=[(kind, [one for one in by_id.values() if one.kind == kind]) for kind in _ORDER],
        )

    @router.get("/{card_id}")
    def card(request: Request, card_id: str, _visit: Visit = reading, language: str = "en") -> Response:
        if card_id not in by_id:
            raise Problem("not-found", "There is no such card.")
        return page(request, "card.html", by_id[card_id].title, language, card=by_id[card_id])

    return router
