"""A CyberTipline on the loopback: judges by the real schema, keeps the flow and the time-outs, and misbehaves as told."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from lxml import etree

from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip_schema import Schema

_PLACE = Path("shared", "conformance", "cyber_tipline.xsd")
XSD = next((one / _PLACE for one in Path(__file__).resolve().parents if (one / _PLACE).exists()), _PLACE)
needs_xsd = pytest.mark.skipif(
    not XSD.exists(), reason="NCMEC's schema is not here: put it at ../shared/conformance/cyber_tipline.xsd"
)
NAME, PASSWORD = "usr123", "pässword"


@dataclass
class Report:
    """An opened report, as NCMEC holds it."""

    xml: bytes
    opened_at: datetime
    changed_at: datetime
    files: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # name, size, md5
    details: dict[str, bytes] = field(default_factory=dict)
    state: str = "open"


@dataclass
class Line:
    """What the server holds, and how it misbehaves.

    ``trouble`` maps a path to what is done to the next requests there, one each: ``"drop"`` closes in the middle of the
    request, ``"lose"`` does the work and closes instead of answering, ``"hang"`` answers never, a number is the code.
    """

    schema: Schema
    xsd: bytes
    clock: object = None
    reports: dict[str, Report] = field(default_factory=dict)
    trouble: dict[str, list[object]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    password: str = PASSWORD
    next_id: int = 1000
    keep: Path | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    hung: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        return self.clock() if self.clock else datetime.now(UTC)

    def finished(self) -> list[Report]:
        return [one for one in self.reports.values() if one.state == "finished"]

    def expire(self) -> None:
        """Open reports are dropped 24 h after opening or 1 h after their last change, the later."""
        for one in self.reports.values():
            until = max(one.opened_at + timedelta(hours=24), one.changed_at + timedelta(hours=1))
            if one.state == "open" and self.now() > until:
                one.state = "dropped"

    def open_one(self, id_: str) -> Report | int:
        self.expire()
        report = self.reports.get(id_)
        if report is None or report.state == "dropped":
            return 5001
        return {"retracted": 5101, "finished": 5102}.get(report.state) or report


def line(clock=None) -> Line:
    data = XSD.read_bytes()
    return Line(cybertip_schema.read(data, "xsd"), data, clock)


class Handler(BaseHTTPRequestHandler):
    line: Line
    protocol_version = "HTTP/1.1"

    def log_message(self, *_words):
        pass

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def _serve(self):
        path = self.path.removeprefix("/ispws")
        with self.line.lock:
            self.line.asked.append(path)
            waiting = self.line.trouble.get(path)
            trouble = waiting.pop(0) if waiting else None
        if trouble == "drop":
            self.rfile.read(min(1000, int(self.headers.get("Content-Length", "0"))))
            return self._cut()
        upload = None
        if path == "/upload":
            upload = self._upload()
            body = b""
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if trouble == "hang":
            self.line.hung.wait(20)
            return self._cut()
        wanted = base64.b64encode(f"{NAME}:{self.line.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            return self._send(b"no", 401, "text/plain")
        if path == "/xsd":
            return self._send(self.line.xsd)
        if isinstance(trouble, int):
            return self._answer(trouble)
        with self.line.lock:
            answer = getattr(self, "_" + path.strip("/").replace("/", "_"))(upload or body)
        if trouble == "lose":
            return self._cut()
        return self._answer(*answer)

    def _cut(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = open("/dev/null", "wb")  # noqa: SIM115, PTH123 - what the base class flushes

    # What each path does; returns a code and what else stands in the answer.

    def _status(self, _body):
        return 0, {}

    def _submit(self, body):
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return 4110, {}
        if root.tag != "report" or self.line.schema.faults(root):
            return 4100, {}
        self.line.next_id += 1
        now = self.line.now()
        self.line.reports[str(self.line.next_id)] = Report(body, now, now)
        return 0, {"reportId": str(self.line.next_id)}

    def _uploaded(self, id_, name, size, md5):
        report = self.line.open_one(id_)
        if isinstance(report, int):
            return report, {}
        file_id = hashlib.sha256(f"{id_}/{len(report.files)}".encode()).hexdigest()[:32]
        report.files[file_id] = (name, size, md5)
        report.changed_at = self.line.now()
        return 0, {"reportId": id_, "fileId": file_id, "hash": md5}

    def _upload(self, done=None):
        """Read a multipart body in pieces, and keep nothing of the file but its hash."""
        if done is not None:
            return self._uploaded(*done)
        left = int(self.headers["Content-Length"])
        mark = self.headers["Content-Type"].partition("boundary=")[2].encode()
        head = b""
        while head.count(b"\r\n\r\n") < 2:
            head += self.rfile.read(1)
            left -= 1
        id_ = re.search(rb'name="id"\r\n\r\n(.*?)\r\n', head)[1].decode()
        name = re.search(rb'filename="(.*?)"', head)[1].decode()
        tail = b"\r\n--" + mark + b"--\r\n"
        size = left - len(tail)
        md5, rest = hashlib.md5(usedforsecurity=False), size
        while rest > 0:
            piece = self.rfile.read(min(rest, 1 << 20))
            if not piece:
                return None
            md5.update(piece)
            rest -= len(piece)
        assert self.rfile.read(len(tail)) == tail
        return id_, name, size, md5.hexdigest()

    def _fileinfo(self, body):
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return 4110, {}
        if root.tag != "fileDetails" or self.line.schema.faults(root):
            return 4100, {}
        id_, file_id = root.findtext("reportId"), root.findtext("fileId")
        report = self.line.open_one(id_)
        if isinstance(report, int):
            return report, {}
        if file_id not in report.files:
            return 5002, {}
        report.details[file_id] = body
        report.changed_at = self.line.now()
        return 0, {"reportId": id_}

    def _finish(self, body):
        id_ = parse_qs(body.decode())["id"][0]
        report = self.line.open_one(id_)
        if isinstance(report, int):
            return report, {}
        report.state = "finished"
        if self.line.keep:
            with self.line.keep.open("a") as file:
                file.write(json.dumps([id_, report.xml.decode(), sorted(report.files.values())]) + "\n")
        return 0, {"reportId": id_, "files": list(report.files)}

    def _retract(self, body):
        id_ = parse_qs(body.decode())["id"][0]
        report = self.line.open_one(id_)
        if isinstance(report, int):
            return report, {}
        report.state = "retracted"
        return 0, {"reportId": id_}

    def _answer(self, code, given=None):
        given = given or {}
        root = etree.Element("reportDoneResponse" if "files" in given else "reportResponse")
        etree.SubElement(root, "responseCode").text = str(code)
        if "files" not in given:
            etree.SubElement(root, "responseDescription").text = "" if code == 0 else f"code {code}"
        for name in ("reportId", "fileId", "hash"):
            if name in given:
                etree.SubElement(root, name).text = given[name]
        if "files" in given:
            files = etree.SubElement(root, "files")
            for one in given["files"]:
                etree.SubElement(files, "fileId").text = one
        body = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        self.line.answers.append(body)
        self._send(body)

    def _send(self, body, status=200, kind="text/xml"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """A client that went away is part of the test."""


@contextlib.contextmanager
def serving(one: Line):
    """Serve until the block ends; yields the address."""
    server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"line": one}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ispws"
    finally:
        one.hung.set()
        server.shutdown()
        server.server_close()
        thread.join()
