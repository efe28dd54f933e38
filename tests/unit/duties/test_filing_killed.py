"""Senders that are killed for real, between any two steps, against a CyberTipline that is really there."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from tests.tables import tables
from tests.unit.duties.reports import YEAR, Clock, PlainVault, make_ready, schema
from tests.unit.exchange.cybertip_server import NAME, PASSWORD, line, needs_xsd, serving
from tests.unit.infra.crashes import Steps, die

from lightship.core.duties import Filing
from lightship.duties.filing import Desk, Retry, send_due
from lightship.duties.filing_cybertip import CyberTipCarrier
from lightship.exchange.cybertip_client import CyberTipline
from lightship.infra.store import SqlStore

pytestmark = needs_xsd
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.duties.test_filing_killed"])
RETRY = Retry(first_s=1, most_s=60, lease_s=90)
WORDS = ("xsd", "submit", "upload", "fileinfo", "finish", "retract")


class Stepped:
    """A step before each request, and one between the answer and what is made of it."""

    def __init__(self, line_, steps):
        for word in WORDS:
            setattr(self, word, steps.around(getattr(line_, word)))


def send_until_killed(folder: str, address: str, at: int, seconds: float) -> None:
    clock, steps = Clock(), Steps(at, die)
    clock.pass_s(seconds)
    with SqlStore(f"sqlite:///{folder}/s") as store, CyberTipline(address, NAME, PASSWORD, 5.0) as ncmec:
        carrier = CyberTipCarrier(Stepped(ncmec, steps), schema(), clock)
        desk = Desk(
            steps.within(store),
            PlainVault(Path(folder)),
            {"cybertip": carrier},
            clock,
            lambda one: one + YEAR,
            retry=RETRY,
        )
        send_due(desk)


def killed(folder: Path, seed: int, kills: int) -> Counter:
    """Kill senders of one report at random steps; returns what the journal booked, once the report was filed."""
    random, url = Random(seed), tables(folder / "s")
    clock = Clock()
    there = line(clock)
    with SqlStore(url) as store:
        make_ready(store, PlainVault(folder), schema(), clock, files=random.randint(0, 2))
    with serving(there) as address:
        for number in range(kills + 3):
            at = random.randrange(1, 45) if number < kills else 0
            child = CHILDREN.Process(target=send_until_killed, args=(str(folder), address, at, 95 * number))
            child.start()
            child.join(60)
            assert child.exitcode in {0, -9}
            clock.pass_s(95)
    with SqlStore(url) as store, store.look() as work:
        mine = work.get(Filing, "d0001.1")
        rows = work.connection.execute(sa.select(store.schema.journal.c.entry))
        booked = Counter(json.loads(row.entry)["kind"] for row in rows)
    (one,) = there.finished()
    assert (mine.state, there.reports[mine.reference]) == ("filed", one)
    assert len(one.files) == len(one.details) == len(mine.files)
    return booked


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_between_any_two_steps_one_report_is_filed_and_booked_once(tmp_path, seed):
    assert killed(tmp_path, seed, 4)["report-filed"] == 1


@pytest.mark.slow
def test_500_schedules_of_killed_senders_file_500_reports_once(tmp_path):
    for seed in range(500):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert killed(folder, seed, 3)["report-filed"] == 1, seed
