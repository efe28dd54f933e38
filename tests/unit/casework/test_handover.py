"""A platform's case reaches the body once: over the house's bus or HTTPS, kept before it is confirmed."""

import json
import socket
import threading
import time
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from tests.servers import nats  # noqa: F401
from tests.tables import tables

from lightship import app_serve
from lightship.app_casework_serve import taking
from lightship.app_platform import Deployment
from lightship.app_serve import handover_of, working
from lightship.casework.handover import listen
from lightship.core.cases import Case, Effect, Stream
from lightship.core.casework import REFERRED, TAKEN_IN, Inquiry, Original, Referral
from lightship.core.errors import InputError, SinkError, StoreError
from lightship.exchange.referral_client import ReferralClient
from lightship.infra.bus import LocalBus
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_link import NatsLink
from lightship.infra.store import SqlStore
from lightship.watch import handover
from lightship.watch.chores import Chores
from lightship.watch.handover import FORM, Handover, OverBus
from lightship.watch.outbox import Retry, due, send_due

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
RETRY = Retry(first_s=1.0, attempts=5)


def _store(folder, name):
    url = tables(folder / f"{name}.db")
    return SqlStore(url)


@pytest.fixture
def platform(tmp_path):
    with _store(tmp_path, "platform") as store:
        with store.begin() as work:
            work.save(Stream("s1", "rtmp://inner/secret", "host-9", "public", "b", "public-live", NOW))
            work.save(Case("c1", "s1", "machine", NOW, NOW, "words", 60.0, "end", 0.5, 1.0, 0.5))
        yield store


@pytest.fixture
def body(tmp_path):
    with _store(tmp_path, "body") as store:
        yield store


def ordered(platform, content="d1"):
    with platform.begin() as work:
        return handover.order(work, work.get(Case, "c1"), content, by="ann", now=NOW)


def sent(platform, send, at=NOW):
    return send_due(platform, Handover(platform, "Example Live", send), lambda: at, RETRY)


class Listening:
    """A body that listens on a bus, on a thread of its own."""

    def __init__(self, bus, take):
        self._go_on, self.failed = True, []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(bus, take))

    def _run(self, bus, take):
        def go_on():
            self._ready.set()
            return self._go_on

        try:
            listen(bus, take, go_on)
        except StoreError as error:
            self.failed.append(error)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._go_on = False
        self._thread.join(10)


@pytest.mark.parametrize("kind", ["in this process", "nats"])
def test_over_the_bus_it_is_kept_owned_and_due_before_it_is_confirmed(platform, body, kind, request):
    effect = ordered(platform)
    assert ordered(platform) == effect, "the same is ordered once"
    link = None if kind == "in this process" else NatsLink(request.getfixturevalue("nats"))
    bus = LocalBus() if link is None else NatsBus(link)
    try:
        with Listening(bus, taking(body)):
            assert sent(platform, OverBus(bus, "Example Live")) == 1
    finally:
        if link is not None:
            link.__exit__(None, None, None)
    with body.look() as work:
        (referral,) = work.find(Referral)
        (inquiry,) = work.find(Inquiry)
        original = work.get(Original, referral.original)
    assert (referral.sender, referral.reference) == ("Example Live", "c1")
    assert inquiry.owner
    assert inquiry.due_at > referral.received_at
    assert b"secret" not in original.data
    with platform.look() as work:
        assert work.get(Effect, effect.id).state == "done"


def test_where_the_answer_is_lost_it_is_sent_again_and_is_one_referral(platform, body):
    ordered(platform)
    bus, take = LocalBus(), taking(body)

    def kept_and_then_lost(key, data):
        take("Example Live", FORM, data)
        raise SinkError("The answer was lost.", "bus", "")

    assert sent(platform, kept_and_then_lost) == 0
    with Listening(bus, take):
        assert sent(platform, OverBus(bus, "Example Live"), NOW + timedelta(seconds=2)) == 1
    with body.look() as work:
        assert len(work.find(Referral)) == len(work.find(Inquiry)) == 1


def test_where_nobody_listens_or_the_body_cannot_keep_it_it_waits(platform):
    effect = ordered(platform)
    bus = LocalBus()
    assert sent(platform, OverBus(bus, "Example Live", wait_s=0.1)) == 0

    def full(*_):
        raise StoreError("The disk is full.")

    with Listening(bus, full) as body:
        assert sent(platform, OverBus(bus, "Example Live", wait_s=0.1), NOW + timedelta(seconds=2)) == 0
    assert body.failed
    with platform.look() as work:
        waits = work.get(Effect, effect.id)
    assert (waits.state, waits.attempts) == ("sending", 2)
    assert "Nobody took" in waits.detail


def test_what_the_body_refuses_is_said(platform, body):
    ordered(platform)
    bus = LocalBus()
    with Listening(bus, taking(body)):
        with bus.subscribe(TAKEN_IN) as answers:
            bus.publish(REFERRED, {"key": "k"})
            assert "has no" in next(answers)["refused"]
        with pytest.raises(SinkError, match="none is held here"):
            OverBus(bus, "Example Live")("k2", b"%PDF-1.7 words")


def test_over_https_the_form_the_token_and_the_key_go_with_it_and_only_a_202_confirms(platform):
    ordered(platform)
    asked, status = [], [503, 202]

    def answer(request):
        asked.append(request)
        return httpx.Response(status[len(asked) - 1], json={"detail": "words"})

    client = ReferralClient("https://body.example/", "tok", FORM, transport=httpx.MockTransport(answer))
    assert sent(platform, client) == 0
    assert sent(platform, client, NOW + timedelta(seconds=2)) == 1
    assert {str(one.url) for one in asked} == {f"https://body.example/v1/referrals?form={FORM}"}
    assert asked[0].headers["authorization"] == "Bearer tok"
    assert asked[0].headers["x-request-id"] == asked[1].headers["x-request-id"]
    assert asked[0].content == asked[1].content
    assert json.loads(asked[0].content)["platform"] == "Example Live"
    with pytest.raises(InputError, match="https"):
        ReferralClient("http://body.example", "tok", FORM)


@pytest.mark.parametrize(("status", "size"), [(202, 10**9), (422, 10**9), (422, 150)])
def test_an_answer_that_drips_is_not_waited_for(status, size):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            caller = server.accept()[0]
            with caller, suppress(OSError):
                caller.recv(9999)
                caller.sendall(f"HTTP/1.1 {status} Said\r\nContent-Length: {size}\r\n\r\n".encode())
                for _ in range(40):
                    time.sleep(0.1)
                    caller.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        client = ReferralClient(f"http://127.0.0.1:{server.getsockname()[1]}", "tok", FORM, total_s=0.5)
        began = time.monotonic()
        with nullcontext() if status == 202 else pytest.raises(SinkError, match="422"):
            client("key", b"{}")
        assert time.monotonic() - began < 2


def test_a_body_that_does_not_answer_holds_up_no_stop(platform, monkeypatch):
    """It has all the senders of referrals, and a stop that is ordered then is sent at once."""
    now, free, sent_to = datetime.now(UTC), threading.Event(), threading.Event()
    with platform.begin() as work:
        work.save(*(Effect(f"r{n}", f"c{n}", "s1", "refer", "ann", now, now) for n in range(20)))
    monkeypatch.setattr(app_serve, "deliver_of", lambda _platform: lambda _effect: sent_to.set())
    monkeypatch.setattr(app_serve, "handover_of", lambda _platform: lambda _effect: free.wait(10))
    for name in ("carry", "_wake"):
        monkeypatch.setattr(app_serve, name, lambda *_: None)
    chores = Chores()
    deployment = SimpleNamespace(folder=None)
    working(
        SimpleNamespace(
            chores=chores, deployment=deployment, store=platform, vault=None, wake=threading.Event()
        ),
        print,
    )
    try:
        time.sleep(0.4)
        assert not sent_to.is_set()
        with platform.begin() as work:
            work.save(Effect("stop", "c9", "s1", "stop-stream", "ann", now, now))
        assert sent_to.wait(3)
    finally:
        free.set()
        chores.end()


def test_what_nobody_here_sends_waits_and_holds_nothing_up(platform):
    refer = ordered(platform)
    stop = Effect("e2", "c1", "s1", "stop-stream", "ann", NOW, NOW)
    with platform.begin() as work:
        work.save(stop)
    assert [one.id for one in due(platform, NOW, takes=lambda one: one.kind != "refer")] == ["e2"]
    assert [one.id for one in due(platform, NOW, takes=lambda one: one.kind == "refer")] == [refer.id]


def test_a_deployment_says_what_is_missing_before_it_serves(platform, tmp_path):
    def made(**more):
        deployment = Deployment(tmp_path, **more)
        return handover_of(SimpleNamespace(deployment=deployment, store=platform, bus=LocalBus()))

    assert made() is None
    token = tmp_path / "token"
    token.write_text("tok\n")
    for wrong, words in (
        ({"refer_to": "https://body.example"}, "whose referral"),
        ({"refer_to": "https://body.example", "refer_as": "Live"}, "the token that it gave"),
        ({"refer_to": "http://body.example", "refer_as": "Live", "refer_token": token}, "https alone"),
        (
            {"refer_to": "https://body.example", "refer_as": "Live", "refer_token": tmp_path / "no"},
            "cannot be read",
        ),
        ({"refer_to": "bus", "refer_as": "Live"}, "nobody else hears"),
    ):
        with pytest.raises(InputError, match=words):
            made(**wrong)
    assert isinstance(made(refer_to="https://body.example", refer_as="Live", refer_token=token), Handover)
    assert isinstance(made(refer_to="bus", refer_as="Live", nats="nats://x"), Handover)
