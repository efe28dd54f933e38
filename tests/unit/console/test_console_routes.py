"""Every route of the console against every role, from the application's own list of routes."""

import pytest
from tests.unit.console.making import console, full
from tests.unit.console.serving import Lines, Record, ask
from tests.unit.console.visiting import Visitor, working

from lightship.console.audit import Audit
from lightship.console.matching import MatcherService
from lightship.console.metrics import Metrics
from lightship.console.oidc import Oidc
from lightship.console.standing import Standing
from lightship.detect.matcher import Matcher

STAFF = {"mo": "moderator", "lee": "lead", "ada": "auditor", "root": "administrator"}
M, L, A, R = "mo", "lee", "ada", "root"
ALL = {M, L, A, R}
PAGES = {
    ("GET", "/"): ALL,
    ("GET", "/queue"): {M, L},
    ("POST", "/queue/next"): {M, L},
    ("GET", "/items/{case_id}"): {M, L, A},
    ("GET", "/items/{case_id}/machine"): {M, L, A},
    ("GET", "/items/{case_id}/stills/{exhibit_id}/blurred"): {M, L},
    ("GET", "/items/{case_id}/sounds/{exhibit_id}/loudness"): {M, L},
    ("POST", "/items/{case_id}/reveal"): {M, L},
    ("POST", "/items/{case_id}/cover"): {M, L},
    ("POST", "/items/{case_id}/claim"): {M, L},
    ("POST", "/items/{case_id}/take-over"): {L},
    ("POST", "/items/{case_id}/beat"): {M, L},
    ("POST", "/items/{case_id}/release"): {M, L},
    ("POST", "/items/{case_id}/judge"): {M, L},
    ("POST", "/items/{case_id}/second"): {M, L},
    ("POST", "/items/{case_id}/appeal"): {M, L},
    ("POST", "/items/{case_id}/reverse"): {L},
    ("POST", "/items/{case_id}/undo"): {M, L},
    ("GET", "/wall"): {M, L},
    ("GET", "/subjects/{host}"): {M, L, A},
    ("GET", "/health"): ALL,
    ("GET", "/audit"): {L, A},
    ("POST", "/audit/verify"): {L, A},
    ("POST", "/audit/export"): {A},
    ("GET", "/duties"): {L, A, R},
    ("GET", "/duties/{duty_id}"): {L, A, R},
    ("POST", "/duties/{duty_id}/facts"): {L},
    ("POST", "/duties/{duty_id}/call"): {L},
    ("POST", "/duties/clocks/{clock_id}/end"): {L},
    ("POST", "/duties/{duty_id}/report"): {L},
    ("POST", "/duties/{duty_id}/report/file"): {L},
    ("POST", "/duties/{duty_id}/reference"): {L},
    ("GET", "/duties/{duty_id}/worksheet"): {L},
    ("GET", "/regulator"): {A},
    ("GET", "/regulator/{paper_id}"): {A},
    ("POST", "/surge"): {L},
    ("GET", "/holds"): {L, A},
    ("POST", "/holds"): {L},
    ("POST", "/holds/lift"): {L},
    ("GET", "/people"): {R},
    ("POST", "/people"): {R},
    ("POST", "/people/{name}/change"): {R},
    ("GET", "/shift"): ALL,
    ("POST", "/shift/begin"): ALL,
    ("POST", "/shift/break"): ALL,
    ("POST", "/shift/opt-out"): ALL,
    ("POST", "/shift/end"): ALL,
    ("GET", "/keys"): ALL,
    ("POST", "/keys"): ALL,
    ("GET", "/events"): ALL,
    ("POST", "/sign-out"): ALL,
}
OPEN = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/static/{digest}/{name:path}"), ("GET", "/static/{name}"),
    ("GET", "/sign-in/oidc"), ("GET", "/sign-in/oidc/back"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/openapi.json"),
}  # fmt: skip
TOKENS = {
    ("GET", "/metrics"): "metrics",
    ("POST", "/v1/streams"): "streams",
    ("GET", "/v1/streams/{stream_id}"): "streams",
    ("POST", "/v1/reports"): "reports",
    ("GET", "/v1/cases"): "cases",
    ("GET", "/v1/decisions"): "decisions",
    ("POST", "/v1/match"): "match",
    ("GET", "/v1/lists"): "lists",
}
LAST = {("POST", "/sign-out")}
NOT_ENDING = {("GET", "/events")}  # a stream: its refusals are tested, its opening in the story


def routes_of(app):
    found = set()

    def walk(routes):
        for one in routes:
            nested = getattr(getattr(one, "original_router", None), "routes", None)
            if nested is not None:
                walk(nested)
            elif getattr(one, "methods", None):
                found.update((method, one.path) for method in one.methods - {"HEAD"})

    walk(app.routes)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    oidc = Oidc("https://id.example", "lightship", "shh", "https://console", {"leads": "lead"})
    matcher = MatcherService(
        Matcher(()), audit=Audit(Record()), standing=Standing(), metrics=Metrics(), log=Lines()
    )
    yield full(console(tmp_path_factory.mktemp("routes"), oidc=oidc, matcher=matcher))
    matcher.close()


def filled(made, path):
    values = {
        "{case_id}": "c0",
        "{exhibit_id}": made.exhibits["c0"].id,
        "{host}": "host-s0",
        "{name}": "nia",
        "{duty_id}": "d0",
        "{clock_id}": "k0",
    }
    for name, value in values.items():
        path = path.replace(name, value)
    return path


def test_the_tables_have_every_route(made):
    assert routes_of(made.app) == set(PAGES) | OPEN | set(TOKENS)


@pytest.mark.parametrize("name", STAFF)
def test_each_role_reaches_what_it_may_and_nothing_else(made, name):
    who = working(made, name)
    for route, allowed in sorted(PAGES.items(), key=lambda one: one[0] in LAST):
        method, path = route
        if route in NOT_ENDING and name in allowed:
            continue
        path = filled(made, path)
        done = who.get(path) if method == "GET" else who.post(path)
        if name in allowed:
            assert done.status_code < 500, (route, done.text)
            assert f"No {STAFF[name]} may do this" not in done.text, route
        else:
            assert done.status_code == 403, route
            assert f"No {STAFF[name]} may do this" in done.text, route


def test_nobody_reaches_a_page_without_signing_in(made):
    for method, path in PAGES:
        who = Visitor(made)
        done = who.send(method, filled(made, path), data={} if method == "POST" else None)
        assert done.status_code == 303, path
        assert done.headers["location"].startswith("/sign-in?then=")
        program = who.send(method, filled(made, path), headers={"accept": "application/json"})
        assert program.status_code == 401


@pytest.mark.parametrize("route", TOKENS)
def test_each_token_opens_its_own_scope_and_no_page(made, route):
    for name in ("streams", "reports", "cases", "decisions", "metrics", "match", "lists"):
        done = ask(made, *route, tenant=name)
        assert (done.status_code == 403) is (name != TOKENS[route]), (name, done.text)
    assert ask(made, *route, token="").status_code == 401
    assert ask(made, *route, token="lightship_nobody").status_code == 401


def test_a_session_is_no_token_and_a_token_is_no_session(made):
    who = Visitor(made, "lee")
    assert who.get("/v1/cases").status_code == 401
    token = made.tokens["platform"]
    assert ask(made, "GET", "/queue", token=token).status_code == 401
    who.cookies["lightship"] = token
    assert who.get("/queue").status_code == 303


def test_every_form_of_every_page_needs_its_token(made):
    who = working(made, "lee")
    for (method, path), allowed in PAGES.items():
        if method != "POST" or "lee" not in allowed:
            continue
        for csrf in ("", "x", "AAAA", "é", who.csrf[:-4] + "AAAA"):
            done = who.post(filled(made, path), csrf=csrf)
            assert done.status_code == 403, (path, csrf)
            assert "not of this session" in done.text


def test_another_sites_form_is_refused(made):
    who = working(made, "lee")
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        done = who.send("POST", "/shift/begin", data={"csrf": who.csrf}, headers=headers)
        assert done.status_code == 403
        assert "Another site" in done.text
    own = {"origin": "http://console", "sec-fetch-site": "same-origin"}
    assert who.send("POST", "/shift/begin", data={"csrf": who.csrf}, headers=own).status_code == 303


def test_every_page_has_the_headers(made):
    who = working(made, "lee")
    for (method, path), allowed in PAGES.items():
        if method == "GET" and "lee" in allowed and "exhibit_id" not in path and path != "/events":
            done = who.get(filled(made, path))
            if done.status_code == 303:
                continue
            policy = done.headers.get_list("content-security-policy")
            assert len(policy) == 1
            assert "unsafe" not in policy[0]
            assert "default-src 'none'" in policy[0]
            assert "frame-ancestors 'none'" in policy[0]
            nonce = policy[0].split("'nonce-")[1].split("'")[0]
            assert nonce in done.text
            assert " style=" not in done.text
            assert " on" + "click=" not in done.text
            assert done.headers["cache-control"] == "no-store"
            assert done.headers["x-content-type-options"] == "nosniff"
    assert (
        who.get("/queue").headers["content-security-policy"]
        != who.get("/queue").headers["content-security-policy"]
    )
