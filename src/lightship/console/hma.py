"""The look-up surface of Hasher-Matcher-Actioner, so that its clients can switch by address and token.

The same parameters and shapes as its ``/m/raw_lookup``, ``/m/lookup``, ``/m/index/status`` and ``/status``, for its
signal types ``pdq``, ``md5``, ``video_md5``, ``sha1``, ``sha256`` and ``url``. Other than there:

- content is not taken, by address or as a file: the answer is 403, as from an HMA without the hasher's role;
- ``bank_content_id`` is a number made for the tenant with a secret, stable and below 2⁵³, so that it tells nothing of
  the entry and two tenants cannot compare theirs;
- lists are never enabled in part, so ``seed`` and ``bypass_coinflip`` change nothing;
- no quality is sent, so pictures must be hashed by something that gives no hash of a poor one, as HMA's hasher does.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from lightship.console.foundation import token_with
from lightship.console.matching import Asked, MatcherService, address_forms, pdq_rows
from lightship.console.problems import Problem, responses
from lightship.console.tenants import Tenant, Tenants
from lightship.core.known import DIGEST_BYTES, PDQ_BYTES, Kind
from lightship.detect.matcher import Finding
from lightship.exchange.hash_lists import hex_bytes

_KINDS: dict[str, Kind] = {
    "pdq": "pdq",
    "md5": "md5",
    "video_md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "url": "url",
}
_HASH_ONLY = (
    "Hashing is disabled: this matcher takes hashes only. Hash where the content is, and send the hash."
)
Text = Annotated[str, Query(max_length=2048)]
Said = Annotated[str | None, Query(max_length=2048)]


class ContentMatch(BaseModel):
    """A match as HMA tells it."""

    bank_content_id: int
    distance: str


class RawMatches(BaseModel):
    """Matches as ``/m/raw_lookup`` tells them: numbers, or with ``include_distance`` objects."""

    matches: list[int] | list[ContentMatch]


class IndexStatus(BaseModel):
    """An index as HMA tells of it."""

    present: bool
    built_to: int
    size: int


def routes(service: MatcherService, tenants: Tenants) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["HMA"])
    asker = Security(token_with("match", tenants, service.standing.check))
    reader = Security(token_with("lists", tenants, service.standing.check))
    refused = responses("no-token", "wrong-scope", "suspended", "hash-only", "rate", "not-ready")

    async def look_up(
        request: Request, tenant: Tenant, signal: str, signal_type: str, banks: str | None
    ) -> list[tuple[str, ContentMatch]]:
        asked = _read(signal, signal_type)
        route = request.scope["route"].path
        (finding,) = await service.ask(tenant, asked, route=route, request_id=request.state.request_id)
        wanted = set(banks.split(",")) if banks else None
        return [
            (name, match)
            for name, match in _matches(finding, tenant, tenants.secret)
            if wanted is None or name in wanted
        ]

    @router.get("/m/raw_lookup", responses=refused, summary="Entries that a hash matches")
    async def raw_lookup(
        request: Request,
        signal: Text,
        signal_type: Text,
        tenant: Tenant = asker,
        banks: Said = None,
        include_distance: bool = False,
    ) -> RawMatches:
        found = [match for _, match in await look_up(request, tenant, signal, signal_type, banks)]
        return RawMatches(matches=found if include_distance else [one.bank_content_id for one in found])

    @router.get("/m/lookup", responses=refused, summary="Entries that a hash matches, by list")
    async def lookup(
        request: Request,
        tenant: Tenant = asker,
        signal: Said = None,
        signal_type: Said = None,
        banks: Said = None,
        url: Said = None,
    ) -> dict[str, list[ContentMatch]]:
        if url:
            raise Problem("hash-only", _HASH_ONLY)
        if not signal or not signal_type:
            raise Problem("malformed", "Both signal and signal_type are required.")
        found: dict[str, list[ContentMatch]] = {}
        for name, match in await look_up(request, tenant, signal, signal_type, banks):
            found.setdefault(name, []).append(match)
        return found

    @router.post(
        "/m/lookup", responses=refused, status_code=403, response_model=None, summary="Refused: hashes only"
    )
    async def lookup_content(_tenant: Tenant = asker) -> None:
        raise Problem("hash-only", _HASH_ONLY)

    @router.get("/m/index/status", responses=refused, summary="How many entries there are, and of when")
    async def index_status(tenant: Tenant = reader, signal_type: Said = None) -> dict[str, IndexStatus]:
        if signal_type is not None and signal_type not in _KINDS:
            raise Problem("malformed", "There is no such signal type.")
        wanted = _KINDS if signal_type is None else {signal_type: _KINDS[signal_type]}
        return {name: _status(service, tenant, kind) for name, kind in wanted.items()}

    router.include_router(_status_route(service))
    return router


def _status_route(service: MatcherService) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/status",
        response_class=PlainTextResponse,
        responses={**responses(), 503: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        summary="I-AM-ALIVE, or INDEX-STALE while no list can be searched",
    )
    async def status() -> PlainTextResponse:
        return (
            PlainTextResponse("I-AM-ALIVE")
            if service.ready()["ready"]
            else PlainTextResponse("INDEX-STALE", 503)
        )

    return router


def _read(signal: str, signal_type: str) -> Asked:
    kind = _KINDS.get(signal_type)
    if kind is None:
        raise Problem("malformed", f"There is no such signal type. There are {', '.join(_KINDS)}.")
    try:
        if kind == "pdq":
            hex_bytes(signal, PDQ_BYTES, "a PDQ hash")
            return Asked(pdq_rows([signal]), [100])
        values = (
            address_forms(signal)
            if kind == "url"
            else [hex_bytes(signal, DIGEST_BYTES[kind], f"a digest of kind {kind}")]
        )
    except ValueError as error:
        raise Problem("malformed", f"invalid signal: {error}") from None
    return Asked(pdq_rows([]), [], [(kind, values)])


def _matches(finding: Finding, tenant: Tenant, secret: bytes) -> list[tuple[str, ContentMatch]]:
    """Return each matching entry once, nearest first."""
    found: dict[int, tuple[str, ContentMatch]] = {}
    for hit in finding.hits:
        name = hit.bank.terms.name
        message = f"{tenant.name}\0{name}\0{hit.reference}".encode()
        number = int.from_bytes(hmac.digest(secret, message, hashlib.sha256)[:6], "big")
        match = ContentMatch(bank_content_id=number, distance=str(hit.distance))
        found.setdefault(number, (name, match))
    return list(found.values())


def _status(service: MatcherService, tenant: Tenant, kind: Kind) -> IndexStatus:
    sizes: dict[Any, int] = {}
    for bank in service.known_to(tenant):
        size = bank.hashes if kind == "pdq" else len(bank.exact.get(kind, ()))
        if size:
            sizes[bank.as_of] = sizes.get(bank.as_of, 0) + size
    if not sizes:
        return IndexStatus(present=False, built_to=-1, size=0)
    newest = datetime.combine(max(sizes), datetime.min.time(), UTC)
    return IndexStatus(present=True, built_to=int(newest.timestamp()), size=sum(sizes.values()))
