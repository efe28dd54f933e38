"""The shipped checks of stores, leases and buses, on every adapter and real servers."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import ExitStack

import pytest

from lightship.checks.check_store import check_bus, check_leases, check_store
from lightship.core.errors import StoreError
from lightship.infra.bus import LocalBus
from lightship.infra.leases import SqlLeases
from lightship.infra.migrate import upgrade
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.infra.store import SqlStore
from tests.servers import nats, postgres, postgres_url, store_url  # noqa: F401 - fixtures


@pytest.fixture
def opened():
    with ExitStack() as stack:
        yield stack.enter_context


def test_a_store_keeps_what_it_is_given(store_url, opened):  # noqa: F811
    upgrade(store_url)
    check_store(lambda: opened(SqlStore(store_url)))


def test_leases_in_a_database(store_url, opened):  # noqa: F811
    upgrade(store_url)
    check_leases(lambda: SqlLeases(opened(SqlStore(store_url))), ttl_s=0.5)


def test_leases_in_nats(nats, opened):  # noqa: F811
    check_leases(lambda: NatsLeases(opened(NatsLink(nats)), 1.0, "check"), ttl_s=1.0)


def test_the_bus_within_a_process():
    check_bus(lambda: LocalBus(8), 8)


def test_the_bus_between_processes(nats, opened):  # noqa: F811
    check_bus(lambda: NatsBus(opened(NatsLink(nats)), 8), 8)


def hold_until_killed(url: str) -> None:
    with NatsLink(url) as link:
        leases = NatsLeases(link, 1.0, "takeover")
        while True:
            leases.take(["stream"], "first", 1.0)
            time.sleep(0.2)


def test_a_killed_workers_lease_is_taken_over_within_10_s(nats, opened):  # noqa: F811
    child = multiprocessing.get_context("forkserver").Process(target=hold_until_killed, args=(nats,))
    child.start()
    leases = NatsLeases(opened(NatsLink(nats)), 1.0, "takeover")
    until = time.monotonic() + 10
    while leases.held() != {"stream": "first"}:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(1.2)
    assert leases.take(["stream"], "second", 1.0) == {}, "a worker that shows signs of life keeps its lease"
    child.kill()
    child.join()
    killed = time.monotonic()
    while not leases.take(["stream"], "second", 1.0):
        assert time.monotonic() - killed < 10
        time.sleep(0.05)
    assert leases.held() == {"stream": "second"}


def test_leases_of_another_duration_and_a_server_that_is_away_are_named(nats, opened):  # noqa: F811
    link = opened(NatsLink(nats))
    leases = NatsLeases(link, 1.0, "durations")
    with pytest.raises(StoreError, match=r"last 1\.0 s, not 2"):
        leases.take(["x"], "one", 2)
    with pytest.raises(StoreError, match=r"last 1\.0 s, not 2"):
        NatsLeases(link, 2.0, "durations")
    with pytest.raises(StoreError, match="NATS does not answer"):
        NatsLink("nats://127.0.0.1:1")
    link.close()
    with pytest.raises(StoreError, match="closed"):
        leases.held()
