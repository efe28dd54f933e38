"""``POST /v1/match`` and ``GET /v1/lists``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Security
from pydantic import ValidationError
from starlette.responses import Response

from lightship.console.answers import Answers, ListInfo, Lists, Questions
from lightship.console.foundation import faults, token_with
from lightship.console.matching import KIND_OF, Asked, MatcherService, address_forms, pdq_rows
from lightship.console.problems import Problem, responses
from lightship.console.tenants import Tenant, Tenants
from lightship.core.known import Kind
from lightship.detect.bank import Bank, Hit
from lightship.detect.matcher import Finding

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Questions"}}},
    }
}


def routes(service: MatcherService, tenants: Tenants) -> APIRouter:
    """Return the service's own routes."""
    router = APIRouter(prefix="/v1", tags=["matcher"])
    asker = Security(token_with("match", tenants, service.standing.check))
    reader = Security(token_with("lists", tenants, service.standing.check))
    refused = ("no-token", "wrong-scope", "suspended", "rate", "not-ready")

    @router.post(
        "/match",
        response_model=Answers,
        responses=responses(*refused, "media-type", "invalid"),
        openapi_extra=_BODY,
        summary="What the lists say of hashes, digests and addresses",
    )
    async def match(request: Request, tenant: Tenant = asker) -> Response:
        asked, sizes = _read(await _json_body(request))
        request_id: str = request.state.request_id
        found = await service.ask(tenant, asked, route="/v1/match", request_id=request_id)
        told = answers(found, tenant, service)
        value = {
            "pdq": told[: sizes[0]],
            "digests": told[sizes[0] : sizes[0] + sizes[1]],
            "urls": told[sizes[0] + sizes[1] :],
            "stale": [one.terms.name for one in service.known_to(tenant) if one.stale(service.today())],
            "request_id": request_id,
        }
        return Response(json.dumps(value, separators=(",", ":")).encode(), media_type="application/json")

    @router.get(
        "/lists",
        response_model=Lists,
        responses=responses("no-token", "wrong-scope", "suspended"),
        summary="Which lists are searched, and how old they are; never what is on them",
    )
    async def lists(tenant: Tenant = reader) -> Lists:
        return Lists(lists=[_info(bank, service.today()) for bank in service.known_to(tenant)])

    return router


async def _json_body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("media-type", "Send `Content-Type: application/json`.")
    return await request.body()


def _read(body: bytes) -> tuple[Asked, tuple[int, int]]:
    """Return the questions in a body, and how many are hashes and digests.

    Raises
    ------
    Problem
        If it is not JSON, or not questions.
    """
    try:
        questions = Questions.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise Problem("malformed", "The body is not JSON.") from None
        raise Problem("invalid", "See the description at /openapi.json.", errors=faults(found)) from None
    exact: list[tuple[Kind, Sequence[bytes]]] = []
    for text in questions.digests:
        value = bytes.fromhex(text)
        exact.append((KIND_OF[len(value)], [value]))
    for place, url in enumerate(questions.urls):
        try:
            exact.append(("url", address_forms(url)))
        except ValueError:
            fault = {"where": f"urls.{place}", "what": "not a web address"}
            raise Problem("invalid", "An address has a host and no spaces.", errors=(fault,)) from None
    hashes = pdq_rows([one.hash for one in questions.pdq])
    asked = Asked(hashes, [one.quality for one in questions.pdq], exact, questions.tries)
    return asked, (len(questions.pdq), len(questions.digests))


def answers(findings: Sequence[Finding], tenant: Tenant, service: MatcherService) -> list[dict[str, Any]]:
    """Return findings as a tenant may be told of them; see :class:`lightship.console.answers.Answer`."""
    today = service.today()
    lawful = [bank.terms for bank in service.matcher.banks if bank.terms.role == "negative"]
    may_name = all(tenant.may_know(terms) and terms.tell_reference for terms in lawful)
    return [
        {
            "matches": [_told(hit, today) for hit in one.hits],
            "rule": one.rule,
            "weight_db": round(one.weight_db, 1),
            "quality": one.quality,
            "overridden": [
                {**_told(hit, today), "by": _by(by, may_name)}
                for hit, by in one.overridden
                if tenant.may_know(hit.bank.terms)
            ],
        }
        for one in findings
    ]


def _by(by: str, may_name: bool) -> str:
    """Return why a match does not count; which lawful entry says so is told to who may know all of them."""
    return by if may_name else by.partition(":")[0]


def _told(hit: Hit, today: date) -> dict[str, Any]:
    bank, told = hit.bank, hit.bank.terms.tell_reference
    return {
        "list": bank.terms.name,
        "reference": hit.reference if told else None,
        "video": hit.video if told else None,
        "at_s": hit.at_s if told and hit.video else None,
        "kind": hit.kind,
        "distance": hit.distance,
        "within": bank.terms.distance,
        "entry_quality": hit.quality,
        "as_of": bank.as_of.isoformat(),
        "age_days": bank.age_days(today),
        "stale": bank.stale(today),
        "version": bank.digest,
    }


def _info(bank: Bank, today: date) -> ListInfo:
    kinds = {"pdq": bank.hashes} | {kind: len(one) for kind, one in bank.exact.items()}
    terms = bank.terms
    return ListInfo(
        name=terms.name,
        owner=terms.owner,
        role=terms.role,
        entries={kind: count for kind, count in kinds.items() if count},
        within=terms.distance,
        as_of=bank.as_of,
        age_days=bank.age_days(today),
        stale=bank.stale(today),
        version=bank.digest,
        tells_reference=terms.tell_reference,
        basis=terms.basis,
    )
