"""The live path over HTTP and over the bus: what is answered is on disk, and what is wrong says where."""

import asyncio
import json
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from tests.servers import nats  # noqa: F401
from tests.unit.console.serving import Lines
from tests.unit.payments.counting import COUNTING

from lightship.console.foundation import create_app
from lightship.console.live_payments import Bell, Checks, LivePayments, PaymentsIn, routes
from lightship.console.metrics import Metrics
from lightship.console.payments_bus import PAYMENTS, BusPayments
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.errors import StoreError
from lightship.infra.bus import LocalBus
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_link import NatsLink
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.payments.acceptance import Intake

CHECKS = Checks(
    frozenset({"GBP", "PHP"}), frozenset({"GB", "PH"}), lambda: datetime(2026, 11, 24, tzinfo=UTC)
)


def payment(name, **changed):
    base = {
        "payment": name,
        "at": "2026-11-01T22:30:00+01:00",
        "payer": "ann",
        "payee": "bob",
        "amount_minor": 1250,
        "currency": "GBP",
        "rail": "bank",
    }
    return base | changed


class Running:
    def __init__(self, folder, journal, intake, bell):
        tenants = folder / "tenants.json"
        self.tokens = {
            scopes: add(tenants, Tenant(scopes, "", (scopes,), (), 100, 10_000))
            for scopes in ("payments", "alerts", "match")
        }
        self.intake, self.journal = intake, journal
        self.live = LivePayments(intake, journal, CHECKS, bell)
        known = Tenants(tenants)
        self.app = create_app(
            "Payments",
            [routes(self.live, known)],
            ready=self.live.ready,
            tenants=known,
            metrics=Metrics(),
            log=Lines(),
            models=[PaymentsIn],
        )

    def ask(self, method, path, scope="payments", body=None, raw=None, **headers):
        async def asking():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                said = {"Authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
                return await client.request(
                    method, path, json=body, content=raw, headers=said | headers, timeout=10
                )

        return asyncio.run(asking())

    def send(self, *payments, **more):
        return self.ask("POST", "/v1/payments", body={"payments": list(payments)}, **more)


@contextmanager
def running(folder):
    bell = Bell()
    with SqlitePaymentJournal(folder / "live") as journal:
        intake = Intake(journal, COUNTING, told=bell.ring)
        yield Running(folder, journal, intake, bell)
        intake.close()


@pytest.fixture
def service(tmp_path):
    with running(tmp_path) as one:
        yield one


def test_payments_are_answered_in_their_order_and_again_alike(service):
    sent = [payment("p1"), payment("p2"), payment("p3")]
    said = service.send(*sent).json()["payments"]
    assert [(one["payment"], one["status"]) for one in said] == [
        ("p1", "accepted"),
        ("p2", "accepted"),
        ("p3", "accepted"),
    ]
    assert said[2]["alerts"][0]["alert"] == "ann-3"
    assert service.send(*sent).json()["payments"] == [{**one, "status": "known"} for one in said]
    assert service.send(payment("p1", payer="eve")).json()["payments"][0]["status"] == "conflict"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"amount_minor": 0}, "payments.0.amount_minor"),
        ({"amount_minor": -1}, "payments.0.amount_minor"),
        ({"amount_minor": 1.5}, "payments.0.amount_minor"),
        ({"amount_minor": 2**60}, "payments.0.amount_minor"),
        ({"at": "2026-02-30T10:00:00Z"}, "payments.0.at"),
        ({"at": "2026-02-03T10:00:00"}, "payments.0.at"),
        ({"at": "2027-02-03T10:00:00Z"}, "payments.0.at"),
        ({"at": "1960-02-03T10:00:00Z"}, "payments.0.at"),
        ({"currency": "USD"}, "payments.0.currency"),
        ({"currency": "pounds"}, "payments.0.currency"),
        ({"payee_country": "UK"}, "payments.0.payee_country"),
        ({"payee_amount_minor": 5}, "payments.0.payee_currency"),
        ({"rail": "pigeon"}, "payments.0.rail"),
        ({"payer": ""}, "payments.0.payer"),
        ({"payee": "b\nob"}, "payments.0.payee"),
        ({"text": "rent\x00"}, "payments.0.text"),
        ({"colour": "red"}, "payments.0.colour"),
    ],
)
def test_what_is_wrong_says_where_and_nothing_of_the_request_is_taken(service, changed, where):
    said = service.send(payment("p1", **changed), payment("p2"))
    assert said.status_code == 422
    assert said.headers["content-type"] == "application/problem+json"
    assert [one["where"] for one in said.json()["errors"]] == [where]
    assert service.intake.accounts == {}


def test_requests_that_may_not_are_refused(service):
    assert service.send(payment("p"), scope="").status_code == 401
    assert service.send(payment("p"), scope="alerts").status_code == 403
    assert service.ask("GET", "/v1/alerts", scope="match").status_code == 403
    assert service.ask("POST", "/v1/payments", raw=b"{").status_code == 415
    assert (
        service.ask("POST", "/v1/payments", raw=b"{", **{"content-type": "application/json"}).status_code
        == 400
    )
    assert service.send().status_code == 422
    assert service.send(*(payment(f"p{n}") for n in range(101))).status_code == 422  # above its quota
    assert service.send(*(payment(f"p{n}") for n in range(99))).status_code == 200
    assert service.send(payment("q1"), payment("q2")).status_code == 429


def test_a_journal_that_cannot_be_written_is_a_503_and_not_ready(service, monkeypatch):
    def full(*_):
        raise StoreError("no space")

    monkeypatch.setattr(SqlitePaymentJournal, "append", full)
    said = service.send(payment("p1"))
    assert (said.status_code, said.headers["retry-after"]) == (503, "5")
    assert service.ask("GET", "/readyz", scope="").status_code == 503


def test_alerts_are_listed_from_a_number_on_and_streamed_from_the_last_id(service, monkeypatch):
    monkeypatch.setattr("lightship.console.live_payments._ENDS_S", 0.2)
    service.send(*(payment(f"p{n}") for n in range(9)))
    said = service.ask("GET", "/v1/alerts?limit=2", scope="alerts").json()
    assert ([one["alert"] for one in said["alerts"]], said["last"]) == (["ann-3", "ann-6"], 2)
    assert service.ask("GET", "/v1/alerts?after=3", scope="alerts").json() == {"alerts": [], "last": 3}
    stream = service.ask("GET", "/v1/alerts/stream", scope="alerts", **{"last-event-id": "1"}).text
    assert stream.count("event: alert") == 2
    assert "id: 1" not in stream
    assert service.ask("GET", "/v1/alerts/stream?lane=slow", scope="alerts").text.count("event: alert") == 0
    assert service.ask("GET", "/v1/alerts?after=9223372036854775808", scope="alerts").status_code == 422


def test_an_alert_is_told_at_once_to_who_listens(service):
    async def both():
        from lightship.console.live_payments import _events

        events = _events(service.live, 0, "fast")
        await anext(events)
        listening = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.05)
        assert not listening.done()
        await asyncio.to_thread(
            lambda: service.intake.put(
                CHECKS.read(json.dumps({"payments": [payment(f"p{n}") for n in range(3)]}))
            ).result(5)
        )
        told = await asyncio.wait_for(listening, 2)
        await events.aclose()
        return told

    assert asyncio.run(both()).startswith(b"id: 1\nevent: alert\ndata: {")


@pytest.fixture(params=["local", "nats"])
def bus(request):
    if request.param == "local":
        yield LocalBus()
        return
    with NatsLink(request.getfixturevalue("nats")) as link:
        yield NatsBus(link)


def test_the_bus_takes_payments_and_answers_once_they_are_on_disk(service, bus):
    listening = BusPayments(bus, service.intake, CHECKS.read)
    with bus.subscribe("answers") as answers:
        bus.publish(PAYMENTS, {"payments": [payment("p1"), payment("p2"), payment("p3")], "reply": "answers"})
        said = next(one for one in answers if one)
        assert [one["status"] for one in said["payments"]] == ["accepted"] * 3
        assert said["payments"][2]["alerts"][0]["alert"] == "ann-3"
        assert set(service.journal.known(["p1", "p2", "p3"])) == {"p1", "p2", "p3"}
        bus.publish(PAYMENTS, {"payments": [payment("p4", amount_minor=0)], "reply": "answers"})
        assert next(one for one in answers if one)["errors"][0]["where"] == "payments.0.amount_minor"
        bus.publish(PAYMENTS, {"payments": "none"})  # names no topic: nothing to do but go on
        bus.publish(PAYMENTS, {"payments": [payment("p1")], "reply": "answers"})
        assert next(one for one in answers if one)["payments"][0]["status"] == "known"
    listening.close()
