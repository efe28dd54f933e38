"""The journal of live payments: the same promises on SQLite and PostgreSQL."""

import time

import pytest

from lightship.core.errors import StoreError
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.infra.postgres_payment_journal import PostgresPaymentJournal
from lightship.payments.acceptance import Intake
from tests.servers import postgres, postgres_of_ones_own, postgres_url  # noqa: F401 - fixtures
from tests.unit.payments.counting import COUNTING, pay


@pytest.fixture(params=["sqlite", "postgresql"])
def open_journal(request, tmp_path):
    if request.param == "sqlite":
        return lambda: SqlitePaymentJournal(tmp_path / "live")
    url = request.getfixturevalue("postgres_url")
    return lambda: PostgresPaymentJournal(url)


ODD = "s\N{SNOWMAN}'\"%_\0\n"


def test_what_is_appended_is_found_in_order_also_by_the_next_service(open_journal):
    with open_journal() as journal:
        assert journal.append([("p1", b"one"), (ODD, b"\0two")], [("a1", ODD, b"x"), ("a0", ODD, b"y")]) == (
            2,
            2,
        )
        assert journal.append([("p0", b"three")], []) == (3, 2)
    with open_journal() as journal:
        assert list(journal.payments(0)) == [(1, b"one"), (2, b"\0two"), (3, b"three")]
        assert list(journal.payments(2)) == [(3, b"three")]
        assert journal.known(["p1", ODD, "none"]) == {"p1": b"one", ODD: b"\0two"}
        assert journal.alerts_of([ODD, "p1"]) == {ODD: (b"x", b"y")}
        assert journal.alerts(0, 1) == [(1, b"x")]
        assert journal.alerts(1, 9) == [(2, b"y")]
        assert journal.append([("p4", b"")], [("a2", "p4", b"z")]) == (4, 3)


@pytest.mark.parametrize(
    ("payments", "alerts"),
    [([("new", b""), ("p1", b"")], []), ([("new", b"")], [("a9", "new", b""), ("a1", "new", b"")])],
)
def test_what_cannot_be_kept_whole_is_not_kept_at_all(open_journal, payments, alerts):
    with open_journal() as journal:
        journal.append([("p1", b"one")], [("a1", "p1", b"x")])
        with pytest.raises(StoreError, match="cannot be used"):
            journal.append(payments, alerts)
        assert [number for number, _ in journal.payments(0)] == [1]
        assert len(journal.alerts(0, 9)) == 1
        assert journal.append([("p2", b"")], []) == (2, 1)


def test_accounts_and_what_they_began_with_are_kept_beside(open_journal):
    with open_journal() as journal:
        assert journal.saved()[0] == 0
        journal.begin_with(iter(["a", "b", "b", ODD]))
        journal.begin_with(iter(["b", "c"]))
        assert journal.begun(["a", "b", "c", "d"]) == {"b", "c"}
        journal.save(7, [("ann", b"1"), (ODD, b"2")])
        journal.save(9, iter([("ann", b"3")]))
    with open_journal() as journal:
        through, accounts = journal.saved()
        assert (through, dict(accounts)) == (9, {"ann": b"3", ODD: b"2"})


def test_one_service_at_a_time_has_it(open_journal):
    with open_journal(), pytest.raises(StoreError, match="Another service has"):
        open_journal()
    open_journal().close()


def test_an_intake_goes_on_where_the_last_one_ended(open_journal):
    for round_ in range(3):
        with open_journal() as journal:
            intake = Intake(journal, COUNTING, save_every=2)
            pays = [pay(f"p{round_}-{number}", payer=f"c{number % 2}") for number in range(5)]
            assert {one.status for one in intake.put(pays).result(10)} == {"accepted"}
            assert [one.status for one in intake.put(pays[:1]).result(10)] == ["known"]
            if round_ != 1:  # else as after a kill: what was saved of accounts may lag behind
                intake.close()
            assert sum(intake.accounts.values()) == 5 * (round_ + 1)


def test_after_a_broken_connection_nothing_is_taken_until_a_new_start():
    with postgres_of_ones_own() as server:
        with PostgresPaymentJournal(server.url) as journal:
            journal.append([("p1", b"one")], [])
            server.stop()
            server.start()
            for _ in range(2):
                with pytest.raises(StoreError):
                    journal.append([("p2", b"two")], [])
            with pytest.raises(StoreError, match="Start the service again"):
                journal.known(["p1"])
        until = time.monotonic() + 10
        while True:
            try:
                again = PostgresPaymentJournal(server.url)
                break
            except StoreError:
                assert time.monotonic() < until
                time.sleep(0.05)
        with again:
            assert list(again.payments(0)) == [(1, b"one")]
