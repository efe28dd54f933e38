"""The door to the compartment's pages. It stands before the console; for everybody outside it is not there.

A request with the cookie of a session inside goes through. Every other one goes on to the console untouched. The
console has no such page, so it answers, logs and counts as for any address that it has not, whatever there is inside.

The way in is the form by which everybody signs in: a name, a passphrase and a one-time code that the compartment keeps
and the console never has. What is not theirs goes on to the console as it came. Time tells nothing: each try is held
against keys in memory, and only one with a right passphrase makes the compartment be opened.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lightship.casework.compartment import Compartment, Key, Role, SealedStore, from_table
from lightship.console.accounts import LONGEST, Accounts, digest, step_of
from lightship.console.gate import HEADERS
from lightship.console.problems import Problem
from lightship.console.visits import FORM_COOKIE, cookie_name, same_site
from lightship.watch.staffing import IDLE

ROOT = "/unit"
DESK = f"{ROOT}/desk"
COOKIE = "lightship-unit"
_REGISTER: frozenset[Role] = frozenset({"unit", "authorising-officer", "covert-desk"})
_DESK: frozenset[Role] = frozenset({"authorising-officer", "covert-desk"})
_TRIES, _TRIES_WITHIN = 5, timedelta(minutes=10)
_FORM_BYTES, _ARRIVE_S = 1 << 16, 10.0

Opened = Callable[[], AbstractContextManager[SealedStore | None]]
"""Opens the compartment's store; None where this machine has none."""
Told = Callable[[Exception], None]
"""Told what went wrong with the compartment, where only those inside find it."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A session inside; kept in memory alone, so that a restart ends it.

    Parameters
    ----------
    why
        What this person looks for; asked for before anything is shown, and noted beside each look.
    """

    person: str
    role: Role
    csrf: str
    began_at: datetime
    seen_at: datetime
    why: str = ""


class Keeper:
    """Who is inside.

    Parameters
    ----------
    opened
        Opens the compartment's store; its keys are read now, and again by :meth:`refresh`.
    told
        Of every error that is not shown, since from outside a broken compartment is as none.
    """

    def __init__(self, opened: Opened, clock: Callable[[], datetime], told: Told) -> None:
        self._opened, self.clock, self._told = opened, clock, told
        self._sessions: dict[str, Inside] = {}
        self._tries: dict[str, list[datetime]] = {}
        self._lock, self._entering = threading.Lock(), threading.Lock()
        self._nobody = Key("", secrets.token_hex(32), "")
        self._keys: dict[str, Key] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the keys again; none if there is no compartment, or a broken one, which to those outside is the same."""
        try:
            with self._opened() as store:
                kept = [from_table(Key, one) for one in store.all("key")] if store is not None else []
        except Exception as error:  # noqa: BLE001 - of whatever kind, it would show that there is something
            self._told(error)
            kept = []
        self._keys = {one.id: one for one in kept}

    def sign_in(self, name: str, passphrase: str, code: str) -> str | None:
        """Return the token of a new session; None for whoever is not inside."""
        known = self._keys.get(name, self._nobody)
        if not hmac.compare_digest(digest(passphrase), known.digest):
            return None
        try:
            with self._entering, self._opened() as store:
                return self._let_in(store, name, passphrase, code) if store is not None else None
        except Exception as error:  # noqa: BLE001 - of whatever kind, it would show that there is something
            self._told(error)
            return None

    def _let_in(self, store: SealedStore, name: str, passphrase: str, code: str) -> str | None:
        now = self.clock()
        inside = Compartment(store, name, now)
        key = inside.get("key", Key, name)
        if not hmac.compare_digest(digest(passphrase), key.digest) or not self._may_try(name, now):
            return None
        step = step_of(key.code_secret, code, key.code_used, now)
        if not step or inside.member.role not in _REGISTER:
            return None
        inside.put("key", replace(key, code_used=step), "signed-in")
        self._tries.pop(name, None)
        token = secrets.token_urlsafe(32)
        made = Inside(name, inside.member.role, secrets.token_urlsafe(24), now, now)
        with self._lock:
            self._sessions[digest(token)] = made
        return token

    def _may_try(self, name: str, now: datetime) -> bool:
        """Return whether a code may be tried: who has the passphrase has five in ten minutes."""
        tries = [at for at in self._tries.get(name, ()) if now - at < _TRIES_WITHIN]
        self._tries[name] = [*tries, now]
        return len(tries) < _TRIES

    def of(self, token: str) -> Inside | None:
        """Return whose session it is; one that is idle or old is none."""
        name, now = digest(token), self.clock()
        with self._lock:
            one = self._sessions.get(name)
            if one is None or now - one.seen_at >= IDLE or now - one.began_at >= LONGEST:
                self._sessions.pop(name, None)
                return None
            found = self._sessions[name] = replace(one, seen_at=now)
        return found

    def say_why(self, token: str, why: str) -> None:
        """Keep what a session is for."""
        with self._lock:
            if (one := self._sessions.get(digest(token))) is not None:
                self._sessions[digest(token)] = replace(one, why=why)

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(digest(token), None)

    @contextmanager
    def opened(self, one: Inside, now: datetime) -> Iterator[Compartment]:
        """Open the compartment for somebody inside.

        Raises
        ------
        AccessDenied
            If they are inside no longer.
        """
        with self._opened() as store:
            yield Compartment(store, one.person, now, one.why)


def opens(role: Role, path: str) -> bool:
    """Return whether a role has a page."""
    if path != ROOT and not path.startswith(f"{ROOT}/"):
        return False
    return role in (_DESK if path == DESK or path.startswith(f"{DESK}/") else _REGISTER)


class Door:
    """Lets through who is inside.

    Parameters
    ----------
    app
        The console, gate and all.
    inside
        The application of the compartment's pages; it finds the session in ``scope["state"]``.
    """

    def __init__(
        self, app: ASGIApp, *, inside: ASGIApp, keeper: Keeper, accounts: Accounts, secure: bool
    ) -> None:
        self._app, self._inside, self._keeper, self._accounts = app, inside, keeper, accounts
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = Request(scope).cookies.get(cookie_name(COOKIE, secure=self._secure), "")
        one = self._keeper.of(token)
        if one is not None and opens(one.role, scope["path"]):
            headers = [pair for pair in scope["headers"] if pair[0] != b"x-request-id"]
            own = (
                b"x-request-id",
                secrets.token_hex(8).encode(),
            )  # the console's count of requests has no gap
            state = {**scope.get("state", {}), "inside": one, "token": token}
            await self._inside({**scope, "headers": [*headers, own], "state": state}, receive, send)
        elif scope["method"] == "POST" and scope["path"] == "/sign-in":
            await self._sign_in(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        came: list[Message] = []
        body = b""
        try:
            async with asyncio.timeout(_ARRIVE_S):
                while len(body) <= _FORM_BYTES and (not came or came[-1].get("more_body", False)):
                    came.append(await receive())
                    body += came[-1].get("body", b"")
        except TimeoutError:
            pass  # the console says that it is too slow
        token = await run_in_threadpool(self._token, Request(scope), body)
        if token is not None:
            await self._let_in(token)(scope, receive, send)
            return
        again = iter(came)

        async def replayed() -> Message:
            return next(again, None) or await receive()

        await self._app(scope, replayed, send)

    def _token(self, request: Request, body: bytes) -> str | None:
        """Return the token of a session inside, if the form is this browser's and names somebody inside."""
        try:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
            same_site(request)
        except (ValueError, Problem):
            return None
        cookie = request.cookies.get(cookie_name(FORM_COOKIE, secure=self._secure), "")
        expected = self._accounts.form_token(cookie)
        if not hmac.compare_digest(form.get("form", "").encode(), expected.encode()):
            return None
        name, passphrase = form.get("name", "").strip(), form.get("password", "").strip()
        return self._keeper.sign_in(name[:200], passphrase[:256], form.get("code", "")[:16])

    def _let_in(self, token: str) -> RedirectResponse:
        answer = RedirectResponse(ROOT, 303, {name.decode(): value.decode() for name, value in HEADERS})
        name = cookie_name(COOKIE, secure=self._secure)
        answer.set_cookie(name, token, secure=self._secure, httponly=True, samesite="strict")
        return answer
