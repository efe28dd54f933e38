"""A worker is killed (-9) while stops are sent: how long its streams are unseen, and what becomes of each effect."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.customer import Platform
from tests.servers import nats_server, postgres_server

from bench.watch_made import Row, row, wait_for
from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.watch.worker import TTL_S

SHOWN_S, EACH, WORKERS = 25.0, 20, ("one", "two")


def killed() -> list[Row]:
    """Kill one of two workers on PostgreSQL and NATS as the first of many stops reaches the platform."""
    with ExitStack() as stack:
        url, nats = stack.enter_context(postgres_server()), stack.enter_context(nats_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ls-killed-")))
        platform = Platform(folder, stack)
        team = ("--database", url, "--nats", nats)
        for name in WORKERS:
            platform.command(name, "worker", "--name", name, *team)
        platform.serve("--no-watch", *team)
        for name in WORKERS:
            platform.ready(name, f"Worker {name} watches.")
        platform.publish("benign", float("inf"))
        platform.publish("listed", SHOWN_S)
        names = {f"{shown}-{number}": shown for number in range(EACH) for shown in ("benign", "listed")}
        for name, shown in names.items():
            platform.register(name, shown)
        wait_for(lambda: {one["stream"] for one in platform.entries("watch-began")} == set(names), 20.0)
        wait_for(lambda: bool(platform.took), 40.0)
        with NatsLink(nats) as link:
            held = NatsLeases(link, TTL_S).held()
        dead = max(WORKERS, key=list(held.values()).count)
        orphans = {name for name in names if held.get(f"stream/{name}") == dead}
        before = {one["stream"]: one["run"] for one in platform.entries("watch-began")}
        platform.running[dead].kill()
        at_s = time.time()
        platform.running[dead].wait()
        orphans -= {
            one["stream"] for one in platform.entries("watch-ended") if one["run"] == before[one["stream"]]
        }
        waits = _resumed(platform, orphans, before, at_s)
        listed = {name for name, shown in names.items() if shown == "listed"}
        wait_for(lambda: set(platform.stops()) >= listed, 60.0)
        time.sleep(3.0)  # whatever would be sent twice has time to come
        alive = next(name for name in WORKERS if name != dead)
        ended = [platform.end(name) for name in (alive, "serve")]
        return [_row(platform, listed, len(names), waits, whole=ended == [0, 0])]


def _resumed(platform: Platform, orphans: set[str], before: Mapping[str, int], at_s: float) -> list[float]:
    def again() -> dict[str, float]:
        began = [one for one in platform.entries("watch-began") if one["run"] > before[one["stream"]]]
        return {
            one["stream"]: datetime.fromisoformat(one["at"]).timestamp() - at_s for one in reversed(began)
        }

    wait_for(lambda: set(again()) >= orphans, 40.0)
    found = again()
    return [found[name] for name in orphans]


def _row(platform: Platform, listed: set[str], many: int, waits: Sequence[float], *, whole: bool) -> Row:
    ordered = [one["effect"] for one in platform.entries("effect-ordered")]
    done = [one["effect"] for one in platform.entries("effect-done")]
    lost = set(ordered) - set(done)
    acted: list[dict[str, Any]] = [
        said for _, new, said in platform.took if new and said["act"] == "stop-stream"
    ]
    doubled = len(acted) - len({said["stream"] for said in acted}) + len(done) - len(set(done))
    verified = all(platform.verified(name) for name in ("platform.ledger", "looks.ledger"))
    strangers = {said["stream"] for said in acted} - listed
    worst_s = max(waits, default=float("nan"))
    again = sum(not new for _, new, _ in platform.took)
    said = (
        f"{len(waits)} streams resumed, last after {worst_s:.1f} s; {len(ordered)} effects, {len(lost)} lost, "
        f"{doubled} doubled ({again} sent again and known by their key); ledger {'verifies' if verified else 'BROKEN'}"
    )
    met = (
        bool(waits) and worst_s <= 10.0 and not lost and not doubled and not strangers and verified and whole
    )
    what = f"one of two workers killed (-9) as stops go out, {many} HLS streams, PostgreSQL and NATS"
    return row(what, said, "≤ 10 s, 0 lost, 0 doubled", met=met)
