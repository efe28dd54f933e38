"""Errors of every HTTP surface, as problem details (RFC 9457): a stable type, what happened, and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_TYPES = "urn:lightship:problem:"

TITLES: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read."),
    "no-token": (401, "A valid token is needed."),
    "wrong-scope": (403, "The token does not allow this."),
    "forbidden": (403, "You may not do this."),
    "suspended": (403, "This tenant is suspended."),
    "hash-only": (403, "This service takes hashes only."),
    "not-found": (404, "There is no such thing here."),
    "method": (405, "This method is not for this address."),
    "too-slow": (408, "The request did not arrive in time."),
    "conflict": (409, "This was done already, or something else was."),
    "too-large": (413, "The request is too large."),
    "media-type": (415, "The request's body is of no kind that is read here."),
    "invalid": (422, "The request is not what it should be."),
    "rate": (429, "The quota is used up."),
    "failed": (500, "The service failed."),
    "busy": (503, "The service is busy."),
    "not-ready": (503, "The service is not ready."),
}
"""The problems there are, by the last part of their type: status and title."""


class Problem(Exception):
    """A request that is not answered, and why.

    Parameters
    ----------
    kind
        One of :data:`TITLES`.
    detail
        What happened and what to do; never repeats what was sent.
    retry_after_s
        When to come again, seconds, where that helps.
    errors
        What is wrong in which place of the request.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        errors: tuple[Mapping[str, str], ...] = (),
    ) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.errors = kind, detail, errors
        self.status, self.title = TITLES[kind]
        self.retry_after_s = retry_after_s

    def response(self, request_id: str = "", *, hma: bool = False) -> Response:
        """Return it as a response.

        Parameters
        ----------
        request_id
            By which the operator finds it in the log.
        hma
            Add ``message``, where HMA's clients look for the reason.
        """
        value: dict[str, Any] = {"type": _TYPES + self.kind, "title": self.title, "status": self.status}
        if self.detail:
            value["detail"] = self.detail
        if self.errors:
            value["errors"] = [dict(one) for one in self.errors]
        if request_id:
            value["request_id"] = request_id
        if hma:
            value["message"] = self.detail or self.title
        headers = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="lightship"'
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, int(self.retry_after_s + 0.999)))
        return Response(
            json.dumps(value, ensure_ascii=False).encode(), self.status, headers, media_type=MEDIA_TYPE
        )


def by_status(status: int) -> str:
    """Return the kind of problem that a bare status stands for."""
    if status == 503:
        return "busy"
    first = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type", 401: "no-token"}
    return first.get(status, "malformed" if status < 500 else "failed")


SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "enum": [_TYPES + kind for kind in TITLES]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "message": {"type": "string", "description": "The detail again, where HMA's clients look for it."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
"""The schema of a problem."""


def responses(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return what an operation's description says of its problems: its own, and those that any request may meet."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, "malformed", "too-slow", "too-large", "failed", "busy"):
        status, title = TITLES[kind]
        known = found.get(status)
        said = f"{known['description']} Or: {title}" if known else title
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        found[status] = {"description": said, "content": content}
    return found
