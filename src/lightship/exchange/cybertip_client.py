"""NCMEC's CyberTipline over HTTP: open a report, upload, describe, finish; or take it back before it is finished.

Every answer but success is an :class:`Answer`, which says what it means for what comes next. Nothing is tried again
here: whoever files decides, because only they know what was done before.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from lightship.core.errors import FilingError, InputError

LIVE = "https://report.cybertip.org/ispws"
TEST = "https://exttest.cybertip.org/ispws"

Means = Literal["again", "denied", "refused", "gone", "retracted", "finished"]
"""``again``: the server's trouble, or the network's. ``denied``: the credential. ``refused``: what was sent is wrong.
``gone``: there is no such report or file. ``retracted``, ``finished``: the report is final."""

CODES: Mapping[int, tuple[Means, str]] = {
    1000: ("again", "the server failed"),
    2000: ("denied", "the credential is not known or has expired"),
    3000: ("denied", "this credential may not report"),
    4100: ("refused", "the report does not fit the schema"),
    4110: ("refused", "the report is malformed XML"),
    4200: ("refused", "the file is malformed"),
    5001: ("gone", "there is no such report"),
    5002: ("gone", "there is no such file"),
    5101: ("retracted", "the report was taken back"),
    5102: ("finished", "the report is finished already"),
}
"""The CyberTipline's response codes (report.cybertip.org/ispws/documentation). Their thousands say the rest."""

_THOUSANDS: Mapping[int, Means] = {1: "again", 2: "denied", 3: "denied", 4: "refused", 5: "gone"}
_ANSWER_BYTES = 16 * 1024 * 1024  # the schema is 150 kB; an answer some hundred bytes
_XML = {"Content-Type": "text/xml; charset=utf-8"}


class Answer(FilingError):
    """What NCMEC, or the way there, answered instead of success.

    Parameters
    ----------
    code
        NCMEC's; 0 where the answer did not come from it.
    means
        What it means for what comes next.
    unsent
        Whether the request certainly did not arrive whole, so that nothing can have come of it.
    """

    def __init__(
        self, what: str, where: str, todo: str, *, code: int, means: Means, unsent: bool = False
    ) -> None:
        super().__init__(what, where, todo)
        self.code, self.means, self.unsent = code, means, unsent


_TODO: Mapping[Means, str] = {
    "again": "It is tried again by itself.",
    "denied": "Renew the credential with NCMEC, then file again.",
    "refused": "A person corrects the report, then files it again.",
    "gone": "It is opened anew.",
    "retracted": "It is opened anew.",
    "finished": "Nothing: it is filed.",
}


def credential(reference: str) -> tuple[str, str]:
    """Return name and password of ``env:NAME`` or ``file:PATH``, which hold ``name:password``.

    Raises
    ------
    InputError
        If there is none there.
    """
    kind, _, place = reference.partition(":")
    try:
        text = (
            os.environ[place]
            if kind == "env"
            else Path(place).read_text(encoding="utf-8")
            if kind == "file"
            else ""
        )
    except (KeyError, OSError, UnicodeDecodeError):
        text = ""
    name, colon, password = text.strip().partition(":")
    if not name or not colon or not password:
        raise InputError(
            "There is no credential for the CyberTipline.",
            reference,
            "Give env:NAME or file:PATH with name:password.",
        )
    return name, password


class CyberTipline:
    """The CyberTipline at an address.

    Parameters
    ----------
    address
        :data:`LIVE`, :data:`TEST`, or a stand-in's. Without TLS only this machine's own is used.
    name, password
        That NCMEC gave.
    timeout_s
        For each read and write; a large upload as a whole may take as long as it takes.
    transport
        Another way to reach it, for tests.

    Raises
    ------
    InputError
        If the address cannot be used.
    """

    def __init__(
        self,
        address: str,
        name: str,
        password: str,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        if not self.address.startswith(("https://", "http://127.0.0.1:", "http://[::1]:")):
            raise InputError(
                "The report would cross the network unencrypted.", address, "Give an https:// address."
            )
        self._http = httpx.Client(
            auth=(name, password),
            timeout=httpx.Timeout(timeout_s, connect=min(10.0, timeout_s)),
            follow_redirects=False,  # a report goes where it was addressed, or nowhere
            transport=transport,
        )

    def status(self) -> None:
        """Find out whether the server and the credential work.

        Raises
        ------
        Answer
            If one does not.
        """
        self._answer("GET", "/status")

    def xsd(self) -> bytes:
        """Return the schema that the server judges by now.

        Raises
        ------
        Answer
            If it does not come.
        """
        return self._ask("GET", "/xsd")

    def submit(self, report: bytes) -> str:
        """Open a report; returns its number. It is not filed by that.

        Raises
        ------
        Answer
            If it was not opened, or nobody knows whether it was.
        """
        return self._found(
            self._answer("POST", "/submit", content=report, headers=_XML), "reportId", "/submit"
        )

    def upload(self, report_id: str, name: str, pieces: Iterable[bytes], size: int) -> str:
        """Add a file to an opened report, in pieces and never as a whole in memory; returns the file's number.

        Raises
        ------
        Answer
            If it was not taken, is not the same on the other side, or nobody knows.
        """
        body = _Multipart(report_id, name, pieces, size)
        headers = {"Content-Type": body.content_type, "Content-Length": str(body.length)}
        try:
            answer = self._answer("POST", "/upload", content=iter(body), headers=headers)
        except Answer as error:
            error.unsent = error.unsent or (error.code == 0 and not body.sent)
            raise
        theirs = (answer.findtext("hash") or "").strip().lower()
        if theirs and theirs != body.md5:
            raise Answer(
                f"The file arrived changed: its MD5 is {theirs} there and {body.md5} here.",
                f"report {report_id}",
                "The report is opened anew.",
                code=0,
                means="again",
            )
        return self._found(answer, "fileId", "/upload")

    def fileinfo(self, details: bytes) -> None:
        """Describe a file that was uploaded. Twice is once.

        Raises
        ------
        Answer
            If it was not taken.
        """
        self._answer("POST", "/fileinfo", content=details, headers=_XML)

    def finish(self, report_id: str) -> tuple[str, ...]:
        """Make an opened report final; returns the numbers of its files.

        Raises
        ------
        Answer
            ``finished`` where it was final already; any other if it is not, or nobody knows.
        """
        answer = self._answer("POST", "/finish", data={"id": report_id})
        if (answer.findtext("reportId") or "").strip() != report_id:
            raise _strange(self.address + "/finish", "it finished another report")
        return tuple((one.text or "").strip() for one in answer.iterfind("files/fileId"))

    def retract(self, report_id: str) -> None:
        """Take back an opened report that is not final.

        Raises
        ------
        Answer
            If it was not taken back.
        """
        self._answer("POST", "/retract", data={"id": report_id})

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Asking --------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, **given: Any) -> bytes:
        where = self.address + path
        try:
            with self._http.stream(method, where, **given) as response:
                body = b""
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > _ANSWER_BYTES:
                        raise _strange(where, "it is longer than any")
        except httpx.HTTPError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise Answer(
                f"The CyberTipline cannot be reached: {error or type(error).__name__}.",
                where,
                _TODO["again"],
                code=0,
                means="again",
                unsent=unsent,
            ) from error
        if response.status_code in {401, 403}:
            raise _answer(2000 if response.status_code == 401 else 3000, "", where)
        if response.status_code >= 400 and not body.lstrip().startswith(b"<"):
            means: Means = (
                "again" if response.status_code >= 500 or response.status_code in {408, 429} else "refused"
            )
            what = f"The CyberTipline answered HTTP {response.status_code}."
            raise Answer(what, where, _TODO[means], code=0, means=means)
        return body

    def _answer(self, method: str, path: str, **given: Any) -> Any:
        from lxml import etree

        where, body = self.address + path, self._ask(method, path, **given)
        try:
            root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
            code = int(root.findtext("responseCode") or "")
        except (etree.XMLSyntaxError, ValueError) as error:
            raise _strange(where, "it is no answer of the CyberTipline") from error
        if code:
            raise _answer(code, root.findtext("responseDescription") or "", where)
        return root

    def _found(self, answer: Any, name: str, path: str) -> str:
        text = (answer.findtext(name) or "").strip()
        if not text:
            raise _strange(self.address + path, f"it has no {name}")
        return text


def _answer(code: int, said: str, where: str) -> Answer:
    means, words = CODES.get(code, (_THOUSANDS.get(code // 1000, "again"), "an error it does not document"))
    theirs = f" It says: {said.strip()[:300]}" if said.strip() else ""
    return Answer(
        f"The CyberTipline answered {code}, {words}.{theirs}", where, _TODO[means], code=code, means=means
    )


def _strange(where: str, why: str) -> Answer:
    return Answer(
        f"The CyberTipline's answer cannot be read: {why}.", where, _TODO["again"], code=0, means="again"
    )


class _Multipart:
    """A multipart body around pieces of known length (RFC 7578); says afterwards whether all of it was handed over."""

    def __init__(self, report_id: str, name: str, pieces: Iterable[bytes], size: int) -> None:
        mark = secrets.token_hex(16)
        shown = "".join("_" if c in '"\\\r\n' or ord(c) < 32 else c for c in name) or "file"
        self.content_type = f"multipart/form-data; boundary={mark}"
        self._head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="id"\r\n\r\n{report_id}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{mark}--\r\n".encode()
        self._pieces, self._md5 = pieces, hashlib.md5(usedforsecurity=False)
        self.length = len(self._head) + size + len(self._tail)
        self.sent = False

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        for piece in self._pieces:
            self._md5.update(piece)
            yield piece
        self.sent = True  # from here on the last bytes may have arrived
        yield self._tail
