"""Effects leave signed, once, bounded in time; a real media server drops the stream."""

import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from tests.unit.media.making import make
from tests.unit.watch.memory import NOW

from lightship.core.cases import Effect
from lightship.core.errors import AccessDenied, SinkError
from lightship.demo import media_server
from lightship.watch import actions
from lightship.watch.actions import NginxRtmp, Receiver, Webhook, verify

SECRET = b"0123456789abcdef"
STOP = Effect("e1", "c1", "key", "stop-stream", "policy x", NOW, NOW)


@contextmanager
def receiving(answer):
    """Run a receiver on loopback; ``answer`` is given each request's handler."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            answer(self)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()


def taken(answers):
    """Return a handler that verifies, keeps what it was sent and answers one status after the other."""
    receiver, kept, raw = Receiver(SECRET), [], []

    def answer(handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        raw.append((dict(handler.headers.items()), body))
        kept.append((*receiver.take(dict(handler.headers.items()), body), json.loads(body)))
        handler.send_response(answers.pop(0))
        handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer, kept, raw


def test_a_webhook_is_signed_and_its_receiver_knows_what_it_has_done():
    answer, kept, raw = taken([200, 200])
    with receiving(answer) as url:
        deliver = Webhook(url, SECRET)
        deliver(STOP)
        deliver(STOP)
    assert [(id_, new) for id_, new, _ in kept] == [("e1", True), ("e1", False)]
    assert kept[0][2]["act"] == "stop-stream"
    headers, body = raw[0]
    receiver = Receiver(SECRET)
    receiver.take(headers, body)
    with pytest.raises(AccessDenied, match="taken in before"):
        receiver.take(headers, body)


def test_forged_changed_and_old_webhooks_are_refused():
    body = json.dumps(actions.said(STOP)).encode()
    at = "1000000000.000000"
    headers = {
        actions.TIMESTAMP: at,
        actions.SIGNATURE: actions.sign(SECRET, at, body),
        actions.KEY: "e1",
    }
    assert verify(SECRET, {name.lower(): value for name, value in headers.items()}, body, 1e9) == "e1"
    for changed, what, now_s in (
        ({actions.SIGNATURE: "v1=00"}, body, 1e9),
        ({actions.SIGNATURE: "v1=ü"}, body, 1e9),
        ({actions.TIMESTAMP: "1000000001.0"}, body, 1e9),
        ({actions.KEY: "e2"}, body, 1e9),
        ({}, body + b" ", 1e9),
        ({}, body, 1e9 + 301),
        ({}, body, 1e9 - 301),
    ):
        with pytest.raises(AccessDenied):
            verify(SECRET, {**headers, **changed}, what, now_s)
    with pytest.raises(AccessDenied):
        verify(b"another secret!!", headers, body, 1e9)
    with pytest.raises(AccessDenied):
        verify(SECRET, {}, body, 1e9)
    with pytest.raises(SinkError, match="too short"):
        Receiver(b"short")


@pytest.mark.parametrize("status", [302, 400, 500])
def test_redirects_and_refusals_are_no_confirmation(status):
    answer, kept, _ = taken([status])
    with receiving(answer) as url, pytest.raises(SinkError, match=str(status)):
        Webhook(url, SECRET)(STOP)
    assert len(kept) == 1


def test_a_receiver_that_dribbles_is_given_up_in_time():
    def dribble(handler):
        for _ in range(40):
            handler.wfile.write(b"H")
            time.sleep(0.05)

    with receiving(dribble) as url:
        began_s = time.monotonic()
        with pytest.raises(SinkError, match="did not answer within"):
            Webhook(url, SECRET, total_s=0.3)(STOP)
        assert time.monotonic() - began_s < 1.5
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SinkError, match="cannot be reached"):
        Webhook(f"http://127.0.0.1:{port}/", SECRET)(STOP)


needs_server = pytest.mark.skipif(
    not media_server.available() or shutil.which("ffmpeg") is None,
    reason="nginx with its RTMP module (libnginx-mod-rtmp) or ffmpeg is not installed",
)


def publishers(server):
    return int("<publishing/>" in httpx.get(server.statistics).text)


def await_publishers(server, count):
    until_s = time.monotonic() + 10.0
    while time.monotonic() < until_s:
        if publishers(server) == count:
            return True
        time.sleep(0.05)
    return False


@needs_server
def test_a_real_media_server_drops_the_publisher(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=20.0, fps=10)
    with media_server.running(tmp_path) as server:
        command = ["ffmpeg", "-v", "quiet", "-nostdin", "-re", "-i", str(clip), "-c", "copy", "-f", "flv"]
        with subprocess.Popen([*command, f"{server.rtmp}/key"]) as publisher:
            try:
                assert await_publishers(server, 1)
                deliver = NginxRtmp(server.control, lambda id_: ("live", id_))
                deliver(Effect("e0", "c", "another", "stop-stream", "x", NOW, NOW))
                assert publishers(server) == 1
                deliver(STOP)
                assert await_publishers(server, 0)
                deliver(STOP)
            finally:
                publisher.kill()
        deliver(Effect("e3", "c", "key", "restore", "x", NOW, NOW, undoes="e1"))
        deliver(Effect("e4", "c", "key", "cut-viewers", "x", NOW, NOW))
        with pytest.raises(SinkError, match="cannot do"):
            deliver(Effect("e5", "c", "key", "revoke-key", "x", NOW, NOW))
