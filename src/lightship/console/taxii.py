"""A TAXII 2.1 server of what was sent to partners: each sees one collection, their own, and can put reports into it.

What a collection holds was let through the release gate for that partner when it was disseminated; on every answer each
object's marking is checked again against the grade they have now. Another partner's collection is answered as one that
is not there. What a partner puts in is kept whole before it is acknowledged; nothing that was sent is ever deleted.

References
----------
OASIS TAXII 2.1, sections 1.6 (paging, headers), 4 (server information) and 5 (collections).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lightship.casework.desk import Offices
from lightship.casework.door import received
from lightship.casework.intake import take_in
from lightship.casework.urgency import shipped
from lightship.core.casework import Dissemination, Original
from lightship.core.errors import InputError
from lightship.core.markings import refusal
from lightship.core.ports import Store
from lightship.core.release import Partner
from lightship.exchange.referrals.collection import bundles_of
from lightship.exchange.stix_bundle import marking_of

MEDIA = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
MOST_BYTES = 10_000_000
MOST_OBJECTS = 1_000
_COLLECTIONS = uuid.UUID("2b1c9a52-7d0e-5f0e-8f61-3a4c3f1f5f90")
FORM = "taxii-stix-2.1"


@dataclass(frozen=True, slots=True)
class Member:
    """A partner who may use the server.

    Parameters
    ----------
    secret
        SHA-256 of their token, hexadecimal; the token is a bearer token, or the password of their name.
    """

    partner: Partner
    secret: str


@dataclass(frozen=True, slots=True)
class _Row:
    stix: Mapping[str, Any]
    added: str
    version: str

    @property
    def key(self) -> str:
        return f"{self.added} {self.stix['id']} {self.version}"


class _Refusal(Exception):
    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status, self.title = status, title


def collection_of(partner: str) -> str:
    """Return the id of a partner's collection."""
    return str(uuid.uuid5(_COLLECTIONS, partner))


def taxii_app(
    store: Store, members: Sequence[Member], *, title: str, clock: Callable[[], datetime]
) -> Starlette:
    """Return the server as an application, to be mounted at the root of its own address."""
    desk = _Desk(store, members, title, clock)
    root, one = "/api", "/api/collections/{collection}"
    return Starlette(
        routes=[
            Route("/taxii2/", desk.answer(desk.discovery)),
            Route(f"{root}/", desk.answer(desk.api_root)),
            Route(f"{root}/status/{{status}}/", desk.answer(desk.status)),
            Route(f"{root}/collections/", desk.answer(desk.collections)),
            Route(f"{one}/", desk.answer(desk.collection)),
            Route(f"{one}/manifest/", desk.answer(desk.manifest)),
            Route(f"{one}/objects/", desk.answer(desk.objects)),
            Route(f"{one}/objects/", desk.answer(desk.put), methods=["POST"]),
            Route(f"{one}/objects/{{id}}/", desk.answer(desk.objects)),
            Route(f"{one}/objects/{{id}}/", desk.answer(desk.keep), methods=["DELETE"]),
            Route(f"{one}/objects/{{id}}/versions/", desk.answer(desk.versions)),
        ]
    )


class _Desk:
    def __init__(
        self, store: Store, members: Sequence[Member], title: str, clock: Callable[[], datetime]
    ) -> None:
        self.store, self.members, self.title, self.clock = store, members, title, clock

    def answer(self, act: Callable[[Request, Partner, bytes], Response]) -> Any:
        """Return an endpoint: who asks, what they accept, and the act's answer or its refusal as a TAXII error."""
        from starlette.concurrency import run_in_threadpool

        async def endpoint(request: Request) -> Response:
            try:
                partner = self._who(request)
                _accepted(request)
                body = await _body(request) if request.method == "POST" else b""
                return await run_in_threadpool(act, request, partner, body)
            except _Refusal as refused:
                more = {"WWW-Authenticate": 'Basic realm="TAXII"'} if refused.status == 401 else {}
                return _json(
                    {"title": refused.title, "http_status": str(refused.status)}, refused.status, more
                )

        return endpoint

    def _who(self, request: Request) -> Partner:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        name, token = None, given
        if scheme.lower() == "basic":
            try:
                name, _, token = base64.b64decode(given, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                token = ""
        found = None
        digest = hashlib.sha256(token.encode()).hexdigest()
        for member in self.members:  # all are compared, so that time says nothing about names
            fits = hmac.compare_digest(digest, member.secret)
            if fits and name in {None, member.partner.name}:
                found = member.partner
        if found is None or scheme.lower() not in {"basic", "bearer"}:
            raise _Refusal(401, "Who asks is not known.")
        return found

    def discovery(self, request: Request, _partner: Partner, _body: bytes) -> Response:
        address = str(request.base_url).rstrip("/") + "/api/"
        return _json({"title": self.title, "default": address, "api_roots": [address]})

    def api_root(self, _request: Request, _partner: Partner, _body: bytes) -> Response:
        versions = ["application/taxii+json;version=2.1"]
        return _json({"title": self.title, "versions": versions, "max_content_length": MOST_BYTES})

    def collections(self, _request: Request, partner: Partner, _body: bytes) -> Response:
        return _json({"collections": [_collection(partner)]})

    def collection(self, request: Request, partner: Partner, _body: bytes) -> Response:
        _own(request, partner)
        return _json(_collection(partner))

    def manifest(self, request: Request, partner: Partner, _body: bytes) -> Response:
        rows, more = self._page(request, partner)
        entries = [
            {"id": row.stix["id"], "date_added": row.added, "version": row.version, "media_type": STIX}
            for row in rows
        ]
        return _json({**more, **({"objects": entries} if entries else {})}, headers=_added(rows))

    def objects(self, request: Request, partner: Partner, _body: bytes) -> Response:
        rows, more = self._page(request, partner)
        found = [row.stix for row in rows]
        return _json({**more, **({"objects": found} if found else {})}, headers=_added(rows))

    def versions(self, request: Request, partner: Partner, _body: bytes) -> Response:
        rows, more = self._page(request, partner, versions="all")
        found = [row.version for row in rows]
        return _json({**more, **({"versions": found} if found else {})}, headers=_added(rows))

    def put(self, request: Request, partner: Partner, body: bytes) -> Response:
        """Keep what a partner puts in, whole, and take it in as referrals; the same again is the same."""
        _own(request, partner)
        if request.headers.get("content-type", "").replace(" ", "") != MEDIA:
            raise _Refusal(415, f"The content is {MEDIA}.")
        objects, now = _envelope(body), self.clock()
        try:
            batch = [
                one for data in bundles_of(objects) for one in received("stix-json", partner.name, data, now)
            ]
        except InputError as error:
            raise _Refusal(422, error.what) from None
        id_ = hashlib.sha256(body).hexdigest()
        with self.store.begin() as work:
            kept = work.get(Original, id_)
            if kept is None:
                kept = Original(id_, FORM, body, partner.name, now)
                work.save(kept)
                entry = {"kind": "taxii-received", "original": id_, "by": partner.name}
                work.record({**entry, "at": kept.received_at.isoformat(), "objects": len(objects)})
        take_in(self.store, shipped(), batch, now=now, offices=Offices(), by=partner.name)
        return _json(_status(kept, objects), 202)

    def status(self, request: Request, partner: Partner, _body: bytes) -> Response:
        with self.store.look() as work:
            kept = work.get(Original, request.path_params["status"])
        if kept is None or kept.sender != partner.name or kept.form != FORM:
            raise _Refusal(404, "There is no such status.")
        return _json(_status(kept, _envelope(kept.data)))

    def keep(self, request: Request, partner: Partner, _body: bytes) -> Response:
        _own(request, partner)
        raise _Refusal(403, "What was sent is kept.")

    def _page(
        self, request: Request, partner: Partner, versions: str = ""
    ) -> tuple[list[_Row], dict[str, object]]:
        _own(request, partner)
        asked = request.query_params
        rows = self._rows(partner)
        if id_ := request.path_params.get("id"):
            rows = [row for row in rows if row.stix["id"] == id_]
            if not rows:
                raise _Refusal(404, "There is no such object.")
        rows = _matching(rows, asked, versions or asked.get("match[version]", "last"))
        if after := asked.get("added_after"):
            rows = [row for row in rows if row.added > _time(_moment(after))]
        if following := asked.get("next"):
            rows = [row for row in rows if row.key > following]
        limit = _limit(asked.get("limit"))
        more: dict[str, object] = {"more": len(rows) > limit}
        if len(rows) > limit:
            more["next"] = rows[limit - 1].key
        return rows[:limit], more

    def _rows(self, partner: Partner) -> list[_Row]:
        """Return each version of each object that a partner was sent and may still have, by when it was first added."""
        with self.store.look() as work:
            sent = work.find(
                Dissemination, {"recipient": partner.name, "way": "taxii"}, order=("made_at", "id")
            )
        found: dict[tuple[str, str], _Row] = {}
        for one in sent:
            objects = json.loads(one.content)["objects"]
            definitions = {stix["id"]: stix for stix in objects if stix["type"] == "marking-definition"}
            for stix in _leaving(objects, definitions, partner):
                added = _time(one.made_at)
                version = stix.get("modified") or stix.get("created") or added
                key = (stix["id"], version if "created" in stix else "")
                found.setdefault(key, _Row(stix, added, version))
        return sorted(found.values(), key=lambda row: row.key)


def _leaving(
    objects: Sequence[Mapping[str, Any]], definitions: Mapping[str, Mapping[str, Any]], partner: Partner
) -> list[Mapping[str, Any]]:
    """Return the objects that a partner may have now, and only those marking definitions that they refer to."""
    kept = []
    for stix in objects:
        marking = marking_of(stix, definitions)
        if stix["id"] not in definitions and marking and not refusal(marking, partner.grade, partner.agreed):
            kept.append(stix)
    named = set(re.findall(r"marking-definition--[0-9a-f-]{36}", json.dumps(kept)))
    return [*kept, *(stix for id_, stix in definitions.items() if id_ in named)]


def _own(request: Request, partner: Partner) -> None:
    if request.path_params["collection"] != collection_of(partner.name):
        raise _Refusal(404, "There is no such collection.")


def _collection(partner: Partner) -> dict[str, object]:
    own = {"id": collection_of(partner.name), "title": f"Shared with {partner.title}"}
    return {**own, "can_read": True, "can_write": True, "media_types": [STIX]}


def _matching(rows: list[_Row], asked: Mapping[str, str], versions: str) -> list[_Row]:
    for name, default in (("id", ""), ("type", ""), ("spec_version", "2.0")):
        if wanted := asked.get(f"match[{name}]"):
            rows = [row for row in rows if row.stix.get(name, default) in wanted.split(",")]
    kinds = set(versions.split(","))
    if "all" in kinds:
        return rows
    by_id: dict[str, list[str]] = {}
    for row in rows:
        by_id.setdefault(row.stix["id"], []).append(row.version)
    ends = {"last": max, "first": min}
    return [
        row
        for row in rows
        if row.version in kinds
        or any(row.version == ends[kind](by_id[row.stix["id"]]) for kind in kinds & ends.keys())
    ]


def _limit(text: str | None) -> int:
    try:
        limit = MOST_OBJECTS if text is None else int(text)
    except ValueError:
        limit = 0
    if limit < 1:
        raise _Refusal(400, "A limit is a whole number from 1.")
    return min(limit, MOST_OBJECTS)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Refusal(400, "A time is written as 2026-11-30T12:00:00.000Z.") from None
    if moment.tzinfo is None:
        raise _Refusal(400, "A time names its zone.")
    return moment


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _added(rows: Sequence[_Row]) -> dict[str, str]:
    if not rows:
        return {}
    return {"X-TAXII-Date-Added-First": rows[0].added, "X-TAXII-Date-Added-Last": rows[-1].added}


def _accepted(request: Request) -> None:
    accepts = [one.replace(" ", "").split(";q=")[0] for one in request.headers.get("accept", "").split(",")]
    if not {MEDIA, "application/taxii+json", "*/*", "application/*"} & set(accepts):
        raise _Refusal(406, f"This server answers in {MEDIA}.")


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _Refusal(413, f"An envelope is at most {MOST_BYTES} bytes.")
    return body


def _envelope(body: bytes) -> list[dict[str, Any]]:
    try:
        objects = json.loads(body)["objects"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _Refusal(422, "This is no envelope of objects.") from None
    if not isinstance(objects, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), str) and isinstance(one.get("type"), str)
        for one in objects
    ):
        raise _Refusal(422, "An envelope holds objects with a type and an id.")
    if any(one["type"] == "artifact" or "payload_bin" in one for one in objects):
        raise _Refusal(422, "No pictures and no files are taken in: identifiers and text only.")
    return objects


def _status(kept: Original, objects: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    at = _time(kept.received_at)
    done = [{"id": one["id"], "version": one.get("modified") or one.get("created") or at} for one in objects]
    counts = {"total_count": len(done), "success_count": len(done), "failure_count": 0, "pending_count": 0}
    return {"id": kept.id, "status": "complete", "request_timestamp": at, **counts, "successes": done}


def _json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    more = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(json.dumps(value), status, more, media_type=MEDIA)
