"""A person's own keyboard."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.keys import OFF, kept_keys
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.people import Account


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    own = room.visitor("own-shift", "own-shift")

    @router.get("/keys")
    def keys(request: Request, visit: Visit = own) -> Response:
        return room.page(request, "keys.html", "Your keys", on=visit.account.keys != OFF)

    @router.post("/keys")
    def choose(visit: Visit = own) -> Response:
        chosen = {
            name.removeprefix("key-"): value for name, value in visit.form.items() if name.startswith("key-")
        }
        kept = kept_keys(chosen, on=visit.form.get("on") == "yes")
        with room.store.begin() as work:
            work.change(Account, visit.account.id, {}, keys=kept)
        return go("/keys")

    return router
