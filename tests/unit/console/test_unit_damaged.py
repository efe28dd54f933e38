"""A damaged or locked compartment: from outside as none; inside, at the shell and in its folder, the error in words."""

import re
import sqlite3
import stat
from datetime import UTC, datetime
from functools import partial
from threading import Event

import pytest
from tests.unit.console.casework import body
from tests.unit.console.unit_people import found
from tests.unit.console.visiting import Visitor

from lightship.app_undercover import opened
from lightship.casework.compartment import found_compartment
from lightship.cli import typed
from lightship.core.errors import AccessDenied, StoreError
from lightship.infra.compartment import CompartmentFile
from lightship.watch.chores import Chores

NOISE = b"not a database at all" * 400


def damaged_store(folder):
    for name in ("store-wal", "store-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "store").write_bytes(NOISE)


def no_store(folder):
    (folder / "store").unlink()


def folder_for_store(folder):
    (folder / "store").unlink()
    (folder / "store").mkdir()


def damaged_key(folder):
    (folder / "unit.key").write_text("no key")


def lost_key(folder):
    (folder / "unit.key").unlink()


def open_key(folder):
    (folder / "unit.key").chmod(0o644)


def locked(folder):
    holder = sqlite3.connect(folder / "store", isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    return holder


BREAKS = {
    damaged_store: "not a database",
    no_store: "has lost its store or its key",
    folder_for_store: "cannot be used",
    damaged_key: "key cannot be read",
    lost_key: "has lost its store or its key",
    open_key: "Others can read",
    locked: "locked",
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
    monkeypatch.setattr("lightship.infra.durable.BUSY_S", 0)


@pytest.fixture(params=BREAKS, ids=lambda one: one.__name__)
def broken(request, tmp_path):
    """A body whose compartment broke after its keys were read; and the words for it."""
    (tmp_path / "unit").mkdir()
    made = found(body(tmp_path / "unit"))
    holder = request.param(made.compartment)
    yield made, BREAKS[request.param]
    if holder is not None:
        holder.close()


def refused(made, passphrase, code):
    """Return all that a refused sign-in shows: answer, headers and lines in the log."""
    who = Visitor(made)
    form = re.search(r'name="form" value="([^"]+)"', who.get("/sign-in").text)[1]
    made.room.settings.log.lines.clear()
    sent = {"form": form, "then": "/", "name": "ula", "password": passphrase, "code": code}
    done = who.send(
        "POST", "/sign-in", data=sent, headers={"x-request-id": "one", "accept-encoding": "identity"}
    )
    heads = re.sub(r"nonce-[^']+|lightship-form=[^;]+", "", str(sorted(done.headers.items())))
    lines = [{k: v for k, v in one.items() if k != "took_ms"} for one in made.room.settings.log.lines]
    return done.status_code, heads, re.sub(r"nonce[-=][^'\s>]+|value=\"[^\"]*\"", "", done.text), lines


def test_from_outside_a_broken_compartment_is_as_none_and_those_inside_find_the_words(broken, tmp_path):
    made, words = broken
    (tmp_path / "none").mkdir()
    none = body(tmp_path / "none")
    passphrase, codes = made.inside["ula"]
    code = codes.at(made.clock())
    got = refused(made, passphrase, code)
    assert got == refused(none, passphrase, code)
    assert got[0] == 401

    trouble = made.compartment / "trouble"
    assert words in trouble.read_text()
    assert stat.S_IMODE(trouble.stat().st_mode) == 0o600
    with pytest.raises(StoreError, match=words):
        typed(made.folder, ("undercover", "due", "--by", "ula"))


def test_a_broken_compartment_is_no_trouble_of_the_console_which_starts_all_the_same(broken):
    made, words = broken
    chores, passed = Chores(first_s=0.01), Event()

    def step():
        made.app.state.keeper.refresh()
        passed.set()

    chores.every("what is asked for", 60.0, step)
    assert passed.wait(5)
    chores.end()
    assert chores.troubles() == ()
    (made.compartment / "trouble").unlink()
    again = body_again(made)
    assert Visitor(again).get("/sign-in").status_code == 200
    assert words in (made.compartment / "trouble").read_text()


def body_again(made):
    """Return a console that begins beside the broken compartment."""
    folder = made.folder / "again"
    folder.mkdir()
    (folder / "compartment").symlink_to(made.compartment)
    return body(folder)


def test_a_defect_at_the_door_is_not_shown_and_its_words_are_not_kept(tmp_path, monkeypatch):
    made = found(body(tmp_path))

    def fails(*_):
        raise TypeError("Jo Example")

    monkeypatch.setattr("lightship.console.door.from_table", fails)
    made.app.state.keeper.refresh()
    kept = (made.compartment / "trouble").read_text()
    assert "TypeError at " in kept
    assert "Jo Example" not in kept


@pytest.mark.parametrize("breaks", [damaged_store, lost_key])
def test_another_account_is_told_nothing_of_a_broken_compartment(breaks, tmp_path, monkeypatch):
    with CompartmentFile(tmp_path / "compartment") as store:
        found_compartment(store, ("fir", "gale"), datetime.now(UTC))
    holder = breaks(tmp_path / "compartment")
    words = ("undercover", "due", "--by", "fir")
    with pytest.raises(StoreError):
        typed(tmp_path, words)
    monkeypatch.setattr("os.geteuid", lambda: 4242)
    with pytest.raises(AccessDenied, match="There is nothing here for you"):
        typed(tmp_path, words)
    if holder is not None:
        holder.close()


def test_opening_makes_nothing(tmp_path):
    for name in ("absent", "empty"):
        if name == "empty":
            (tmp_path / name).mkdir()
        with opened(tmp_path / name) as store:
            assert store is None
    assert [one.name for one in tmp_path.rglob("*")] == ["empty"]
