"""What every request passes first: bounds on its size and time, an id, safe headers, one log line, and the figures."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lightship.console.metrics import Metrics
from lightship.console.problems import Problem

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_RUN, _NUMBERS = secrets.token_hex(4), count()  # an id is no secret: no system call for each
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
)
"""What every answer has that brings no other of the same name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a request may cost.

    Parameters
    ----------
    body_bytes
        Of a request's body.
    arrive_s
        Within which a request's head, and then its body, must have arrived.
    answer_s
        Within which it must be answered.
    under_way
        Requests answered at once; more are told to come again.
    """

    body_bytes: int = 1 << 20
    arrive_s: float = 10.0
    answer_s: float = 30.0
    under_way: int = 64


class Gate:
    """The outermost layer of a service.

    Parameters
    ----------
    app
        What it lets requests through to.
    log
        A logger whose fields are bounded; see :mod:`lightship.console.logs`.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics, log: Any) -> None:
        self.app, self.limits, self.metrics, self.log = app, limits, metrics, log
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(scope, receive, send, self.limits)
        self._under_way += 1
        self.metrics.under_way.set(self._under_way)
        try:
            await self._answer(passage)
        finally:
            self._under_way -= 1
            self.metrics.under_way.set(self._under_way)
            self._tell(passage)

    async def _answer(self, passage: _Passage) -> None:
        try:
            passage.check(self._under_way)
            async with asyncio.timeout(self.limits.answer_s):
                await self.app(passage.scope, passage.receive, passage.send)
        except Problem as problem:
            await passage.refuse(problem)
        except TimeoutError:
            await passage.refuse(Problem("busy", "The answer took too long. Come again.", retry_after_s=1.0))
        except ClientDisconnect:
            passage.status = 499
        except Exception as error:  # noqa: BLE001 - nothing a request causes may reach a log or a caller in words
            self.log.error(  # noqa: TRY400 - not the traceback, which may hold what was sent
                "failed", request_id=passage.request_id, error=type(error).__name__
            )
            await passage.refuse(Problem("failed", "Tell the operator the request's id."))

    def _tell(self, passage: _Passage) -> None:
        took_s = perf_counter() - passage.began_s
        route = getattr(passage.scope.get("route"), "path", "-")
        self.metrics.requests.labels(route, str(passage.status)).inc()
        self.metrics.seconds.labels(route).observe(took_s)
        state = passage.scope["state"]
        self.log.info(
            "request",
            request_id=passage.request_id,
            method=passage.scope["method"] if passage.scope["method"] in {"GET", "POST"} else "other",
            route=route,
            status=passage.status,
            took_ms=round(took_s * 1000, 2),
            bytes_in=passage.bytes_in,
            tenant=state.get("tenant", "-"),
        )


class _Passage:
    """One request on its way through the gate."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope: MutableMapping[str, Any] = scope
        self._receive, self._send, self._limits = receive, send, limits
        self.began_s = perf_counter()
        self.status, self.bytes_in, self._whole = 0, 0, False
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        self.request_id = given.decode() if _ID.fullmatch(given) else f"{_RUN}{next(_NUMBERS):08x}"
        self._length = headers.get(b"content-length", b"0")
        scope.setdefault("state", {})["request_id"] = self.request_id

    def check(self, under_way: int) -> None:
        """Refuse what is too much, or no text, before anything of it is read."""
        if not self.scope["path"].isprintable():
            raise Problem("not-found")
        if under_way > self._limits.under_way:
            raise Problem("busy", "Too many requests are under way. Come again.", retry_after_s=1.0)
        if self._length.isdigit() and (len(self._length) > 15 or int(self._length) > self._limits.body_bytes):
            raise self._too_large()

    def _too_large(self) -> Problem:
        return Problem("too-large", f"A body may have {self._limits.body_bytes} bytes. Send smaller batches.")

    async def receive(self) -> Message:
        """Give the next part of the body, if it comes in time and is not too much."""
        if self._whole:
            return await self._receive()  # only a disconnection can come, whenever it comes
        left_s = self.began_s + self._limits.arrive_s - perf_counter()
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                message = await self._receive()
        except TimeoutError:
            raise Problem("too-slow", f"A body has {self._limits.arrive_s:g} s to arrive.") from None
        self.bytes_in += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self.bytes_in > self._limits.body_bytes:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer; the first part gets the headers that all answers have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower() for name, _ in message.get("headers", ())}  # pages bring their own policy
            own = [(b"x-request-id", self.request_id.encode())]
            own += [(name, value) for name, value in HEADERS if name not in given]
            if self.status in {408, 413}:
                own.append((b"connection", b"close"))  # what is left of the body is not read
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self.status:
            return
        hma = self.scope["path"].startswith("/m/")
        await problem.response(self.request_id, hma=hma)(self.scope, self._receive, self.send)
