"""Accounts: made, changed and closed by an administrator, who sees no case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.problems import Problem
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.people import Account, Role


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/people", include_in_schema=False)
    managing = room.visitor("manage-accounts", "administration")

    def page(request: Request, made: str = "", secret: str = "") -> Response:
        with room.store.begin() as work:
            accounts = work.find(Account, {}, order=("id",), limit=500)
        return room.page(
            request,
            "people.html",
            "People",
            accounts=accounts,
            roles=room.house.roles,
            made=made,
            secret=secret,
        )

    @router.get("")
    def people(request: Request, visit: Visit = managing) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "accounts")
        return page(request)

    @router.post("")
    def add(request: Request, visit: Visit = managing) -> Response:
        name = visit.field("name", longest=64)
        secret = room.accounts.add(
            name,
            visit.field("shown_as", longest=80),
            cast(Role, visit.choice("role", room.house.roles)),
            visit.form.get("password", ""),
            _trained(visit),
        )
        return page(request, name, secret)

    @router.post("/{name}/change")
    def change(name: str, visit: Visit = managing) -> Response:
        if name == visit.account.id:
            raise Problem("forbidden", "Another administrator must change your account.")
        room.accounts.change(
            name,
            visit.account.id,
            role=visit.choice("role", room.house.roles),
            active=visit.choice("active", ("yes", "no")) == "yes",
            trained_until=_trained(visit),
        )
        return go("/people")

    return router


def _trained(visit: Visit) -> datetime:
    try:
        day = datetime.fromisoformat(visit.field("trained_until", longest=10)).replace(tzinfo=UTC)
    except ValueError:
        raise Problem("invalid", "The end of the training is a day, such as 2027-03-31.") from None
    if day > visit.now + timedelta(days=3 * 366):
        raise Problem("invalid", "A training holds for three years at most.")
    return day
