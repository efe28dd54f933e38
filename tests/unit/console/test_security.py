"""Every route against who may not, what is too much, what is malformed, and what is made up by a machine."""

import contextlib
import json
import logging
import socket
import threading
import time

import httpx
import numpy as np
import pytest
import schemathesis
import uvicorn
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.unit.console.serving import ask, bank, hexed, match, pictures, service

from lightship.console.gate import Limits
from lightship.console.logs import quiet_server
from lightship.console.problems import MEDIA_TYPE, TITLES, Problem
from lightship.console.server import hurried

HASHES = pictures(np.random.default_rng(3), 8)
ONE = {"pdq": [{"hash": hexed(HASHES[0]), "quality": 100}]}
OPEN = {"/healthz", "/readyz", "/status", "/openapi.json"}
ROUTES = {
    ("GET", "/healthz"): "",
    ("GET", "/readyz"): "",
    ("GET", "/status"): "",
    ("GET", "/metrics"): "metrics",
    ("POST", "/v1/match"): "match",
    ("GET", "/v1/lists"): "lists",
    ("GET", "/m/raw_lookup"): "match",
    ("GET", "/m/lookup"): "match",
    ("POST", "/m/lookup"): "match",
    ("GET", "/m/index/status"): "lists",
}
QUERY = {"signal": hexed(HASHES[0]), "signal_type": "pdq"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    banks = [bank("iwf", HASHES[:4]), bank("theirs", HASHES[4:], tenants=("other",))]
    tenants = {f"only-{scope}": {"scopes": (scope,)} for scope in ("match", "lists", "metrics")}
    tenants |= {"all": {"scopes": ("match", "lists", "metrics")}, "other": {}}
    made = service(
        tmp_path_factory.mktemp("security"), banks, tenants=tenants, limits=Limits(body_bytes=60_000)
    )
    yield made
    made.service.close()


def send(served, route, **more):
    method, path = route
    if path == "/v1/match":
        more = {"json": ONE, **more}
    elif path in {"/m/raw_lookup", "/m/lookup"} and method == "GET":
        more = {"params": QUERY, **more}
    return ask(served, method, path, **more)


def refused(done, status, kind):
    assert done.status_code == status, done.text
    assert done.headers["content-type"] == MEDIA_TYPE
    value = done.json()
    assert value["type"] == f"urn:lightship:problem:{kind}"
    assert value["status"] == status
    assert value["request_id"] == done.headers["x-request-id"]
    return value


def test_the_table_has_every_route(served):
    described = ask(served, "GET", "/openapi.json").json()["paths"]
    found = {(method.upper(), path) for path, one in described.items() for method in one}
    assert found == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_without_a_token_or_with_a_wrong_one(served, route):
    for token in ("", "wrong", served.tokens["all"] + "x", "ü", "'; DROP TABLE"):
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")} if token else {}
        done = send(served, route, token="", headers=headers)
        if ROUTES[route]:
            refused(done, 401, "no-token")
            assert done.headers["www-authenticate"].startswith("Bearer")
        else:
            assert done.status_code == 200


@pytest.mark.parametrize("scheme", ["Basic !!!", "Basic YQ==", "Digest x", "Bearer", "Bearer ", "bearer a b"])
def test_with_another_scheme(served, scheme):
    refused(ask(served, "GET", "/v1/lists", token="", headers={"Authorization": scheme}), 401, "no-token")


@pytest.mark.parametrize("route", [route for route, scope in ROUTES.items() if scope], ids=" ".join)
@pytest.mark.parametrize("scope", ["match", "lists", "metrics"])
def test_with_the_wrong_scope(served, route, scope):
    done = send(served, route, tenant=f"only-{scope}")
    if scope == ROUTES[route]:
        assert done.status_code == (403 if route == ("POST", "/m/lookup") else 200)
    else:
        refused(done, 403, "wrong-scope")


@pytest.mark.parametrize(("tenant", "told"), [("all", False), ("other", True)])
def test_another_tenants_list_does_not_exist(served, tenant, told):
    theirs = {"signal": hexed(HASHES[5]), "signal_type": "pdq"}
    said = [
        match(served, HASHES[5:6], tenant=tenant).text,
        ask(served, "GET", "/v1/lists", tenant).text,
        ask(served, "GET", "/m/lookup", tenant, params=theirs).text,
    ]
    assert [("theirs" in one) for one in said] == [told] * 3
    raw = ask(served, "GET", "/m/raw_lookup", tenant, params=theirs).json()["matches"]
    size = ask(served, "GET", "/m/index/status", tenant).json()["pdq"]["size"]
    assert (len(raw), size) == ((1, 8) if told else (0, 4))


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_every_answer_has_the_safe_headers(served, route):
    headers = send(served, route, tenant="all").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-request-id"]
    assert "server" not in headers


def test_a_body_that_is_too_large(served):
    big = {"pdq": [{"hash": "0" * 64, "quality": 1}] * 900}
    refused(ask(served, "POST", "/v1/match", json=big), 413, "too-large")

    async def drops():
        for _ in range(100):
            yield b" " * 1000

    chunked = {"content": drops(), "headers": {"content-type": "application/json"}}
    refused(ask(served, "POST", "/v1/match", **chunked), 413, "too-large")


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"[" * 50_000, 400, "malformed"),
        (b'{"pdq": NaN}', 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b'{"pdq": {}}', 422, "invalid"),
        (b'{"pdq": [1]}', 422, "invalid"),
        (b'{"pdq": [{"hash": 1, "quality": 1}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "zz", "quality": 1}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "' + b"0" * 64 + b'\\n", "quality": 1}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "' + b"0" * 64 + b'", "quality": "1"}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "' + b"0" * 64 + b'", "quality": 1.5}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "' + b"0" * 64 + b'", "quality": 101}]}', 422, "invalid"),
        (b'{"pdq": [{"hash": "' + b"0" * 64 + b'"}]}', 422, "invalid"),
        (b'{"urls": ["  "]}', 422, "invalid"),
        (b'{"urls": ["http://[::1"]}', 422, "invalid"),
        (b'{"urls": ["http://a b/"]}', 422, "invalid"),
        (b'{"digests": ["0"]}', 422, "invalid"),
        (b'{"other": 1}', 422, "invalid"),
    ],
)
def test_malformed_and_wrong_bodies(served, content, status, kind):
    done = ask(served, "POST", "/v1/match", content=content, headers={"content-type": "application/json"})
    refused(done, status, kind)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_of_another_type(served, kind):
    refused(
        ask(served, "POST", "/v1/match", content=b"{}", headers={"content-type": kind}), 415, "media-type"
    )


def test_a_refusal_repeats_nothing_that_was_sent(served):
    secret = "5ec12e7" * 9
    done = ask(served, "POST", "/v1/match", json={"pdq": [{"hash": secret, "quality": 1}], "urls": [secret]})
    assert secret not in done.text
    assert secret not in ask(served, "GET", "/m/lookup", params={"signal": secret, "signal_type": "pdq"}).text
    assert secret not in json.dumps(served.log.lines, default=str)


@pytest.mark.parametrize("given", ["a" * 65, "a b", "a\tb", "é", "<x>", ""])
def test_a_request_id_that_could_forge_a_line_is_replaced(served, given):
    done = ask(served, "GET", "/healthz", headers={"X-Request-Id": given.encode("latin-1")})
    assert done.headers["x-request-id"] != given
    assert len(done.headers["x-request-id"]) == 16
    done = ask(served, "GET", "/healthz", headers={"X-Request-Id": "upload-7"})
    assert done.headers["x-request-id"] == "upload-7"


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/v1/../../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/v1/lists/",
        "/v1/lists/iwf",
        "//v1/lists",
        "/v1/match%00",
        "/docs",
        "/redoc",
        "/c/banks",
        "/h/hash",
        "/m/compare",
        "/.git/config",
    ],
)
def test_there_is_nothing_else(served, path):
    refused(ask(served, "GET", path, tenant="all"), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD", "NOPE"])
def test_other_methods(served, method):
    done = ask(served, method, "/v1/match", tenant="all")
    assert done.status_code == 405
    assert done.headers["allow"] == "POST"


def test_a_defect_is_told_by_its_id_alone(served, monkeypatch):
    def breaks(*_args, **_more):
        raise RuntimeError(f"hash {hexed(HASHES[0])}")

    monkeypatch.setattr(served.service.matcher, "match", breaks)
    value = refused(match(served, HASHES[:1]), 500, "failed")
    assert "RuntimeError" not in json.dumps(value)
    (line,) = [one for one in served.log.lines if one["event"] == "failed"]
    assert line == {"event": "failed", "request_id": value["request_id"], "error": "RuntimeError"}


def test_too_many_at_once_are_told_to_come_again(tmp_path):
    made = service(tmp_path, [bank("iwf", HASHES)], limits=Limits(under_way=0))
    done = ask(made, "GET", "/healthz")
    refused(done, 503, "busy")
    assert done.headers["retry-after"] == "1"
    made.service.close()


def test_every_problem_has_a_stable_type_and_fits_its_description(served):
    schema = ask(served, "GET", "/openapi.json").json()["components"]["schemas"]["Problem"]
    for kind in TITLES:
        value = json.loads(Problem(kind).response("x").body)
        assert value["type"] in schema["properties"]["type"]["enum"]


def test_requests_made_up_from_the_description_meet_no_defect(served):
    began_s = time.monotonic()
    schema = schemathesis.openapi.from_asgi("/openapi.json", served.app)
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    headers = {"Authorization": f"Bearer {served.tokens['all']}"}
    made = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        strategy = operation.as_strategy()
        made += _try(strategy, checks, headers)
    assert made > 10 * len(ROUTES) / 2
    assert time.monotonic() - began_s < 20


def _try(strategy, checks, headers):
    from hypothesis import HealthCheck, given, settings

    made = []

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def run(case):
        made.append(case)
        case.call_and_validate(headers=headers, checks=checks)

    run()
    return len(made)


@pytest.fixture
def live(tmp_path):
    """A real web server that waits half a second for a request."""
    limits = Limits(arrive_s=0.5)
    made = service(tmp_path, [bank("iwf", HASHES)], limits=limits)
    quiet_server()
    config = uvicorn.Config(
        made.app,
        port=0,
        http=hurried(0.5),
        lifespan="off",
        log_config=None,
        server_header=False,
        ws="none",
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.port = server.servers[0].sockets[0].getsockname()[1]
    yield made
    server.should_exit = True
    thread.join()
    made.service.close()
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio"):
        logging.getLogger(name).handlers.clear()


def talk(port, *parts, pause_s=0.0):
    """Send parts with pauses; returns all that comes back until the other side hangs up, and after how long."""
    began_s, back = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        try:
            for part in parts:
                line.sendall(part)
                time.sleep(pause_s)
            while got := line.recv(65536):
                back += got
        except (ConnectionResetError, BrokenPipeError):
            pass
    return back, time.monotonic() - began_s


def test_a_slow_head_is_hung_up_on(live):
    _, took_s = talk(live.port, b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 20, pause_s=0.1)
    assert took_s < 2.6
    _, took_s = talk(live.port)
    assert took_s < 1.5


@pytest.mark.parametrize("part", [b"X: y\r\n" * 1_000, b"X: " + b"y" * 6_000])
def test_a_head_without_an_end_is_hung_up_on_before_its_time_is_over(live, part):
    back, took_s = talk(live.port, b"GET /healthz HTTP/1.1\r\n", *[part] * 5)
    assert back == b"" or back.startswith(b"HTTP/1.1 400")
    assert took_s < 0.5
    assert httpx.get(f"http://127.0.0.1:{live.port}/healthz").status_code == 200


def chunked(live):
    return (
        "POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {live.tokens['acme']}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("after", [b"1;a=", b"0\r\nX: "])
def test_what_follows_a_head_is_not_held_without_end(live, after):
    began_s = time.monotonic()
    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as line:
        line.sendall(chunked(live) + after)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 20_000_000:
                sent += line.send(b"a" * 1000)
    assert sent < 12_000_000, "no more is read than the network holds"
    assert time.monotonic() - began_s < 5
    assert httpx.get(f"http://127.0.0.1:{live.port}/healthz").status_code == 200


def test_who_sends_many_requests_at_once_is_hung_up_on(live):
    back, _ = talk(live.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3000)
    assert back.count(b"HTTP/1.1 200") < 100


def test_a_refusal_reaches_who_is_still_sending(live):
    body = b"{" * 40_000
    head = f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(5):
        back, _ = talk(live.port, head.encode(), body[:20_000], body[20_000:])
        assert back[9:12] in {b"401", b"415"}


def test_a_slow_body_is_a_408(live):
    head = (
        "POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
        f"Authorization: Bearer {live.tokens['acme']}\r\n\r\n"
    )
    back, took_s = talk(live.port, head.encode(), b"{", pause_s=0.2)
    assert back.startswith(b"HTTP/1.1 408")
    assert b"urn:lightship:problem:too-slow" in back
    assert took_s < 2


def test_a_quick_client_keeps_its_connection(live):
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}") as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.3)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n b\r\n\r\n",
        b"GET /healthz\r\nX: y HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A\x00: b\r\n\r\n",
        b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_broken_and_smuggled_heads_end_in_no_answer_but_a_refusal(live, request_):
    back, _ = talk(live.port, request_)
    assert b"\r\nX: y" not in back
    assert back == b"" or back[9:12] in {b"400", b"401", b"404", b"414", b"431"} or b"x-request-id: " in back
    assert httpx.get(f"http://127.0.0.1:{live.port}/healthz").status_code == 200
