"""Live sources and sinks on loopback: RTMP both ways, HLS, SRT, loss and return."""

import contextlib
import functools
import http.server
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest
from tests.unit.media.making import free_port, make

from lightship.core.errors import InputError, LightshipError, SinkError, SourceLost
from lightship.media import bridge
from lightship.media.address import place
from lightship.media.frames import Gap, MediaInfo, Sound, VideoPicture
from lightship.media.sinks import open_sink
from lightship.media.sources import Reconnect, open_source

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="the ffmpeg program is not installed")
QUICK = Reconnect(first_s=0.1, most_s=0.2, total_s=1.5, listen_s=20.0, linger_s=0.6)


def await_listener(url: str) -> None:
    """Wait until somebody listens at the port of a URL, without calling there."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not in the listener's way
            try:
                probe.bind(("127.0.0.1", urlsplit(url).port))
            except OSError:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens at {url}")


def publish(clip, url: str, form: str = "flv") -> threading.Thread:
    """Publish a clip at its own speed with the ffmpeg program, as soon as somebody listens.

    ``-t`` makes it declare a length, as some publishers do.
    """
    command = [
        FFMPEG,
        "-v",
        "error",
        "-nostdin",
        "-re",
        "-i",
        str(clip),
        "-t",
        "10",
        "-c",
        "copy",
        "-f",
        form,
        url,
    ]

    def run():
        await_listener(url)
        subprocess.run(command, check=True, timeout=60)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class Publisher(threading.Thread):
    """PyAV as the publisher, through our own sink."""

    def __init__(self, clip, url: str):
        super().__init__(daemon=True)
        self.clip, self.url, self.error = clip, url, None

    def run(self):
        try:
            with open_source(str(self.clip), realtime=True) as source:
                await_listener(self.url)
                with open_sink(self.url, source.info) as sink:
                    for item in source:
                        sink.write(item)
        except LightshipError as error:
            self.error = error


def listen(port: int, **options):
    return open_source(f"rtmp+listen://127.0.0.1:{port}/live/key", reconnect=QUICK, **options)


def counted(items) -> tuple[list[VideoPicture], list[Sound], list[Gap]]:
    items = list(items)
    return tuple([item for item in items if isinstance(item, kind)] for kind in (VideoPicture, Sound, Gap))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make(tmp_path_factory.mktemp("live") / "clip.mp4", seconds=1.5)


@needs_ffmpeg
def test_ffmpeg_publishes_to_a_listening_source(clip):
    port = free_port()
    publisher = publish(clip, f"rtmp://127.0.0.1:{port}/live/key")
    with listen(port) as source:
        assert source.info.live
        assert (source.info.width, source.info.height) == (160, 96)
        assert source.info.sample_rate == 48_000
        assert "key" not in source.info.name
        pictures, sounds, gaps = counted(source)
    publisher.join(timeout=10)
    assert len(pictures) in {37, 38}
    assert sounds
    assert gaps == []
    assert pictures[0].at_s == pytest.approx(0.0, abs=0.1)
    assert pictures[-1].at_s == pytest.approx(1.45, abs=0.15)


def test_the_rtmp_sink_publishes_to_a_listening_source(clip):
    port = free_port()
    publisher = Publisher(clip, f"rtmp://127.0.0.1:{port}/live/key")
    publisher.start()
    with listen(port) as source:
        pictures, sounds, _ = counted(source)
    publisher.join(timeout=10)
    assert publisher.error is None
    assert len(pictures) >= 36
    assert sum(sound.duration_s for sound in sounds) == pytest.approx(1.5, abs=0.2)


def test_a_publisher_that_comes_back_leaves_a_gap_of_real_time(clip):
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/key"
    again = Reconnect(first_s=0.1, most_s=0.2, total_s=2.0, listen_s=20.0, linger_s=2.0)
    first, second = Publisher(clip, url), Publisher(clip, url)

    def come_back():
        first.run()
        time.sleep(0.6)
        second.run()

    threading.Thread(target=come_back, daemon=True).start()
    began_s = time.monotonic()
    with open_source(url, listen=True, reconnect=again) as source:
        items = list(source)
    pictures, _, gaps = counted(items)
    elapsed_s = time.monotonic() - began_s
    assert len(gaps) == 1
    assert 0.4 < gaps[0].to_s - gaps[0].from_s < 2.0
    assert "came back" in gaps[0].reason
    assert pictures[-1].at_s < elapsed_s
    times = [picture.at_s for picture in pictures]
    assert times == sorted(set(times))
    assert len(pictures) >= 70


def test_nobody_publishing_is_said_after_the_wait():
    waits = Reconnect(listen_s=0.4)
    with pytest.raises(SourceLost, match="Nobody published"):
        open_source(f"rtmp://127.0.0.1:{free_port()}/live/key", listen=True, reconnect=waits)


def test_a_caller_that_is_no_publisher_does_not_end_the_waiting(clip):
    port = free_port()
    publisher = Publisher(clip, f"rtmp://127.0.0.1:{port}/live/key")

    def knock_then_publish():
        await_listener(publisher.url)
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            pass
        time.sleep(0.3)
        publisher.start()

    threading.Thread(target=knock_then_publish, daemon=True).start()
    with listen(port) as source:
        pictures, _, _ = counted(source)
    publisher.join(timeout=10)
    assert len(pictures) >= 36


def test_a_port_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="listens on this port"):
            listen(taken.getsockname()[1])


class Server:
    """A quiet web server for a folder, on loopback."""

    def __init__(self, folder: Path):
        handler = functools.partial(_Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_hls_is_played_at_its_own_speed_to_its_end(tmp_path):
    make(tmp_path / "list.m3u8", seconds=1.5, form="hls", options={"hls_time": "0.5", "hls_list_size": "0"})
    assert len(list(tmp_path.glob("*.ts"))) >= 2
    with Server(tmp_path) as server:
        began_s = time.monotonic()
        with open_source(f"http://127.0.0.1:{server.port}/list.m3u8") as source:
            assert source.info.live
            pictures, sounds, gaps = counted(source)
        assert time.monotonic() - began_s > 1.3
        with pytest.raises(InputError, match="404"):
            open_source(f"http://127.0.0.1:{server.port}/none.m3u8")
    assert len(pictures) >= 36
    assert sounds
    assert gaps == []


def test_what_does_not_answer_is_refused_at_once():
    port = free_port()
    for url in (
        f"rtmp://127.0.0.1:{port}/live/key",
        f"rtsp://127.0.0.1:{port}/x",
        f"http://127.0.0.1:{port}/x.mp4",
    ):
        with pytest.raises(InputError, match="refused"):
            open_source(url)


class Ends:
    """A TCP server whose connections are handled in turn: ``b"..."`` is sent, then the line is cut."""

    def __init__(self, *answers: bytes):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.answers = answers
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for answer in self.answers:
            caller, _ = self.socket.accept()
            with caller:
                with contextlib.suppress(OSError):
                    caller.sendall(answer)
                # A reset, as when the other machine is gone; a polite end would be the end of the stream.
                time.sleep(0.2)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()


@pytest.fixture(scope="module")
def transport_stream(tmp_path_factory) -> bytes:
    return Path(make(tmp_path_factory.mktemp("ts") / "clip.ts", seconds=1.0)).read_bytes()


def test_a_lost_stream_comes_back_with_a_gap_and_is_given_up_in_bounded_time(transport_stream):
    server = Ends(transport_stream, transport_stream)
    began_s = time.monotonic()
    items = []
    with (
        open_source(f"tcp://127.0.0.1:{server.port}", reconnect=QUICK) as source,
        pytest.raises(SourceLost, match="did not come back"),
    ):
        items.extend(iter(source))
    pictures, _, gaps = counted(items)
    assert len(pictures) >= 40
    assert [("came back" in gap.reason, "was lost" in gap.reason) for gap in gaps] == [
        (True, True),
        (False, True),
    ]
    assert all(gap.to_s >= gap.from_s for gap in gaps)
    times = [picture.at_s for picture in pictures]
    assert times == sorted(set(times))
    assert time.monotonic() - began_s < 8.0


def test_a_source_that_stalls_counts_as_lost(transport_stream, monkeypatch):
    monkeypatch.setattr("lightship.media.address.STALL_S", 0.5)
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    callers = []

    def serve():
        with contextlib.suppress(OSError):
            caller, _ = server.accept()
            callers.append(caller)
            caller.sendall(transport_stream)

    threading.Thread(target=serve, daemon=True).start()
    quick = Reconnect(first_s=0.1, most_s=0.1, total_s=0.3)
    with open_source(f"tcp://127.0.0.1:{server.getsockname()[1]}", reconnect=quick) as source:
        server.close()
        with pytest.raises(SourceLost, match="nothing came any more"):
            list(source)
    for caller in callers:
        caller.close()


def test_closing_a_source_that_waits_returns_at_once_and_frees_the_port(clip):
    port = free_port()
    publisher = Publisher(clip, f"rtmp://127.0.0.1:{port}/live/key")
    publisher.start()
    source = listen(port)
    items = iter(source)
    next(items)
    began_s = time.monotonic()
    source.stop()
    assert list(items) == []
    source.close()
    assert time.monotonic() - began_s < 2.0
    publisher.join(timeout=15)


WAIT = """
import sys
from lightship.media.sources import open_source
try:
    open_source(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_ends_the_wait_for_a_publisher():
    url = f"rtmp+listen://127.0.0.1:{free_port()}/live/key"
    process = subprocess.Popen([sys.executable, "-c", WAIT, url], stdout=subprocess.PIPE, text=True)
    time.sleep(0.8)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=5)
    assert out.strip() == "interrupted"


def test_a_receiver_that_goes_away_is_said(clip):
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/key"

    def receive_one():
        with listen(port) as source:
            next(iter(source))

    receiver = threading.Thread(target=receive_one, daemon=True)
    receiver.start()
    await_listener(url)
    with open_source(str(clip)) as source:
        pictures = [item for item in source if isinstance(item, VideoPicture)]

    def send():
        with open_sink(url, source.info) as sink:
            for number in range(1000):
                sink.write(pictures[number % len(pictures)].at(number / 25))
                time.sleep(0.01)

    with pytest.raises(SinkError, match="does not take"):
        send()
    receiver.join(timeout=10)


def test_a_receiver_that_is_not_there_is_said(clip):
    url = f"rtmp://127.0.0.1:{free_port()}/live/secret"

    def send():
        with open_source(str(clip)) as source, open_sink(url, source.info) as sink:
            for item in source:
                if not isinstance(item, Gap):
                    sink.write(item)
                    time.sleep(0.005)

    with pytest.raises(SinkError, match="does not take the stream: connection refused") as caught:
        send()
    assert "secret" not in str(caught.value)


# SRT, over the ffmpeg program.


def has_srt() -> bool:
    if FFMPEG is None:
        return False
    protocols = subprocess.run(
        [FFMPEG, "-hide_banner", "-protocols"], capture_output=True, text=True, check=False
    )
    return "srt" in protocols.stdout.split()


needs_srt = pytest.mark.skipif(not has_srt(), reason="no ffmpeg program with SRT is installed")


@needs_srt
def test_srt_in_and_out_over_the_ffmpeg_program(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=3.0)
    port = free_port()
    errors = []

    def send():
        try:
            time.sleep(0.7)
            with (
                open_source(str(clip), realtime=True) as medium,
                open_sink(f"srt://127.0.0.1:{port}", medium.info) as sink,
            ):
                for item in medium:
                    sink.write(item)
        except LightshipError as error:
            errors.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    with open_source(f"srt+listen://127.0.0.1:{port}", reconnect=QUICK) as source:
        pictures, sounds, _ = counted(source)
    thread.join(timeout=15)
    assert errors == []
    assert len(pictures) >= 40
    assert sounds


def test_srt_without_the_program_says_what_to_install(monkeypatch):
    monkeypatch.setattr(bridge.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"needs the ffmpeg program.*apt install ffmpeg"):
        open_source("srt://127.0.0.1:9")
    with pytest.raises(SinkError, match="needs the ffmpeg program"):
        open_sink("srt://127.0.0.1:9", MediaInfo(160, 96, 25.0, None, None, live=True, name="x"))


@needs_srt
def test_srt_that_nobody_answers_is_refused(monkeypatch):
    monkeypatch.setattr("lightship.media.address.OPEN_S", 4.0)
    with pytest.raises(InputError, match="could not be opened"):
        open_source(f"srt://127.0.0.1:{free_port()}?connect_timeout=500")


def test_pyav_itself_has_no_srt_which_is_why_there_is_a_bridge():
    with pytest.raises(av.error.ProtocolNotFoundError):
        av.open("srt://127.0.0.1:9")


@pytest.mark.parametrize(
    ("spec", "form", "target"),
    [("camera:3?fps=15&size=640x480", "v4l2", "/dev/video3"), ("camera:/dev/null", "v4l2", "/dev/null")],
)
def test_cameras_on_linux(monkeypatch, spec, form, target):
    monkeypatch.setattr("lightship.media.address.sys.platform", "linux")
    monkeypatch.setattr("lightship.media.address.os.path.exists", lambda path: True)
    where = place(spec)
    assert (where.form, where.target, where.live) == (form, target, True)
    assert where.options == ({"framerate": "15", "video_size": "640x480"} if "fps" in spec else {})


def test_cameras_on_macos(monkeypatch):
    monkeypatch.setattr("lightship.media.address.sys.platform", "darwin")
    where = place("camera")
    assert (where.form, where.target, where.options) == ("avfoundation", "0:none", {"framerate": "30"})
