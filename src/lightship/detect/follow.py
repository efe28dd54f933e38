"""A running matcher follows the lists: what is published, disabled or released holds within a second or two.

What the matcher notices goes on record the other way: floods, canaries, and overrides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lightship.core.errors import LightshipError, ListError
from lightship.detect.bank import Bank
from lightship.detect.index import SCAN_UP_TO
from lightship.detect.lists import Lists, Tell, aloud
from lightship.detect.matcher import Flood, Matcher

POLL_S = 0.25
_SURVEY_S = 3600.0  # how often an unchanged list's age is looked at
_AGAIN_S = 10.0  # how often one that could not be used is tried: its file may have been put back


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
    _tried_s: float = float("-inf")
    _aside: set[tuple[str, str]] = field(default_factory=set)
    _noticed: set[tuple[str, ...]] = field(default_factory=set)

    def step(self) -> bool:
        """Take in what changed since the last step, if anything; returns whether the banks were swapped.

        What is wrong with a list that goes on serving stands in the matcher's ``troubles`` until it is right again.

        Raises
        ------
        LightshipError
            If the lists cannot be followed; what is loaded goes on serving.
        """
        try:
            return self._step()
        except LightshipError as error:
            self.matcher.troubles = (f"The lists cannot be followed: {error}",)
            self._seen = ()  # all is looked at anew once they can be
            raise

    def _step(self) -> bool:
        self._write_down()
        lists = self.lists
        book = lists.book()
        names = [name for name in lists.active() if self.only is None or name in self.only]
        self._missing(names)
        seen = (book.size, *((name, lists.store.current(name)) for name in names))
        now_s = time.monotonic()
        due = now_s - self._surveyed_s > _SURVEY_S
        again = bool(self.matcher.troubles) and now_s - self._tried_s > _AGAIN_S
        if seen == self._seen and not due and not again:
            return False
        self._tried_s = now_s
        self._brake()
        serving = {bank.terms.name: bank for bank in self.matcher.banks}
        troubles = [
            f"The list {name} is not in its store: nothing matches it."
            for name, listed in book.lists.items()
            if listed.version and name not in names and (self.only is None or name in self.only)
        ]
        before = self.matcher.troubles
        banks = tuple(self._bank(name, serving.get(name), troubles) for name in names)
        self.matcher.troubles = tuple(troubles)
        for trouble in troubles:
            if trouble not in before:
                self.tell(f"ALARM: {trouble}")
        changed = self.matcher.change(lambda now: (*banks, *(bank for bank in now if not bank.version)))
        today = datetime.now(UTC).date()
        for alarm in filter(None, (lists.alarm(bank, today) for bank in banks)):
            if due:
                self.tell(alarm)
        self._surveyed_s = time.monotonic() if due else self._surveyed_s
        self._seen = (lists.book().size, *seen[1:])
        return changed

    def _missing(self, names: Sequence[str]) -> None:
        """Refuse to take lists that are not there any more for lists that nobody has: their folder may be away."""
        gone = {bank.terms.name for bank in self.matcher.banks if bank.version} - set(names)
        if gone:
            name = min(gone)
            raise ListError(
                "The list is not in its store any more.", f"list {name}", "Bring its folder back."
            )

    def _bank(self, name: str, now: Bank | None, troubles: list[str]) -> Bank:
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
            troubles.append(f"{error} Version {now.version} of {now.as_of} goes on serving.")
            return now
        published = self.lists.listed(name).version
        if bank.version < published:
            served = max(bank.version, now.version if now is not None else 0)
            troubles.append(
                f"Version {published} of the list {name} cannot be used; version {served} serves."
            )
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


class ListFiles:
    """Keeps a matcher's banks as their files are, where lists come straight from files.

    Parameters
    ----------
    matcher
        Whose banks are swapped.
    loads
        By path, what loads its bank; each is loaded now.
    tell
        Told of every alarm.

    Raises
    ------
    InputError
        If a file cannot be read or has bad lines.
    """

    def __init__(
        self, matcher: Matcher, loads: Mapping[Path, Callable[[], Bank]], tell: Tell = aloud
    ) -> None:
        self.matcher, self._loads, self._tell = matcher, loads, tell
        self._loaded = {path: _state(path) for path in loads}
        self._last = dict(self._loaded)
        self._banks = {path: load() for path, load in loads.items()}
        matcher.swap((*matcher.banks, *self._banks.values()))

    def step(self) -> bool:
        """Load anew what changed and has come to rest since the last step; returns whether a bank was swapped.

        A file that is gone or cannot be used leaves its bank serving, and stands in ``file_troubles`` till it is right.
        """
        troubles = {one.partition(" cannot be used")[0]: one for one in self.matcher.file_troubles}
        swapped = False
        for path, load in self._loads.items():
            state, last = _state(path), self._last[path]
            self._last[path] = state
            if state != last or state == self._loaded[path]:
                continue  # as it was, or being written just now
            self._loaded[path] = state
            name = f"The list file {path}"
            troubles.pop(name, None)
            try:
                bank = load()
            except LightshipError as error:
                as_of = self._banks[path].as_of
                troubles[name] = (
                    f"{name} cannot be used: {error.what} What was loaded of {as_of} goes on serving."
                )
                self._tell(f"ALARM: {troubles[name]}")
                continue
            old, self._banks[path] = self._banks[path], bank
            swapped |= self.matcher.change(partial(_instead, old, bank))
        self.matcher.file_troubles = tuple(troubles.values())
        return swapped


def _instead(old: Bank, new: Bank, banks: tuple[Bank, ...]) -> list[Bank]:
    return [new if one is old else one for one in banks]


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes with a file; nothing for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def follow_files(files: ListFiles, *, every_s: float = POLL_S) -> Iterator[None]:
    """Follow lists' files while the block runs, in a thread of its own."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(every_s):
            try:
                files.step()
            except Exception as error:  # noqa: BLE001 - a defect here must not end the following unseen
                failing = f"The lists' files cannot be followed: it failed with {type(error).__name__}."
                files.matcher.file_troubles = (failing,)

    thread = threading.Thread(target=run, name="list files", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
            except Exception as error:  # noqa: BLE001 - a defect here must not end the following unseen
                failing = f"Following them failed with {type(error).__name__}."
                matcher.troubles = (f"The lists cannot be followed: {failing}",)

    thread = threading.Thread(target=run, name="lists", daemon=True)
    thread.start()
    try:
        yield follower
    finally:
        ended.set()
        thread.join()
        follower.step()
