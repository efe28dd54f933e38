"""Figures for Prometheus; never a tenant's name, a hash or a reference."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        many = {"registry": self.registry, "namespace": "lightship"}
        self.requests = Counter("requests", "Requests answered.", ("route", "status"), **many)
        self.seconds = Histogram("request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, **many)
        self.under_way = Gauge("requests_under_way", "Requests being answered.", **many)
        self.hashes = Counter("matcher_looked_up", "Hashes, digests and addresses.", ("kind",), **many)
        self.hits = Counter("matcher_hits", "Matches told.", ("list",), **many)
        self.alarms = Counter("matcher_alarms", "Tenants suspended.", ("reason",), **many)
        self.entries = Gauge("matcher_list_entries", "Entries that can match.", ("list",), **many)
        self.age_days = Gauge("matcher_list_age_days", "Days since the list's own day.", ("list",), **many)
        self.stale = Gauge("matcher_list_stale", "1 if older than its terms allow.", ("list",), **many)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self.registry)
