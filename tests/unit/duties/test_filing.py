"""Filing a report: once, whatever breaks; and what is asked of a person, and when."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers import postgres, postgres_model, postgres_tables, tables_url  # noqa: F401 - fixtures
from tests.tables import tables
from tests.unit.duties.reports import (
    KEY,
    T0,
    YEAR,
    Clock,
    MemoryNcmec,
    PlainVault,
    duty,
    make_ready,
    schema,
)
from tests.unit.exchange.cybertip_server import needs_xsd
from tests.unit.infra.crashes import Crash, Steps

from lightship.core.cases import Exhibit
from lightship.core.duties import Duty, Filing
from lightship.core.errors import AccessDenied, FilingError, VaultError
from lightship.core.statements import open_statement
from lightship.duties import filing
from lightship.duties.filing import Desk, Retry, Stopped, Taken, send, send_due
from lightship.duties.filing_cybertip import CyberTipCarrier
from lightship.duties.filing_snapshot import from_bytes
from lightship.infra.store import SqlStore

pytestmark = needs_xsd
RETRY = Retry(first_s=1, most_s=60, lease_s=90)


class World:
    """One platform and one NCMEC, with a clock that only the test moves."""

    def __init__(self, url):
        self.url, self.clock, self.vault, self.schema = url, Clock(), PlainVault(), schema()
        self.store, self.ncmec = SqlStore(url), MemoryNcmec(self.clock)

    def desk(self, store=None, line=None, **more):
        carrier = CyberTipCarrier(line or self.ncmec, self.schema, self.clock)
        keep = lambda at: at + YEAR  # noqa: E731
        return Desk(
            store or self.store, self.vault, {"cybertip": carrier}, self.clock, keep, retry=RETRY, **more
        )

    def ready(self, n=1, files=2):
        return make_ready(self.store, self.vault, self.schema, self.clock, n, files)

    def now(self, id_="d0001.1"):
        with self.store.look() as work:
            return work.get(Filing, id_)

    def get(self, kind, id_):
        with self.store.look() as work:
            return work.get(kind, id_)

    def booked(self, kind=None):
        with self.store.look() as work:
            column = self.store.schema.journal.c
            rows = work.connection.execute(sa.select(column.entry).order_by(column.number))
            entries = [json.loads(row.entry) for row in rows]
        return [one for one in entries if kind in {None, one["kind"]}]

    def until_settled(self, tries=60):
        for _ in range(tries):
            if self.now().state not in {"ready", "sending"}:
                break
            send_due(self.desk())
            self.clock.pass_s(95)


@pytest.fixture
def world(tmp_path):
    one = World(tables(tmp_path / "s"))
    yield one
    one.store.close()


def test_a_report_is_filed_with_its_files_and_the_duty_shows_the_reference(world):
    world.ready()
    assert send_due(world.desk()) == 1, world.now()
    mine, owed = world.now(), world.get(Duty, "d0001")
    assert (mine.state, mine.reference, owed.state, owed.reference) == ("filed", "1001", "filed", "1001")
    assert world.ncmec.calls == ["xsd", "submit", "upload", "fileinfo", "upload", "fileinfo", "finish"]
    (one,) = world.ncmec.finished().values()
    snapshot = from_bytes(world.vault.held[mine.snapshot])
    assert one.xml.decode() == snapshot.body, "what was sent is the snapshot, byte for byte"
    assert list(one.files.values()) == [world.vault.held[file.exhibit] for file in snapshot.files]
    assert len(one.details) == 2
    (told,) = world.booked("report-filed")
    assert (told["reference"], told["files"], told["aware_at"]) == ("1001", 2, T0.isoformat())
    assert {by for _, by, _ in world.vault.looks} == {"filing"}, (
        "each look of the filing is on the vault's log"
    )


def test_the_declaration_binds_a_person_to_the_bytes_and_an_outsider_can_check_it(world):
    mine = world.ready()
    (entry,) = world.booked("report-declared")
    kind, facts = open_statement(entry["note"], KEY.verifier)
    assert (kind, facts["snapshot"], facts["declared_by"]) == ("snapshot", mine.snapshot, "ada")
    assert "body" not in entry


def test_what_was_sent_is_kept_for_a_year_from_when_it_was_sent(world):
    mine = world.ready()
    world.clock.pass_s(10 * 86400)
    send_due(world.desk())
    assert world.get(Exhibit, mine.snapshot).expires_at == T0 + timedelta(days=10) + YEAR


def test_two_who_begin_at_once_begin_the_same_report_and_a_filed_duty_takes_only_supplements(world):
    with world.store.begin() as work:
        work.save(duty(1))
        one, two = (filing.begin(work, duty(1), "cybertip", T0) for _ in range(2))
        assert one == two
        with pytest.raises(AccessDenied, match="no filed report to supplement"):
            filing.begin(work, duty(1), "cybertip", T0, supplement=True)
    with world.store.begin() as work, pytest.raises(AccessDenied, match="Nothing is owed"):
        filing.begin(work, duty(2, authority="", reason=""), "cybertip", T0)
    world.ready(3)
    send_due(world.desk())
    with world.store.begin() as work:
        filed = work.get(Duty, "d0003")
        with pytest.raises(AccessDenied, match="filed under 1001"):
            filing.begin(work, filed, "cybertip", T0)
        more = filing.begin(work, filed, "cybertip", T0, supplement=True)
        assert (more.id, more.supplement_of, more.state) == ("d0003.2", "d0003.1", "building")


@pytest.mark.parametrize("word", ["xsd", "submit", "upload", "fileinfo", "finish"])
@pytest.mark.parametrize("mood", ["away", "lost", 1000])
def test_an_answer_that_does_not_come_is_followed_by_exactly_one_filed_report(world, word, mood):
    world.ready()
    once = [mood]
    world.ncmec.mood = lambda asked: once.pop() if asked == word and once else "well"
    world.until_settled()
    (one,) = world.ncmec.finished().values()
    assert len(one.files) == 2
    assert world.now().state == "filed"
    assert len(world.booked("report-filed")) == 1
    assert len(world.booked("report-not-confirmed")) == 1


def test_a_file_that_certainly_did_not_arrive_is_sent_again_in_the_same_report(world):
    world.ready()
    once = ["away"]
    world.ncmec.mood = lambda asked: once.pop() if asked == "upload" and once else "well"
    world.until_settled()
    assert world.ncmec.calls.count("submit") == 1
    assert world.ncmec.calls.count("retract") == 0


def test_a_file_that_may_have_arrived_is_never_in_a_filed_report_twice(world):
    world.ready()
    once = ["lost"]
    world.ncmec.mood = lambda asked: once.pop() if asked == "upload" and once else "well"
    world.until_settled()
    assert [one.state for one in world.ncmec.reports.values()] == ["retracted", "finished"]


@pytest.mark.parametrize("code", [2000, 3000])
def test_an_expired_credential_holds_the_report_for_a_person_and_resuming_goes_on_where_it_was(world, code):
    world.ready()
    world.ncmec.mood = lambda asked: code if asked == "finish" else "well"
    world.until_settled()
    mine = world.now()
    assert mine.state == "waiting"
    assert str(code) in mine.problem
    world.ncmec.mood = lambda _: "well"
    with world.store.begin() as work:
        filing.resume(
            work, mine.id, by="ada", why="The credential was renewed.", anew=False, now=world.clock()
        )
    world.until_settled()
    assert world.now().state == "filed"
    assert world.ncmec.calls.count("submit") == 1


@pytest.mark.parametrize("code", [4100, 4110, 4200])
def test_a_report_that_ncmec_refuses_waits_for_a_corrected_one(world, code):
    world.ready()
    world.ncmec.mood = lambda asked: code if asked == "submit" else "well"
    world.until_settled()
    assert world.now().state == "refused"
    assert str(code) in world.now().problem
    assert not world.ncmec.reports


@pytest.mark.parametrize("word", ["upload", "fileinfo", "finish"])
@pytest.mark.parametrize("code", [5001, 5002, 5101])
def test_a_report_that_is_gone_before_its_end_is_opened_anew(world, word, code):
    world.ready()
    once = [code]
    world.ncmec.mood = lambda asked: once.pop() if asked == word and once else "well"
    world.until_settled()
    assert world.now().state == "filed"
    assert len(world.ncmec.finished()) == 1


def test_a_report_left_open_too_long_is_opened_anew(world):
    world.ready()
    world.ncmec.mood = lambda asked: "away" if asked == "finish" else "well"
    send_due(world.desk())
    world.ncmec.mood = lambda _: "well"
    world.clock.pass_s(25 * 3600)
    world.until_settled()
    assert world.now().reference == "1002"
    assert len(world.ncmec.finished()) == 1


def test_where_the_authoritys_answer_leaves_it_open_a_person_is_asked(world):
    """The end was asked for, no answer came, and a day later there is no such report: finished, or dropped?"""
    world.ready()
    once = [0]
    world.ncmec.mood = lambda asked: 1000 if asked == "finish" and once else "well"
    send_due(world.desk())
    once.clear()
    world.clock.pass_s(25 * 3600)
    world.until_settled()
    mine = world.now()
    assert mine.state == "waiting"
    assert "nobody here knows whether it was filed" in mine.problem
    with world.store.begin() as work, pytest.raises(AccessDenied, match="not declared anew"):
        filing.declare(work, mine, world.get(Exhibit, mine.snapshot), {}, by="ada", now=world.clock())
    with pytest.raises(Stopped):
        filing.retract(world.desk(), mine.id, by="ada", why="Nobody knows.")
    with world.store.begin() as work:
        filing.resume(work, mine.id, by="ada", why="NCMEC says it was dropped.", anew=True, now=world.clock())
    world.until_settled()
    assert (world.now().state, len(world.ncmec.finished())) == ("filed", 1)
    assert world.booked("report-resumed")[0]["why"] == "NCMEC says it was dropped."


def test_a_schema_that_changed_so_that_reports_may_be_refused_stops_the_filing_and_says_where(world):
    world.ready()
    changed = world.ncmec.xsd_.replace(b'name="legalURL" minOccurs="0"', b'name="legalURL" minOccurs="1"', 1)
    assert changed != world.ncmec.xsd_
    world.ncmec.xsd_ = changed
    world.until_settled()
    assert world.now().state == "waiting"
    assert "report/reporter/legalURL: it must now be there" in world.now().problem
    assert "submit" not in world.ncmec.calls


def test_a_schema_that_only_took_something_in_stops_nothing(world):
    world.ready()
    new = b'<xs:element name="informational" minOccurs="0" type="xs:boolean" />\n<xs:element name="platform"'
    world.ncmec.xsd_ = world.ncmec.xsd_.replace(b'<xs:element name="platform"', new, 1)
    world.until_settled()
    assert world.now().state == "filed"


def test_a_file_that_is_no_longer_in_the_vault_holds_the_report_for_a_person(world):
    world.ready()
    real = world.vault.open_pieces

    def gone(exhibit, **why):
        raise VaultError("This exhibit was destroyed.", exhibit.id)

    world.vault.open_pieces = gone
    world.until_settled()
    assert world.now().state == "waiting"
    assert "destroyed" in world.now().problem
    world.vault.open_pieces = real
    with world.store.begin() as work:
        filing.resume(work, "d0001.1", by="ada", why="restored", anew=False, now=world.clock())
    world.until_settled()
    assert world.now().state == "filed"


def test_a_defect_in_an_adapter_loses_no_report_and_stops_no_other(world):
    world.ready(1)
    world.ready(2)

    class Broken(CyberTipCarrier):
        def take(self, step, one, *more):
            if one.id == "d0001.1":
                raise ZeroDivisionError
            return super().take(step, one, *more)

    desk = world.desk()
    desk.carriers["cybertip"] = Broken(world.ncmec, world.schema, world.clock)
    assert send_due(desk) == 1
    assert (world.now().state, world.now("d0002.1").state) == ("sending", "filed")
    world.until_settled()
    assert world.now().state == "filed"


def test_a_report_that_nothing_carries_waits_and_says_so(world):
    mine = world.ready()
    desk = world.desk()
    desk.carriers.clear()
    assert "Nothing here carries reports by 'cybertip'" in send(desk, mine).problem


def test_a_duty_that_does_not_take_the_reference_never_hides_that_the_report_was_filed(world, monkeypatch):
    world.ready()

    def book(*_, **__):
        raise AccessDenied("Only what is owed can be filed.")

    monkeypatch.setattr(filing, "put_on_duty", book)
    send_due(world.desk())
    assert world.now().state == "filed"
    assert "its duty does not show it" in world.now().problem


@pytest.mark.parametrize("when", ["before", "meanwhile", "too late"])
def test_a_report_is_taken_back_only_before_it_is_final(world, when):
    mine = world.ready()
    if when == "before":
        world.ncmec.mood = lambda asked: "away" if asked == "finish" else "well"
        send_due(world.desk())
        taken = filing.retract(world.desk(), mine.id, by="ada", why="It was a mistake.")
        assert taken.state == "retracted"
        assert [one.state for one in world.ncmec.reports.values()] == ["retracted"]
        assert world.get(Duty, "d0001").state == "owed", "the duty stays"
    elif when == "meanwhile":
        world.ncmec.mood = lambda asked: "lost" if asked == "finish" else "well"
        send_due(world.desk())
        assert filing.retract(world.desk(), mine.id, by="ada", why="It was a mistake.").state == "filed"
    else:
        send_due(world.desk())
        with pytest.raises(AccessDenied, match="supplement"):
            filing.retract(world.desk(), mine.id, by="ada", why="It was a mistake.")


def test_a_sender_that_comes_back_too_late_books_nothing_and_finishes_nothing(world):
    mine = world.ready()
    late = [True]

    def mood(asked):
        if asked == "upload" and late:
            late.clear()

            def linger():
                world.clock.pass_s(100)
                assert send_due(world.desk()) == 1, "another one takes it over"

            return linger
        return "well"

    world.ncmec.mood = mood
    send(world.desk(), mine)
    assert len(world.ncmec.finished()) == 1
    assert len(world.booked("report-filed")) == 1


def test_a_long_upload_shows_signs_of_life(world):
    mine = world.ready(files=1)
    slow = [60] * 2

    def pieces(exhibit, **_):
        for piece in PlainVault.open_pieces(world.vault, exhibit, by="filing", purpose="x"):
            world.clock.pass_s(slow.pop() if slow else 0)
            yield piece
            assert send_due(world.desk()) == 0, "nobody takes it over"

    world.vault.open_pieces = pieces
    assert send(world.desk(), mine).state == "filed"


def test_a_person_records_the_portals_reference_once(world):
    class Worksheet:
        def next(self, *_):
            return "print"

        def take(self, step, *_):
            return Taken(step, waits="Enter it in the portal.")

    mine = world.ready()
    desk = world.desk()
    desk.carriers["cybertip"] = Worksheet()
    with pytest.raises(AccessDenied, match="takes no reference"):
        filing.reference(desk, mine.id, "NCA-7", by="ada")
    assert send(desk, mine).state == "waiting"
    with pytest.raises(AccessDenied, match="empty"):
        filing.reference(desk, mine.id, "  ", by="ada")
    assert filing.reference(desk, mine.id, " NCA-7 ", by="ada").reference == "NCA-7"
    assert filing.reference(desk, mine.id, "NCA-7", by="ada").state == "filed"
    with pytest.raises(AccessDenied, match="has the reference NCA-7"):
        filing.reference(desk, mine.id, "NCA-8", by="ada")
    assert len(world.booked("report-filed")) == 1


def test_what_is_no_snapshot_is_said(world):
    for data in (b"x", b"{}", b'{"snapshot": 1}', b"[]"):
        with pytest.raises(FilingError, match="no snapshot"):
            from_bytes(data)


def test_on_either_database_a_report_is_filed_once(tables_url):  # noqa: F811
    world = World(tables_url)
    world.ready()
    assert send_due(world.desk()) == 1
    assert send_due(world.desk()) == 0
    world.store.close()


# Schedules --------------------------------------------------------------------------------------

WORDS = ("xsd", "submit", "upload", "fileinfo", "finish", "retract")
MOODS = ("well", "well", "well", "away", "lost", 1000)
WAITS_S = (0, 1, 40, 95, 95, 95, 3700, 90_000)


def play(world, seed, rounds=12):
    """Senders that die between any two steps, answers that are lost, and nights in between; then all is well again."""
    random_ = random.Random(seed)
    world.ready(files=random_.randint(0, 3))
    for _ in range(random_.randint(1, rounds)):
        world.ncmec.mood = lambda _word: random_.choice(MOODS)
        steps = Steps(random_.choice([0, *range(1, 60)]))
        with SqlStore(world.url) as mine, suppress(Crash, Stopped):
            line = _Stepped(world.ncmec, steps)
            send_due(world.desk(steps.within(mine), line))
        world.clock.pass_s(random_.choice(WAITS_S))
    world.ncmec.mood = lambda _word: "well"
    asked = 0
    for _ in range(5):
        world.until_settled()
        mine = world.now()
        if mine.state != "waiting":
            break
        asked += 1  # the person looks at what NCMEC has
        if mine.remote in world.ncmec.finished():
            filing.reference(world.desk(), mine.id, mine.remote, by="ada")
        else:
            with world.store.begin() as work:
                filing.resume(work, mine.id, by="ada", why="It is not there.", anew=True, now=world.clock())
    return asked


class _Stepped:
    """A step before and after each call: the process may die before it, or between the answer and its booking."""

    def __init__(self, line, steps):
        for word in WORDS:
            setattr(self, word, steps.around(getattr(line, word)))


def check(world):
    """Exactly one report was filed, it is the snapshot, and everything says so once."""
    mine, finished = world.now(), world.ncmec.finished()
    assert list(finished) == [mine.reference], "one, and the one we know"
    assert mine.state == "filed"
    (one,) = finished.values()
    snapshot = from_bytes(world.vault.held[mine.snapshot])
    assert one.xml.decode() == snapshot.body
    assert list(one.files.values()) == [world.vault.held[each.exhibit] for each in snapshot.files], (
        "each file once"
    )
    assert set(one.details) == set(one.files)
    kinds = Counter(each["kind"] for each in world.booked())
    assert kinds["report-filed"] == 1
    assert world.get(Duty, "d0001").reference == mine.reference


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_whatever_breaks_and_whenever_one_report_is_filed_and_none_is_lost(tmp_path_factory, seed):
    world = World(tables(tmp_path_factory.mktemp("w") / "s"))
    try:
        play(world, seed)
        check(world)
    finally:
        world.store.close()


@pytest.mark.slow
def test_500_random_schedules_file_500_reports_once_and_lose_none(tmp_path):
    asked = 0
    for seed in range(500):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(tables(folder / "s"))
        asked += bool(play(world, seed))
        check(world)
        world.store.close()
    print(f"500 schedules: 0 double filings, 0 lost; a person was asked in {asked}")
