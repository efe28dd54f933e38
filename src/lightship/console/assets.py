"""The files that pages need: read once, named by what is in them, compressed once. No address reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.problems import Problem

_MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
STABLE = {"report-button.js": "public, max-age=300"}
"""Files that others embed: their address stays, so that they are asked for again."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    digest: str
    media: str
    plain: bytes
    packed: bytes


class Assets:
    """Every file of ``static/`` that a browser may have."""

    def __init__(self) -> None:
        self._files = dict(_read(files("lightship.console") / "static", ""))

    def address(self, name: str) -> str:
        """Return the address of a file, which changes with what is in it."""
        return f"/static/{self._files[name].digest}/{name}"

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()

        @router.get("/static/{digest}/{name:path}", include_in_schema=False)
        async def asset(request: Request, digest: str, name: str) -> Response:
            found = self._files.get(name)
            if found is None or found.digest != digest:
                raise Problem("not-found")
            return _answer(request, found, _FOREVER)

        @router.get("/static/{name}", include_in_schema=False)
        async def stable(request: Request, name: str) -> Response:
            if name not in STABLE:
                raise Problem("not-found")
            answer = _answer(request, self._files[name], STABLE[name])
            answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            return answer

        return router


def _answer(request: Request, asset: Asset, keep: str) -> Response:
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media)
    return Response(asset.plain, headers=headers, media_type=asset.media)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for one in folder.iterdir():
        name = prefix + one.name
        if one.is_dir():
            found += _read(one, f"{name}/")
        elif (kind := one.name.rpartition(".")[2]) in _MEDIA:
            data = one.read_bytes()
            mark = hashlib.sha256(data).hexdigest()[:16]
            found.append((name, Asset(mark, _MEDIA[kind], data, gzip.compress(data, 9, mtime=0))))
    return found
