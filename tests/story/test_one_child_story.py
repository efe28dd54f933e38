"""A platform's stop, a bank's alert and a partner's word become one case with one child first, and go where they must.

The walk is the demonstration's chapter, typed at the command line; what follows looks at what it left, with real servers
and a TAXII client that others wrote.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from hashlib import sha256

import httpx
import pytest
from rich.console import Console
from taxii2client import v21

from lightship.app_casework import open_casework
from lightship.cli import typed
from lightship.console.taxii import collection_of
from lightship.core.casework import Link
from lightship.demo.casework import COVERT, GRADE, HOST, PLATFORM, TOOL, Day
from tests.servers import free_port

SECRET = COVERT.split(",")
"""What the unit alone knows: its reference, and whom it wants called."""


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder, kept = tmp_path_factory.mktemp("houses"), tmp_path_factory.mktemp("kept")
    one = Day(folder, kept, Console(file=io.StringIO()), typed)
    one.held = one.claims()
    return one


@contextmanager
def serving(house, *words):
    """Run a server of a house as a process of its own; yields its address."""
    port = free_port()
    env = {**os.environ, "LIGHTSHIP_STATE": str(house)}
    command = [sys.executable, "-c", "from lightship.cli import main; main()", *words, "--port", str(port)]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 30
    try:
        while True:
            try:
                httpx.get(address, timeout=1.0)
                break
            except httpx.TransportError:
                assert server.poll() is None, server.stderr.read()
                assert time.monotonic() < until, "the server did not answer"
                time.sleep(0.05)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)


def said(day, *words):
    return typed(day.body, words)


def test_each_step_of_the_day_held(day):
    assert [claim for claim, held, _ in day.held if not held] == []
    assert len(day.held) == 8


def test_three_sources_are_one_case_with_one_child_first_and_the_analyst_sees_why_and_what_next(day):
    queue = said(day, "cases", "list", "--by", "ann")
    heads = [line for line in queue.splitlines() if line[:1].strip()]
    assert [line.split()[0] for line in heads] == [day.case]
    assert "urgency 1" in heads[0]
    assert "A live stream is running" in queue
    shown = said(day, "cases", "show", day.case, "--by", "ann")
    sources = {line.split()[2] for line in shown.splitlines() if line.startswith("  referral ")}
    assert sources == {"platform", "financial", "partner"}
    assert shown.count(f"(child): handle {HOST} on ") == 2, "the platform and the partner name the same child"
    assert f"(suspect): account {day.payer.upper()}" in shown
    assert "Call the on-call safeguarding lead" in shown, "the child's safety is the first task"
    assert "Said by a neighbour." not in shown, "what senders wrote stays closed"
    why = said(day, "cases", "why", day.case, "--by", "ann")
    assert "rank 1 of 1" in why
    assert why.count("Without it: ") == 3, "the stream, what the partner alleges, and the payment"
    assert "Ask: " in why


def test_links_can_be_taken_back_and_the_three_are_apart_again(day, tmp_path):
    copy = tmp_path / "body"
    shutil.copytree(day.body, copy)
    with open_casework(copy / "cases", print) as store, store.look() as work:
        accepted = work.find(Link, {"state": "accepted"}, order=("-decided_at",))
    assert len(accepted) == 2
    for one in accepted:
        typed(copy, ("cases", "link", "undo", one.id, "--by", "cas", "--why", "Somebody else."))
    queue = typed(copy, ("cases", "list", "--by", "ann"))
    assert len([line for line in queue.splitlines() if line[:1].strip()]) == 3


def test_an_undercover_interest_in_the_same_handle_is_nowhere_in_the_body_that_asked(day):
    notice = typed(day.unit, ("deconflict", "desk", "--by", "Fir"))
    assert (json.loads(notice)["kind"], json.loads(notice)["asker"]) == ("persona", "body.example")
    for file in (one for one in day.body.rglob("*") if one.is_file()):
        data = file.read_bytes()
        assert not any(one.encode() in data for one in SECRET), file
    looked = said(day, "deconflict", "log") + said(day, "cases", "show", day.case, "--by", "ann")
    assert not any(one in looked for one in SECRET)
    assert "night_otter_88" not in typed(day.unit, ("deconflict", "log")), (
        "who was asked about is not told either"
    )


def test_a_partner_reads_the_case_by_taxii_with_a_client_that_others_wrote(day, tmp_path):
    partners = tmp_path / "partners.toml"
    partners.write_text(f'[[partners]]\nname = "abroad"\ntitle = "A unit abroad"\ngrade = {GRADE}\n')
    asked = ("--to", "abroad", "--partners", str(partners), "--house", "A body", "--way", "taxii")
    said(day, "share", "send", day.case, *asked)
    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"abroad {sha256(b'made-up').hexdigest()}\n")
    words = ("share", "serve", "--partners", str(partners), "--tokens", str(tokens), "--house", "A body")
    with serving(day.body, *words) as address:
        server = v21.Server(f"{address}/taxii2/", user="abroad", password="made-up")
        (collection,) = server.api_roots[0].collections
        assert collection.id == collection_of("abroad")
        objects = collection.get_objects()["objects"]
        with pytest.raises(Exception, match="401"):
            v21.Server(f"{address}/taxii2/", user="abroad", password="wrong").title  # noqa: B018
    text = json.dumps(objects)
    assert HOST in text
    assert day.payer.upper() in text
    assert not any(one in text for one in SECRET)
    assert all(one.get("object_marking_refs") for one in objects if one["type"] == "grouping")


def test_a_platform_refers_over_http_with_the_token_that_the_body_gave(day, tmp_path):
    token = said(
        day, "token", "add", "example-live", "--scopes", "referrals", "--folder", str(day.body / "cases")
    ).strip()
    out = tmp_path / "case.json"
    case = next(one.split()[5] for one in day.console.file.getvalue().splitlines() if "cases refer" in one)
    typed(
        day.folder,
        ("cases", "refer", case, "--folder", str(day.folder / "platform"), "--platform", PLATFORM, "--by", "mo", "--out", str(out)),
    )  # fmt: skip
    with serving(day.body, "cases", "serve") as address:

        def post(data, secret):
            url, headers = f"{address}/v1/referrals?form=platform-json", {"Authorization": f"Bearer {secret}"}
            return httpx.post(url, content=data, headers=headers)

        first, again = post(out.read_bytes(), token), post(out.read_bytes(), token)
        assert (first.status_code, first.json()) == (202, again.json())
        assert post(out.read_bytes(), "wrong").status_code == 401
        picture = post(b"\x89PNG\r\n\x1a\n" + bytes(64), token)
        assert picture.status_code == 422
        assert picture.headers["content-type"] == "application/problem+json"
    assert (
        len([one for one in said(day, "cases", "list", "--by", "ann").splitlines() if one[:1].strip()]) == 1
    )


def test_the_pack_opens_with_the_partners_key_alone_and_its_page_needs_nothing(day):
    opened = day.kept / "opened"
    page = (opened / "read.html").read_text("utf-8")
    assert HOST in page
    assert "<script" not in page
    assert "http://" not in page.replace('xmlns="http://www.w3.org', "")
    assert json.loads((opened / "bundle.json").read_text("utf-8"))["type"] == "bundle"
    other = day.folder / "other.key"
    typed(day.unit, ("share", "identity", str(other)))
    with pytest.raises(Exception, match="key"):
        typed(
            day.unit,
            ("share", "open", str(day.kept / "case.pack"), "--identity", str(other), "--sender", str(day.body / "house.pub"),
             "--out", str(day.folder / "not")),
        )  # fmt: skip


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_the_defences_verifier_passes_and_each_tampered_twin_fails(day, tmp_path, part):
    def verdict(folder):
        command = [sys.executable, str(TOOL), str(folder), "--key", str(day.kept / "own.pub")]
        return subprocess.run(command, capture_output=True, check=False).returncode

    if part == 0.5:
        assert verdict(day.kept / "evidence") == 0
    twin = tmp_path / "twin"
    shutil.copytree(day.kept / "evidence", twin)
    entries = next(twin.glob("*.entries.jsonl"))
    data = bytearray(entries.read_bytes())
    data[int(part * len(data))] ^= 1
    entries.write_bytes(data)
    assert verdict(twin) == 1
    typed(
        day.body,
        (
            "ledger",
            "verify",
            str(day.body / "cases" / "casework.ledger"),
            "--key",
            str(day.body / "cases" / "casework.pub"),
        ),
    )
