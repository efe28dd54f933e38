"""A bank lets its payments be looked at as they happen, and a child's burst is told at once, also through a kill."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pyarrow.parquet as pq
import pytest
from bench.payments_fill import fill

LIGHTSHIP = [sys.executable, "-c", "from lightship.cli import main; main()"]


def lightship(*words):
    ran = subprocess.run(
        [*LIGHTSHIP, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran


class Serving:
    """`lightship payments serve`, as a bank starts it."""

    def __init__(self, here):
        words = ["payments", "serve", "--data", here / "history", "--baseline", here / "scored" / "baseline"]
        words += ["--state", here / "live", "--tenants", here / "tenants.json", "--port", "0"]
        self.process = subprocess.Popen([*LIGHTSHIP, *map(str, words)], stderr=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            if line.startswith("{") and json.loads(line)["event"] == "serving":
                self.url = f"http://127.0.0.1:{json.loads(line)['port']}"
                return
        raise AssertionError(self.said)

    def end(self, how):
        self.process.send_signal(how)
        self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(20)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    here = tmp_path_factory.mktemp("bank")
    fill(here / "history", 15_000, 1_500)
    lightship("payments", "score", here / "history", "--out", here / "scored")
    return here


def test_a_childs_burst_is_told_at_once_and_once_whatever_dies(bank):
    here = bank
    token = lightship(
        "payments", "token", "core", "--scopes", "payments,alerts", "--tenants", here / "tenants.json"
    ).stdout.strip()
    who = {"Authorization": f"Bearer {token}"}
    people = pq.read_table(here / "history" / "customers.parquet").to_pylist()
    child = next(one["customer"] for one in people if one["kind"] == "person" and one["born_year"] > 2009)
    begin = datetime(2026, 11, 2, 22, tzinfo=UTC)

    def burst(number):
        at = begin + timedelta(minutes=9 * number)
        return {
            "payment": f"burst-{number}", "at": at.isoformat(), "payer": child, "payee": "stranger", "amount_minor": 8000 + 4000 * number,
            "currency": "GBP", "rail": "gift-card" if number % 3 == 2 else "remittance", "payer_country": "GB", "payee_country": "PH",
        }  # fmt: skip

    service = Serving(here)
    answers = []
    old = pq.read_table(here / "history" / "payments.parquet").slice(0, 1).to_pylist()[0]
    told = {name: value for name, value in old.items() if value is not None} | {"at": old["at"].isoformat()}
    said = httpx.post(f"{service.url}/v1/payments", json={"payments": [told]}, headers=who, timeout=10).json()
    assert said["payments"][0]["status"] == "known"  # the history has it: it counts once
    for number in range(6):
        said = httpx.post(
            f"{service.url}/v1/payments", json={"payments": [burst(number)]}, headers=who, timeout=10
        )
        assert said.status_code == 200, said.text
        answers.append(said.json()["payments"][0])
    assert service.end(signal.SIGKILL) == -signal.SIGKILL
    told = [alert for one in answers for alert in one["alerts"]]
    (fast,) = [one for one in told if one["lane"] == "fast"]
    assert fast["subject"] == child
    assert [bool(one["alerts"]) for one in answers].index(True) <= 2  # by the third payment
    assert "accus" not in json.dumps(told).lower()

    service = Serving(here)
    again = httpx.post(
        f"{service.url}/v1/payments", json={"payments": [burst(n) for n in range(6)]}, headers=who, timeout=10
    ).json()["payments"]
    assert again == [{**one, "status": "known"} for one in answers]
    kept = httpx.get(f"{service.url}/v1/alerts", headers=who, timeout=10).json()
    assert kept["alerts"] == told
    with httpx.stream("GET", f"{service.url}/v1/alerts/stream?lane=fast", headers=who, timeout=10) as stream:
        events = (line for line in stream.iter_lines() if line.startswith("data: "))
        assert json.loads(next(events)[6:]) == fast
    assert service.end(signal.SIGTERM) == 0


def test_what_is_missing_is_one_clear_sentence(bank):
    here = bank
    (here / "none").mkdir(exist_ok=True)
    words = [
        "payments",
        "serve",
        "--data",
        here / "history",
        "--baseline",
        here / "none",
        "--state",
        here / "x",
        "--tenants",
        here / "t.json",
    ]
    lightship("payments", "token", "x", "--tenants", here / "t.json")
    ran = subprocess.run(
        [*LIGHTSHIP, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ,
    )
    assert ran.returncode == 2
    assert "There is no baseline" in ran.stderr
    assert "Traceback" not in ran.stderr
