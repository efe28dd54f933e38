"""A demonstration call for two: the page, the guard's files, and signalling. No picture and no sound passes here.

The server pairs two browsers in a room and hands each what the other says to set up the connection (session
descriptions, addresses, public keys). The pictures go from browser to browser, encrypted with keys that only they have.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, WebSocket
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocketDisconnect

_ROOM = re.compile(r"[A-Za-z0-9-]{4,64}")
_SEATS = 2
_LARGEST = 64 * 1024  # characters of one message; a session description has some 10,000
_ROOMS = 100
_SCRIPTS = ("guard.js", "gate.js", "worker.js", "call.js")


class Rooms:
    """Who is in which room; a room has two seats and vanishes with the last who leaves."""

    def __init__(self) -> None:
        self._seats: dict[str, list[WebSocket]] = {}

    def enter(self, name: str, guest: WebSocket) -> bool:
        """Seat a guest; False where the room is full, or there are too many rooms."""
        seats = self._seats.get(name, [])
        if len(seats) >= _SEATS or (not seats and len(self._seats) >= _ROOMS):
            return False
        self._seats[name] = [*seats, guest]
        return True

    def leave(self, name: str, guest: WebSocket) -> None:
        """Free a guest's seat."""
        rest = [one for one in self._seats.get(name, []) if one is not guest]
        if rest:
            self._seats[name] = rest
        else:
            self._seats.pop(name, None)

    def others(self, name: str, guest: WebSocket) -> list[WebSocket]:
        """Return who else is there."""
        return [one for one in self._seats.get(name, []) if one is not guest]


def call_app(policy: str, help_lines: tuple[str, ...]) -> FastAPI:
    """Return the application that serves the call.

    Parameters
    ----------
    policy
        The policy that the page's guard goes by, as TOML.
    help_lines
        The words of its jurisdiction's help, for the covered picture and the help card.
    """
    app = FastAPI(openapi_url=None)
    here = files("lightship.console") / "static"
    page = (here / "call" / "call.html").read_text(encoding="utf-8")
    style = (here / "call" / "call.css").read_bytes()
    scripts = {
        name: (here / ("call" if name == "call.js" else "guard") / name).read_bytes() for name in _SCRIPTS
    }

    @app.get("/")
    async def index(request: Request) -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        origin = request.url.netloc
        answer = HTMLResponse(page.replace("{{nonce}}", nonce))
        answer.headers.update(
            {
                "Content-Security-Policy": (
                    f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; worker-src 'self'; "
                    f"connect-src http://{origin} ws://{origin}; img-src 'self' data:; media-src 'self' blob:; "
                    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ),
                "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
            }
        )
        return answer

    @app.get("/{name}.js")
    async def script(name: str) -> Response:
        found = scripts.get(f"{name}.js")
        return Response(found or b"", 200 if found else 404, media_type="text/javascript")

    @app.get("/call.css")
    async def look() -> Response:
        return Response(style, media_type="text/css")

    @app.get("/policy.json")
    async def rules() -> Mapping[str, Any]:
        return {"policy": policy, "help": help_lines}

    @app.middleware("http")
    async def plain(request: Request, follow: Any) -> Response:
        answer: Response = await follow(request)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    rooms = Rooms()

    @app.websocket("/rooms/{name}")
    async def signal(socket: WebSocket, name: str) -> None:
        await _seated(rooms, socket, name)

    return app


async def _seated(rooms: Rooms, socket: WebSocket, name: str) -> None:
    """Hand on what one guest says, until the guest leaves."""
    if not _ROOM.fullmatch(name) or not _same_origin(socket):
        await socket.close(1008)
        return
    await socket.accept()
    if not rooms.enter(name, socket):
        await socket.send_text('{"kind":"full"}')
        await socket.close(1008)
        return
    try:
        if rooms.others(name, socket):
            await _say(rooms, name, socket, '{"kind":"joined"}')
        while True:
            text = await socket.receive_text()
            if len(text) > _LARGEST or not _is_message(text):
                break
            await _say(rooms, name, socket, text)
    except WebSocketDisconnect:
        pass
    finally:
        rooms.leave(name, socket)
        await _say(rooms, name, socket, '{"kind":"left"}')


def _same_origin(socket: WebSocket) -> bool:
    """Return whether the page that asks is ours: no other site may enter rooms in a person's name."""
    origin = socket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == socket.headers.get("host")


def _is_message(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


async def _say(rooms: Rooms, name: str, guest: WebSocket, text: str) -> None:
    for other in rooms.others(name, guest):
        try:
            await other.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            rooms.leave(name, other)
