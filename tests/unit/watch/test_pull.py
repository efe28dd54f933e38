"""A real stream is pulled from the address that was checked, and from no inner one unless it is allowed."""

import functools
import http.server
import ipaddress
import shutil
import subprocess
import threading

import pytest
from tests.unit.media.making import make
from tests.unit.watch.making import stream

from lightship.core.errors import InputError
from lightship.demo import media_server
from lightship.media.frames import VideoPicture
from lightship.media.sources import Reconnect
from lightship.watch.pull import pull

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
QUICK = Reconnect(first_s=0.1, most_s=0.2, total_s=1.0)

needs_server = pytest.mark.skipif(
    not media_server.available() or shutil.which("ffmpeg") is None,
    reason="nginx with its RTMP module (libnginx-mod-rtmp) or ffmpeg is not installed",
)


def known(_host, _port):
    return ("127.0.0.1",)


@needs_server
def test_rtmp_is_pulled_by_name_from_the_checked_address(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=20.0, fps=10)
    with media_server.running(tmp_path) as server:
        address = server.rtmp.replace("127.0.0.1", "live.example") + "/key"
        command = ["ffmpeg", "-v", "quiet", "-nostdin", "-re", "-i", str(clip), "-c", "copy", "-f", "flv"]
        with subprocess.Popen([*command, f"{server.rtmp}/key"]) as publisher:
            try:
                with pytest.raises(InputError, match="inner network"):
                    pull(stream("s1", address=address), resolve=known)
                with pull(stream("s1", address=address), LOOPBACK, QUICK, known) as source:
                    assert isinstance(next(iter(source)), VideoPicture)
            finally:
                publisher.kill()


def test_http_names_its_host_to_the_checked_address(tmp_path):
    make(tmp_path / "clip.ts", seconds=2.0, sound=False)
    hosts = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            hosts.append(self.headers["Host"])
            super().do_GET()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path))
    ) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        address = f"http://cdn.example:{server.server_port}/clip.ts"
        with pull(stream("s1", address=address), LOOPBACK, QUICK, known) as source:
            assert isinstance(next(iter(source)), VideoPicture)
        server.shutdown()
    assert set(hosts) == {f"cdn.example:{server.server_port}"}
