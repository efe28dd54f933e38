"""Payments as they happen: ``POST /v1/payments`` answers once they are on disk; alerts as a list and as a stream."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Security
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lightship.console.foundation import faults, token_with
from lightship.console.problems import Problem, responses
from lightship.console.quota import Quota
from lightship.console.tenants import Tenant, Tenants
from lightship.core.errors import StoreError
from lightship.core.payments import EPOCH, Payment, Rail, us_of
from lightship.core.ports import PaymentJournal
from lightship.payments.acceptance import Busy, Intake, Outcome

MOST = 1000
"""Payments of one request."""
_ENDS_S = 25.0
"""A stream ends before the gate would end it; who listens comes again with the last id, and misses nothing."""
_BEAT_S = 10.0
_PAGE = 200
_LAST = (1 << 63) - 1  # the largest number that a journal can give

PATH = "/v1/payments"
_JSON = (b"content-type", b"application/json")
_ROUTE = SimpleNamespace(path=PATH)

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no text that has one
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=_PLAIN)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Minor = Annotated[int, Field(gt=0, lt=1 << 53)]


class PaymentIn(BaseModel):
    """One payment; the columns of a dataset's payments, its time as RFC 3339 with an offset."""

    model_config = ConfigDict(strict=True, extra="forbid")

    payment: Id
    at: AwareDatetime
    payer: Id
    payee: Id
    amount_minor: Minor
    currency: Currency
    rail: Rail
    time_known: bool = True
    payee_amount_minor: Minor | None = None
    payee_currency: Currency | None = None
    payer_country: Country | None = None
    payee_country: Country | None = None
    via: Id | None = None
    payee_name: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] | None = None
    text: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] | None = None
    merchant_code: Annotated[str, Field(max_length=10, pattern=_PLAIN)] | None = None
    reverses: Id | None = None


class PaymentsIn(BaseModel):
    """Payments in the order in which they are to be taken."""

    model_config = ConfigDict(strict=True, extra="forbid")

    payments: Annotated[list[PaymentIn], Field(min_length=1, max_length=MOST)]


class Told(BaseModel):
    """What became of one payment."""

    payment: str
    status: Literal["accepted", "known", "conflict"]
    alerts: list[dict[str, Any]]


class ToldAll(BaseModel):
    """What became of payments, in their order; everything accepted is on disk."""

    payments: list[Told]


class Alerts(BaseModel):
    """Alerts in order, and the number to go on from."""

    alerts: list[dict[str, Any]]
    last: int


@dataclass(frozen=True, slots=True)
class Checks:
    """What a payment is checked against besides its form.

    Parameters
    ----------
    currencies
        Those that there are rates of.
    countries
        Those that there are.
    clock
        Gives the time; aware.
    """

    currencies: frozenset[str]
    countries: frozenset[str]
    clock: Callable[[], datetime]

    def read(self, body: bytes | str) -> list[Payment]:
        """Return the payments in a body.

        Raises
        ------
        Problem
            If it is not JSON, or one cannot be used; names each place.
        """
        try:
            found = PaymentsIn.model_validate_json(body).payments
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
            if wrong[0]["type"] == "json_invalid":
                raise Problem("malformed", "The body is not JSON.") from None
            raise Problem("invalid", "See the description at /openapi.json.", errors=faults(wrong)) from None
        latest = self.clock() + timedelta(days=1)
        errors = [
            {"where": f"payments.{place}.{name}", "what": what}
            for place, one in enumerate(found)
            for name, what in self._wrong(one, latest)
        ]
        if errors:
            raise Problem("invalid", "Nothing of this request was taken.", errors=tuple(errors[:10]))
        return [_payment(one) for one in found]

    def _wrong(self, one: PaymentIn, latest: datetime) -> Iterator[tuple[str, str]]:
        if not EPOCH <= one.at <= latest:
            yield "at", "before 1970, or in the future"
        if one.currency not in self.currencies:
            yield "currency", "no currency that there are rates of"
        if (one.payee_amount_minor is None) != (one.payee_currency is None):
            yield "payee_currency", "given with payee_amount_minor, or not at all"
        for name in ("payer_country", "payee_country"):
            if getattr(one, name) is not None and getattr(one, name) not in self.countries:
                yield name, "no country (ISO 3166-1)"


def _payment(one: PaymentIn) -> Payment:
    values = one.__dict__.copy()
    values["at_us"] = us_of(values.pop("at"))
    return Payment(**values)


class Bell:
    """Wakes those who wait for alerts; rung from any thread."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake them."""
        for loop, event in tuple(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def waiting(self) -> Iterator[asyncio.Event]:
        """Wait for it."""
        one = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(one)
        try:
            yield one[1]
        finally:
            self._waiting.discard(one)


class Landing:
    """Brings outcomes from the intake's thread into the loop, with one wake-up for all of a commit."""

    def __init__(self) -> None:
        self._landed: deque[tuple[asyncio.Future[list[Outcome]], Future[list[Outcome]]]] = deque()

    async def outcomes(self, done: Future[list[Outcome]]) -> list[Outcome]:
        """Wait for what became of payments."""
        loop = asyncio.get_running_loop()
        here: asyncio.Future[list[Outcome]] = loop.create_future()

        def land(done: Future[list[Outcome]]) -> None:
            self._landed.append((here, done))
            if len(self._landed) == 1:  # else whoever wakes for the first takes this one along
                loop.call_soon_threadsafe(self._wake)

        done.add_done_callback(land)
        return await here

    def _wake(self) -> None:
        while self._landed:
            here, done = self._landed.popleft()
            if here.done():
                continue
            if (error := done.exception()) is not None:
                here.set_exception(error)
            else:
                here.set_result(done.result())


@dataclass(frozen=True, slots=True)
class LivePayments:
    """What the routes stand on."""

    intake: Intake[Any]
    journal: PaymentJournal
    checks: Checks
    bell: Bell
    landing: Landing = field(default_factory=Landing)
    quotas: dict[str, Quota] = field(default_factory=dict)

    async def take(self, tenant: Tenant, body: bytes) -> bytes:
        """Take a request's payments in; returns what became of them, once they are on disk.

        Raises
        ------
        Problem
            If they cannot be used, are too many, or cannot be kept now.
        """
        payments = self.checks.read(body)
        _take_quota(self.quotas, tenant, len(payments), self.checks.clock())
        try:
            return answer(await self.landing.outcomes(self.intake.put(payments)))
        except Busy as error:
            raise Problem("busy", error.todo, retry_after_s=1.0) from None
        except StoreError:
            raise Problem(
                "not-ready", "Payments cannot be kept now. Send them again.", retry_after_s=5.0
            ) from None

    def ready(self) -> dict[str, object]:
        """Return whether payments can be taken in, and how it stands."""
        state = self.intake.state()
        trouble = state.pop("trouble")
        return {"ready": not trouble, "journal": "cannot be written" if trouble else "written", **state}


def routes(live: LivePayments, tenants: Tenants) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["payments"])
    sender, reader = (Security(token_with(scope, tenants)) for scope in ("payments", "alerts"))

    @router.post(
        "/payments",
        response_model=ToldAll,
        responses=responses("no-token", "wrong-scope", "rate", "not-ready", "media-type", "invalid"),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PaymentsIn"}}},
            }
        },
        summary="Take payments in; they are on disk when this answers",
    )
    async def take(request: Request, tenant: Tenant = sender) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem("media-type", "Send `Content-Type: application/json`.")
        return Response(await live.take(tenant, await request.body()), media_type="application/json")

    @router.get(
        "/alerts",
        response_model=Alerts,
        responses=responses("no-token", "wrong-scope", "invalid"),
        summary="Alerts after a number",
    )
    async def alerts(
        after: Annotated[int, Query(ge=0, le=_LAST)] = 0,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
        _who: Tenant = reader,
    ) -> Alerts:
        found = live.journal.alerts(after, limit)
        return Alerts(alerts=[json.loads(body) for _, body in found], last=found[-1][0] if found else after)

    @router.get(
        "/alerts/stream",
        responses={
            **responses("no-token", "wrong-scope", "invalid"),
            200: {"content": {"text/event-stream": {}}},
        },
        response_class=StreamingResponse,
        summary="Alerts as they begin; go on with Last-Event-ID",
    )
    async def stream(
        after: Annotated[int, Query(ge=0, le=_LAST)] = 0,
        lane: Literal["slow", "fast"] | None = None,
        last_event_id: Annotated[int | None, Header(ge=0, le=_LAST)] = None,
        _who: Tenant = reader,
    ) -> StreamingResponse:
        start = after if last_event_id is None else last_event_id
        return StreamingResponse(_events(live, start, lane), media_type="text/event-stream")

    return router


class Straight:
    """Middleware that takes payments past the framework: its care of a request costs more than scoring a payment.

    Whatever is not plainly right goes on to the route, which says what is wrong.
    """

    def __init__(self, app: ASGIApp, *, live: LivePayments, tenants: Tenants) -> None:
        self._app, self._live, self._tenants = app, live, tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        tenant = self._sender(scope) if scope["type"] == "http" and scope["path"] == PATH else None
        if tenant is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["state"]["tenant"] = _ROUTE, tenant.name
        parts = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        told = await self._live.take(tenant, b"".join(parts))
        length = (b"content-length", str(len(told)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length, _JSON]})
        await send({"type": "http.response.body", "body": told})

    def _sender(self, scope: Scope) -> Tenant | None:
        headers = dict(scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        is_plain = (
            scope["method"] == "POST" and kind == b"Bearer" and headers.get(b"content-type") == _JSON[1]
        )
        tenant = self._tenants.of(token.decode("latin-1")) if is_plain else None
        return tenant if tenant is not None and "payments" in tenant.scopes else None


def answer(told: Sequence[Outcome]) -> bytes:
    """Return what became of payments; alerts are JSON already."""
    parts = (
        b'{"payment":%b,"status":"%b","alerts":[%b]}'
        % (json.dumps(one.payment).encode(), one.status.encode(), b",".join(one.alerts))
        for one in told
    )
    return b'{"payments":[' + b",".join(parts) + b"]}"


def _take_quota(quotas: dict[str, Quota], tenant: Tenant, count: int, now: datetime) -> None:
    quota = quotas.get(tenant.name)
    if quota is None:
        quota = quotas[tenant.name] = Quota(float(tenant.per_minute), now, now.date(), 0)
    if count > tenant.per_minute:
        raise Problem("invalid", f"A request may have {tenant.per_minute} payments under this quota.")
    wait_s = quota.wait_s(count, tenant.per_minute, tenant.per_day, now)
    if wait_s > 0:
        said = f"{tenant.per_minute} a minute and {tenant.per_day} a day are allowed."
        raise Problem("rate", said, retry_after_s=wait_s)


async def _events(live: LivePayments, after: int, lane: str | None) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + _ENDS_S
    with live.bell.waiting() as event:
        yield b"retry: 1000\n\n"
        while (left_s := ends - loop.time()) > 0:
            event.clear()
            for number, body in live.journal.alerts(after, _PAGE):
                after = number
                if lane is None or json.loads(body)["lane"] == lane:
                    yield b"id: %d\nevent: alert\ndata: %b\n\n" % (number, body)
            try:
                async with asyncio.timeout(min(left_s, _BEAT_S)):
                    await event.wait()
            except TimeoutError:
                yield b"id: %d\n: still here\n\n" % after
