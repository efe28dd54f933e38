"""Signing in through a provider: out to it, and back."""

from __future__ import annotations

import json

from cryptography.fernet import InvalidToken
from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.oidc import Begun, Oidc, Provider
from lightship.console.problems import Problem
from lightship.console.room import Room, go
from lightship.console.visits import COOKIE, cookie_name, local
from lightship.core.errors import AccessDenied

_BEGUN_COOKIE = "lightship-oidc"
_LASTS_S = 600


def routes(room: Room) -> APIRouter:
    """Return the routes; none where no provider is named."""
    router = APIRouter(prefix="/sign-in/oidc", include_in_schema=False)
    if room.settings.oidc is not None:
        _ways(router, room, room.settings.oidc)
    return router


def _ways(router: APIRouter, room: Room, settings: Oidc) -> None:
    provider = Provider(settings)
    secure = room.settings.secure
    session_cookie, begun_cookie = (
        cookie_name(COOKIE, secure=secure),
        cookie_name(_BEGUN_COOKIE, secure=secure),
    )

    @router.get("")
    def out(then: str = "/") -> Response:
        address, begun = provider.begin(local(then))
        answer = go(address)
        # lax: the browser comes back from another site, and must bring it
        answer.set_cookie(
            begun_cookie,
            room.accounts.sealed(begun.packed()),
            max_age=_LASTS_S,
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    @router.get("/back")
    def back(request: Request) -> Response:
        try:
            kept = room.accounts.unsealed(request.cookies.get(begun_cookie, ""), _LASTS_S)
            begun = Begun(**json.loads(kept))
        except (InvalidToken, ValueError, TypeError):
            raise Problem(
                "forbidden", "This sign-in was not begun here, or took too long. Begin again."
            ) from None
        try:
            claimed = provider.finish(begun, dict(request.query_params))
            made = room.accounts.sign_in_through(claimed.id, claimed.shown_as, claimed.role, settings.issuer)
        except AccessDenied as error:
            answer = room.page(
                request,
                "error.html",
                "Not signed in",
                403,
                problem=Problem("forbidden", f"{error.what} {error.todo}"),
            )
            answer.delete_cookie(begun_cookie, secure=secure, httponly=True, samesite="lax")
            return answer
        before = room.accounts.of(request.cookies.get(session_cookie, ""))
        if before is not None:
            room.accounts.sign_out(before[0])
        # a page and no redirection: the session's cookie goes only with what this site itself asks for
        answer = room.page(request, "signed_in.html", "Signed in", then=begun.then)
        answer.set_cookie(session_cookie, made.token, secure=secure, httponly=True, samesite="strict")
        answer.delete_cookie(begun_cookie, secure=secure, httponly=True, samesite="lax")
        return answer
