"""A platform's watch from the command line: one machine with SQLite, and a team with PostgreSQL, NATS and two workers."""

import time
from contextlib import ExitStack
from datetime import datetime
from functools import partial

import pytest

from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.watch.worker import TTL_S
from tests.customer import Platform, until
from tests.servers import nats, postgres, postgres_of_ones_own, postgres_url  # noqa: F401 - fixtures


@pytest.fixture
def platform(tmp_path):
    with ExitStack() as stack:
        yield Platform(tmp_path, stack)


def test_on_one_machine_a_stream_is_stopped_and_everything_ends_in_good_order(platform):
    platform.publish("b", 5.0)
    platform.serve()
    platform.register("b")
    assert until(platform.stops, 25.0), platform.said("serve")
    time.sleep(1.5)  # whatever would be sent twice has time to come
    assert platform.stops() == ["b"]
    assert all(new for _, new, _ in platform.took)
    assert platform.refused == []
    assert platform.end("serve") == 0, platform.said("serve")
    assert "Traceback" not in platform.said("serve")
    assert platform.verified("platform.ledger")
    assert platform.verified("looks.ledger")
    done = [one["act"] for one in platform.entries("effect-done")]
    assert done.count("stop-stream") == 1
    assert [one["stream"] for one in platform.entries("watch-ended")] == ["b"]


def test_in_a_team_a_killed_workers_streams_go_on_elsewhere_and_are_stopped_once(
    platform,
    postgres_url,  # noqa: F811
    nats,  # noqa: F811
):
    team = ("--database", postgres_url, "--nats", nats)
    names = ("a.1", "b.1", "c.1")  # a full stop parts a NATS subject: a stream's name may hold one
    for process in ("one", "two"):  # all at once, on an empty database and folder
        platform.command(process, "worker", "--name", process, *team)
    platform.serve("--no-watch", *team)
    for process in ("one", "two"):
        platform.ready(process, f"Worker {process} watches.")
    for name in names:
        platform.publish(name, 14.0 if name == "b.1" else "inf")
    for name in names:
        platform.register(name)
    began = partial(platform.entries, "watch-began")
    assert until(lambda: {one["stream"] for one in began()} == set(names), 10.0)
    with NatsLink(nats) as link:
        holders = NatsLeases(link, TTL_S).held()
    watched = {name: holders[f"stream/{name}"] for name in names}
    assert set(watched.values()) == {"one", "two"}
    assert platform.stops() == []

    dead = watched["b.1"]
    orphans = {name for name in names if watched[name] == dead}
    before = {one["stream"]: one["run"] for one in began()}
    platform.running[dead].kill()
    killed_s = time.monotonic()

    def resumed():
        return {one["stream"] for one in began() if one["run"] > before[one["stream"]]}

    assert until(lambda: resumed() >= orphans, 10.0), f"{resumed()} of {orphans}"
    print(f"{len(orphans)} streams resumed {time.monotonic() - killed_s:.1f} s after their worker was killed")
    assert resumed() == orphans

    assert until(platform.stops, 20.0)
    time.sleep(1.5)  # whatever would be sent twice has time to come
    assert platform.stops() == ["b.1"]
    assert all(new for _, new, _ in platform.took)
    assert platform.refused == []
    alive = "two" if dead == "one" else "one"
    platform.command("three", "worker", "--name", "three", *team)
    platform.ready("three", "Worker three watches.")
    handed = partial(platform.entries, "handed-over")
    assert until(handed, 10.0), platform.said(alive)
    (moved,) = {one["stream"] for one in handed()}
    assert moved != "b.1", "what has something in force stays where it is"
    anew = lambda: [one for one in began() if one["stream"] == moved and one["run"] > handed()[0]["run"]]  # noqa: E731
    assert until(anew, 10.0)
    ended = [one for one in platform.entries("watch-ended") if one["stream"] == moved][-1]
    gap_s = (at(anew()[0]) - at(ended)).total_seconds()
    print(f"{moved} was handed over with {gap_s:.1f} s between the last and the next watch")
    assert 0.0 <= gap_s < 6.0
    time.sleep(4.5)  # two rounds: then it rests
    assert len(handed()) == 1

    assert platform.end("three") == 0, platform.said("three")
    assert platform.end(alive) == 0, platform.said(alive)
    assert platform.end("serve") == 0, platform.said("serve")
    for process in ("one", "two", "three", "serve"):
        assert "Traceback" not in platform.said(process), platform.said(process)
    assert platform.verified("platform.ledger")
    assert platform.verified("looks.ledger")
    ordered, done = platform.entries("effect-ordered"), platform.entries("effect-done")
    assert len({one["effect"] for one in ordered}) == len(ordered)
    assert sorted(one["effect"] for one in ordered) == sorted(one["effect"] for one in done)
    assert {one["stream"] for one in ordered} == {"b.1"}
    print(
        [
            {k: one.get(k) for k in ("kind", "stream", "run", "reason", "at")}
            for one in platform.entries("watch-began", "watch-ended", "handed-over", "let-go")
        ]
    )
    lost = {(name, before[name]) for name in orphans}
    runs = {
        kind: {(one["stream"], one["run"]) for one in platform.entries(kind)}
        for kind in ("watch-began", "watch-ended")
    }
    assert runs["watch-began"] - runs["watch-ended"] == lost, "only those of the killed worker have no end"


def at(entry):
    return datetime.fromisoformat(entry["at"])


def test_a_list_that_changes_is_matched_in_running_streams_and_a_killed_service_goes_on(platform):
    platform.lists = []
    assert platform.run("lists", "add", "bank", platform.folder / "other.csv")[0] == 0
    platform.publish("b", 0.0)
    platform.serve()
    platform.register("b")
    assert until(lambda: platform.entries("watch-began"), 10.0)
    time.sleep(3.0)
    assert platform.stops() == []
    both = f"# benign-test: true\n{platform.lines['known']}{platform.lines['other']}"
    (platform.folder / "both.csv").write_text(both, encoding="utf-8")
    code, said = platform.run("lists", "refresh", "bank", platform.folder / "both.csv")
    changed_s = time.monotonic()
    assert code == 0, said
    assert until(platform.stops, 6.0), platform.said("serve")
    print(f"stopped {time.monotonic() - changed_s:.1f} s after its list was changed")
    assert len(platform.entries("watch-began")) == 1, "the stream ran on"

    code, said = platform.run("serve", "--folder", platform.kept, "--port", "0")
    assert code == 7, said
    assert "a second `lightship serve`" in said
    platform.running["serve"].kill()
    platform.running["serve"].wait()
    platform.serve()
    assert until(lambda: len(platform.entries("watch-began")) == 2, 15.0), platform.said("serve")
    assert until(lambda: platform.ask("/readyz").json() == {"ready": True}, 5.0)
    time.sleep(2.0)
    assert platform.stops() == ["b"], "what was done is not done again"
    assert platform.end("serve") == 0, platform.said("serve")
    assert platform.verified("platform.ledger")


def test_a_database_that_goes_away_for_a_while_is_said_and_costs_nothing_that_was_decided(platform):
    with postgres_of_ones_own() as database:
        platform.publish("b", 11.0)
        platform.serve("--database", database.url)
        platform.register("b")
        assert until(lambda: platform.entries("watch-began"), 10.0)
        assert until(lambda: platform.ask("/readyz").status_code == 200, 5.0)
        database.stop()
        assert until(lambda: "the store" in platform.ask("/readyz").text, 10.0)
        answer = platform.ask("/readyz")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:lightship:problem:not-ready"
        assert platform.ask("/healthz").json() == {"alive": True}
        time.sleep(3.0)
        database.start()
        assert until(lambda: platform.ask("/readyz").status_code == 200, 15.0), platform.ask("/readyz").text
        assert until(platform.stops, 20.0), platform.said("serve")
        time.sleep(1.5)
        assert platform.stops() == ["b"]
        assert until(lambda: platform.entries("gap"), 5.0)
        assert platform.end("serve") == 0, platform.said("serve")
    said = platform.said("serve")
    assert "Traceback" not in said, said
    assert "In trouble, and tried again: " in said
    assert "Works again: " in said
    assert platform.verified("platform.ledger")
