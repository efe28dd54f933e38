"""A platform's watch from the command line: one machine with SQLite, and a team with PostgreSQL, NATS and two workers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from lightship.console.tenants import Tenant, add
from lightship.core.errors import AccessDenied
from lightship.demo.hls import listed_picture
from lightship.detect.pdq import pdq, to_hex
from lightship.infra.ledger_file import read_entries
from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.media.frames import ArrayPicture
from lightship.watch.actions import Receiver
from lightship.watch.worker import TTL_S
from tests.servers import nats, postgres, postgres_of_ones_own, postgres_url  # noqa: F401 - fixtures

SECRET = "only for this story"
LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]


def until(what, most_s):
    """Return whether something came true in time."""
    end_s = time.monotonic() + most_s
    while not what():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def serving(handler):
    """Answer HTTP on the loopback; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        try:
            super().copyfile(source, outputfile)
        except ConnectionError:  # its reader was killed
            self.close_connection = True


def hook(receiver, took, refused):
    """Return what takes in the platform's webhooks, as a customer would write it."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                id_, new = receiver.take(dict(self.headers), body)
            except AccessDenied as error:
                refused.append(str(error))
                self.send_response(401)
            else:
                took.append((id_, new, json.loads(body)))
                self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Hook


class Platform:
    """A customer's platform: its streams, its webhook, and Lightship's processes beside them."""

    def __init__(self, folder, stack):
        self.folder, self.kept, self._stack = folder, folder / "kept", stack
        self.kept.mkdir()
        self.took, self.refused, self.running = [], [], {}
        hash_, quality = pdq(ArrayPicture(0.0, listed_picture()).luma())
        self.lines = {"known": f"{to_hex(hash_)},{quality},story-1\n", "other": f"{'0f' * 32},100,other-1\n"}
        for name, line in self.lines.items():
            (folder / f"{name}.csv").write_text(f"# benign-test: true\n{line}", encoding="utf-8")
        (folder / "hook.secret").write_text(SECRET, encoding="utf-8")
        self.hook = stack.enter_context(serving(hook(Receiver(SECRET.encode()), self.took, self.refused)))
        self.files = stack.enter_context(serving(partial(Files, directory=str(folder))))
        tenant = Tenant("platform", "", ("streams", "reports"), (), 10_000, 100_000)
        self.token, self.address = add(self.kept / "tenants.json", tenant), ""
        self.lists = ["--list", self.folder / "known.csv"]
        self.environment = os.environ | {"LIGHTSHIP_STATE": str(self.folder / "state")}

    def command(self, name, *arguments):
        """Start a ``lightship`` command in the background, with the deployment's settings."""
        settings = [
            "--folder", self.kept, *self.lists, "--allow", "127.0.0.0/8",
            "--webhook", f"{self.hook}/stop", "--secret-file", self.folder / "hook.secret",
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [*LIGHTSHIP, *arguments, *map(str, settings)], stdout=log, stderr=log, env=self.environment
            )
        self._stack.callback(_end, self.running[name])

    def run(self, *arguments):
        """Run a command to its end; returns its exit code and what it said."""
        done = subprocess.run(
            [*LIGHTSHIP, *map(str, arguments)],
            check=False,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def ask(self, path):
        return httpx.get(f"{self.address}{path}", timeout=10.0)

    def said(self, name):
        return (self.folder / f"{name}.log").read_text("utf-8")

    def ready(self, name, words, most_s=30.0):
        """Wait until a process has said that it is up."""
        assert until(lambda: words in self.said(name) or self.running[name].poll() is not None, most_s)
        assert words in self.said(name), self.said(name)

    def serve(self, *arguments):
        """Start ``lightship serve`` and wait until it says where."""
        self.command("serve", "serve", "--port", "0", *arguments)
        self.ready("serve", "The console is at ")
        self.address = self.said("serve").partition("The console is at ")[2].split("/ ")[0]

    def publish(self, name, listed_from_s):
        """Begin a live HLS stream of its own; it shows the listed picture from a second on."""
        (self.folder / name).mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "lightship.demo.hls", self.folder / name, str(listed_from_s)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(_end, process)

    def register(self, name):
        """Tell Lightship of a stream, once it is live."""
        assert until((self.folder / name / "live.m3u8").exists, 20.0)
        answer = httpx.post(
            f"{self.address}/v1/streams",
            json={
                "id": name, "address": f"{self.files}/{name}/live.m3u8", "host": f"host-{name}",
                "visibility": "public", "basis": "our terms", "policy": "public-live", "viewers": 10,
                "title": f"Stream {name}",
            },
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10.0,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text

    def stops(self):
        return [said["stream"] for _, _, said in self.took if said["act"] == "stop-stream"]

    def entries(self, *kinds):
        return [one for one in read_entries(self.kept / "platform.ledger") if one["kind"] in kinds]

    def end(self, name):
        """End a process as a service manager does; returns its exit code."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(30.0)

    def verified(self, name):
        """Return whether ``lightship ledger verify`` accepts a ledger."""
        command = [*LIGHTSHIP, "ledger", "verify", self.kept / name]
        return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def _end(process):
    process.kill()
    process.wait()


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
