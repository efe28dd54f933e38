"""The platform's interface: streams, reports, cases and decisions; exact as its description says."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.unit.console.making import console, full
from tests.unit.console.serving import ask

from lightship.core.cases import Case, Judgement, Report, Stream
from lightship.core.errors import InputError

NEW = {
    "id": "live-1", "address": "rtmp://media.example/live/key", "host": "h1", "visibility": "public",
    "basis": "terms, section 4", "policy": "platform",
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    return full(console(tmp_path))


def post(made, path, body, tenant="platform", **headers):
    return ask(made, "POST", path, tenant, json=body, headers=headers)


def test_a_stream_begins_changes_and_ends(made):
    done = post(made, "/v1/streams", NEW)
    assert done.status_code == 201
    assert "address" not in done.json()
    assert "key" not in done.text
    assert post(made, "/v1/streams", NEW).status_code == 200
    assert post(made, "/v1/streams", {"id": "live-1", "viewers": 7}).json()["viewers"] == 7
    ended = post(made, "/v1/streams", {"id": "live-1", "ended": True})
    assert ended.json()["ended_at"]
    assert post(made, "/v1/streams", {"id": "live-1", "ended": True}).json() == ended.json()
    assert post(made, "/v1/streams", NEW).status_code == 409
    kinds = [one["kind"] for one in made.ledger.entries() if one.get("stream") == "live-1"]
    assert kinds == ["stream-registered", "stream-updated", "stream-updated", "stream-ended", "stream-ended"]
    assert made.one(Stream, "live-1").address == NEW["address"]


def test_a_private_stream_needs_a_basis(made):
    assert post(made, "/v1/streams", {**NEW, "visibility": "private", "basis": " "}).status_code == 422
    assert post(made, "/v1/streams", {**NEW, "basis": ""}).status_code == 201
    assert post(made, "/v1/streams", {"id": "live-1", "visibility": "private"}).status_code == 422
    assert made.one(Stream, "live-1").visibility == "public"
    assert post(made, "/v1/streams", {**NEW, "id": "p", "visibility": "private"}).status_code == 201


@pytest.mark.parametrize(
    "own",
    [
        {"id": "../x"}, {"id": ""}, {"id": "a b"}, {"host": "<b>"}, {"viewers": -1}, {"viewers": "7"}, {"title": "a\x00b"},
        {"title": "a\nb"}, {"visibility": "secret"}, {"more": 1}, {"address": "rtmp://a b"}, {"address": None}, {"host": None},
    ],
)  # fmt: skip
def test_a_stream_that_is_not_told_right_is_refused(made, own):
    done = post(made, "/v1/streams", {**NEW, **own})
    assert done.status_code == 422
    assert "a\x00b" not in done.text


def test_an_address_that_must_not_be_pulled_is_refused(tmp_path):
    def check(address):
        if "169.254" in address:
            raise InputError("The address is one of this network.")

    made = console(tmp_path, check_address=check)
    done = post(made, "/v1/streams", {**NEW, "address": "http://169.254.169.254/"})
    assert done.status_code == 422
    assert "169.254" not in done.text


def test_a_report_is_acknowledged_and_jumps_the_queue(made):
    done = post(
        made, "/v1/reports", {"stream_id": "s2", "kind": "child-at-risk-now", "text": "Look."}, "reports"
    )
    assert done.status_code == 201
    assert "next" in done.json()["acknowledged"]
    [case] = made.desk.queue({"stream_id": "s2"}, limit=5)
    assert case.danger_now
    assert post(made, "/v1/reports", {"stream_id": "nobody", "kind": "other"}).status_code == 404


def test_the_same_key_is_the_same_report(made):
    body = {"stream_id": "s2", "kind": "other", "text": "Look."}
    before = len(made.all(Report))
    first = post(made, "/v1/reports", body, **{"idempotency-key": "k1"})
    again = post(made, "/v1/reports", body, **{"idempotency-key": "k1"})
    assert first.json() == again.json()
    assert len(made.all(Report)) == before + 1
    assert (
        post(made, "/v1/reports", {**body, "text": "Other."}, **{"idempotency-key": "k1"}).status_code == 409
    )
    other = post(made, "/v1/reports", body, "reports", **{"idempotency-key": "k1"})
    assert other.json()["id"] != first.json()["id"]
    assert post(made, "/v1/reports", body, **{"idempotency-key": "a b"}).status_code == 422


def test_cases_and_decisions_come_in_pages_without_names(made):
    now = made.clock()
    with made.store.begin() as work:
        for number in range(5):
            work.save(Judgement(f"j{number}", "c0", "mo", now, "abuse", "abuse-live", "seen: private words"))
    for path, total in (("/v1/cases", 4), ("/v1/decisions", 5)):
        seen, after = [], ""
        while True:
            page = ask(made, "GET", path, "platform", params={"limit": 2, "after": after}).json()
            seen += [one["id"] for one in page["items"]]
            after = page["next"]
            if not after:
                break
        assert len(seen) == len(set(seen)) == total
    text = ask(made, "GET", "/v1/decisions", "platform").text
    assert "mo" not in json.loads(text)["items"][0].values()
    assert "private words" not in text
    assert ask(made, "GET", "/v1/cases", "platform", params={"state": "decided"}).json() == {
        "items": [],
        "next": None,
    }
    assert len(made.all(Case)) == 4


def test_it_is_as_it_is_described(made):
    schema = schemathesis.openapi.from_asgi("/openapi.json", made.app)
    headers = {"Authorization": f"Bearer {made.tokens['platform']}"}
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith("/v1/"):
            tried += _try(operation.as_strategy(), headers)
    assert tried > 40


def _try(strategy, headers):
    made = 0
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def sent(case):
        nonlocal made
        made += 1
        case.call_and_validate(checks=checks, headers=headers)

    sent()
    return made


def test_a_report_sent_again_with_line_breaks_is_the_same_report(made):
    body = {"stream_id": "s2", "kind": "other", "text": "Look.\n\nNow."}
    first = post(made, "/v1/reports", body, **{"idempotency-key": "k9"})
    assert first.status_code == 201
    assert post(made, "/v1/reports", body, **{"idempotency-key": "k9"}).json() == first.json()


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/decisions"])
def test_a_page_after_nothing_is_refused_in_words(made, path):
    done = ask(made, "GET", f"{path}?after=gone", "platform")
    assert done.status_code == 422
    assert "first page" in done.json()["detail"]
