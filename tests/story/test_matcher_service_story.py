"""A platform that may not hold the lists asks somebody's matcher, with hashes only."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from skimage import data

from lightship.detect.pdq import pdq, to_hex
from lightship.infra.ledger_file import read_entries

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]


def lightship(*words):
    return subprocess.run(
        [*LIGHTSHIP, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


class Running:
    """`lightship matcher serve`, as its operator starts it."""

    def __init__(self, here, *more):
        command = [*LIGHTSHIP, "matcher", "serve", "--list", here / "iwf.csv", "--port", "0"]
        command += ["--tenants", here / "tenants.json", "--ledger", here / "matcher.ledger", *more]
        self.process = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            value = json.loads(line)
            if value["event"] == "serving":
                self.url = f"http://127.0.0.1:{value['port']}"
                return
        raise AssertionError(self.lines)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.lines += self.process.stderr.readlines()
        self.process.stderr.close()
        return self.process.wait(30)


@pytest.fixture
def here(tmp_path):
    picture = data.camera()
    cv2.imwrite(str(tmp_path / "known.jpg"), picture)
    cv2.imwrite(str(tmp_path / "other.png"), data.coins())
    hash_, quality = pdq(picture)
    rng = np.random.default_rng(1)
    others = "".join(f"{to_hex(one)}\n" for one in rng.integers(0, 2**64, (200, 4), dtype=np.uint64))
    (tmp_path / "iwf.csv").write_text(f"# as-of: 2026-11-01\n{to_hex(hash_)},{quality},case-7\n{others}")
    return tmp_path


def token(here, name, *more):
    done = lightship("matcher", "token", name, "--list", "*", "--tenants", here / "tenants.json", *more)
    assert done.returncode == 0, done.stderr
    (here / f"{name}.token").write_text(done.stdout)
    return done.stdout.strip()


def flips(hash_):
    for place in range(256):
        row = hash_.copy()
        row[place // 64] ^= np.uint64(1) << np.uint64(place % 64)
        yield {"hash": to_hex(row), "quality": 100}


def test_a_small_platform_sees_the_same_lines_as_who_holds_the_list(here):
    token(here, "acme")
    running = Running(here)
    try:
        files = (here / "known.jpg", here / "other.png")
        own = lightship("match", *files, "--list", here / "iwf.csv")
        asked = ("--matcher", running.url, "--token-file", here / "acme.token")
        remote = lightship("match", *files, *asked)
        assert remote.returncode == 0, remote.stderr
        assert "list iwf, entry case-7: PDQ within 31 bits, distance" in remote.stdout
        assert remote.stdout == own.stdout
        assert (
            lightship("match", *files, *asked, "--json").stdout
            == lightship("match", *files, "--list", here / "iwf.csv", "--json").stdout
        )
    finally:
        assert running.stop() == 0
    listed = {line.split(",")[0] for line in (here / "iwf.csv").read_text().splitlines()[1:]}
    said = "".join(running.lines) + remote.stdout
    assert not listed & set(re.findall("[0-9a-f]{64}", said))
    kept = [one["hits"] for one in read_entries(here / "matcher.ledger") if one["kind"] == "matcher-query"]
    assert kept == [{"iwf": 1}, {}, {}] * 2, "what is on no list is asked about mirrored as well"
    verified = lightship("ledger", "verify", here / "matcher.ledger")
    assert verified.returncode == 0, verified.stdout


def test_a_match_that_was_told_is_on_the_record_even_if_the_service_is_killed(here):
    secret = token(here, "acme")
    running = Running(here)
    hash_, _ = pdq(data.camera())
    try:
        for _ in range(5):
            answer = httpx.post(
                f"{running.url}/v1/match",
                json={"pdq": [{"hash": to_hex(hash_), "quality": 100}]},
                headers={"Authorization": f"Bearer {secret}"},
            )
            assert answer.json()["pdq"][0]["matches"][0]["reference"] == "case-7"
    finally:
        running.stop(signal.SIGKILL)
    assert lightship("ledger", "verify", here / "matcher.ledger").returncode == 0
    kept = [one for one in read_entries(here / "matcher.ledger") if one["kind"] == "matcher-query"]
    assert [(one["tenant"], one["hits"]) for one in kept] == [("acme", {"iwf": 1})] * 5


def test_who_walks_around_a_hit_is_shut_out_until_a_person_has_looked_even_after_a_restart(here):
    secret = token(here, "thief")
    headers = {"Authorization": f"Bearer {secret}"}
    running = Running(here)
    hash_, _ = pdq(data.camera())
    near = {"pdq": [{"hash": to_hex(hash_), "quality": 100}]}

    def ask(body):
        return httpx.post(f"{running.url}/v1/match", json=body, headers=headers)

    try:
        assert ask(near).status_code == 200
        assert ask({"pdq": list(flips(hash_))}).json()["type"].endswith(":suspended")
        running.stop(signal.SIGKILL)
        running = Running(here)
        assert ask(near).status_code == 403
        assert lightship("matcher", "lift", "thief", "--tenants", here / "tenants.json").returncode == 0
        until_s = time.monotonic() + 10
        while ask(near).status_code != 200:
            assert time.monotonic() < until_s
            time.sleep(0.2)
    finally:
        running.stop()


def test_who_may_not_ask_is_told_so_in_a_sentence(here):
    token(here, "acme")
    (here / "wrong.token").write_text("lightship_wrong\n")
    running = Running(here)
    try:
        asked = ("match", here / "known.jpg", "--matcher", running.url, "--token-file")
        refused = lightship(*asked, here / "wrong.token")
        assert refused.returncode == 2
        assert "A valid token is needed" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert lightship(*asked, here / "none.token").returncode == 2
        assert lightship("match", here / "known.jpg").returncode == 2
    finally:
        running.stop()


def test_tokens_do_not_cross_a_network_in_the_open(here):
    token(here, "acme")
    done = lightship("matcher", "serve", "--list", here / "iwf.csv", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--tls-certificate" in done.stderr
    done = lightship(
        "match",
        here / "known.jpg",
        "--matcher",
        "http://matcher.example",
        "--token-file",
        here / "acme.token",
    )
    assert done.returncode == 2
    assert "unencrypted" in done.stderr


def test_a_port_that_is_taken_and_a_missing_file_are_sentences(here):
    missing = lightship("matcher", "serve", "--list", here / "iwf.csv", "--tenants", here / "no.json")
    assert missing.returncode == 2
    assert "lightship matcher token" in missing.stderr
    token(here, "acme")
    running = Running(here)
    try:
        port = running.url.rpartition(":")[2]
        more = ("--tenants", here / "tenants.json", "--ledger", here / "second.ledger")
        taken = lightship("matcher", "serve", "--list", here / "iwf.csv", "--port", port, *more)
        assert taken.returncode == 2
        assert "Choose another --port" in taken.stderr
        assert "Traceback" not in taken.stderr
    finally:
        running.stop()


def test_the_commands_of_the_guide_work(here):
    """The guide's `curl` lines, with the address and the token of this test."""
    guide = Path("docs/guides/matcher-service.md").read_text(encoding="utf-8")
    blocks = re.findall("```sh\n(.*?)```", guide, re.DOTALL)
    commands = [one for block in blocks for one in block.split("\n\n") if one.startswith("curl ")]
    assert len(commands) == 3
    secret = token(here, "acme")
    running = Running(here)
    try:
        for command in commands:
            here_ = command.replace("http://127.0.0.1:8086", running.url).replace("curl ", "curl -sf ", 1)
            done = subprocess.run(
                ["bash", "-c", here_],
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
                env={**os.environ, "TOKEN": secret},
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            json.loads(done.stdout)
    finally:
        running.stop()
