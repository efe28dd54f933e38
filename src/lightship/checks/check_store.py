"""Checks of a store, of leases, of a bus and of a vault: each raises ``AssertionError`` that says what is wrong.

They need a fresh one each, call nothing but the ports of :mod:`lightship.core.ports`, and take a few seconds.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from lightship.core.cases import Case, Exhibit, Report, Stream
from lightship.core.errors import LightshipError, StoreError, VaultError
from lightship.core.ports import Bus, Leases, Store, Vault

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""When all of it happens."""


def case(number: int, **fields: object) -> Case:
    """Return a case to check with."""
    return replace(
        Case(f"case-{number:04}", "stream", "machine", T0, T0, "words", 60.0, "stop", number / 100, 0.5, 0.5),
        **fields,  # type: ignore[arg-type]
    )


def check_store(make: Callable[[], Store]) -> None:
    """Check that a store keeps values whole, finds them in order, and lets one of several change a value."""
    store = make()
    _check_values(store)
    _check_transactions(store)
    _check_pages(store)
    _check_changes(store)


def _check_values(store: Store) -> None:
    stream = Stream(
        "s\N{SNOWMAN}'\"%_", "rtmp://x", "h", "public", "terms", "p", T0, None, None, 2**40, "<b>\n\t"
    )
    odd = replace(stream, id="odd", began_at=datetime(2026, 11, 1, 14, 0, 0, 1, tzinfo=UTC), child_host=False)
    with store.begin() as work:
        work.save(stream, odd)
        assert work.get(Stream, stream.id) == stream, "a transaction sees what it has saved"
    with store.look() as work:
        assert work.get(Stream, stream.id) == stream, "a value comes back as it was"
        assert work.get(Stream, "odd") == odd, "times keep their microseconds, False and None are different"
        assert work.get(Stream, "nobody") is None
        assert work.get(Case, "odd") is None, "ids are of one kind"
        began = work.find(Stream, {"child_host": None})
        assert [one.id for one in began] == [stream.id], "None is found as None"
    west = replace(stream, id="west", began_at=T0.astimezone().replace(microsecond=5))
    with store.begin() as work:
        work.save(west)
        assert work.get(Stream, "west") == west, "one moment is one moment in every zone"
    naive = replace(stream, id="naive", began_at=T0.replace(tzinfo=None))
    for bad in (naive, replace(stream, id="nul", title="\0")):
        assert _refused(store, bad), f"{bad.id} must be refused by every store alike"


def _refused(store: Store, value: Stream) -> bool:
    try:
        with store.begin() as work:
            work.save(value)
    except StoreError:
        return True
    return False


def _check_transactions(store: Store) -> None:
    try:
        with store.begin() as work:
            work.save(case(1))
            work.record({"kind": "never"})
            raise _Undo  # noqa: TRY301 - it is the block's end that is looked at
    except _Undo:
        pass
    with store.begin() as work:
        assert work.get(Case, "case-0001") is None, "an exception undoes a transaction"
        work.save(case(1))
        try:
            work.save(case(2), case(1))
        except StoreError:
            pass
        else:
            raise AssertionError("an id is given once")
        assert work.get(Case, "case-0002") is None, "save keeps all of its values or none"
        work.save(case(3))
    with store.look() as work:
        assert work.get(Case, "case-0003") is not None, "a refused save leaves the transaction usable"
        try:
            work.save(case(4))
        except StoreError:
            pass
        else:
            raise AssertionError("what is looked at cannot be changed")
    for entry in ({"x": float("nan")}, {"at": "yesterday"}, {"at": "2026-11-01T12:00:00"}):
        try:
            with store.begin() as work:
                work.record(entry)
        except LightshipError:
            continue
        raise AssertionError(f"{entry} must be refused at once, not when it is sealed")


class _Undo(Exception):
    pass


def _check_pages(store: Store) -> None:
    cases = [case(100 + n, reach=n % 3, live=n % 2 == 0, stopped_at=T0 if n % 4 else None) for n in range(23)]
    with store.begin() as work:
        work.save(*cases)
    ids = tuple(one.id for one in cases)
    for order in ((), ("-live", "reach"), ("-stopped_at", "-reach"), ("stopped_at",), ("-id",)):
        with store.look() as work:
            whole = work.find(Case, {"id": ids}, order=order)
            pages: list[Case] = []
            while page := work.find(
                Case, {"id": ids}, order=order, limit=5, after=pages[-1].id if pages else ""
            ):
                pages.extend(page)
        assert len(whole) == len(cases), "a tuple finds any of its values"
        assert pages == whole, f"pages join into the whole, ordered by {order}"
    with store.look() as work:
        found = work.find(Case, {"id": ids}, order=("-live", "reach"))
        assert work.find(Case, {"id": ()}) == [], "an empty tuple finds nothing"
    keys = [(not one.live, one.reach, one.id) for one in found]
    assert all(a < b for a, b in pairwise(keys)), "ordered by each field, then by id"
    with store.look() as work:
        times = [one.stopped_at for one in work.find(Case, {"id": ids}, order=("-stopped_at",))]
    assert None not in times[: -times.count(None)], "values without the field's value come last"
    with store.look() as work:
        tally = work.tally(Case, ("live", "reach"), {"id": ids})
    assert tally == Counter((one.live, one.reach) for one in cases), "a tally counts what a find would give"


def _check_changes(store: Store) -> None:
    with store.begin() as work:
        work.save(case(500))
        assert work.change(Case, "case-0500", {"claimed_by": "x"}, claimed_by="y") is None
        assert work.change(Case, "nobody", {}, claimed_by="y") is None
    winners: list[str] = []
    barrier = threading.Barrier(8)

    def claim(who: str) -> None:
        barrier.wait()
        with store.begin() as work:
            if (after := work.change(Case, "case-0500", {"claimed_by": ""}, claimed_by=who)) is not None:
                assert after.claimed_by == who, "change returns the new value"
                winners.append(who)

    _at_once(claim, [f"m{n}" for n in range(8)])
    assert len(winners) == 1, "of several that expect the same, one succeeds"
    with store.begin() as work:
        assert work.find(Case, {"claimed_by": winners[0]})[0].id == "case-0500"
        report = Report("r", "s", "other", "", T0, "case-0500")
        work.save(report)
        assert work.change(Report, "r", {"seen_at": None}, seen_at=T0) == replace(report, seen_at=T0)
        assert work.change(Report, "r", {"seen_at": None}, seen_at=T0) is None, "None is compared as None"
        entries = ("list/é", "list/'2\"")
        assert work.change(Case, "case-0500", {"matched": ()}, matched=entries) is not None
        assert work.change(Case, "case-0500", {"matched": ()}, matched=()) is None, "lists are compared too"
        found = work.change(Case, "case-0500", {"matched": entries}, matched=())
        assert found is not None


def _at_once(act: Callable[[str], None], who: Iterable[str]) -> None:
    errors: list[BaseException] = []

    def run(one: str) -> None:
        try:
            act(one)
        except BaseException as error:  # noqa: BLE001 - it is raised below, where it is seen
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in who]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def check_leases(make: Callable[[], Leases], ttl_s: float = 1.0) -> None:
    """Check that one holds a lease at a time, that lapsed ones are taken over, and that numbers rise.

    Parameters
    ----------
    make
        Returns the same leases each time, as several workers see them.
    ttl_s
        How long they last here.
    """
    leases, other = make(), make()
    names = ["a stream/\N{SNOWMAN} *.>", "b", "c"]
    first = leases.take(names, "one", ttl_s)
    assert set(first) == set(names), "free leases are taken"
    assert all(number > 0 for number in first.values())
    assert other.take(names, "two", ttl_s) == {}, "what another holds is not taken"
    assert dict(other.held()) == dict.fromkeys(names, "one")
    assert leases.take(names, "one", ttl_s) == first, "one's own are kept, with their numbers"
    other.free("b", "two")
    assert other.held()["b"] == "one", "only the holder gives a lease back"
    leases.free("b", "one")
    taken = other.take(names, "two", ttl_s)
    assert set(taken) == {"b"}, "a lease that was given back is free"
    assert taken["b"] > first["b"], "numbers rise"
    leases.take(["a stream/\N{SNOWMAN} *.>"], "one", ttl_s)
    began = time.monotonic()
    while not (over := other.take(["c"], "two", ttl_s)):
        assert time.monotonic() - began < 3 * ttl_s + 1, "a lease without a sign of life lapses"
        time.sleep(ttl_s / 20)
    assert over["c"] > first["c"], "numbers rise when a lapsed lease is taken over"
    assert "c" not in leases.take(["c"], "one", ttl_s), "the former holder learns that it lost its lease"
    holders: list[str] = []

    def grab(who: str) -> None:
        if make().take(["new"], who, ttl_s):
            holders.append(who)

    _at_once(grab, [f"w{n}" for n in range(6)])
    assert len(holders) == 1, "of several that ask at once, one gets it"


def check_bus(make: Callable[[], Bus], size: int) -> None:
    """Check that messages reach those who listen, in order, and that a full queue drops the oldest and counts it.

    Parameters
    ----------
    make
        Returns a bus on which ``size`` messages wait for one listener at most.
    size
        At least 4.
    """
    bus = make()
    bus.publish("topic", {"n": -1})
    with bus.subscribe("topic", "odd *.> topic") as one, bus.subscribe("topic") as two:
        bus.publish("topic", {"n": 1, "text": "\N{SNOWMAN}"})
        bus.publish("odd *.> topic", {"n": 2})
        bus.publish("nobody", {"n": 3})
        assert [next(one), next(one)] == [{"n": 1, "text": "\N{SNOWMAN}"}, {"n": 2}], (
            "to who listens, in order"
        )
        assert next(two) == {"n": 1, "text": "\N{SNOWMAN}"}
        began = time.monotonic()
        assert next(two) is None, "None comes while nothing does"
        assert 0.2 < time.monotonic() - began < 5, "about once a second"
    assert bus.dropped == 0
    with bus.subscribe("topic") as late:
        for n in range(size + 3):
            bus.publish("topic", {"n": n})
        until = time.monotonic() + 5
        while bus.dropped < 3 and time.monotonic() < until:
            time.sleep(0.01)
        assert bus.dropped == 3, "what is dropped is counted"
        assert next(late) == {"n": 3}, "the oldest are dropped"
    assert bus.dropped == 3, "the count outlives the listener"


def exhibit_of(data: bytes, **fields: object) -> Exhibit:
    """Return an exhibit of some bytes to check with."""
    name = hashlib.sha256(data).hexdigest()
    made = Exhibit(name, "case", "stream", 0.0, 1.0, "video/mp4", len(data), T0, T0 + timedelta(days=365))
    return replace(made, **fields)  # type: ignore[arg-type]


def check_vault(make: Callable[[], Vault]) -> None:
    """Check that a vault gives back what was sealed, refuses what is wrong, and that destroyed bytes are gone."""
    vault = make()
    for data in (b"", b"x", bytes(range(256)) * 5000):
        exhibit = exhibit_of(data)
        vault.seal(data, exhibit)
        assert make().open(exhibit, by="m", purpose="review") == data, (
            "bytes come back, also to another process"
        )
    data = b"something else"
    assert _fails(lambda: vault.seal(data + b"!", exhibit_of(data))), (
        "an id that is not the data's is refused"
    )
    assert _fails(lambda: vault.open(exhibit_of(b"never"), by="m", purpose="review")), (
        "what is not there is an error"
    )
    held = exhibit_of(data, hold="court order")
    vault.seal(data, held)
    assert _fails(lambda: vault.destroy(held, by="job", reason="expired", now=T0)), "a hold holds"
    free = replace(held, hold="")
    record = vault.destroy(free, by="job", reason="expired", now=T0)
    assert record.startswith("sha256:"), "destroying returns the record's digest"
    assert _fails(lambda: make().open(free, by="m", purpose="review")), "what was destroyed is gone"
    assert vault.destroy(free, by="job", reason="again", now=T0) == record, "it is destroyed once"


def _fails(act: Callable[[], object]) -> bool:
    try:
        act()
    except VaultError:
        return True
    return False
