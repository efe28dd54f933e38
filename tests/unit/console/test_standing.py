"""Quotas, tenants' files, and what a restart must not forget."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.console.logs import FIELDS, allowed
from lightship.console.problems import Problem
from lightship.console.quota import Quota
from lightship.console.standing import ALARM, QUERY, Standing
from lightship.console.tenants import Tenant, Tenants, add, lift
from lightship.core.errors import InputError

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ACME = Tenant("acme", "0" * 64, ("match",), ("*",), 60, 100)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 7200)), max_size=60),
    st.integers(60, 600),
    st.integers(600, 5000),
)
def test_no_minute_and_no_day_is_overdrawn(asks, per_minute, per_day):
    quota, now, taken = Quota(float(per_minute), NOON, NOON.date()), NOON, []
    for count, later_s in asks:
        now += timedelta(seconds=later_s)
        if not quota.wait_s(count, per_minute, per_day, now):
            taken.append((now, count))
    for start, _ in taken:
        within = [n for at, n in taken if start <= at <= start + timedelta(seconds=60)]
        assert sum(within) <= 2 * per_minute + 1  # a full bucket, and what flowed in since
    for day in {at.date() for at, _ in taken}:
        assert sum(n for at, n in taken if at.date() == day) <= per_day


@given(st.integers(1, 60), st.integers(1, 60))
def test_after_the_wait_it_is_granted(first, second):
    quota = Quota(60.0, NOON, NOON.date())
    assert quota.wait_s(first, 60, 1000, NOON) == 0
    wait_s = quota.wait_s(second, 60, 1000, NOON)
    if wait_s:
        assert quota.wait_s(second, 60, 1000, NOON + timedelta(seconds=wait_s - 0.001)) > 0
        assert quota.wait_s(second, 60, 1000, NOON + timedelta(seconds=wait_s + 0.001)) == 0


def test_a_restart_forgets_neither_the_days_use_nor_a_suspension():
    before = Standing(today=NOON.date())
    before.take(ACME, 50, NOON)
    before.suspend(ACME, NOON)
    entry = {"at": NOON.isoformat(), **before.entry()}
    after = Standing([json.loads(json.dumps(entry))], NOON.date())
    with pytest.raises(Problem) as refused:
        after.check(ACME)
    assert refused.value.kind == "suspended"
    after.take(ACME, 50, NOON)
    with pytest.raises(Problem) as refused:
        after.take(ACME, 1, NOON + timedelta(minutes=5))
    assert refused.value.retry_after_s == pytest.approx(11 * 3600 + 55 * 60)


def test_a_crash_forgets_only_what_was_not_recorded():
    entries = [
        {"at": NOON.isoformat(), **Standing().entry()},
        {"at": NOON.isoformat(), "kind": QUERY, "tenant": "acme", "asked": 60},
        {"at": NOON.isoformat(), "kind": ALARM, "tenant": "other", "asked": 7},
    ]
    standing = Standing(entries, NOON.date())
    with pytest.raises(Problem):
        standing.take(ACME, 41, NOON)
    standing.take(ACME, 40, NOON)
    with pytest.raises(Problem):
        standing.check(Tenant("other", "", (), (), 1, 1))
    assert Standing(entries, (NOON + timedelta(days=1)).date()).entry()["used"] == {}


def test_a_person_lifts_a_suspension_and_a_later_alarm_stands():
    standing = Standing()
    standing.suspend(ACME, NOON)
    lifted = Tenant("acme", "", (), (), 1, 1, (NOON + timedelta(hours=1)).isoformat())
    standing.check(lifted)
    standing.suspend(ACME, NOON + timedelta(hours=2))
    with pytest.raises(Problem):
        standing.check(lifted)


def test_the_file_holds_no_token_and_is_its_owners(tmp_path):
    path = tmp_path / "tenants.json"
    token = add(path, ACME)
    assert token not in path.read_text()
    assert len(token) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert Tenants(path).of(token).name == "acme"
    assert Tenants(path).of(token + "x") is None
    again = add(path, ACME)
    assert Tenants(path).of(token) is None
    assert Tenants(path).of(again) is not None


def test_a_running_service_takes_up_a_new_token_and_survives_a_broken_file(tmp_path, monkeypatch):
    path = tmp_path / "tenants.json"
    first = add(path, ACME)
    monkeypatch.setattr("lightship.console.tenants._LOOK_EVERY_S", 0.0)
    tenants = Tenants(path)
    second = add(path, Tenant("other", "", ("match",), ("*",), 1, 1))
    assert tenants.of(second).name == "other"
    lift(path, "other")
    assert tenants.of(second).lifted
    path.write_text("{")
    assert tenants.of(first) is not None
    assert "cannot be read" in tenants.trouble


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../etc"},
        {"name": "a\nb"},
        {"scopes": ["admin"]},
        {"per_minute": 0},
        {"per_minute": 101},
        {"lists": [1]},
        {"extra": 1},
        {"lifted": "yesterday"},
    ],
)
def test_a_wrong_entry_is_refused(tmp_path, wrong):
    path = tmp_path / "tenants.json"
    add(path, ACME)
    value = json.loads(path.read_text())
    value["tenants"][0] |= wrong
    path.write_text(json.dumps(value))
    with pytest.raises(InputError):
        Tenants(path)


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "tenants.json"
    add(path, ACME)
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        Tenants(path)


def test_a_log_line_has_no_field_that_is_not_on_the_list():
    line = allowed(None, "", {"event": "request", "hash": "ab" * 32, "account": "x", "status": 200})
    assert set(line) <= FIELDS
    assert "ab" not in json.dumps(line)
    assert "2 fields withheld" in line["reason"]
