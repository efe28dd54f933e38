"""The client against a CyberTipline on the loopback: the flow, every code, and each way that a connection fails."""

from __future__ import annotations

import hashlib
import resource

import pytest
from bench.duties_made import tip
from lxml import etree
from tests.unit.exchange.cybertip_server import NAME, PASSWORD, line, needs_xsd, serving

from lightship.core.errors import InputError
from lightship.exchange.cybertip import build
from lightship.exchange.cybertip_client import CODES, Answer, CyberTipline, credential

pytestmark = needs_xsd


@pytest.fixture
def there():
    one = line()
    with serving(one) as address:
        yield one, address


def client(address, password=PASSWORD, timeout_s=5.0):
    return CyberTipline(address, NAME, password, timeout_s)


def test_a_report_goes_from_status_to_finish_and_every_answer_fits_the_schema(there):
    server, address = there
    with client(address) as ncmec:
        ncmec.status()
        assert hashlib.sha256(ncmec.xsd()).hexdigest() == server.schema.sha256
        id_ = ncmec.submit(build(server.schema, "report", tip()))
        file_id = ncmec.upload(id_, 'a "name"\r\n.png', [b"benign ", b"bytes"], 12)
        ncmec.fileinfo(build(server.schema, "fileDetails", {"reportId": id_, "fileId": file_id}))
        assert ncmec.finish(id_) == (file_id,)
    report = server.reports[id_]
    assert report.state == "finished"
    assert report.files == {file_id: ("a _name___.png", 12, hashlib.md5(b"benign bytes").hexdigest())}
    for one in server.answers:
        assert server.schema.faults(etree.fromstring(one)) == ()
    assert server.asked == ["/status", "/xsd", "/submit", "/upload", "/fileinfo", "/finish"]


@pytest.mark.parametrize("code", [*CODES, 1101, 1999, 5999])
def test_every_code_is_named_and_says_what_comes_next(there, code):
    server, address = there
    server.trouble = {"/submit": [code]}
    with client(address) as ncmec, pytest.raises(Answer) as told:
        ncmec.submit(b"<report/>")
    assert told.value.code == code
    expected = {1: "again", 2: "denied", 3: "denied", 4: "refused"}.get(code // 1000)
    assert told.value.means == (expected or {5101: "retracted", 5102: "finished"}.get(code, "gone"))
    assert str(code) in told.value.what
    assert told.value.todo


def test_an_expired_credential_is_named_and_held_for_a_person(there):
    _, address = there
    with client(address, "old") as ncmec, pytest.raises(Answer, match="Renew the credential") as told:
        ncmec.status()
    assert told.value.means == "denied"


def test_malformed_and_invalid_reports_are_refused_by_the_stand_in_as_by_ncmec(there):
    _, address = there
    with client(address) as ncmec:
        for xml, code in ((b"<report>", 4110), (b"<report/>", 4100)):
            with pytest.raises(Answer) as told:
                ncmec.submit(xml)
            assert (told.value.code, told.value.means) == (code, "refused")


def test_after_retract_and_after_finish_a_report_is_final(there):
    server, address = there
    with client(address) as ncmec:
        back, done = (ncmec.submit(build(server.schema, "report", tip())) for _ in range(2))
        ncmec.retract(back)
        ncmec.finish(done)
        for act, id_, code in (
            (ncmec.finish, back, 5101),
            (ncmec.finish, done, 5102),
            (ncmec.retract, done, 5102),
            (ncmec.finish, "7", 5001),
        ):
            with pytest.raises(Answer) as told:
                act(id_)
            assert told.value.code == code


@pytest.mark.parametrize(("trouble", "unsent"), [("drop", True), ("lose", False)])
def test_a_connection_that_drops_in_an_upload_says_whether_the_file_can_have_arrived(there, trouble, unsent):
    server, address = there
    with client(address) as ncmec:
        id_ = ncmec.submit(build(server.schema, "report", tip()))
        server.trouble = {"/upload": [trouble]}
        size = 24 << 20
        with pytest.raises(Answer) as told:
            ncmec.upload(id_, "a", (bytes(1 << 20) for _ in range(24)), size)
        assert (told.value.means, told.value.unsent) == ("again", unsent)
        assert len(server.reports[id_].files) == (not unsent)
        file_id = ncmec.upload(id_, "a", (bytes(1 << 20) for _ in range(24)), size)
        assert file_id in ncmec.finish(id_)


def test_a_server_that_never_answers_is_given_up_in_time(there):
    server, address = there
    server.trouble = {"/submit": ["hang"]}
    with client(address, timeout_s=0.3) as ncmec, pytest.raises(Answer) as told:
        ncmec.submit(build(server.schema, "report", tip()))
    assert (told.value.means, told.value.unsent) == ("again", False)


def test_nobody_there_is_said_and_nothing_was_sent():
    with client("http://127.0.0.1:9") as ncmec, pytest.raises(Answer) as told:
        ncmec.submit(b"<report/>")
    assert (told.value.means, told.value.unsent) == ("again", True)


def test_a_large_file_is_never_whole_in_memory(there):
    """128 MiB here; `bench/duties_reports.py` sends 5 GB."""
    server, address = there
    with client(address, timeout_s=30) as ncmec:
        id_ = ncmec.submit(build(server.schema, "report", tip()))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        piece = bytes(1 << 20)
        ncmec.upload(id_, "large", (piece for _ in range(128)), 128 << 20)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 << 10, "kB more at most"
    assert [size for _, size, _ in server.reports[id_].files.values()] == [128 << 20]


def test_a_report_leaves_only_encrypted_and_a_credential_is_named_never_written(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="unencrypted"):
        client("http://report.example.org/ispws")
    (tmp_path / "c").write_text("usr:a:b\n")
    assert credential(f"file:{tmp_path / 'c'}") == ("usr", "a:b")
    monkeypatch.setenv("TIP", "usr:x")
    assert credential("env:TIP") == ("usr", "x")
    for wrong in ("usr:x", "env:NONE", "file:/none", ""):
        with pytest.raises(InputError, match="no credential"):
            credential(wrong)
