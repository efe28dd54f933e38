"""``POST /v1/referrals``: platforms, banks, hotlines and partners refer to an investigating body.

What is acknowledged is on disk, owned, due and on the record. The acknowledgement says nothing of what the body makes
of it, nor whether anybody else sent the same: the same bytes are answered alike, however often and by whomever sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Security
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from lightship.casework.desk import Offices
from lightship.casework.door import received
from lightship.casework.intake import take_in
from lightship.casework.urgency import shipped
from lightship.console.foundation import token_with
from lightship.console.problems import Problem, responses
from lightship.console.quota import Quotas
from lightship.console.settings import Settings
from lightship.console.tenants import Tenant
from lightship.core.errors import InputError
from lightship.core.ports import Store
from lightship.exchange.referrals import FORMS, Mapped

MOST_BYTES = 4 << 20
"""Of one request; a referral is words, and some kilobytes."""

MOST = 1_000
"""Referrals of one request; fewer where the sender's quota allows no more at once."""

MEDIA: Mapping[str, str] = {"application/stix+json": "stix-json", "text/csv": "csv"}
"""Content types that name a form by themselves; every other one needs ``form``."""

_LISTED = f"One of {', '.join(FORMS)}; not needed where the content type names it."
Form = Annotated[str, Query(max_length=32, description=_LISTED)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (*MEDIA, "application/json", "application/xml")
        },
    }
}


class Acknowledged(BaseModel):
    """A referral that is kept.

    Parameters
    ----------
    id
        By which the body knows it.
    sha256
        Of its bytes as they were received.
    not_read
        What of it no reader could read, each with its place and never with its value; the bytes are kept all the same.
    """

    id: str
    sha256: str
    not_read: list[str]


class Acknowledgement(BaseModel):
    """The referrals of a request, in their order: one for most forms, one a line or row for the others."""

    referrals: Annotated[list[Acknowledged], Field(min_length=1)]


def routes(
    store: Store, settings: Settings, mapping: Callable[[str], Mapped | None], calling_code: str = "44"
) -> APIRouter:
    """Return the route.

    Parameters
    ----------
    mapping
        What the columns of a sender's tables mean, by the sender's name; None where nobody has said.
    calling_code
        Of national phone numbers.
    """
    router = APIRouter(prefix="/v1", tags=["referrals"])
    quotas = Quotas(settings.clock)
    sender = Security(token_with("referrals", settings.tenants, quotas.take))

    @router.post(
        "/referrals",
        status_code=202,
        responses=responses("no-token", "wrong-scope", "rate", "media-type", "invalid", "not-ready"),
        openapi_extra=_BODY,
        summary="Refer: the bytes are kept as they come, owned and due before this answers",
    )
    async def referrals(request: Request, form: Form = "", tenant: Tenant = sender) -> Acknowledgement:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        named = form or MEDIA.get(media, "")
        if not named:
            raise Problem("media-type", f"Say what it is: `?form=`. {_LISTED}")
        data = await request.body()
        return await run_in_threadpool(take, tenant, named, data)

    def take(tenant: Tenant, form: str, data: bytes) -> Acknowledgement:
        now, who = settings.clock(), tenant.name
        most = min(MOST, tenant.per_minute, tenant.per_day)
        try:
            batch = received(form, who, data, now, mapping(who) if form == "csv" else None, most)
        except InputError as error:
            raise Problem("invalid", f"{error.what} {error.todo}".strip()) from None
        if len(batch) > 1:  # the request itself was counted as one
            quotas.take(tenant, len(batch) - 1)
        taken = take_in(
            store, shipped(), batch, now=now, offices=Offices(), by=who, calling_code=calling_code
        )
        return Acknowledgement(
            referrals=[
                Acknowledged(id=told.referral_id, sha256=told.original, not_read=list(one.parsed.notes))
                for told, one in zip(taken, batch, strict=True)
            ]
        )

    return router
