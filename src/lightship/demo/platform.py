"""The demonstration's platform: live streams are watched, one is stopped, one is reported, both are reviewed."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pyotp
from rich.console import Console
from rich.markup import escape

from lightship import app_serve as wiring
from lightship.app import interruptible
from lightship.app_platform import Deployment, Platform, add_account, open_platform
from lightship.console.desk import WatchDesk
from lightship.console.logs import quiet_server
from lightship.console.tenants import Tenant, add
from lightship.core.cases import Case, Effect, Exhibit, Report
from lightship.core.duties import Post
from lightship.core.errors import InputError, LightshipError
from lightship.core.people import Role
from lightship.core.ports import Store
from lightship.demo.duties import provide
from lightship.demo.hls import listed_picture
from lightship.demo.publisher import FILM_S, made_film
from lightship.detect.pdq import pdq, to_hex
from lightship.duties import people
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import verify_file
from lightship.media.frames import ArrayPicture
from lightship.watch.actions import Receiver

LISTED_FROM_S = 5.0
PASSWORD = "only for the demonstration"  # noqa: S105 - printed for whoever tries it, on loopback alone
PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("mo", "Mo", "moderator"),
    ("lee", "Lee", "lead"),
    ("ada", "Ada", "auditor"),
    ("root", "Root", "administrator"),
)


POSTS: tuple[tuple[Post, str], ...] = (
    ("accountable", "root"),
    ("administrator", "lee"),
    ("replacement", "mo"),
)
"""So that somebody may stand for a report."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The demonstration while it runs.

    Parameters
    ----------
    stopped
        When each stream was stopped by the webhook, monotonic seconds, by its id.
    listed_at_s
        When the listed picture was first shown, monotonic seconds.
    """

    platform: Platform
    desk: WatchDesk
    address: str
    token: str
    stopped: dict[str, float]
    listed_at_s: float


def play(out: Path, console: Console) -> list[tuple[str, bool, str]]:
    """Play the chapter; returns each claim, whether it held, and what was seen."""
    with tempfile.TemporaryDirectory(prefix="lightship-platform-") as made:
        folder = Path(made)
        with scene(folder) as stage:
            checks, figures = _day(stage, console)
        kept = folder / "kept"
        verified = verify_file(kept / "platform.ledger", load_public_key(kept / "platform.pub"))
    checks.append(("the ledger of it all verifies", verified.ok, f"{verified.size} entries"))
    (out / "platform.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return checks


def _day(stage: Scene, console: Console) -> tuple[list[tuple[str, bool, str]], dict[str, object]]:
    """Let the streams run, and do what a moderator does."""
    desk, store = stage.desk, stage.platform.store
    _await(lambda: "b" in stage.stopped, 40.0)
    answered = report(stage, "c")
    _await(lambda: _stills(store, "c") > 0, 10.0)
    now = datetime.now(UTC)
    first = desk.open_next("mo", now, {})
    if first is not None:
        desk.judge(first.id, "mo", now, verdict="not-abuse", clause="none", reason="words")
    second = desk.open_next("mo", now, {})
    if second is not None:
        console.print(f"  [dim]{escape(second.words)}[/]")
        desk.judge(second.id, "mo", now, verdict="abuse", clause="abuse-known", reason="known-hash")
    with store.look() as work:
        cases = {one.stream_id: one for one in work.find(Case, {})}
        stops = work.find(Effect, {"stream_id": "b", "kind": "stop-stream", "state": "done"})
        waits = [one.seen_at - one.received_at for one in work.find(Report, {}) if one.seen_at is not None]
    stop_s = stage.stopped.get("b", math.inf) - stage.listed_at_s
    case = cases.get("b")
    aware_s = (case.stopped_at - case.aware_at).total_seconds() if case and case.stopped_at else math.inf
    waited_s = max((one.total_seconds() for one in waits), default=math.inf)
    unseen = sum(not one.seen for one in cases.values())
    kept = {name: _stills(store, name) for name in "abc"}
    figures: dict[str, object] = {
        "onset_to_stop_s": round(stop_s, 2),
        "aware_to_stopped_s": round(aware_s, 3),
        "report_to_person_s": round(waited_s, 3),
        "cases": len(cases),
        "closed_unseen": unseen,
        "stills_kept": kept,
    }
    return [
        (
            "a stream that shows listed material is stopped",
            stop_s < 15.0,
            f"{stop_s:.1f} s after it was shown",
        ),
        ("aware → stopped is measured", aware_s < 5.0, f"{aware_s:.2f} s"),
        ("it is stopped once", len(stops) == 1, f"{len(stops)} confirmed"),
        ("a report of danger is answered at once", answered == 201, f"HTTP {answered}"),
        (
            "it is the first before a person",
            first is not None and first.stream_id == "c",
            f"{waited_s:.1f} s after it was pressed",
        ),
        (
            "both cases are closed by their words, unopened",
            unseen == len(cases) == 2,
            f"{unseen} of {len(cases)}",
        ),
        ("nothing of the benign stream is kept", kept["a"] == 0 < kept["b"], f"stills {kept}"),
    ], figures


def keep_open(host: str, port: int, say: Callable[[str], None]) -> None:
    """Play the streams, make accounts to try the console with, and go on until interrupted."""
    with (
        tempfile.TemporaryDirectory(prefix="lightship-platform-") as made,
        scene(Path(made), host, port) as stage,
    ):
        say(f"The console is at {stage.address}/ (password of all: {PASSWORD}).")
        deployment = stage.platform.deployment
        for name, shown_as, role in PEOPLE:
            secret = add_account(deployment, name, shown_as, role, PASSWORD)
            say(f"  {name:5} {role:14} one-time code now {pyotp.TOTP(secret).now()}, secret {secret}")
        with stage.platform.store.begin() as work:
            begins, until = datetime.now(UTC), datetime.now(UTC) + timedelta(days=365)
            for post, account in POSTS:
                people.seat(work, post, name=account.title(), account=account, begins_at=begins, trained_until=until,
                            by="root")  # fmt: skip
        _await(lambda: "b" in stage.stopped, 60.0)
        report(stage, "c")
        _add_film(stage, "c")
        stop = threading.Event()
        with interruptible(stop.set):
            say("Stream b was stopped, stream c is reported; both wait in the queue. Ctrl-C ends it.")
            say(
                "The film with sound in the item of stream c was made for it: of a stream, stills alone are kept."
            )
            while not stop.wait(1.0):
                pass


@contextmanager
def scene(folder: Path, host: str = "127.0.0.1", port: int = 0) -> Iterator[Scene]:
    """Run three live streams and a platform that watches them, with files in a folder."""
    quiet_server()
    kept = folder / "kept"
    kept.mkdir()
    provide(kept)
    picture = ArrayPicture(0.0, listed_picture())
    hash_, quality = pdq(picture.luma())
    (folder / "demo.csv").write_text(
        f"# benign-test: true\n{to_hex(hash_)},{quality},demo-1\n", encoding="utf-8"
    )
    secret = secrets.token_hex(16)
    (folder / "hook.secret").write_text(secret, encoding="utf-8")
    stopped: dict[str, float] = {}
    playing: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:

        def stop(stream_id: str) -> None:
            """End the publisher, as a platform's media server would, and say that the stream is over."""
            stopped.setdefault(stream_id, time.monotonic())
            playing[stream_id].kill()
            _post(address, token, "streams", {"id": stream_id, "ended": True})

        hook = stack.enter_context(_server(_hook(Receiver(secret.encode()), stop)))
        files = stack.enter_context(_server(partial(_Files, directory=str(folder))))
        for name, listed_from_s in (("a", "inf"), ("b", str(LISTED_FROM_S)), ("c", "inf")):
            (folder / name).mkdir()
            command = [sys.executable, "-m", "lightship.demo.hls", str(folder / name), listed_from_s]
            playing[name] = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own program
            stack.callback(playing[name].kill)
        began_s = time.monotonic()
        deployment = Deployment(
            kept,
            lists=(folder / "demo.csv",),
            webhook=f"{hook}/stop",
            secret_file=folder / "hook.secret",
            allowed=(ip_network("127.0.0.0/8"),),
        )
        token = add(kept / "tenants.json", Tenant("demo", "", ("streams", "reports"), (), 10_000, 100_000))
        platform = stack.enter_context(open_platform(deployment, print))
        ledger = stack.enter_context(wiring.keeping(platform, print))
        wiring.working(platform, print)
        stack.enter_context(wiring.watching(platform))
        app = wiring.console_of(platform, ledger, secure=False, log=_Unsaid())
        address = stack.enter_context(wiring.served(app, host, port))
        _await(lambda: all((folder / name / "live.m3u8").exists() for name in "abc"), 60.0)
        for name, viewers in (("a", 40), ("b", 900), ("c", 12)):
            _post(address, token, "streams", {
                "id": name, "address": f"{files}/{name}/live.m3u8", "host": f"host-{name}", "visibility": "public",
                "basis": "the demonstration's terms", "policy": "public-live", "viewers": viewers,
                "title": f"Demonstration stream {name}",
            })  # fmt: skip
        yield Scene(
            platform,
            WatchDesk(platform.store, platform.bus),
            address,
            token,
            stopped,
            began_s + LISTED_FROM_S,
        )


class _Unsaid:
    """A log that says nothing: the demonstration tells what happens in its own words."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def report(stage: Scene, stream_id: str) -> int:
    """Press the button "a child is in danger now" on a stream; returns the HTTP status."""
    return _post(stage.address, stage.token, "reports", {"stream_id": stream_id, "kind": "child-at-risk-now"})


def _add_film(stage: Scene, stream_id: str) -> None:
    """Keep some seconds of a made scene with a tone as an exhibit, to try how films and sounds are opened."""
    film, now = made_film(), datetime.now(UTC)
    with stage.platform.store.begin() as work:
        for case in work.find(Case, {"stream_id": stream_id}, limit=1):
            id_ = hashlib.sha256(film).hexdigest()
            exhibit = Exhibit(
                id_, case.id, stream_id, 0.0, FILM_S, "video/mp4", len(film), now, now + timedelta(days=365)
            )
            stage.platform.vault.seal(film, exhibit)
            work.save(exhibit)
            work.record({
                "kind": "pinned", "exhibit": id_, "case": case.id, "at_s": 0.0, "size": len(film),
                "expires_at": exhibit.expires_at.isoformat(),
            })  # fmt: skip


def _post(address: str, token: str, path: str, body: dict[str, object]) -> int:
    answer = httpx.post(
        f"{address}/v1/{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10.0
    )
    if answer.is_error:
        raise InputError(f"The interface answered {answer.status_code}: {answer.text[:200]}", path)
    return answer.status_code


def _stills(store: Store, stream_id: str) -> int:
    with store.look() as work:
        return len(work.find(Exhibit, {"stream_id": stream_id}))


def _await(happened: Callable[[], bool], most_s: float) -> None:
    until_s = time.monotonic() + most_s
    while not happened() and time.monotonic() < until_s:
        time.sleep(0.1)


@contextmanager
def _server(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Files(SimpleHTTPRequestHandler):
    """Serves the streams' folders."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def _hook(receiver: Receiver, stop: Callable[[str], None]) -> type[BaseHTTPRequestHandler]:
    """Return what the platform answers webhooks with; a stream is stopped once the answer is out."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                _, new = receiver.take(dict(self.headers), body)
            except LightshipError:
                self.send_response(401)
                self.end_headers()
                return
            said = json.loads(body)
            self.send_response(204)
            self.end_headers()
            if new and said["act"] == "stop-stream":
                stop(said["stream"])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Hook
