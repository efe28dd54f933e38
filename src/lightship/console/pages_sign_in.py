"""Signing in and out."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from lightship.console.problems import Problem
from lightship.console.room import Room, go
from lightship.console.visits import COOKIE, FORM_COOKIE, Visit, cookie_name, local, sent_form

Form = Annotated[dict[str, str], Depends(sent_form)]
_TOLD = "These do not belong together, or too many were tried. Check all three, and wait a minute."


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    own = room.visitor("own-shift", "own-shift")
    secure = room.settings.secure
    session_cookie, form_cookie = cookie_name(COOKIE, secure=secure), cookie_name(FORM_COOKIE, secure=secure)

    def form_page(request: Request, then: str, error: str = "", status: int = 200) -> Response:
        cookie = request.cookies.get(form_cookie, "") or secrets.token_urlsafe(24)
        page = room.page(
            request,
            "sign_in.html",
            "Sign in",
            status,
            form_token=room.accounts.form_token(cookie),
            then=then,
            error=error,
            oidc=room.settings.oidc.name if room.settings.oidc else "",
        )
        page.set_cookie(form_cookie, cookie, secure=secure, httponly=True, samesite="strict")
        return page

    @router.get("/sign-in")
    def ask(request: Request, then: str = "/") -> Response:
        return form_page(request, local(then))

    @router.post("/sign-in")
    def sign_in(request: Request, form: Form) -> Response:
        expected = room.accounts.form_token(request.cookies.get(form_cookie, ""))
        if not hmac.compare_digest(form.get("form", "").encode(), expected.encode()):
            raise Problem("forbidden", "The form is too old. Load the page again.")
        address = request.client.host if request.client else ""
        then = local(form.get("then", "/"))
        made = room.accounts.sign_in(
            form.get("name", "").strip(), form.get("password", ""), form.get("code", ""), address
        )
        if made is None:
            return form_page(request, then, _TOLD, 401)
        before = room.accounts.of(request.cookies.get(session_cookie, ""))
        if before is not None:
            room.accounts.sign_out(before[0])
        answer = go(then)
        answer.set_cookie(session_cookie, made.token, secure=secure, httponly=True, samesite="strict")
        answer.delete_cookie(form_cookie, secure=secure, httponly=True, samesite="strict")
        return answer

    @router.post("/sign-out")
    def sign_out(visit: Visit = own) -> Response:
        room.accounts.sign_out(visit.session)
        answer = go("/sign-in")
        answer.delete_cookie(session_cookie, secure=secure, httponly=True, samesite="strict")
        return answer

    @router.get("/")
    def first(visit: Visit = own) -> Response:
        return go(room.house.places(visit.account.role)[0][0])

    return router
