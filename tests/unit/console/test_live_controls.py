"""What a livestream may do is told to the platform, and follows who is on shift, who hosts, and crisis mode."""

import pytest
from tests.unit.console.making import console, full
from tests.unit.console.serving import ask
from tests.unit.console.visiting import Visitor, working

from lightship.watch.controls import load

NEW = {
    "id": "new", "address": "rtmp://live.example/app/new", "host": "h9", "visibility": "public",
    "basis": "terms", "policy": "public-live",
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    return full(console(tmp_path, controls=load("gb")))


def told(made, **more):
    done = ask(made, "POST", "/v1/streams", tenant="platform", json={**NEW, **more})
    assert done.status_code in {200, 201}, done.text
    return done.json()["controls"]


def asked(made, id_="new"):
    done = ask(made, "GET", f"/v1/streams/{id_}", tenant="platform")
    assert done.status_code == 200
    assert "rtmp" not in done.text, "an address is told to nobody"
    return done.json()["controls"]


def test_without_a_moderator_nothing_new_is_live_and_with_one_it_is(made):
    assert told(made)["live"] == "off"
    assert asked(made, "s0")["live"] == "off", "nobody was there at any time"
    mo = working(made, "mo")
    assert asked(made) == {"live": "on", "off": [], "rules": []}
    made.clock.on(minutes=1)
    mo.get("/shift")
    mo.post("/shift/end")
    made.clock.on(minutes=1)
    found = asked(made)
    assert (found["live"], found["off"]) == ("limited", ["comments", "gifts"])
    assert [one["id"] for one in found["rules"]] == ["no-moderator"]
    assert told(made, id="later")["live"] == "off"


def test_a_child_who_joins_a_stream_of_many_switches_off_what_strangers_use(made):
    working(made, "mo")
    assert told(made)["off"] == []
    assert told(made, child_host=True)["off"] == ["comments", "gifts", "reactions", "recording"]
    assert told(made, id="young", host_age=15)["off"] == ["comments", "gifts", "reactions", "recording"]
    assert (
        ask(made, "POST", "/v1/streams", tenant="platform", json={**NEW, "host_age": -1}).status_code == 422
    )
    assert ask(made, "GET", "/v1/streams/nobody", tenant="platform").status_code == 404


def test_a_lead_begins_and_ends_crisis_mode_and_both_are_on_record(made):
    lee, ada = working(made, "lee"), Visitor(made, "ada")
    assert told(made)["live"] == "on"
    made.clock.on(minutes=1)
    page = lee.get("/health")
    assert "Begin crisis mode" in page.text
    assert lee.post("/surge", on="yes", reason="").status_code == 422
    assert lee.post("/surge", on="yes", reason="an attack is copied").status_code == 303
    made.clock.on(minutes=1)
    assert asked(made)["live"] == "limited"
    assert told(made, id="later")["live"] == "off"
    seen = ada.get("/health").text
    assert "Crisis mode is on" in seen
    assert "an attack is copied" in seen
    assert "End crisis mode" not in seen
    lee.get("/health")
    lee.post("/surge", on="no", reason="it is over")
    made.clock.on(minutes=1)
    assert asked(made)["live"] == "on"
    assert "it is over" in ada.get("/health").text
    assert [one["by"] for one in made.ledger.of("surge-began") + made.ledger.of("surge-ended")] == [
        "lee",
        "lee",
    ]


def test_an_item_says_what_its_stream_may_do(made):
    mo = working(made, "mo")
    assert "be live" in mo.get("/items/c0").text
