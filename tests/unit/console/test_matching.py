"""What the service tells, to whom, and what it records."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from tests.unit.console.serving import ask, bank, hexed, match, pictures, service
from tests.unit.console.test_walks import flipped

from lightship.console.matching import Asked
from lightship.console.problems import Problem
from lightship.console.tenants import Tenant
from lightship.core.errors import InputError, SourceLost
from lightship.detect.remote import RemoteMatcher
from lightship.exchange.addresses import normalise
from lightship.exchange.matcher_client import MatcherClient

RNG = np.random.default_rng(1)
HASHES = pictures(RNG, 50)
FILE = hashlib.md5(b"benign", usedforsecurity=False).digest()


@pytest.fixture
def served(tmp_path):
    banks = [
        bank("iwf", HASHES[:20], [("md5", FILE), ("url", normalise("http://bad.example/x").encode())]),
        bank("secret", HASHES[10:30], tenants=("other",)),
        bank("quiet", HASHES[30:40], tell_reference=False, max_age_days=3),
        bank("lawful", HASHES[5:6], role="negative"),
    ]
    tenants = {"other": {}, "narrow": {"lists": ("quiet",)}, "small": {"per_minute": 10, "per_day": 15}}
    made = service(tmp_path, banks, tenants=tenants)
    made.service.clock = lambda: datetime(2026, 11, 3, tzinfo=UTC)
    yield made
    made.service.close()


def test_an_answer_says_which_list_entry_distance_rule_weight_and_age(served):
    near = flipped(HASHES[0], 3, 77)
    (answer,) = match(served, [near]).json()["pdq"]
    (found,) = answer["matches"]
    assert (found["list"], found["reference"], found["distance"]) == ("iwf", "iwf-0", 2)
    assert (found["as_of"], found["age_days"], found["stale"]) == ("2026-11-01", 2, False)
    assert answer["rule"] == "PDQ within 31 bits"
    assert answer["weight_db"] > 30
    assert answer["quality"] == 100


def test_no_answer_and_no_log_holds_a_hash(served):
    body = match(served, HASHES[:40], urls=["http://bad.example/x"], digests=[FILE.hex()]).text
    said = body + json.dumps(served.log.lines, default=str) + json.dumps(served.record.entries)
    assert not any(hexed(row) in said for row in HASHES)
    assert FILE.hex() not in said
    assert "bad.example" not in said


def test_digests_and_addresses_are_found_as_well(served):
    body = {"digests": [FILE.hex().upper(), "0" * 64], "urls": ["https://www.BAD.example/x?y=1", "a.example"]}
    value = ask(served, "POST", "/v1/match", json=body).json()
    assert [len(one["matches"]) for one in value["digests"] + value["urls"]] == [1, 0, 1, 0]
    assert value["digests"][0]["rule"] == "the same md5"


def test_a_tenant_is_told_only_of_what_the_lists_terms_and_its_own_entry_allow(served):
    def lists(tenant):
        answers = match(served, HASHES[10:40], tenant=tenant).json()["pdq"]
        shown = {one["name"] for one in ask(served, "GET", "/v1/lists", tenant).json()["lists"]}
        return {found["list"] for one in answers for found in one["matches"]}, shown

    assert lists("acme") == ({"iwf", "quiet"}, {"iwf", "quiet", "lawful"})
    assert lists("other") == ({"iwf", "quiet", "secret"}, {"iwf", "quiet", "secret", "lawful"})
    assert lists("narrow") == ({"quiet"}, {"quiet"})


def test_a_reference_is_told_only_where_the_terms_let_it_be(served):
    (answer,) = match(served, HASHES[30:31]).json()["pdq"]
    assert answer["matches"][0]["reference"] is None
    assert answer["matches"][0]["video"] is None


def test_what_was_found_lawful_overrides_for_everybody(served):
    (answer,) = match(served, HASHES[5:6]).json()["pdq"]
    assert answer["matches"] == []
    assert answer["overridden"][0]["list"] == "iwf"
    assert "lawful" in answer["overridden"][0]["by"]


def test_the_name_of_a_lawful_list_is_not_told_to_who_may_not_know_it(tmp_path):
    banks = [bank("iwf", HASHES[:2]), bank("court", HASHES[:1], role="negative", tenants=("other",))]
    served = service(tmp_path, banks)
    said = match(served, HASHES[:1]).text
    assert "court" not in said
    assert json.loads(said)["pdq"][0]["overridden"][0]["by"] == "found lawful"
    served.service.close()


def test_a_stale_list_says_so_and_goes_on(served):
    served.service.clock = lambda: datetime(2026, 11, 30, tzinfo=UTC)
    value = match(served, HASHES[30:31]).json()
    assert value["stale"] == ["quiet"]
    assert value["pdq"][0]["matches"][0]["stale"] is True
    assert ask(served, "GET", "/readyz").json()["stale_lists"] == 1
    served.service.tell_ages()
    assert any(line["event"] == "stale list" and line["list"] == "quiet" for line in served.log.lines)


def test_a_poor_picture_is_not_matched(served):
    assert match(served, HASHES[:1], quality=49).json()["pdq"][0]["matches"] == []


def test_a_quota_says_when_to_come_again(served):
    assert match(served, HASHES[40:50], tenant="small").status_code == 200
    refused = match(served, HASHES[40:45], tenant="small")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["type"] == "urn:lightship:problem:rate"
    assert match(served, HASHES[40:50], tenant="acme").status_code == 200


def test_each_query_is_recorded_with_counts_and_no_hash(served):
    match(served, HASHES[:3])
    match(served, HASHES[45:50])
    served.service.audit.close()
    hit, miss = sorted(served.record.entries, key=lambda entry: -len(entry["hits"]))
    assert (hit["tenant"], hit["asked"], hit["hits"]) == ("acme", 3, {"iwf": 3})
    assert (miss["asked"], miss["hits"]) == (5, {})
    assert set(hit) == {"at", "kind", "tenant", "route", "asked", "hits", "request"}


def test_what_cannot_be_recorded_is_not_answered(served):
    served.record.broken = True
    refused = match(served, HASHES[:1])
    assert refused.status_code == 503
    assert "matches" not in refused.text
    assert ask(served, "GET", "/readyz").status_code == 503
    assert match(served, HASHES[45:46]).status_code == 503


def test_a_walk_is_an_alarm_and_the_tenant_waits_for_a_person(served):
    batch = [flipped(HASHES[0], place) for place in range(256)]
    refused = match(served, batch)
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:lightship:problem:suspended"
    (alarm,) = [entry for entry in served.record.entries if entry["kind"] == "matcher-alarm"]
    assert (alarm["tenant"], alarm["reason"], alarm["asked"]) == ("acme", "walk", 256)
    assert match(served, HASHES[45:46]).status_code == 403
    assert ask(served, "GET", "/m/lookup", params={"signal": "x", "signal_type": "pdq"}).status_code == 403
    assert match(served, HASHES[:1], tenant="other").status_code == 200


def test_batches_on_their_way_when_the_alarm_comes_are_not_answered_either(served):
    tenant = Tenant("acme", "", ("match",), ("*",), 10_000, 10_000)
    walk = Asked(np.stack([flipped(HASHES[0], place) for place in range(256)]), [100] * 256)
    one = Asked(HASHES[:1], [100])

    async def together():
        asks = [
            served.service.ask(tenant, asked, route="", request_id="") for asked in (walk, one, walk, one)
        ]
        return await asyncio.gather(*asks, return_exceptions=True)

    first, *after = asyncio.run(together())
    assert isinstance(first, Problem)
    assert sum(isinstance(answer, Problem) for answer in after) >= 2
    with pytest.raises(Problem):
        served.service.standing.check(tenant)


def test_each_hour_is_summed_up_in_the_record(served):
    match(served, HASHES[45:50])
    served.service.each_hour()
    served.service.audit.close()
    assert served.record.entries[-1]["kind"] == "matcher-standing"
    assert served.record.entries[-1]["used"] == {"acme": 5}


def test_a_canary_is_an_alarm_at_once(tmp_path):
    canaries = pictures(RNG, 3)
    served = service(tmp_path, [bank("iwf", HASHES)], canaries=bank("canaries", canaries))
    assert match(served, HASHES[:1]).status_code == 200
    assert match(served, [HASHES[0], flipped(canaries[1], 5)]).status_code == 403
    assert [e["reason"] for e in served.record.entries if e["kind"] == "matcher-alarm"] == ["canary"]
    served.service.close()


def test_the_remote_matcher_finds_what_the_local_one_finds(served):
    def answer(request):
        done = ask(served, request.method, request.url.path, content=request.content, headers=sent(request))
        return httpx.Response(done.status_code, content=done.content, headers={"retry-after": "0"})

    def sent(request):
        return {"content-type": request.headers.get("content-type", "")}

    client = MatcherClient("http://localhost", "t", httpx.MockTransport(answer))
    remote = RemoteMatcher(client)
    assert remote.kinds == {"pdq", "md5", "url"}
    banks = served.service.known_to(Tenant("acme", "", ("match",), ("*",), 1, 1))
    local = served.service.matcher
    queries, qualities = (
        np.stack([flipped(HASHES[1], 9), HASHES[5], HASHES[49], HASHES[2]]),
        [100, 90, 80, 10],
    )
    mine = local.match(queries, qualities, may=lambda one: one in banks)
    theirs = remote.match(queries, qualities)
    assert [str(one) for one in theirs] == [str(one) for one in mine]
    assert [one.to_json() for one in theirs] == [one.to_json() for one in mine]
    assert str(remote.equal("md5", [FILE])) == str(local.equal("md5", [FILE]))


def test_a_client_waits_when_told_and_says_why_it_is_refused(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    answers = [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200, json={"lists": []})]
    client = MatcherClient("http://127.0.0.1", "t", httpx.MockTransport(lambda _: answers.pop(0)))
    assert client.lists() == []
    assert slept == [7.0]
    problem = {"title": "No.", "detail": "Not\x1b[31m you."}
    client = MatcherClient(
        "http://127.0.0.1", "t", httpx.MockTransport(lambda _: httpx.Response(403, json=problem))
    )
    with pytest.raises(InputError, match=r"refuses \(403\): No\. Not\?\[31m you"):
        client.lists()


def _down(_request):
    raise httpx.ConnectError("refused")


def test_a_client_gives_up_in_a_sentence(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(SourceLost, match="cannot be reached"):
        MatcherClient("https://matcher.example", "t", httpx.MockTransport(_down)).lists()
    with pytest.raises(InputError, match="not one of a matcher"):
        MatcherClient(
            "https://a.example", "t", httpx.MockTransport(lambda _: httpx.Response(200, text="<"))
        ).lists()
    for odd in ({}, {"lists": 1}, {"lists": [1]}, {"lists": [{}]}):
        transport = httpx.MockTransport(lambda _, odd=odd: httpx.Response(200, json=odd))
        with pytest.raises(InputError, match="not one of a matcher"):
            RemoteMatcher(MatcherClient("https://a.example", "t", transport))
    late = httpx.Response(429, headers={"retry-after": "86400"})
    with pytest.raises(SourceLost, match="86400 s"):
        MatcherClient("https://a.example", "t", httpx.MockTransport(lambda _: late)).lists()


@pytest.mark.parametrize("address", ["http://matcher.example", "ftp://a", "matcher", "http://10.0.0.1:80"])
def test_a_client_sends_no_token_in_the_open(address):
    with pytest.raises(InputError):
        MatcherClient(address, "t")
