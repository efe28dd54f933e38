"""An exchange on the loopback that answers as NCMEC, StopNCII and Tech Against Terrorism do, as far as their clients ask."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 2
WRITTEN = "2023-11-14T22:13:20Z"
"""When every record was written; 1,700,000,000 in Unix time."""


@dataclass
class Exchange:
    """What the server holds, and how it misbehaves.

    ``records`` are ``(id, {kind: hash} or None where deleted)``; ``trouble`` is done to the next requests, one each.
    """

    records: list = field(default_factory=list)
    trouble: list = field(default_factory=list)
    endless: str = ""
    asked: list = field(default_factory=list)
    told: list = field(default_factory=list)


def ncmec_page(exchange, query):
    start = int(query.get("start", ["0"])[0])
    since, until = query["from"][0], query["to"][0]
    within = exchange.records if exchange.endless or since <= WRITTEN < until else []
    shown = within[start : start + PAGE]
    images = "".join(
        f'<deletedImage><member id="7">x</member><id>{one}</id></deletedImage>'
        if prints is None
        else f'<image><member id="7">x</member><id>{one}</id><classification>T</classification><fingerprints>'
        + "".join(f"<{kind}>{value}</{kind}>" for kind, value in prints.items())
        + "</fingerprints></image>"
        for one, prints in shown
    )
    if exchange.endless == "new" and start + PAGE >= len(within):
        within += [(f"e{len(within)}", {"md5": f"{len(within):032x}"}), (f"d{len(within)}", None)]
    further = start + PAGE < len(within) or exchange.endless
    step = start if exchange.endless == "same" else start + PAGE
    following = f"/v2/entries?from={since}&amp;to={until}&amp;start={step}&amp;size={PAGE}&amp;max=9"
    paging = f"<paging><next>{following}</next></paging>" if further else ""
    return (
        '<?xml version="1.0"?><queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">'
        f'<images count="{len(shown)}" maxTimestamp="{WRITTEN}">{images}</images>{paging}</queryResult>'
    )


def stopncii_page(exchange, query):
    start = int(query.get("nextPageToken", ["0"])[0])
    shown = exchange.records[start : start + PAGE]
    records = [
        {
            "lastModtimestamp": 5,
            "signalType": "ImagePDQ",
            "hashValue": one,
            "hashStatus": "Active" if prints is not None else "Withdrawn",
            "caseNumbers": {},
        }
        for one, prints in shown
    ]
    further = start + PAGE < len(exchange.records) or bool(exchange.endless)
    return json.dumps(
        {
            "count": len(shown),
            "nextPageToken": str(start if exchange.endless else start + PAGE),
            "nextSetTimestamp": 1_700_000_000,
            "hasMoreRecords": further,
            "hashRecords": records,
        }
    )


def tat_page(exchange, _query):
    results = [
        {
            "hash_digest": one,
            "algorithm": "PDQ",
            "ideology": "far-right",
            "file_type": "jpg",
            "deleted": prints is None,
            "updated_on": 1.0,
            "created_on": "2026-01-01",
            "id": number,
        }
        for number, (one, prints) in enumerate(exchange.records)
    ]
    return json.dumps(
        {
            "count": len(results),
            "next": None,
            "previous": None,
            "checkpoint": "1704085200,124",
            "results": results,
        }
    )


class Handler(BaseHTTPRequestHandler):
    exchange: Exchange

    def log_message(self, *_words):
        pass

    def answer(self, text, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def misbehaves(self):
        trouble = self.exchange.trouble.pop(0) if self.exchange.trouble else None
        if trouble == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            self.wfile = open("/dev/null", "wb")  # noqa: SIM115, PTH123 - what the base class flushes
        elif isinstance(trouble, int):
            self.answer("busy", trouble)
        elif trouble:
            self.answer(trouble)
        return trouble is not None

    def do_GET(self):
        path = urlsplit(self.path)
        self.exchange.asked.append((self.path, self.headers.get("Authorization", "")))
        if self.misbehaves():
            return
        pages = {
            "/v2/entries": ncmec_page,
            "/FetchHashes": stopncii_page,
            "/api/hash-list/v2/all": tat_page,
        }
        if path.path.endswith("/reasons"):
            self.answer(
                '<r><availableFeedbackReasons><reason guid="g1" name="no"/></availableFeedbackReasons></r>'
            )
            return
        self.answer(pages[path.path](self.exchange, parse_qs(path.query)))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer('{"user": {}, "token": "t"}')

    def do_PUT(self):
        self.exchange.told.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.answer("<ok/>")


@contextlib.contextmanager
def serving(exchange):
    """Serve until the block ends; yields the address."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"exchange": exchange}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
