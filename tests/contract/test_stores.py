"""The shipped checks of stores, leases and buses, on every adapter and real servers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from lightship.checks.check_store import check_bus, check_leases, check_store
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
