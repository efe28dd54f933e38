"""How the watch stands and whether this process can do its work: looked at by a chore, remembered for whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lightship.app_platform import Platform
from lightship.console.health import Health, ListAge
from lightship.console.settings import utc_now
from lightship.core.cases import Round, Stream
from lightship.core.errors import LightshipError
from lightship.detect.bank import Bank
from lightship.watch.shares import PRESENT, lease
from lightship.watch.staffing import now_of

HEALTH_S = 2.0
BOUND_S = 10.0
"""A stream that was not looked at for longer counts as unseen: longer than a take-over from a dead worker takes."""

_STUCK_S = 15.0  # a look that takes longer than this has met something that does not answer


def covered(
    live: Sequence[Stream], rounds: Sequence[Round], held: Mapping[str, str], now: datetime
) -> frozenset[str]:
    """Return which streams were looked at within the bound by the worker whose they are."""
    seen = {
        (one.id, id_)
        for one in rounds
        for id_, unseen_s in zip(one.streams, one.unseen_s, strict=True)
        if unseen_s >= 0.0 and unseen_s + max(0.0, (now - one.at).total_seconds()) <= BOUND_S
    }
    return frozenset(one.id for one in live if (held.get(lease(one.id), ""), one.id) in seen)


class Watch:
    """How the watch stands.

    Parameters
    ----------
    platform
        Whose parts are checked; its chore ``"health"`` looks.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._last: Health | None = None
        self._failing: dict[str, LightshipError] = {}
        self._looked_s = self._began_s = monotonic()
        self._noted: set[str] = set()

    def __call__(self) -> Health:
        """Return how it stood at the last look, with what does not work since."""
        if self._last is None:
            self.look()
        last = self._last
        assert last is not None
        return replace(last, troubles=tuple(dict.fromkeys((*last.troubles, *self._broken()))))

    def ready(self) -> dict[str, object]:
        """Return whether this process can do its work, and which parts cannot be used."""
        parts = sorted({*self._failing, *(one.chore for one in self._platform.chores.troubles())})
        stuck_s = monotonic() - self._looked_s
        if stuck_s > _STUCK_S:
            parts.append(f"the check of all parts, for {stuck_s:.0f} s")
        if not parts:
            return {"ready": True}
        return {"ready": False, "reason": f"Cannot be used: {', '.join(parts)}."}

    def look(self) -> None:
        """Check every part, and how the streams stand.

        Raises
        ------
        LightshipError
            If the store or the leases cannot be asked; the parts were checked all the same.
        """
        with self._lock:
            self._check()
            self._looked_s = monotonic()
            self._last = self._standing()
            self._note(self._last)

    def parts(self) -> dict[str, bool]:
        """Return whether each part works."""
        broken = {*self._failing, *(one.chore for one in self._platform.chores.troubles())}
        return {name: name not in broken for name in sorted({*self._platform.checks, *broken})}

    def _check(self) -> None:
        failing = {}
        for name, check in list(self._platform.checks.items()):
            try:
                check()
            except LightshipError as error:
                failing[name] = error
        self._failing = failing

    def _broken(self) -> tuple[str, ...]:
        chores = [one for one in self._platform.chores.troubles() if one.chore not in self._failing]
        return (
            *(f"{name.capitalize()} cannot be used: {error.what}" for name, error in self._failing.items()),
            *(f"{one.chore.capitalize()}, since {one.since:%H:%M:%S} UTC: {one.reason}" for one in chores),
        )

    def _standing(self) -> Health:
        platform, now = self._platform, utc_now()
        with platform.store.look() as work:
            live = [one for one in work.find(Stream, {"ended_at": None}) if one.visibility == "public"]
            rounds = work.find(Round)
            staffing = now_of(work, now)
        held = platform.leases.held()
        here = [one for one in rounds if PRESENT + one.id in held]
        served = platform.deployment.webhook or platform.deployment.nginx_control
        troubles = [*platform.matcher.alarms(), *(words for one in here for words in one.troubles)]
        if not served:
            troubles.append("Effects wait: no webhook is named.")
        if live and not staffing.covered:
            troubles.append("No trained moderator is on shift: live is limited.")
        if staffing.surge:
            troubles.append("Crisis mode is on.")
        if live and not here:
            troubles.append("No worker is there: no stream is watched.")
        return Health(
            now,
            streams=len(live),
            covered=len(covered(live, here, held, now)),
            bound_s=BOUND_S,
            lag_s=max((one.late_s for one in here), default=0.0),
            dropped=platform.bus.dropped,
            moderators=staffing.trained,
            lists=tuple(_age(bank, now) for bank in platform.matcher.banks),
            troubles=tuple(dict.fromkeys(troubles)),
        )

    def _note(self, health: Health) -> None:
        """Put on the ledger which troubles began and which are over."""
        stale = (f"The list {one.name} is stale." for one in health.lists if one.stale)
        unseen = ("Streams were not looked at within the bound.",) if self._unseen(health) else ()
        standing = {*health.troubles, *stale, *unseen}
        for state, those in (("began", standing - self._noted), ("over", self._noted - standing)):
            for trouble in sorted(those):
                self._platform.backlog.record({"kind": "health", "trouble": trouble, "state": state})
        self._noted = standing

    def _unseen(self, health: Health) -> bool:
        return health.covered < health.streams and monotonic() - self._began_s > BOUND_S


def _age(bank: Bank, now: datetime) -> ListAge:
    day = datetime(bank.as_of.year, bank.as_of.month, bank.as_of.day, tzinfo=UTC)
    return ListAge(bank.terms.name, day, bank.stale(now.date()))


class Figures(Collector):
    """The watch's figures for Prometheus, as they are when it asks."""

    def __init__(self, watch: Watch, registry: CollectorRegistry) -> None:
        self._watch = watch
        registry.register(self)

    def describe(self) -> Iterator[Any]:
        """Return nothing: to register must not look."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield them."""
        ready = self._watch.ready()["ready"]
        yield GaugeMetricFamily(
            "lightship_ready", "1 if this process can do its work.", value=float(bool(ready))
        )
        parts = GaugeMetricFamily("lightship_part_works", "1 if it works.", labels=["part"])
        for name, works in self._watch.parts().items():
            parts.add_metric([name], float(works))
        yield parts
        try:
            health = self._watch()
        except LightshipError:
            return
        for name, words, value in (
            ("streams", "Public streams that run.", health.streams),
            ("streams_covered", f"Those looked at in the last {BOUND_S:g} s.", health.covered),
            ("lag_seconds", "How far behind live the slowest stream is judged.", health.lag_s),
            ("bus_dropped", "Messages that a full queue dropped.", health.dropped),
            ("troubles", "Sentences on the health page.", len(health.troubles)),
        ):
            yield GaugeMetricFamily(f"lightship_watch_{name}", words, value=float(value))
