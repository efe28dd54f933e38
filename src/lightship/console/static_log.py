"""Signed packs and their log over HTTP: a closed set of static files, public and cacheable."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from lightship.core.tiles import PATH as LOG_PATH

_PACKS = re.compile(
    r"metadata/([0-9]+\.(root|snapshot|targets)|timestamp)\.json|targets/[0-9a-f]{64}\.[a-z0-9-]+\.json"
)
_CHANGING = ("checkpoint", "timestamp.json")


def static_log(folder: Path) -> Starlette:
    """Return the application that serves a log, or a folder of packs with its log; nothing else in it."""

    async def get(request: Request) -> Response:
        path = request.path_params["path"]
        if not (LOG_PATH.fullmatch(path.removeprefix("log/")) or _PACKS.fullmatch(path)):
            return PlainTextResponse("Not found\n", 404)
        file = folder / path
        if not file.is_file():
            return PlainTextResponse("Not found\n", 404)
        changing = path.endswith(_CHANGING)
        kind = "text/plain; charset=utf-8" if path.endswith("checkpoint") else "application/octet-stream"
        return FileResponse(
            file,
            media_type="application/json" if path.endswith(".json") else kind,
            headers={
                "cache-control": "no-cache" if changing else "public, max-age=31536000, immutable",
                "access-control-allow-origin": "*",  # public facts: any page's guard may verify them
                "x-content-type-options": "nosniff",
            },
        )

    return Starlette(routes=[Route("/{path:path}", get, methods=["GET"])])
