"""The console and the platform's interface as one application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response

from lightship.casework import knowledge
from lightship.console import (
    live,
    matcher_routes,
    pages_audit,
    pages_cases,
    pages_decision,
    pages_deconflict,
    pages_duties,
    pages_holds,
    pages_item,
    pages_keys,
    pages_knowledge,
    pages_links,
    pages_oidc,
    pages_oversight,
    pages_people,
    pages_queue,
    pages_regulator,
    pages_report,
    pages_reveal,
    pages_send,
    pages_shift,
    pages_sign_in,
    pages_subject,
    platform_api,
    referrals_api,
)
from lightship.console.accounts import Accounts
from lightship.console.answers import Questions
from lightship.console.assets import Assets
from lightship.console.body import Body
from lightship.console.deconflict_port import Bureau
from lightship.console.desk_port import Desk
from lightship.console.door import Door, Keeper, Opened, Told
from lightship.console.foundation import create_app, refuse
from lightship.console.matching import MatcherService
from lightship.console.pages_send import Sharing
from lightship.console.problems import Problem, by_status
from lightship.console.promises import Tally
from lightship.console.record import Record
from lightship.console.room import BODY, PLATFORM, Room, WatchRoom, templates
from lightship.console.settings import Settings
from lightship.console.unit_app import create_unit
from lightship.console.visits import SignInFirst
from lightship.core.errors import (
    AccessDenied,
    FilingError,
    InputError,
    LedgerError,
    LightshipError,
    StoreError,
)
from lightship.core.ports import Bus, Store, Vault
from lightship.core.release import Partner
from lightship.exchange.referrals import Mapped

_KINDS: tuple[tuple[type[LightshipError], str], ...] = (
    (AccessDenied, "forbidden"),
    (InputError, "invalid"),
    (FilingError, "invalid"),
    (StoreError, "not-ready"),
    (LedgerError, "not-ready"),
)


def create_console(
    store: Store,
    bus: Bus,
    vault: Vault,
    desk: Desk,
    settings: Settings,
    matcher: MatcherService | None = None,
) -> FastAPI:
    """Return the application: pages for people who sign in, ``/v1`` for the platform, and the health routes.

    Parameters
    ----------
    matcher
        Answers ``/v1/match``; None where hashes are not asked about here.

    Raises
    ------
    InputError
        If the settings' secret is too short.
    """
    room = WatchRoom(house=PLATFORM, bus=bus, vault=vault, desk=desk, **_made(store, settings))
    pages = (
        pages_sign_in,
        pages_oidc,
        pages_queue,
        pages_item,
        pages_reveal,
        pages_decision,
        pages_oversight,
        pages_subject,
        pages_audit,
        pages_duties,
        pages_report,
        pages_regulator,
        pages_holds,
        pages_shift,
        pages_keys,
        pages_people,
        live,
    )
    routers = [
        *(one.routes(room) for one in pages),
        platform_api.routes(room),
        *([matcher_routes.routes(matcher, settings.tenants)] if matcher is not None else []),
    ]
    return _application(room, "Lightship", routers, [Questions] if matcher is not None else [])


def create_body_console(
    store: Store,
    settings: Settings,
    sharing: Sharing,
    bureau: Bureau,
    opened: Opened,
    readers: Mapping[str, Partner] | None = None,
    *,
    told: Told,
    mapping: Callable[[str], Mapped | None] = lambda _sender: None,
) -> FastAPI:
    """Return an investigating body's application: its cases and what they need, its record, its people, and the door.

    There is no page of a platform's. The door is for referrals. Behind another one stand the pages of the compartment;
    outside that one there are none.

    Parameters
    ----------
    store
        Casework's.
    sharing
        Whom something may be sent to, and how.
    bureau
        The body's deconfliction.
    opened
        Opens the compartment's store; None where this machine has none.
    told
        Told what is wrong with the compartment, which the console itself shows nobody.
    readers
        What its own people are cleared for, by account; who is not named may see what the house's marking allows.
    mapping
        What the columns of a sender's tables mean, by the sender's name.

    Raises
    ------
    LightshipError
        If the settings' secret is too short, or the packs cannot be read.
    """
    body = Body(sharing.own, sharing.partners, {} if readers is None else readers)
    room = Room(house=BODY, gate=body.telling, **_made(store, settings))
    pages = (pages_sign_in, pages_oidc, pages_audit, pages_keys, pages_people)
    routers = [
        pages_cases.routes(room, body),
        pages_links.routes(room, body),
        pages_send.routes(room, body, sharing.make),
        pages_deconflict.routes(room, bureau, body),
        pages_knowledge.routes(room, knowledge.shipped()),
        *(one.routes(room) for one in pages),
        referrals_api.routes(store, settings, mapping),
    ]
    app = _application(room, "Lightship cases", routers, [])
    keeper = Keeper(opened, settings.clock, told)
    inside = create_unit(room, keeper, bureau)
    app.state.keeper = keeper
    app.add_middleware(Door, inside=inside, keeper=keeper, accounts=room.accounts, secure=settings.secure)
    return app


@cache
def _files() -> tuple[Assets, Environment]:
    """Return the pages' files and templates: they are the package's, so a process reads and compiles each once."""
    assets = Assets()
    return assets, templates(assets)


def _made(store: Store, settings: Settings) -> dict[str, Any]:
    """Return what every room has, made once."""
    (assets, pages), tally = _files(), Tally()
    return {
        "store": store,
        "settings": settings,
        "accounts": Accounts(store, settings.secret, settings.clock, settings.hasher),
        "assets": assets,
        "pages": pages,
        "tally": tally,
        "record": Record(settings.ledger, tally.take),
    }


def _application(room: Room, title: str, routers: Sequence[APIRouter], models: Sequence[Any]) -> FastAPI:
    settings = room.settings
    app = create_app(
        title,
        [*routers, room.assets.routes()],
        ready=settings.ready,
        tenants=settings.tenants,
        metrics=settings.metrics,
        log=settings.log,
        limits=settings.limits,
        models=models,
        inner=(GZipMiddleware,),
    )

    async def refused(request: Request, error: Exception) -> Response:
        return await _refused(room, request, error)

    for kind in (SignInFirst, Problem, HTTPException, RequestValidationError, LightshipError):
        app.add_exception_handler(kind, refused)
    app.state.room = room
    return app


async def _refused(room: Room, request: Request, error: Exception) -> Response:
    """Answer an error: people get a page, programs a problem."""
    person = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
    if isinstance(error, SignInFirst):
        if person:
            return RedirectResponse(f"/sign-in?then={quote(error.then)}", 303)
        error = Problem("no-token", "Sign in first.")
    if isinstance(error, LightshipError):
        kind = next((name for known, name in _KINDS if isinstance(error, known)), "failed")
        error = Problem(kind, f"{error.what} {error.todo}".strip())
    if not person:
        return await refuse(request, error)
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, HTTPException):
        problem = Problem(by_status(error.status_code))
    else:
        problem = Problem("invalid")
    return room.page(request, "error.html", problem.title, problem.status, problem=problem)
