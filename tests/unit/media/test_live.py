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


def test_a_sliding_hls_playlist_is_followed_as_it_is_made(tmp_path):
    """Three segments of half a second lie on the server at a time; what was before is deleted."""
    playlist = tmp_path / "live.m3u8"
    clip = make(tmp_path / "clip.mp4", seconds=3.5)

    def stream():
        options = {"hls_time": "0.5", "hls_list_size": "3", "hls_flags": "delete_segments"}
        with av.open(str(clip)) as whole:
            video = whole.streams.video[0]
            with av.open(str(playlist), "w", format="hls", options=options) as out:
                copy = out.add_stream_from_template(video)
                began_s = time.monotonic()
                for packet in whole.demux(video):
                    if packet.dts is not None:
                        time.sleep(
                            max(0.0, began_s + float(packet.dts * packet.time_base) - time.monotonic())
                        )
                        packet.stream = copy
                        out.mux(packet)

    maker = threading.Thread(target=stream, daemon=True)
    maker.start()
    while not playlist.exists() or playlist.read_text().count(".ts") < 3:
        time.sleep(0.05)
    with Server(tmp_path) as server, open_source(f"http://127.0.0.1:{server.port}/live.m3u8") as source:
        pictures, _, gaps = counted(source)
    maker.join(timeout=10)
    assert gaps == []
    assert len(pictures) >= 50  # a player begins three segments before the end
    times = [picture.at_s for picture in pictures]
    assert times == pytest.approx([times[0] + number / 25 for number in range(len(times))], abs=0.02)
    assert len(list(tmp_path.glob("*.ts"))) <= 5


RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("qtdemux", "rtph264pay", "rtpmp4apay") if Gst.ElementFactory.find(name) is None]
if missing:
    sys.exit("GStreamer has no " + ", ".join(missing))
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    f'( filesrc location="{sys.argv[1]}" ! qtdemux name=d d.video_0 ! queue ! rtph264pay name=pay0 config-interval=-1 '
    "d.audio_0 ! queue ! rtpmp4apay name=pay1 )"
)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""


@contextlib.contextmanager
def rtsp_server(clip):
    """GStreamer's RTSP server, which runs under Debian's own Python."""
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("Debian's own Python, which GStreamer's RTSP server needs, is not installed")
    command = [python, "-c", RTSP_SERVER, str(clip)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={})
    try:
        port = process.stdout.readline().strip()
        if not port:
            reason = process.stderr.read().strip().splitlines()[-1]
            pytest.skip(
                f"apt install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good python3-gi: {reason}"
            )
        yield process, f"rtsp://127.0.0.1:{port}/live"
    finally:
        process.kill()
        process.communicate()


def test_an_rtsp_camera_is_played_in_step_and_called_again_when_it_stops(clip):
    items = []
    with rtsp_server(clip) as (_, url), open_source(url, reconnect=QUICK) as source:
        assert (source.info.width, source.info.height, source.info.sample_rate) == (160, 96, 48_000)
        for item in source:  # the server plays the clip again to each caller
            items.append(item)
            if isinstance(item, Gap):
                source.stop()
    pictures, sounds, (gap,) = counted(items)
    assert "came back" in gap.reason
    assert len(pictures) in {37, 38}
    assert pictures[-1].at_s == pytest.approx(1.48, abs=0.15)
    assert sum(sound.duration_s for sound in sounds) == pytest.approx(1.5, abs=0.2)


def test_an_rtsp_camera_that_loses_its_power_is_given_up_with_a_gap(clip):
    with rtsp_server(clip) as (server, url), open_source(url, reconnect=QUICK) as source:
        parts = iter(source)
        items = [next(parts)]
        server.kill()
        with pytest.raises(SourceLost, match="did not come back"):
            items.extend(parts)
    _, _, (gap,) = counted(items)
    assert "the source was lost" in gap.reason


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


class Silent:
    """A line between a publisher and a listener that stops carrying anything after a while, without hanging up."""

    def __init__(self, url: str, carries_s: float):
        self.url, self.carries_s = url, carries_s
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.ends: list[socket.socket] = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        caller, _ = self.socket.accept()
        await_listener(self.url)
        there = socket.create_connection(("127.0.0.1", urlsplit(self.url).port))
        self.ends = [caller, there]
        until_s = time.monotonic() + self.carries_s
        for one, other in ((caller, there), (there, caller)):
            threading.Thread(target=self.carry, args=(one, other, until_s), daemon=True).start()

    @staticmethod
    def carry(one, other, until_s):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if time.monotonic() < until_s:
                    other.sendall(data)

    def close(self):
        for end in (self.socket, *self.ends):
            end.close()


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_publisher_that_vanishes_without_hanging_up_is_a_gap_in_bounded_time(clip, monkeypatch, comes_back):
    monkeypatch.setattr("lightship.media.address.STALL_S", 0.8)
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    line = Silent(url, carries_s=2.5)
    publisher = Publisher(
        make(clip.with_name("long.mp4"), seconds=4.0), f"rtmp://127.0.0.1:{line.port}/live/key"
    )
    publisher.start()
    items = []
    waits = Reconnect(listen_s=20.0, linger_s=1.5)
    with open_source(url, listen=True, reconnect=waits) as source:
        for item in source:
            if comes_back and not items:
                second = Publisher(clip, url)
                threading.Timer(2.4, second.start).start()
            items.append(item)
    line.close()
    publisher.join(timeout=10)
    pictures, _, (gap,) = counted(items)
    if comes_back:
        assert "came back" in gap.reason
        assert len(pictures) >= 50
    else:
        assert gap.reason == "nothing came any more, and the publisher did not come back"
        assert 1.0 < gap.to_s - gap.from_s < 3.5
        assert gap.from_s == pytest.approx(pictures[-1].at_s, abs=0.3)


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
print("waiting", flush=True)
try:
    open_source(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_ends_the_wait_for_a_publisher():
    url = f"rtmp+listen://127.0.0.1:{free_port()}/live/key"
    with subprocess.Popen([sys.executable, "-c", WAIT, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.8)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
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
