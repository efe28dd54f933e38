"""A running matcher follows the lists: what is published, disabled or released holds within a second or two.

What the matcher notices goes on record the other way: floods, canaries, and overrides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lightship.core.errors import LightshipError
from lightship.detect.bank import Bank
from lightship.detect.index import SCAN_UP_TO
from lightship.detect.lists import Lists, Tell, aloud
from lightship.detect.matcher import Flood, Matcher

POLL_S = 0.25
_SURVEY_S = 3600.0  # how often an unchanged list's age is looked at


@dataclass
class Follower:
    """Keeps a matcher's banks as the lists are.

    Parameters
    ----------
    lists
        Followed.
    matcher
        Whose banks are swapped.
    tell
        Told of every alarm.
    only
        Follow these lists alone; None follows all.
    """

    lists: Lists
    matcher: Matcher
    tell: Tell = aloud
    only: frozenset[str] | None = None
    scan_up_to: int = SCAN_UP_TO
    _seen: tuple[object, ...] = ()
    _surveyed_s: float = float("-inf")
    _aside: set[tuple[str, str]] = field(default_factory=set)
    _noticed: set[tuple[str, ...]] = field(default_factory=set)

    def step(self) -> bool:
        """Take in what changed since the last step, if anything; returns whether the banks were swapped."""
        self._write_down()
        lists = self.lists
        book = lists.book()
        names = [name for name in lists.active() if self.only is None or name in self.only]
        seen = (book.size, *((name, lists.store.current(name)) for name in names))
        due = time.monotonic() - self._surveyed_s > _SURVEY_S
        if seen == self._seen and not due:
            return False
        self._brake()
        serving = {bank.terms.name: bank for bank in self.matcher.banks}
        files = tuple(bank for bank in self.matcher.banks if not bank.version)
        banks = tuple(self._bank(name, serving.get(name)) for name in names) + files
        changed = banks != self.matcher.banks
        if changed:
            self.matcher.swap(banks)
        today = datetime.now(UTC).date()
        for alarm in filter(None, (lists.alarm(bank, today) for bank in banks if bank.version)):
            if due:
                self.tell(alarm)
        self._surveyed_s = time.monotonic() if due else self._surveyed_s
        self._seen = (lists.book().size, *seen[1:])
        return changed

    def _bank(self, name: str, now: Bank | None) -> Bank:
        """Return what serves from now on: what served before, unless something about the list changed."""
        listed = self.lists.listed(name)
        unchanged = (
            now is not None
            and now.version == self.lists.store.current(name)
            and now.terms == listed.terms
            and now.off_references == frozenset(listed.off)
        )
        if now is not None and unchanged:
            return now
        try:
            bank = self.lists.last_good(name, scan_up_to=self.scan_up_to, tell=self.tell)
        except LightshipError as error:
            if now is None:
                raise
            self.lists.refuse(name, error)
            self.tell(f"ALARM: {error} Version {now.version} of {now.as_of} goes on serving.")
            return now
        if now is not None and bank.version < now.version:
            return self._unless_disabled(now)
        return bank

    def _unless_disabled(self, now: Bank) -> Bank:
        """Return a bank that goes on serving although the store fell behind it."""
        return now.disabled(frozenset(self.lists.listed(now.terms.name).off))

    def _brake(self) -> None:
        """Set aside what the record says is set aside, and let go what a person released."""
        aside = {
            (name, reference)
            for name, listed in self.lists.book().lists.items()
            for reference in listed.aside
        }
        for key in self._aside - aside:
            self.matcher.brake.release(*key)
        for key in aside - self._aside:
            self.matcher.brake.hold(Flood(*key, self.matcher.brake.subjects, 0.0))
        self._aside = aside

    def _write_down(self) -> None:
        """Put on record what the matcher noticed; an entry's override once, whatever it overrides."""
        matcher, lists = self.matcher, self.lists
        while matcher.floods:
            flood = matcher.floods.popleft()
            reason = f"matched in {flood.subjects} places"
            lists.record(
                "entry set aside", flood.bank, reference=flood.reference, reason=reason, by="flood brake"
            )
            self.tell(f"ALARM: list {flood.bank}, entry {flood.reference} was set aside: it {reason}.")
        while matcher.notices:
            notice = matcher.notices.popleft()
            key = (notice.kind, notice.bank, notice.reference, notice.by)
            if key in self._noticed and notice.kind == "override":
                continue
            self._noticed.add(key)
            kind = "canary looked up" if notice.kind == "canary" else "match overridden"
            lists.record(
                kind, notice.bank, reference=notice.reference, reason=notice.by, subject=notice.subject
            )
            if notice.kind == "canary":
                asker = notice.subject or "somebody"
                self.tell(
                    f"ALARM: {asker} looked up {notice.reference} of the list {notice.bank}: it was copied."
                )


@contextmanager
def follow(
    lists: Lists,
    matcher: Matcher,
    *,
    every_s: float = POLL_S,
    tell: Tell = aloud,
    only: frozenset[str] | None = None,
) -> Iterator[Follower]:
    """Follow the lists while the block runs, in a thread of its own; banks that came straight from files stay.

    Raises
    ------
    ListError
        If a list has no good version at the start.
    """
    follower = Follower(lists, matcher, tell, only)
    follower.step()
    ended = threading.Event()

    def run() -> None:
        failing = ""
        while not ended.wait(every_s):
            try:
                follower.step()
                failing = ""
            except LightshipError as error:
                if str(error) != failing:
                    tell(f"ALARM: the lists cannot be followed: {error} What is loaded goes on serving.")
                failing = str(error)

    thread = threading.Thread(target=run, name="lists", daemon=True)
    thread.start()
    try:
        yield follower
    finally:
        ended.set()
        thread.join()
        follower.step()
