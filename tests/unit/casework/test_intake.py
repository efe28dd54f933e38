"""Nothing that was acknowledged is lost, and nothing is without an owner and a clock."""

import hashlib
import json
import multiprocessing
import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables import tables
from tests.unit.exchange.referral_samples import MAPPING, SAMPLES
from tests.unit.infra.crashes import Steps, die

from lightship.casework import desk
from lightship.casework.intake import BATCH, Received, known_facts, read_again, reclassify, take_in
from lightship.casework.urgency import judge, rank, shipped
from lightship.casework.why import why
from lightship.core.casework import Identifier, Inquiry, Marking, Original, Parsed, Referral, Task, Use
from lightship.core.errors import InputError
from lightship.core.markings import read_marking
from lightship.exchange.referrals import FORMS, parse_mapping, reader_of
from lightship.infra.store import SqlStore

LADDER = shipped()
NOW = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
OFFICES = desk.Offices()
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.casework.test_intake"])


@pytest.fixture
def store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as opened:
        yield opened


def received(form="signal-json", data=None, sender="Lantern") -> Received:
    data = SAMPLES[form] if data is None else data
    return Received(form, sender, data, reader_of(form, parse_mapping(MAPPING, "m"))(data, NOW))


def signal(number: int, sender="Lantern", **fields) -> Received:
    row = {**json.loads(SAMPLES["signal-json"]), "id": f"sig-{number}", "facts": [], **fields}
    return received(data=json.dumps(row).encode(), sender=sender)


def take(store, *batch, now=NOW):
    return take_in(store, LADDER, batch, now=now, offices=OFFICES, by="ann", calling_code="44")


def sound(store) -> None:
    """Every referral has its original, an open inquiry with an owner and a clock, and a log of its collection."""
    with store.look() as work:
        inquiries = {one.id: one for one in work.find(Inquiry)}
        tasks = work.find(Task, {"state": "open"})
        for one in work.find(Referral):
            original = work.get(Original, one.original)
            assert hashlib.sha256(original.data).hexdigest() == one.original
            inquiry = inquiries[one.inquiry_id]
            assert inquiry.owner
            mine = [task for task in tasks if task.inquiry_id == inquiry.id]
            assert inquiry.due_at == min(task.due_at for task in mine)
            assert "safeguard" in {task.kind for task in mine}
            assert "collection" in {use.verb for use in work.find(Use, {"about": one.id})}
        assert len(work.find(Original)) == len(work.find(Referral))


def booked(store) -> list[dict]:
    with store.look() as work:
        rows = work.connection.execute(sa.select(store.schema.journal.c.entry))
        return [json.loads(row.entry) for row in rows]


def test_every_form_comes_in_owned_and_due(store):
    taken = take(store, *(received(form) for form in FORMS))
    assert all(one.owner == "intake desk" and one.due_at > NOW for one in taken)
    assert len({one.inquiry_id for one in taken}) == len(FORMS)
    sound(store)
    with store.look() as work:
        phone = {one.value for one in work.find(Identifier, {"kind": "phone"})}
        assert "+447700900123" in phone
        people = {one.person for one in work.find(Identifier)}
        assert all("/" in one for one in people), "people of different referrals are never joined here"
    assert sum(one["kind"] == "referral-taken-in" for one in booked(store)) == len(FORMS)
    assert not any("made.up" in json.dumps(one) for one in booked(store)), "the ledger holds no identifier"


def test_the_same_bytes_twice_are_one_whoever_sends_them(store):
    (first,), (again,) = take(store, received()), take(store, received(sender="another"))
    assert again.again
    assert again.referral_id == first.referral_id
    both = take(store, signal(1), signal(1))
    assert [one.again for one in both] == [False, True]
    sound(store)
    assert [one["sender"] for one in booked(store) if one["kind"] == "referral-came-again"] == [
        "another",
        "Lantern",
    ]


def test_unreadable_bytes_are_a_referral_that_says_so(store):
    (taken,) = take(store, received("cybertip-xml", b"\x00\xff no xml", "NCMEC"))
    assert taken.notes
    sound(store)
    with store.look() as work:
        tasks = work.find(Task, {"inquiry_id": taken.inquiry_id, "kind": "triage"})
        assert "not XML; nothing was read" in tasks[0].words
        assert work.get(Original, taken.original).data == b"\x00\xff no xml"


def test_what_came_under_the_wrong_form_is_read_again_from_the_bytes_that_came(store):
    (taken,) = take(store, received("cybertip-xml", SAMPLES["signal-json"], "Lantern"))
    assert taken.urgency == 5
    right = received("signal-json").parsed
    with store.begin() as work:
        again, notes = read_again(
            work, LADDER, taken.referral_id, right, form="signal-json", by="ann", now=NOW, calling_code="44"
        )
        assert (again.reference, again.facts, again.kind) == ("sig-1", ("live=day",), "unsaid")
        assert notes == ("a fact: not on the ladder's list, so it has no weight",)
        assert len(work.find(Identifier, {"referral_id": taken.referral_id})) == 2
        assert work.get(Inquiry, taken.inquiry_id).urgency == 2
        with pytest.raises(InputError, match="read already"):
            read_again(work, LADDER, taken.referral_id, right, form="signal-json", by="ann", now=NOW)
    sound(store)


def test_a_marking_is_not_lowered_by_reading_again(store):
    bare = Parsed("partner", "R", "k")
    (taken,) = take(
        store, Received("csv", "x", b"a", replace(bare, marking=Marking(tlp="red", originator="x")))
    )
    with store.begin() as work:
        for now_read, kept in (
            (Marking(originator="y"), Marking(tlp="red", originator="x; y")),
            (Marking(pap="amber"), Marking(tlp="red", pap="amber", originator="x; y")),
            (None, Marking(tlp="red", pap="amber", originator="x; y")),
        ):
            parsed = replace(bare, marking=now_read)
            again, _ = read_again(work, LADDER, taken.referral_id, parsed, form="csv", by="ann", now=NOW)
            assert read_marking(again.marking) == kept


def test_a_fact_that_is_not_on_the_list_is_a_note_and_no_error(store):
    (taken,) = take(store, received())
    assert any("not on the ladder's list" in one for one in taken.notes), "the sample says record=yes"
    with store.look() as work:
        assert work.get(Referral, taken.referral_id).facts == ("live=day",)


def test_what_a_sender_sends_again_joins_and_can_only_raise_it(store):
    (first,) = take(store, signal(1, facts=["material=known"]))
    (more,) = take(store, signal(1, facts=["live=now"]), now=NOW + timedelta(hours=1))
    assert more.joined
    assert more.inquiry_id == first.inquiry_id
    assert (first.urgency, more.urgency) == (4, 1)
    assert more.due_at < first.due_at
    (less,) = take(store, signal(1, text="nothing new"), now=NOW + timedelta(minutes=90))
    assert less.urgency == 1, "what is missing lowers nothing"
    (other,) = take(store, signal(1, sender="somebody else"))
    assert other.inquiry_id != first.inquiry_id, "a reference is its sender's own"
    sound(store)
    with store.look() as work:
        verbs = [one.verb for one in work.find(Use, {"about": more.referral_id})]
    assert sorted(verbs) == ["collection", "combination"]


def test_within_one_batch_a_repeat_joins_too(store):
    one, two, three = take(store, signal(1), signal(2), signal(1, facts=["live=now"]))
    assert three.inquiry_id == one.inquiry_id != two.inquiry_id
    assert three.urgency == 1
    sound(store)


def test_what_comes_after_an_inquiry_was_filed_away_opens_a_new_one(store):
    (first,) = take(store, signal(1))
    with store.begin() as work:
        desk.take(work, first.inquiry_id, by="ann", now=NOW)
        for task in work.find(Task, {"inquiry_id": first.inquiry_id, "state": "open"}):
            desk.finish(work, task.id, by="ann", outcome="done", now=NOW)
        desk.file_away(work, first.inquiry_id, by="ann", why="nothing found", now=NOW)
    (later,) = take(store, signal(1, text="more"))
    assert later.inquiry_id != first.inquiry_id
    assert not later.joined


def test_what_comes_after_a_merger_goes_to_the_one_that_is_left(store):
    one, two = take(store, signal(1), signal(2))
    with store.begin() as work:
        work.change(Inquiry, one.inquiry_id, {}, merged_into=two.inquiry_id)
    (later,) = take(store, signal(1, text="more"))
    assert later.inquiry_id == two.inquiry_id


def test_another_kind_is_held_and_the_first_one_stays(store):
    (taken,) = take(store, received())
    with store.begin() as work:
        changed = reclassify(work, taken.referral_id, "informational", by="ann", why="NCMEC said", now=NOW)
        assert (changed.kind, changed.kind_now) == ("buys livestreams", "informational")
        with pytest.raises(InputError):
            reclassify(work, taken.referral_id, " ", by="ann", why="x", now=NOW)
    assert booked(store)[-1]["was"] == "buys livestreams"


def test_completeness_is_no_part_of_urgency(store):
    bare = Parsed("signal", "a", "k", facts=("live=now",), held=1, holdable=20)
    full = Parsed("signal", "b", "k", facts=("live=now",), held=20, holdable=20)
    one, two = take(store, Received("f", "s", b"a", bare), Received("f", "s", b"b", full))
    assert one.urgency == two.urgency
    with store.look() as work:
        assert work.get(Referral, one.referral_id).completeness == 0.05


def test_no_fact_of_the_ladder_is_a_criminal_record():
    good, notes = known_facts(LADDER, ["record=yes", "live=now", "conviction=2019"])
    assert good == ("live=now",)
    assert notes


def test_a_batch_that_fails_is_not_there_at_all(store, monkeypatch):
    batch = [signal(number) for number in range(5)]

    def full(*_args, **_fields):
        raise OSError("no space")

    monkeypatch.setattr("lightship.casework.intake.normalise", full)
    with pytest.raises(OSError, match="no space"):
        take(store, *batch)
    monkeypatch.undo()
    with store.look() as work:
        assert not work.find(Referral)
        assert not work.find(Inquiry)
    assert booked(store) == []
    assert len(take(store, *batch)) == 5


def test_two_desks_take_the_same_files_in_at_once_and_it_is_one_of_each(store):
    batch, found = [signal(number) for number in range(40)], []
    threads = [threading.Thread(target=lambda: found.append(take(store, *batch))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {tuple(one.referral_id for one in each) for each in found} == {
        tuple(one.referral_id for one in found[0])
    }
    sound(store)
    with store.look() as work:
        assert len(work.find(Referral)) == 40


FACTS = st.lists(
    st.sampled_from(
        [f"{name}={value}" for name, values in sorted(LADDER.facts.items()) for value in sorted(values)]
    ),
    max_size=6,
)
QUEUE = st.lists(
    FACTS.map(lambda facts: (judge(LADDER, facts).level, judge(LADDER, facts).weight_db)), max_size=30
).map(Counter)


@settings(max_examples=200, deadline=None)
@given(FACTS, QUEUE)
def test_the_counterfactual_is_where_it_would_really_stand(facts, others):
    found = why(LADDER, facts, others)
    assert found.rank == rank(LADDER, facts, others)
    for one in found.without:
        less = [fact for fact in facts if not fact.startswith(one.factor.fact + "=")]
        assert (one.urgency.level, one.rank) == (judge(LADDER, less).level, rank(LADDER, less, others))
        assert one.rank >= found.rank
    for ask in found.ask:
        after = judge(LADDER, [*facts, f"{ask.factor.fact}={ask.factor.values[0]}"])
        assert after.weight_db == pytest.approx(found.urgency.weight_db + ask.gain_db)


# Killed ------------------------------------------------------------------------------------------


def take_until_killed(folder: str, at: int, series: int) -> None:
    """Take two batches in, and write each receipt down once it is given; dies at a step."""
    steps = Steps(at, die)
    with SqlStore(f"sqlite:///{folder}/s") as store, (Path(folder) / "said").open("a") as said:
        steps.within(store)
        for part in range(2):
            batch = [signal(1000 * series + 10 * part + n) for n in range(2)]
            batch.append(signal(1000 * series, text=f"again {part}", facts=["live=now"]))
            for one in take(store, *batch):
                said.write(f"{one.referral_id} {one.inquiry_id}\n")
            said.flush()


def killed(folder: Path, at: int, series: int) -> int:
    child = CHILDREN.Process(target=take_until_killed, args=(str(folder), at, series))
    child.start()
    child.join(60)
    return child.exitcode


def nothing_acknowledged_is_lost(folder: Path) -> int:
    """Return how many were acknowledged; each is there, owned and due."""
    said = (
        [line.split() for line in (folder / "said").read_text().splitlines()]
        if (folder / "said").exists()
        else []
    )
    with SqlStore(f"sqlite:///{folder / 's'}") as store:
        sound(store)
        with store.look() as work:
            there = {one.id: one.inquiry_id for one in work.find(Referral)}
            opened = {one.id for one in work.find(Inquiry)}
        assert all(there[referral] == inquiry for referral, inquiry in said)
        assert set(there.values()) == opened, "no inquiry without its referral"
        on_record = {one["referral"] for one in booked(store) if one["kind"] == "referral-taken-in"}
        assert on_record == set(there), "the record and the store say the same"
    return len(said)


@pytest.fixture
def folder(tmp_path):
    tables(tmp_path / "s")
    return tmp_path


def test_killed_at_some_steps_nothing_acknowledged_is_lost(folder):
    at, deaths = 1, 0
    while killed(folder, at, at) == -9:
        deaths, at = deaths + 1, at + 7
    assert deaths > 5, "it was killed at that many steps"
    assert nothing_acknowledged_is_lost(folder) >= 6


@pytest.mark.slow
def test_killed_a_thousand_times_nothing_acknowledged_is_lost(folder):
    rng, deaths, series = random.Random(5), 0, 0
    while deaths < 1000:
        series += 1
        deaths += killed(folder, rng.randint(1, 90), series) == -9
    assert nothing_acknowledged_is_lost(folder) > 100


def test_a_batch_is_no_larger_than_one_statement_can_ask_for(store):
    taken = take(store, *(signal(number) for number in range(BATCH + 3)))
    assert len({one.inquiry_id for one in taken}) == BATCH + 3
