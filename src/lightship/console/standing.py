"""Where each tenant stands: what it has used, what it has explored, and whether it is suspended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.console.problems import Problem
from lightship.console.quota import Quota
from lightship.console.tenants import Tenant
from lightship.console.walks import Alarm, Walks

QUERY, ALARM, STANDING = "matcher-query", "matcher-alarm", "matcher-standing"
"""Kinds of entries in the record."""


class Standing:
    """Of all tenants. A restart forgets what was explored, but neither the day's use nor a suspension.

    Parameters
    ----------
    entries
        Of the record, from the last :data:`STANDING` entry on.
    today
        The UTC day.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]] = (), today: date | None = None) -> None:
        self._suspended: dict[str, datetime] = {}
        self._used: dict[str, int] = {}
        self._quotas: dict[str, Quota] = {}
        self._walks: dict[str, Walks] = {}
        self._day = today
        for entry in entries:
            self._recall(entry)

    def _recall(self, entry: Mapping[str, Any]) -> None:
        same_day = datetime.fromisoformat(entry["at"]).date() == self._day
        if entry.get("kind") == STANDING:
            self._suspended = {
                name: datetime.fromisoformat(since) for name, since in entry["suspended"].items()
            }
            self._used = dict(entry["used"]) if same_day else {}
        elif entry.get("kind") == ALARM:
            self._suspended[entry["tenant"]] = datetime.fromisoformat(entry["at"])
        if entry.get("kind") in {QUERY, ALARM} and same_day:
            self._used[entry["tenant"]] = self._used.get(entry["tenant"], 0) + int(entry["asked"])

    def entry(self) -> dict[str, Any]:
        """Return the entry that sums all of this up, so that a restart reads no further back."""
        used = {name: quota.used for name, quota in self._quotas.items()}
        return {
            "kind": STANDING,
            "suspended": {name: since.isoformat() for name, since in self._suspended.items()},
            "used": {**self._used, **used},
        }

    def take(self, tenant: Tenant, count: int, now: datetime) -> None:
        """Take from a tenant's quota.

        Raises
        ------
        Problem
            If it is used up, with when to come again.
        """
        quota = self._quotas.get(tenant.name)
        if quota is None:
            used = self._used.get(tenant.name, 0) if now.date() == self._day else 0
            quota = self._quotas[tenant.name] = Quota(float(tenant.per_minute), now, now.date(), used)
        if count > tenant.per_minute:
            raise Problem("invalid", f"A batch may have {tenant.per_minute} hashes under this quota.")
        wait_s = quota.wait_s(count, tenant.per_minute, tenant.per_day, now)
        if wait_s > 0:
            said = f"{tenant.per_minute} a minute and {tenant.per_day} a day are allowed."
            raise Problem("rate", said, retry_after_s=wait_s)

    def explore(
        self, tenant: Tenant, hashes: NDArray[np.uint64], hit: NDArray[np.bool_], now: datetime
    ) -> Alarm | None:
        """Take in what a tenant asked; see :class:`lightship.console.walks.Walks`."""
        return self._walks.setdefault(tenant.name, Walks()).seen(hashes, hit, now.timestamp())

    def suspend(self, tenant: Tenant, now: datetime) -> None:
        """Answer nothing to a tenant until a person lifts it."""
        self._suspended[tenant.name] = now
        self._walks.pop(tenant.name, None)

    def check(self, tenant: Tenant) -> None:
        """Let a tenant pass.

        Raises
        ------
        Problem
            If it is suspended.
        """
        since = self._suspended.get(tenant.name)
        if since is None:
            return
        if tenant.lifted and datetime.fromisoformat(tenant.lifted) >= since:
            del self._suspended[tenant.name]
            return
        raise Problem("suspended", "An alarm about this tenant's questions waits for the operator.")
