"""The matcher service: questions in, findings out, and on the way permission, quota, alarms and the record."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.console.audit import Audit
from lightship.console.metrics import Metrics
from lightship.console.problems import Problem
from lightship.console.settings import utc_now
from lightship.console.standing import ALARM, QUERY, Standing
from lightship.console.tenants import Tenant
from lightship.core.known import DIGEST_BYTES, Kind
from lightship.detect.bank import Bank
from lightship.detect.matcher import Finding, Matcher
from lightship.exchange.addresses import prefixes

KIND_OF: dict[int, Kind] = {size: kind for kind, size in DIGEST_BYTES.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions, read.

    Parameters
    ----------
    hashes, qualities
        PDQ hashes ``(N, 4) uint64`` and their qualities.
    exact
        Digests, and addresses as the SHA-256 of the forms in which a list may hold them.
    tries
        Forms in which each picture is asked about; see :meth:`lightship.detect.matcher.Matcher.match`.
    """

    hashes: NDArray[np.uint64]
    qualities: Sequence[int]
    exact: Sequence[tuple[Kind, Sequence[bytes]]] = ()
    tries: float = 1.0

    def __len__(self) -> int:
        return len(self.qualities) + len(self.exact)


def pdq_rows(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return hexadecimal hashes as ``(N, 4) uint64``."""
    return np.frombuffer(bytes.fromhex("".join(texts)), dtype=">u8").astype(np.uint64).reshape(-1, 4)


def address_forms(url: str) -> list[bytes]:
    """Return what a list may hold an address as.

    Raises
    ------
    ValueError
        If it is no address.
    """
    return [hashlib.sha256(form.encode()).digest() for form in prefixes(url)]


class MatcherService:
    """Answers tenants out of one matcher.

    Parameters
    ----------
    matcher
        Searches the banks.
    audit
        Takes the record.
    canaries
        Entries that belong to no picture: a match means that somebody has, or is finding out, what is on a list.
    clock
        Gives the time; aware.
    """

    def __init__(
        self,
        matcher: Matcher,
        *,
        audit: Audit,
        standing: Standing,
        metrics: Metrics,
        log: Any,
        canaries: Bank | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.matcher, self.audit, self.standing, self.metrics, self.log = (
            matcher,
            audit,
            standing,
            metrics,
            log,
        )
        self._canaries, self.clock = canaries, clock
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, "search")

    async def ask(self, tenant: Tenant, asked: Asked, *, route: str, request_id: str) -> list[Finding]:
        """Return what the lists say, PDQ hashes first.

        Raises
        ------
        Problem
            If the quota is used up, the questions are an alarm, or the record cannot be written.
        """
        if not self.matcher.banks:
            raise Problem("not-ready", "No list is loaded.")
        now = self.clock()
        self.standing.take(tenant, len(asked), now)
        loop = asyncio.get_running_loop()
        findings, canary = await loop.run_in_executor(self._pool, self._search, tenant, asked)
        entry = {"tenant": tenant.name, "route": route, "asked": len(asked), "request": request_id}
        await self._alarm(tenant, asked, findings, canary, {**entry, "kind": ALARM}, now)
        hits: dict[str, int] = {}
        for finding in findings:
            for name in {hit.bank.terms.name for hit in finding.hits}:
                hits[name] = hits.get(name, 0) + 1
        entry |= {"kind": QUERY, "hits": hits}
        if hits:
            await self.audit.now(entry)
        else:
            self.audit.later(entry)
        self.metrics.hashes.labels("pdq").inc(len(asked.qualities))
        self.metrics.hashes.labels("exact").inc(len(asked.exact))
        for name, count in hits.items():
            self.metrics.hits.labels(name).inc(count)
        return findings

    def _search(self, tenant: Tenant, asked: Asked) -> tuple[list[Finding], bool]:
        # No subject is given, so the brake on floods is not fed from outside: a tenant could set entries aside with it.
        def may(bank: Bank) -> bool:  # what a person found lawful overrides for everybody
            return bank.terms.role == "negative" or tenant.may_know(bank.terms)

        found = (
            self.matcher.match(asked.hashes, asked.qualities, may=may, tries=asked.tries)
            if asked.qualities
            else []
        )
        found += [self.matcher.equal(kind, values, may=may) for kind, values in asked.exact]
        canaries = self._canaries
        canary = canaries is not None and (
            (len(asked.hashes) > 0 and any(canaries.near(asked.hashes)))
            or any(canaries.equal(kind, value) for kind, values in asked.exact for value in values)
        )
        return found, canary

    async def _alarm(
        self,
        tenant: Tenant,
        asked: Asked,
        findings: Sequence[Finding],
        canary: bool,
        entry: dict[str, Any],
        now: datetime,
    ) -> None:
        """Suspend who asks as nobody does who looks pictures up; nothing of the batch is told.

        Raises
        ------
        Problem
            If so.
        """
        self.standing.check(tenant)  # another of its batches may have been an alarm meanwhile
        reason, counts = ("canary", {}) if canary else ("", {})
        if asked.qualities and not canary:
            hit = np.array([bool(one.hits or one.overridden) for one in findings[: len(asked.hashes)]])
            alarm = self.standing.explore(tenant, asked.hashes, hit, now)
            if alarm is not None:
                reason = "walk"
                counts = {
                    "explored_bits": alarm.explored_bits,
                    "impossible": alarm.impossible,
                    "why": alarm.reason,
                }
        if not reason:
            return
        self.standing.suspend(tenant, now)
        self.metrics.alarms.labels(reason).inc()
        self.log.error("alarm", tenant=tenant.name, reason=reason)
        await self.audit.now({**entry, "at": now.isoformat(), "reason": reason, **counts})
        self.standing.check(tenant)

    def today(self) -> date:
        """Return the UTC day."""
        return self.clock().date()

    def known_to(self, tenant: Tenant) -> tuple[Bank, ...]:
        """Return the banks that a tenant may be told of."""
        return tuple(bank for bank in self.matcher.banks if tenant.may_know(bank.terms))

    def each_hour(self) -> None:
        """Tell the lists' ages, and sum up where tenants stand, so that a restart reads an hour of the record.

        A query that is counted here and recorded just after would then count twice: to its tenant's day only.
        """
        self.tell_ages()
        self.audit.later(self.standing.entry())

    def tell_ages(self) -> None:
        """Set the figures of each list, and log each that is stale."""
        for bank in self.matcher.banks:
            name, age_days, stale = bank.terms.name, bank.age_days(self.today()), bank.stale(self.today())
            self.metrics.entries.labels(name).set(len(bank))
            self.metrics.age_days.labels(name).set(age_days)
            self.metrics.stale.labels(name).set(stale)
            if stale:
                self.log.warning("stale list", list=name, age_days=age_days)

    def ready(self) -> dict[str, object]:
        """Return whether questions can be answered, and what a person should look at."""
        stale = sum(bank.stale(self.today()) for bank in self.matcher.banks)
        return {
            "ready": bool(self.matcher.banks) and not self.audit.trouble,
            "lists": len(self.matcher.banks),
            "stale_lists": stale,
            "record": "written" if not self.audit.trouble else "cannot be written",
        }

    def close(self) -> None:
        """End the threads, and write what waits to be recorded."""
        self._pool.shutdown()
        self.audit.close()
