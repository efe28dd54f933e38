"""Signing in: guessing, fixation, replay, idle and old sessions."""

from datetime import timedelta

import pytest
from tests.unit.console.making import PASSWORD, console
from tests.unit.console.visiting import Visitor

from lightship.console.accounts import FAILURES, IDLE, LONGEST, PER_ADDRESS, Accounts
from lightship.console.visits import local, masked, unmasked
from lightship.core.errors import InputError, StoreError
from lightship.core.people import Account, Session


@pytest.fixture
def made(tmp_path):
    return console(tmp_path)


def test_a_session_begins_with_a_new_cookie_and_the_old_one_is_worth_nothing(made):
    who = Visitor(made)
    who.cookies["lightship"] = "chosen-by-somebody-else"
    who.sign_in("mo")
    first = who.cookies["lightship"]
    assert first != "chosen-by-somebody-else"
    assert made.room.accounts.of("chosen-by-somebody-else") is None
    who.sign_in("mo")
    assert who.cookies["lightship"] != first
    assert made.room.accounts.of(first) is None


def test_the_cookie_is_kept_from_scripts_and_other_sites(tmp_path):
    made = console(tmp_path, secure=True)
    who = Visitor(made)
    page = who.get("/sign-in")
    assert page.headers["set-cookie"].startswith("__Host-lightship-form=")
    done = who.sign_in("mo")
    kept = next(
        one for one in done.headers.get_list("set-cookie") if one.startswith("__Host-lightship=")
    ).lower()
    for word in ("secure", "httponly", "samesite=strict", "path=/"):
        assert word in kept
    assert "domain" not in kept


def test_the_token_is_kept_nowhere(made):
    who = Visitor(made, "mo")
    kept = str([*made.all(Account), *made.all(Session)])
    assert who.cookies["lightship"] not in kept
    assert who.cookies["lightship"] not in str(list(made.ledger.entries()))
    assert PASSWORD not in kept
    assert made.codes["mo"].secret not in kept


@pytest.mark.parametrize(
    "form", [{"password": "wrong password"}, {"code": "000000"}, {"code": ""}, {"password": "", "code": ""}]
)
def test_one_answer_for_all_that_is_wrong(made, form):
    done = Visitor(made).sign_in("mo", **form)
    unknown = Visitor(made).sign_in("nobody", code="123456")
    assert done.status_code == unknown.status_code == 401
    assert "do not belong together" in done.text
    assert "do not belong together" in unknown.text


def test_a_code_is_good_once(made):
    made.clock.on(minutes=5)
    code = made.codes["mo"].at(made.clock())
    accounts = made.room.accounts
    assert accounts.sign_in("mo", PASSWORD, code, "a")
    assert accounts.sign_in("mo", PASSWORD, code, "a") is None
    before = made.codes["mo"].at(made.clock() - timedelta(seconds=30))
    assert accounts.sign_in("mo", PASSWORD, before, "a") is None


def test_guessing_locks_the_account_for_longer_and_longer(made):
    accounts, clock = made.room.accounts, made.clock
    for number in range(FAILURES):
        assert accounts.sign_in("mo", "wrong password", "1", f"a{number}") is None
    right = lambda: accounts.sign_in("mo", PASSWORD, made.codes["mo"].at(clock()), "elsewhere")  # noqa: E731
    assert right() is None
    first = made.one(Account, "mo").locked_until - clock()
    clock.on(seconds=61)
    assert accounts.sign_in("mo", "wrong password", "1", "b") is None
    assert made.one(Account, "mo").locked_until - clock() == 2 * first
    clock.on(minutes=3)
    assert right()
    assert made.one(Account, "mo").failures == 0
    assert len(made.ledger.of("sign-in-failed")) == FAILURES + 1


def test_one_address_may_not_try_all_names(made):
    accounts = made.room.accounts
    for number in range(PER_ADDRESS):
        accounts.sign_in(f"name{number}", "a password", "1", "10.0.0.9")
    right = made.codes["mo"].at(made.clock())
    assert accounts.sign_in("mo", PASSWORD, right, "10.0.0.9") is None
    assert accounts.sign_in("mo", PASSWORD, right, "10.0.0.10")


def test_sessions_end_when_idle_old_or_signed_out(made):
    who = Visitor(made, "mo")
    made.clock.on(seconds=IDLE.total_seconds() - 1)
    assert who.get("/queue").status_code == 200
    made.clock.on(seconds=IDLE.total_seconds())
    assert who.get("/queue").status_code == 303
    who = Visitor(made, "mo")
    for _ in range(int(LONGEST / timedelta(minutes=10))):
        made.clock.on(minutes=10)
        done = who.get("/queue")
    assert done.status_code == 303
    who = Visitor(made, "mo")
    kept = who.cookies["lightship"]
    assert who.post("/sign-out").status_code == 303
    who.cookies["lightship"] = kept
    assert who.get("/queue").status_code == 303


def test_a_session_that_nobody_came_back_to_has_an_end_too(made):
    Visitor(made, "mo")
    began = made.clock()
    made.clock.on(days=2)
    Visitor(made, "mo")
    left, now = sorted(made.all(Session, account="mo"), key=lambda one: one.began_at)
    assert left.ended_at == began + IDLE, "else it would never be forgotten"
    assert now.ended_at is None


def test_a_changed_role_or_a_closed_account_ends_its_sessions(made):
    who, root = Visitor(made, "mo"), Visitor(made, "root")
    until = "2027-01-01"
    assert root.post("/people/mo/change", role="lead", active="yes", trained_until=until).status_code == 303
    assert who.get("/queue").status_code == 303
    who = Visitor(made, "mo")
    assert who.get("/audit").status_code == 200
    root.post("/people/mo/change", role="lead", active="no", trained_until=until)
    assert who.get("/audit").status_code == 303
    assert Visitor(made).sign_in("mo").status_code == 401
    assert root.post("/people/root/change", role="lead", active="yes", trained_until=until).status_code == 403


def test_accounts_that_cannot_be_made(made):
    accounts, until = made.room.accounts, made.clock() + timedelta(days=1)
    with pytest.raises(InputError, match="name cannot"):
        accounts.add("../root", "x", "lead", PASSWORD, until)
    with pytest.raises(InputError, match="12 to 256"):
        accounts.add("new", "x", "lead", "short", until)
    with pytest.raises(StoreError):
        accounts.add("mo", "x", "lead", PASSWORD, until)
    with pytest.raises(InputError, match="too short"):
        Accounts(made.store, b"short", made.clock)


def test_the_sign_in_form_is_of_the_same_browser(made):
    one, other = Visitor(made), Visitor(made)
    one.get("/sign-in")
    other.get("/sign-in")
    form = made.room.accounts.form_token(other.cookies["lightship-form"])
    done = one.send("POST", "/sign-in", data={"form": form, "name": "mo", "password": PASSWORD, "code": "1"})
    assert done.status_code == 403


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\r\nX: 1", ""]
)
def test_after_signing_in_nobody_is_sent_elsewhere(made, then):
    assert local(then) == "/"
    assert Visitor(made).sign_in("mo", then=then).headers["location"] == "/"


def test_a_page_may_be_asked_for_before_signing_in(made):
    done = Visitor(made).sign_in("mo", then="/queue?live=yes")
    assert done.headers["location"] == "/queue?live=yes"


def test_the_forms_token_never_looks_the_same(made):
    assert len({masked("token") for _ in range(50)}) == 50
    assert unmasked(masked("token")) == "token"
    assert unmasked("no such thing") == ""
    assert made.all(Session) == []
