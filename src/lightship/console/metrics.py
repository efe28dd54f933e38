"""Figures for Prometheus; never a tenant's name, a hash or a reference."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self.requests = Counter(
            "lightship_requests", "Requests answered.", ("route", "status"), registry=here
        )
        self.seconds = Histogram(
            "lightship_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=here
        )
        self.under_way = Gauge("lightship_requests_under_way", "Requests being answered.", registry=here)
        self.hashes = Counter(
            "lightship_matcher_looked_up", "Hashes, digests and addresses.", ("kind",), registry=here
        )
        self.hits = Counter("lightship_matcher_hits", "Questions that matched.", ("list",), registry=here)
        self.alarms = Counter("lightship_matcher_alarms", "Tenants suspended.", ("reason",), registry=here)
        self.entries = Gauge(
            "lightship_matcher_list_entries", "Entries that can match.", ("list",), registry=here
        )
        self.age_days = Gauge(
            "lightship_matcher_list_age_days", "Days since the list's own day.", ("list",), registry=here
        )
        self.stale = Gauge(
            "lightship_matcher_list_stale", "1 if older than its terms allow.", ("list",), registry=here
        )

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self.registry)
