"""An analyst takes referrals in from the shell, sees which child is first and why, and hands the inquiry on."""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lightship.cli import app
from lightship.core.cases import Case, Stream
from lightship.core.casework import Marking, Referral
from lightship.core.errors import LightshipError
from lightship.core.markings import marking_json
from lightship.infra.ledger_file import read_entries
from lightship.infra.store import SqlStore
from tests.tables import tables
from tests.unit.exchange.referral_samples import MAPPING, SAMPLES


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    runner = CliRunner()

    def cases(*words, fails=False):
        result = runner.invoke(app, ["cases", *map(str, words)])
        if fails:
            assert isinstance(result.exception, LightshipError)
            return str(result.exception)
        assert result.exception is None, result.output
        return result.stdout

    cases.folder = tmp_path
    return cases


def test_a_stop_an_alert_and_a_tip_come_in_and_the_child_in_danger_now_is_first(shell):
    for form, data in SAMPLES.items():
        (shell.folder / form).write_bytes(data)
    (shell.folder / "csv").write_bytes(SAMPLES["csv"].replace(b";yes", b";"))
    (shell.folder / "map.toml").write_text(MAPPING)

    def intake(form, sender, *more):
        return shell("intake", shell.folder / form, "--form", form, "--sender", sender, "--by", "ann", *more)

    intake("alerts-jsonl", "Example Bank")
    intake("csv", "A hotline", "--mapping", shell.folder / "map.toml")
    assert "urgency 1" in intake("platform-json", "Example Live")
    assert "here already" in intake("platform-json", "Example Live")

    queue = shell("list", "--by", "ann").splitlines()
    first = queue[0].split()[0]
    assert "platform referral" in queue[0], "a live stream with a child in danger"
    assert "A live stream is running" in queue[1]

    why = shell("why", first, "--by", "ann")
    assert "rank 1 of 3" in why
    assert "Without it: urgency" in why
    assert "Ask: " in why

    shown = shell("show", first, "--by", "ann")
    assert "h-9 on Example Live" in shown
    assert "exposure, 60 dB" not in shown, "the sender's words are closed until asked for"
    assert "exposure, 60 dB" in shell("show", first, "--by", "ann", "--narrative")

    shell("take", first, "--by", "ann")
    shell("hand", first, "--by", "ann", "--to", "ben")
    assert "ann, handed to ben" in shell("list", "--by", "ann", "--owner", "ann")
    shell("ack", first, "--by", "ben")
    assert "safety was not seen to" in shell("file-away", first, "--by", "ben", "--why", "x", fails=True)
    for line in shell("show", first, "--by", "ben").splitlines():
        if line.startswith("  task") and " open " in line:
            shell("do", line.split()[1], "--by", "ben", "--outcome", "The child is safe.")
    shell("file-away", first, "--by", "ben", "--why", "Seen to.")
    assert first not in shell("list", "--by", "ann")

    entries = list(read_entries(shell.folder / "state" / "cases" / "casework.ledger"))
    kinds = [one["kind"] for one in entries]
    assert kinds.count("referral-taken-in") == 3
    assert kinds[-1] == "inquiry-filed-away"
    assert "h-9" not in json.dumps(entries), "no identifier is on the ledger"


def test_a_platforms_case_is_referred_from_its_store_and_taken_in(shell):
    folder = shell.folder / "platform"
    folder.mkdir()
    url = tables(folder / "platform.db")
    now = datetime.now(UTC)
    with SqlStore(url) as store, store.begin() as work:
        work.save(Stream("s1", "rtmp://inner/secret", "host-9", "public", "b", "public-live", now))
        work.save(Case("c1", "s1", "machine", now, now, "words", 60.0, "end", 0.5, 1.0, 0.5))
    words = [
        "--folder",
        folder,
        "--platform",
        "Example Live",
        "--by",
        "ann",
        "--out",
        shell.folder / "r.json",
    ]
    shell("refer", "c1", *words)
    assert b"secret" not in (shell.folder / "r.json").read_bytes()
    taken = shell(
        "intake",
        shell.folder / "r.json",
        "--form",
        "platform-json",
        "--sender",
        "Example Live",
        "--by",
        "ann",
    )
    assert "urgency 1" in taken
    with SqlStore(url) as store, store.look() as work:
        entries = work.connection.execute(sa.select(store.schema.journal.c.entry)).scalars().all()
    assert json.loads(entries[-1])["kind"] == "case-referred"
    assert "no such case" in shell("refer", "c2", *words, fails=True)


def test_a_mistake_on_the_command_line_is_said_before_anything_is_taken_in(shell):
    (shell.folder / "a").write_bytes(SAMPLES["csv"])
    assert "mapping" in shell(
        "intake", shell.folder / "a", "--form", "csv", "--sender", "s", "--by", "a", fails=True
    )
    assert "no form" in shell(
        "intake", shell.folder / "a", "--form", "fax", "--sender", "s", "--by", "a", fails=True
    )
    assert "cannot be read" in shell(
        "intake", "nowhere", "--form", "misp-json", "--sender", "s", "--by", "a", fails=True
    )
    assert "no such inquiry" in shell("show", "x", "--by", "a", fails=True)
    assert shell("list", "--by", "a") == ""


def test_two_orders_are_compared_on_made_up_weeks(shell):
    out = shell("simulate", "--weeks", 3, "--seeds", 1, "--out", shell.folder / "out")
    assert "first come" in out
    assert (shell.folder / "out" / "simulation.html").stat().st_size > 10_000
    assert {one["order"] for one in json.loads((shell.folder / "out" / "simulation.json").read_text())} >= {
        "urgency"
    }


def test_the_shell_too_shows_nobody_what_is_above_their_clearance(shell):
    (shell.folder / "stop").write_bytes(SAMPLES["platform-json"])
    shell(
        "intake", shell.folder / "stop", "--form", "platform-json", "--sender", "Example Live", "--by", "ann"
    )
    first = shell("list", "--by", "ann").split()[0]
    red = marking_json(Marking(tlp="red", originator="Example Live"))
    with (
        SqlStore(f"sqlite:///{shell.folder / 'state' / 'cases' / 'casework.db'}") as store,
        store.begin() as work,
    ):
        for one in work.find(Referral):
            work.change(Referral, one.id, {}, marking=red)

    queue = shell("list", "--by", "ann")
    assert first in queue, "it waits unseen by nobody"
    assert "Above your clearance." in queue
    assert "A live stream is running" not in queue
    shown = shell("show", first, "--by", "ann", "--narrative")
    assert "h-9" not in shown
    assert "exposure, 60 dB" not in shown
    assert "Not all of it is shown." in shown
    assert "cleared for it" in shell("why", first, "--by", "ann", fails=True)

    readers = '[[readers]]\nname = "ann"\ngrade = { tlp = "red", pap = "amber" }\n'
    (shell.folder / "readers.toml").write_text(readers)
    cleared = ("--by", "ann", "--readers", shell.folder / "readers.toml")
    assert "A live stream is running" in shell("list", *cleared)
    assert "exposure, 60 dB" in shell("show", first, *cleared, "--narrative")
    assert "rank 1 of 1" in shell("why", first, *cleared)
