"""The TAXII server, asked by a client that others wrote and by ours; one partner never sees another's, nor too much."""

import asyncio
import json
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest
import uvicorn
from taxii2client import v21
from tests.sharing import CANARY, NOW, OWN, PARTNER, fill
from tests.tables import tables

from lightship.casework.disseminate import Made, disseminate
from lightship.console.taxii import MEDIA, Member, collection_of, taxii_app
from lightship.core.casework import Marking, Original
from lightship.core.errors import InputError
from lightship.exchange.stix_bundle import bundle, bundle_json
from lightship.exchange.taxii_client import TaxiiClient
from lightship.infra.store import SqlStore

TOKEN = "a-token-of-the-test"
OTHER = replace(PARTNER, name="other", title="Another")
LOWER = replace(PARTNER, grade=Marking("OFFICIAL", "green", "green"))


def _member(partner, token):
    return Member(partner, sha256(token.encode()).hexdigest())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with SqlStore(tables(tmp_path_factory.mktemp("t") / "s")) as store:
        members = [_member(PARTNER, TOKEN), _member(OTHER, "other-token")]
        app = taxii_app(store, members, title="A force", clock=lambda: NOW)
        with store.begin() as work:
            inquiry = fill(work)
        for hours in (1, 2):
            at = NOW + timedelta(hours=hours)

            def make(released, at=at):
                data = bundle_json(bundle(released, "A force", at)[0])
                return Made(data, data.decode())

            with store.begin() as work:
                disseminate(work, inquiry.id, PARTNER, "taxii", make, own=OWN, by="ann", now=at)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", store
            server.should_exit = True
            thread.join()


@pytest.fixture
def http(place):
    with httpx.Client(
        base_url=place[0], headers={"Accept": MEDIA, "Authorization": f"Bearer {TOKEN}"}
    ) as client:
        yield client


OBJECTS = f"/api/collections/{collection_of('pnp')}/objects/"


def test_a_client_of_others_reads_and_writes(place):
    server = v21.Server(f"{place[0]}/taxii2/", user="pnp", password=TOKEN)
    assert server.title == "A force"
    (root,) = server.api_roots
    (collection,) = root.collections
    assert collection.can_read
    whole = collection.get_objects()["objects"]
    pages = [one for page in v21.as_pages(collection.get_objects, per_request=7) for one in page["objects"]]
    assert pages == whole
    assert len({one["id"] for one in whole}) == len(whole) > 15
    assert CANARY not in json.dumps(whole)
    entries = collection.get_manifest()["objects"]
    assert [one["id"] for one in entries] == [one["id"] for one in whole]
    (grouping,) = collection.get_objects(type="grouping")["objects"]
    assert len(collection.object_versions(grouping["id"])["versions"]) == 2
    assert collection.get_object(grouping["id"])["objects"] == [grouping]
    first = collection.get_objects(type="grouping", version="first")["objects"][0]
    assert first["modified"] < grouping["modified"]
    report = {k: v for k, v in grouping.items() if k != "object_marking_refs"}
    status = collection.add_objects({"objects": [report]})
    assert (status.status, status.success_count) == ("complete", 1)
    assert root.get_status(status.id).id == status.id
    with place[1].look() as work:
        assert work.get(Original, status.id).sender == "pnp"


def test_our_client_reads_and_writes(place):
    with TaxiiClient(f"{place[0]}/taxii2/", TOKEN) as client:
        ((address, title),) = client.collections()
        assert title == "Shared with A partner abroad"
        assert len(list(client.objects(address))) > 15
        assert list(client.objects(address, "2030-01-01T00:00:00Z")) == []
        note = {"type": "note", "id": "note--1"}
        assert client.put(address, [note])["status"] == "complete"
        with pytest.raises(InputError, match="refused: 422"):
            client.put(address, [note | {"type": "artifact"}])
    with (
        TaxiiClient(f"{place[0]}/taxii2/", "wrong") as client,
        pytest.raises(InputError, match="refused: 401"),
    ):
        client.collections()


def test_headers_say_when_in_rfc_3339(http):
    answer = http.get(OBJECTS, params={"limit": 3})
    first, last = (answer.headers[f"X-TAXII-Date-Added-{end}"] for end in ("First", "Last"))
    assert first == "2026-11-28T13:00:00.000000Z"
    assert first <= last
    assert answer.json()["more"] is True
    assert answer.headers["content-type"] == MEDIA
    rest = http.get(OBJECTS, params={"added_after": "2026-11-28T13:00:00Z"}).json()
    assert 0 < len(rest["objects"]) < len(http.get(OBJECTS).json()["objects"])


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (401, "GET", "/taxii2/", {"Authorization": ""}),
        (401, "GET", "/taxii2/", {"Authorization": "Basic !!"}),
        (401, "GET", "/taxii2/", {"Authorization": "Digest a-token-of-the-test"}),
        (406, "GET", "/taxii2/", {"Accept": "text/html"}),
        (400, "GET", OBJECTS + "?limit=0", {}),
        (400, "GET", OBJECTS + "?added_after=yesterday", {}),
        (404, "GET", OBJECTS + "note--0/", {}),
        (404, "GET", f"/api/collections/{collection_of('other')}/objects/", {}),
        (404, "GET", f"/api/collections/{collection_of('nobody')}/", {}),
        (404, "GET", "/api/status/00/", {}),
        (403, "DELETE", OBJECTS + "note--0/", {}),
        (415, "POST", OBJECTS, {"Content-Type": "application/json"}),
        (422, "POST", OBJECTS, {"Content-Type": MEDIA}),
    ],
)
def test_refusals_are_taxii_errors(http, status, method, path, headers):
    answer = http.request(method, path, headers=headers)
    assert answer.status_code == status
    assert answer.json()["http_status"] == str(status)


def test_anothers_collection_looks_like_none(http):
    answers = [http.get(f"/api/collections/{collection_of(name)}/objects/") for name in ("other", "nobody")]
    assert answers[0].content == answers[1].content


def test_a_grade_that_was_lowered_since_holds_at_once(place):
    app = taxii_app(place[1], [_member(LOWER, TOKEN)], title="A force", clock=lambda: NOW)

    async def read():
        headers = {"Accept": MEDIA, "Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://t", headers=headers
        ) as client:
            return (await client.get(OBJECTS)).text

    text = asyncio.run(read())
    assert "Streams on Fridays." in text
    assert "A stream last night" not in text, "the house's own words are amber"
    assert "TLP:AMBER" not in text
