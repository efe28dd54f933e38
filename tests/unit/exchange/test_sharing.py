"""Exchanges over real sockets: pages, checkpoints, deletes, busy and broken servers, and those that never end."""

import time

import pytest
from tests.unit.exchange.exchange_server import Exchange, serving
from urllib3.util.retry import Retry

from lightship.core.changes import applied
from lightship.core.errors import InputError, ListError
from lightship.core.terms import Source
from lightship.exchange.sharing import EndlessPaging, fetch, secret, send_feedback

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MD5, PDQ, OTHER = "0a" * 16, "b1" * 32, "c2" * 32


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(Retry, "get_backoff_time", lambda _self: 0.0)
    monkeypatch.setenv("LIGHTSHIP_TEST_LOGIN", "me:secret")


def source(api, address):
    return Source(api, credentials="env:LIGHTSHIP_TEST_LOGIN", address=address)


def asked(api, exchange, facts=None, **how):
    pauses = []
    with serving(exchange) as address:
        changes, told = fetch(source(api, address), facts or {}, pause=pauses.append, **how)
    return changes, told, pauses


def held(changes, entries=None):
    found = applied(entries or {}, changes, "x").entries
    return {
        (kind, table.references[row], table.values[row].tobytes().hex())
        for kind, table in found.items()
        for row in range(len(table))
    }


def of_all(found):
    return applied({}, found, "x").entries


def test_ncmecs_pages_become_entries_with_every_kind_of_hash_we_match():
    exchange = Exchange(
        [
            ("a", {"md5": MD5.upper(), "pdq": PDQ, "pdna": "zz"}),
            ("b", {"sha1": MD5 + "0a0a0a0a"}),
            ("c", {"pdq": "short"}),
            ("d", {"pdq": OTHER}),
        ]
    )
    changes, told, _ = asked("ncmec", exchange, {"checkpoint": {"get_entries_max_ts": 1_699_999_995}})
    assert held(changes) == {
        ("md5", "7-a", MD5),
        ("pdq", "7-a", PDQ),
        ("sha1", "7-b", MD5 + "0a" * 4),
        ("pdq", "7-d", OTHER),
    }
    assert [one.where for one in changes.bad] == ["7-c"]
    assert told["checkpoint"]["get_entries_max_ts"] == pytest.approx(time.time(), abs=30)
    assert all(login.startswith("Basic ") for _, login in exchange.asked)
    assert any("start=2" in path for path, _ in exchange.asked), "the second page was asked for"


def test_the_next_refresh_asks_from_the_checkpoint_on_and_honours_deletes_and_changes():
    changes, told, _ = asked("ncmec", Exchange([("a", {"md5": MD5}), ("b", {"pdq": PDQ})]))
    entries = of_all(changes)
    told["checkpoint"]["get_entries_max_ts"] = 1_700_000_000
    later = Exchange([("a", None), ("b", {"pdq": OTHER})])
    changes, _, _ = asked("ncmec", later, told)
    assert not changes.whole
    assert held(changes, entries) == {("pdq", "7-b", OTHER)}
    assert "from=2023-11-14T22%3A13%3A20Z" in later.asked[0][0]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_ncmec_is_asked_in_utc_wherever_the_machine_stands(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        exchange = Exchange([("a", {"md5": MD5})])
        facts = {"checkpoint": {"get_entries_max_ts": 1_700_000_000}}
        asked("ncmec", exchange, facts)
        assert "from=2023-11-14T22%3A13%3A20Z" in exchange.asked[0][0]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_stopncii_withdrawn_cases_are_taken_off():
    changes, told, _ = asked("stopncii", Exchange([(PDQ, {}), (OTHER, {}), (MD5 * 2, {})]))
    entries = of_all(changes)
    assert {row[:2] for row in held(changes)} == {("pdq", f"stopncii {n}") for n in (1, 2, 3)}
    changes, told, _ = asked("stopncii", Exchange([(PDQ, None), ("d3" * 32, {})]), told)
    assert {row[1:] for row in held(changes, entries)} == {
        ("stopncii 2", OTHER),
        ("stopncii 3", MD5 * 2),
        ("stopncii 5", "d3" * 32),
    }
    assert told["number"] == 5


def test_a_checkpoint_that_is_too_old_to_learn_of_deletes_fetches_all_anew():
    old = {"checkpoint": {"update_time": 5, "last_fetch_time": 5}, "number": 9}
    exchange = Exchange([(PDQ, {})])
    changes, _, _ = asked("stopncii", exchange, old)
    assert changes.whole
    assert "startTimestamp=10&" in exchange.asked[0][0]


def test_tech_against_terrorism_adds_and_takes_off():
    changes, told, _ = asked("tat", Exchange([(PDQ, {}), (OTHER, {})]))
    entries = of_all(changes)
    assert told["checkpoint"] == {"checkpoint": "1704085200,124"}
    exchange = Exchange([(PDQ, None)])
    changes, _, _ = asked("tat", exchange, told)
    assert held(changes, entries) == {("pdq", "tat 2", OTHER)}
    assert "after=1704085200%2C124" in exchange.asked[0][0]


@pytest.mark.parametrize("trouble", [[429], ["reset"], [503, "reset", 429], [429] * 6])
def test_a_server_that_is_busy_for_a_while_is_asked_again(trouble):
    changes, _, pauses = asked("ncmec", Exchange([("a", {"md5": MD5})], trouble=list(trouble)))
    assert held(changes) == {("md5", "7-a", MD5)}
    assert pauses == ([1.0] if len(trouble) > 4 else [])


@pytest.mark.parametrize(("trouble", "why"), [(429, "stayed busy"), ("reset", "broke off")])
def test_a_server_that_stays_busy_or_breaks_off_is_given_up_with_growing_pauses(trouble, why):
    pauses = []
    with (
        serving(Exchange([("a", {"md5": MD5})], trouble=[trouble] * 1000)) as address,
        pytest.raises(ListError, match=why) as caught,
    ):
        fetch(source("ncmec", address), {}, pause=pauses.append)
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("trouble", "why"), [(403, "answered 403"), ("<not xml", "not understood"), ("{}", "not understood")]
)
def test_what_asking_again_does_not_mend_is_said_at_once(trouble, why):
    pauses = []
    with serving(Exchange(trouble=[trouble] * 9)) as address, pytest.raises(ListError, match=why):
        fetch(source("ncmec", address), {}, pause=pauses.append)
    assert pauses == []


def test_no_server_is_said_so():
    with pytest.raises(ListError, match="there was none"):
        fetch(source("ncmec", "http://127.0.0.1:1"), {}, pause=lambda _s: None)


@pytest.mark.parametrize(("api", "endless"), [("ncmec", "same"), ("ncmec", "new"), ("stopncii", "same")])
def test_a_server_that_pages_forever_is_stopped_by_name(api, endless):
    records = [(PDQ, {}), (OTHER, {})] if api == "stopncii" else [("a", {"md5": MD5})]
    exchange = Exchange(records, endless=endless)
    with serving(exchange) as address, pytest.raises(EndlessPaging, match="pages forever: stopped at page"):
        fetch(source(api, address), {}, max_pages=20)
    assert len(exchange.asked) < 60


def test_credentials_are_references_and_a_readable_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "login"
    path.write_text("me:secret\n")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        secret(Source("ncmec", credentials=f"file:{path}"))
    path.chmod(0o600)
    assert secret(Source("ncmec", credentials=f"file:{path}")) == "me:secret"
    monkeypatch.delenv("LIGHTSHIP_TEST_LOGIN")
    for reference in ("env:LIGHTSHIP_TEST_LOGIN", "", f"file:{tmp_path / 'none'}"):
        with pytest.raises(InputError, match="credentials"):
            secret(Source("ncmec", credentials=reference))


def test_an_unknown_environment_lists_the_known():
    with pytest.raises(InputError, match="Industry"):
        fetch(Source("ncmec", credentials="env:LIGHTSHIP_TEST_LOGIN", environment="Mars"), {})


def test_feedback_goes_to_ncmec_under_the_entrys_own_name():
    exchange = Exchange()
    with serving(exchange) as address:
        assert send_feedback(source("ncmec", address), "7-a", "md5", "confirmed")
        assert send_feedback(source("ncmec", address), "7-a", "pdq", "false-positive")
        assert not send_feedback(source("tat", address), "tat 1", "pdq", "confirmed")
    (up, down) = exchange.told
    assert up[0] == "/v2/entries/7/a/MD5/feedback"
    assert "affirmative" in up[1]
    assert down[0] == "/v2/entries/7/a/PDQ/feedback"
    assert "g1" in down[1]
