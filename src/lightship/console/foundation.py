"""The ground that every HTTP surface stands on: the application, its errors, its health, and its description."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from lightship.console.gate import Gate, Limits
from lightship.console.metrics import Metrics
from lightship.console.problems import SCHEMA, Problem, by_status, responses
from lightship.console.tenants import Tenant, Tenants

_bearer = HTTPBearer(
    auto_error=False, description="A token that `lightship token add` or `lightship matcher token` made."
)
_basic = HTTPBasic(
    auto_error=False, description="For clients that only take an address: any name, the token as password."
)
Ready = Callable[[], Mapping[str, object]]
Who = Callable[..., Coroutine[Any, Any, Tenant]]


def token_with(scope: str, tenants: Tenants, check: Callable[[Tenant], None] = lambda _tenant: None) -> Who:
    """Return a dependency that gives the tenant whose token a request carries.

    Parameters
    ----------
    scope
        Which the token must have.
    check
        What else stands in the tenant's way; raises :class:`Problem`.
    """

    async def who(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        basic: Annotated[HTTPBasicCredentials | None, Security(_basic)],
    ) -> Tenant:
        token = bearer.credentials if bearer else basic.password if basic else ""
        tenant = tenants.of(token) if token else None
        if tenant is None:
            raise Problem("no-token", "Send `Authorization: Bearer TOKEN`.")
        request.state.tenant = tenant.name
        if scope not in tenant.scopes:
            raise Problem("wrong-scope", f"This needs the scope “{scope}”.")
        check(tenant)
        return tenant

    return who


def create_app(
    title: str,
    routers: Sequence[APIRouter],
    *,
    ready: Ready,
    tenants: Tenants,
    metrics: Metrics,
    log: Any,
    limits: Limits | None = None,
    models: Sequence[type[BaseModel]] = (),
    inner: Sequence[Any] = (),
) -> FastAPI:
    """Return an application with the health routes and what is given.

    Parameters
    ----------
    ready
        Returns what ``/readyz`` says; it is ready if ``ready`` is true in it.
    models
        Bodies that routes read by themselves, for the description.
    inner
        Middleware that stands behind the gate.
    """
    app = FastAPI(
        title=title, version=version("lightship"), docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for router in (_health(ready, tenants, metrics), *routers):
        app.include_router(router)
    for kind in (HTTPException, RequestValidationError, Problem, Exception):
        app.add_exception_handler(kind, refuse)
    for one in inner:
        app.add_middleware(one)
    app.add_middleware(Gate, limits=limits or Limits(), metrics=metrics, log=log)
    app.openapi = lambda: _description(app, models)  # type: ignore[method-assign]
    return app


def _health(ready: Ready, tenants: Tenants, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["health"])
    known = responses()
    operator = Security(token_with("metrics", tenants))

    @router.get("/healthz", responses=known, summary="Whether the process answers")
    async def healthz() -> dict[str, bool]:
        return {"alive": True}

    @router.get(
        "/readyz",
        responses={**responses("not-ready"), 200: {"model": dict[str, Any]}},
        summary="Whether it can do its work",
    )
    async def readyz() -> JSONResponse:
        said = dict(ready())
        if not said.pop("ready"):
            words = "; ".join(f"{name}: {value}" for name, value in said.items())
            raise Problem("not-ready", str(said.get("reason") or words))
        return JSONResponse({"ready": True, **said})

    @router.get(
        "/metrics",
        responses={
            **responses("no-token", "wrong-scope"),
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        },
        response_class=Response,
        summary="Figures for Prometheus",
    )
    async def figures(_who: Tenant = operator) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


async def refuse(request: Request, error: Exception) -> Response:
    """Answer any error as a problem that repeats nothing of what was sent."""
    hma = request.url.path.startswith("/m/")
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, HTTPException):
        problem = Problem(by_status(error.status_code))
    elif isinstance(error, RequestValidationError):
        kind = "malformed" if hma else "invalid"  # HMA's clients know 400
        problem = Problem(kind, errors=faults(error.errors()))
    else:
        problem = Problem("failed", "Tell the operator the request's id.")
    response = problem.response(request.state.request_id, hma=hma)
    if isinstance(error, HTTPException) and error.status_code == 405:
        response.headers["Allow"] = (error.headers or {}).get("Allow", "")
    return response


def faults(errors: Sequence[Any]) -> tuple[dict[str, str], ...]:
    """Return what a validation found, at most ten places, without what stood there."""
    return tuple(
        {"where": ".".join(map(str, one["loc"]))[:100], "what": str(one["type"])} for one in errors[:10]
    )


def _description(app: FastAPI, models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = SCHEMA
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        app.openapi_schema = found
    return app.openapi_schema
