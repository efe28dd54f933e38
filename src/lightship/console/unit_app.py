"""The application behind the door: the compartment's pages, with a gate of their own and no line in any log."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from lightship import packs
from lightship.casework.authorisation_rules import parse_rules
from lightship.casework.compartment import nothing_here
from lightship.console import pages_covert, pages_register
from lightship.console.deconflict_port import Bureau
from lightship.console.door import COOKIE, ROOT, Keeper
from lightship.console.gate import Gate
from lightship.console.metrics import Metrics
from lightship.console.problems import Problem, by_status
from lightship.console.room import Room, go
from lightship.console.unit import Unit, UnitVisit, WhyFirst
from lightship.console.visits import cookie_name
from lightship.core.errors import AccessDenied, LightshipError

_WHY = f"{ROOT}/why"


class _Silent:
    """A log that keeps nothing: what happens inside is on the compartment's own ledger."""

    def info(self, event: str, **fields: object) -> None:
        """Keep nothing."""

    def error(self, event: str, **fields: object) -> None:
        """Keep nothing."""


def create_unit(room: Room, keeper: Keeper, bureau: Bureau) -> ASGIApp:
    """Return the application of the compartment's pages.

    Raises
    ------
    LightshipError
        If the rules of undercover work cannot be read.
    """
    where, text = packs.read("undercover", "gb", ".toml", "rules of undercover work")
    unit = Unit(room, keeper, bureau, parse_rules(text, str(where)))
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in (_entry(unit), pages_register.routes(unit), pages_covert.routes(unit)):
        app.include_router(router)

    async def refused(request: Request, error: Exception) -> Response:
        return _refused(unit, request, error)

    for kind in (WhyFirst, Problem, HTTPException, RequestValidationError, LightshipError):
        app.add_exception_handler(kind, refused)
    return Gate(app, limits=room.settings.limits, metrics=Metrics(), log=_Silent())


def _entry(unit: Unit) -> APIRouter:
    router = APIRouter(prefix=ROOT)
    first = unit.visitor(first=True)

    @router.get("/why")
    def ask(request: Request, visit: UnitVisit = first) -> Response:
        return unit.page(request, "unit_why.html", "What for", why=visit.one.why)

    @router.post("/why")
    def say(visit: UnitVisit = first) -> Response:
        unit.keeper.say_why(visit.token, visit.field("why", longest=500))
        return go(ROOT)

    @router.post("/sign-out")
    def sign_out(visit: UnitVisit = first) -> Response:
        unit.keeper.sign_out(visit.token)
        answer = go("/sign-in")
        secure = unit.room.settings.secure
        answer.delete_cookie(
            cookie_name(COOKIE, secure=secure), secure=secure, httponly=True, samesite="strict"
        )
        return answer

    return router


def _refused(unit: Unit, request: Request, error: Exception) -> Response:
    if isinstance(error, WhyFirst):
        return go(_WHY)
    if isinstance(error, LightshipError):
        kind = "forbidden" if isinstance(error, AccessDenied) else "invalid"
        kind = "not-found" if str(error) == str(nothing_here()) else kind
        error = Problem(kind, f"{error.what} {error.todo}".strip())
    if isinstance(error, HTTPException):
        error = Problem(by_status(error.status_code))
    problem = error if isinstance(error, Problem) else Problem("invalid")
    return unit.page(request, "unit_error.html", problem.title, problem.status, problem=problem)
