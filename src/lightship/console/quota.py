"""How much a tenant may ask: a bucket of tokens that fills again by the minute, and a bound on the day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lightship.console.problems import Problem
from lightship.console.tenants import Tenant


@dataclass(slots=True)
class Quota:
    """What one tenant has used.

    Parameters
    ----------
    left
        Hashes it may ask about now.
    at
        When that was true; aware.
    day, used
        The UTC day, and what was asked in it.
    """

    left: float
    at: datetime
    day: date
    used: int = 0

    def wait_s(self, count: int, per_minute: int, per_day: int, now: datetime) -> float:
        """Take ``count`` from the quota and return 0, or take nothing and return the seconds to wait."""
        if now.date() != self.day:
            self.day, self.used = now.date(), 0
        passed_s = max(0.0, (now - self.at).total_seconds())
        self.left = min(float(per_minute), self.left + passed_s * per_minute / 60.0)
        self.at = now
        if self.used + count > per_day:
            tomorrow = datetime.combine(self.day + timedelta(days=1), datetime.min.time(), now.tzinfo)
            return (tomorrow - now).total_seconds()
        if count > self.left:
            return (count - self.left) * 60.0 / per_minute
        self.left -= count
        self.used += count
        return 0.0


class Quotas:
    """How many requests each tenant has left."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._by_name: dict[str, Quota] = {}

    def take(self, tenant: Tenant, count: int = 1) -> None:
        """Take ``count`` from a tenant's quota: one for a request, and more where it asks for more.

        Raises
        ------
        Problem
            If it is used up, with when to come again.
        """
        now = self._clock()
        with self._lock:
            quota = self._by_name.setdefault(tenant.name, Quota(float(tenant.per_minute), now, now.date()))
            wait_s = quota.wait_s(count, tenant.per_minute, tenant.per_day, now)
        if wait_s:
            raise Problem("rate", "The tenant's quota is used up.", retry_after_s=wait_s)
