"""A customer's platform in the tests and benchmarks: its streams, its webhook, and Lightship's processes beside them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx

from lightship.console.tenants import Tenant, add
from lightship.core.errors import AccessDenied
from lightship.demo.hls import listed_picture
from lightship.detect.pdq import pdq, to_hex
from lightship.infra.ledger_file import read_entries
from lightship.media.frames import ArrayPicture
from lightship.watch.actions import Receiver

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

    def register(self, name, shown=""):
        """Tell Lightship of a stream, once it is live; it may show what another one shows."""
        shown = shown or name
        assert until((self.folder / shown / "live.m3u8").exists, 20.0)
        answer = httpx.post(
            f"{self.address}/v1/streams",
            json={
                "id": name, "address": f"{self.files}/{shown}/live.m3u8", "host": f"host-{name}",
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
