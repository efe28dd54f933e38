"""A real media server on this machine for demonstrations, tests and benchmarks: nginx with its RTMP module."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lightship.core.errors import InputError

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

_CONFIG = """
load_module {module};
{user}daemon off;
worker_processes 1;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 2048; }}
rtmp {{
    server {{
        listen 127.0.0.1:{rtmp};
        chunk_size 4096;
        application live {{ live on; wait_key on; sync 50ms; }}
        application segments {{
            live on; wait_key on; sync 50ms;
            hls on; hls_path {folder}/hls; hls_fragment 2s; hls_playlist_length 12s;
        }}
    }}
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http};
        location /control {{ rtmp_control all; }}
        location /stat {{ rtmp_stat all; }}
        location /hls {{ root {folder}; add_header Cache-Control no-cache; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class MediaServer:
    """Where it listens.

    Parameters
    ----------
    rtmp
        Streams are published and pulled under it.
    control, statistics
        Of nginx-rtmp.
    segments, hls
        What is published under the first can be pulled as HLS under the second, such as ``/one.m3u8``.
    """

    rtmp: str
    control: str
    statistics: str
    segments: str
    hls: str


def available() -> bool:
    """Return whether nginx and its RTMP module are installed (Debian: nginx, libnginx-mod-rtmp)."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is not None and MODULE.exists()


@contextmanager
def running(folder: Path) -> Iterator[MediaServer]:
    """Run it on loopback, with its files in a folder, until the work is done.

    Raises
    ------
    InputError
        If it is not installed or does not start.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None or not MODULE.exists():
        raise InputError("nginx with its RTMP module is not installed.", todo="Install libnginx-mod-rtmp.")
    rtmp, http = _free_port(), _free_port()
    config = folder / "nginx.conf"
    # Started by root it would write segments as somebody who may not enter the folder.
    user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
    text = _CONFIG.format(module=MODULE, user=user, folder=folder, rtmp=rtmp, http=http)
    config.write_text(text, encoding="utf-8")
    command = [program, "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own configuration
        try:
            for port in (rtmp, http):
                _await(port, process)
            yield MediaServer(
                f"rtmp://127.0.0.1:{rtmp}/live",
                f"http://127.0.0.1:{http}/control",
                f"http://127.0.0.1:{http}/stat",
                f"rtmp://127.0.0.1:{rtmp}/segments",
                f"http://127.0.0.1:{http}/hls",
            )
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + 10.0
    while time.monotonic() < until_s and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return
        time.sleep(0.05)
    raise InputError("nginx does not start.", f"port {port}", "See error.log in its folder.")
