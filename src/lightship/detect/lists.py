"""Governed lists: the versions in a store under the terms and decisions in a ledger, made searchable."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from lightship.core.entries import Collected, Entries, collect, digest
from lightship.core.errors import InputError, LightshipError, ListError
from lightship.core.governance import Book, Listed
from lightship.core.known import Entry, Terms
from lightship.core.manifest import Manifest, check_signers
from lightship.core.ports import ReadableLedger, VersionStore
from lightship.detect.bank import Bank, Exact, Part, build
from lightship.detect.index import SCAN_UP_TO
from lightship.detect.list_arrays import to_entries, to_index

Tell = Callable[[str], None]


def aloud(text: str) -> None:
    """Say it where a person sees it."""
    sys.stderr.write(f"{text}\n")


class Lists:
    """The lists of a deployment.

    Parameters
    ----------
    store
        Their versions.
    ledger
        Their terms, and every decision about them.
    """

    def __init__(self, store: VersionStore, ledger: ReadableLedger) -> None:
        self.store, self.ledger = store, ledger
        self._book, self._catching_up = Book(), threading.Lock()

    def book(self) -> Book:
        """Return what the ledger says by now."""
        with self._catching_up:
            for entry in self.ledger.entries(self._book.size):
                self._book.take(entry)
        return self._book

    def record(self, kind: str, name: str, **fields: Any) -> None:
        """Put something on record; it is on disk when this returns."""
        self.ledger.append({"kind": kind, "list": name, **fields})

    def listed(self, name: str) -> Listed:
        """Return the state of a list.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        lists = self.book().lists
        if name not in lists:
            known = ", ".join(sorted(lists)) or "none"
            raise InputError(
                f"There is no list “{name}”.", "", f"There are: {known}. Add it with `lightship lists add`."
            )
        return lists[name]

    def active(self) -> tuple[str, ...]:
        """Return the names of the lists of which a version is in force."""
        known = self.book().lists
        return tuple(name for name in self.store.names() if name in known)

    def manifest(self, name: str, version: int) -> Manifest:
        """Return the manifest of a version, whoever signed it.

        Raises
        ------
        ListError
            If it cannot be read or is none.
        """
        return Manifest.parse(self.store.note(name, version), f"list {name}, version {version}")

    def entries(self, name: str, version: int) -> Entries:
        """Return the entries of a version, once they are found to be those of its manifest.

        Raises
        ------
        ListError
            If it cannot be read or is not as it was written.
        """
        where = f"list {name}, version {version}"
        entries = to_entries(self.store.read(name, version).arrays, where)
        _check_digest(entries, self.manifest(name, version), where)
        return entries

    def bank(self, name: str, version: int = 0, *, scan_up_to: int = SCAN_UP_TO) -> Bank:
        """Return a list, searchable.

        Parameters
        ----------
        version
            0 means the one in force.
        scan_up_to
            See :func:`lightship.detect.index.build_index`.

        Raises
        ------
        ListError
            If it is damaged, lacks signatures that its terms ask for, or is not what was published.
        """
        listed = self.listed(name)
        version = version or self.store.current(name)
        where = f"list {name}, version {version}"
        if not version:
            raise ListError("No version of the list is in force.", f"list {name}", _first_step(listed))
        note = self.store.note(name, version)
        manifest = Manifest.parse(note, where)
        check_signers(note, listed.terms.signers, where)
        if (manifest.name, manifest.version) != (name, version):
            raise ListError("The manifest is of another list or version.", where, "Import the list again.")
        if version == listed.version and manifest.digest != listed.digest:
            raise ListError("The version is not the one that was published.", where, "Import it again.")
        arrays = self.store.read(name, version).arrays
        entries = to_entries(arrays, where)
        _check_digest(entries, manifest, where)
        table = entries.get("pdq")
        parts: tuple[Part, ...] = ()
        if table is not None:
            index = to_index(arrays, table.hashes(), listed.terms.distance, scan_up_to)
            parts = (Part(table, index, np.zeros(len(table), dtype=bool)),)
        bank = Bank(
            listed.terms,
            parts,
            {kind: Exact(one) for kind, one in entries.items() if kind != "pdq"},
            manifest.as_of,
            manifest.digest,
            version,
            manifest.skipped,
            manifest.quarantined,
            manifest.duplicates,
        )
        return self.under_decisions(bank)

    def under_decisions(self, bank: Bank) -> Bank:
        """Return a bank as it was loaded, with its canaries, and without the entries that a person disabled."""
        listed = self.listed(bank.terms.name)
        off = frozenset(listed.off)
        canaries = self._canaries(bank.terms)
        if canaries:
            table = collect(canaries, bank.terms.name).entries
            part = build(bank.terms, Collected(table, None, 0, 0, 0), bank.as_of).parts
            bank = replace(
                bank, parts=bank.parts + part, canaries=frozenset(one.reference for one in canaries)
            )
        return bank.disabled(off)

    def _canaries(self, terms: Terms) -> list[Entry]:
        numbers = range(1, terms.canaries + 1) if terms.role == "known" else ()
        return [
            Entry("pdq", self.store.canary(terms.name, number), 100, f"canary {number}") for number in numbers
        ]

    def last_good(self, name: str, *, scan_up_to: int = SCAN_UP_TO, tell: Tell = aloud) -> Bank:
        """Return the list in force or, where that is damaged or was rolled back, the newest good version kept.

        Parameters
        ----------
        tell
            Told when it is not the version in force that serves; the ledger is, too.

        Raises
        ------
        ListError
            If no kept version is good: the fault of the one in force.
        """
        current, published = self.store.current(name), self.listed(name).version
        try:
            if current < published:
                what = f"The list was rolled back: version {current} is in force, {published} was published."
                raise ListError(what, f"list {name}", "Find out who moved the pointer.")  # noqa: TRY301
            return self.bank(name, current, scan_up_to=scan_up_to)
        except ListError as error:
            fault = error
        for version in reversed(self.store.versions(name)):
            if version == current or version > max(current, published):
                continue
            try:
                bank = self.bank(name, version, scan_up_to=scan_up_to)
            except ListError:
                continue
            age = bank.age_days(datetime.now(UTC).date())
            tell(f"ALARM: {fault} Version {version} of {bank.as_of} ({age} days old) serves instead.")
            self.refuse(name, fault)
            return bank
        raise fault

    def refuse(self, name: str, why: LightshipError) -> None:
        """Put on record, once, that a version was refused and why."""
        if self.listed(name).refused != why.what:
            self.record("list refused", name, why=why.what)

    def alarm(self, bank: Bank, today: date) -> str:
        """Return the alarm of a list that is older than its terms allow, or an empty string; it goes on record."""
        if not bank.stale(today):
            return ""
        name, age = bank.terms.name, bank.age_days(today)
        if self.listed(name).stale_told != bank.version:
            self.record("list stale", name, version=bank.version, age_days=age)
        return (
            f"ALARM: the list {name} is stale: version {bank.version} of {bank.as_of} is {age} days old, and its terms "
            f"allow {bank.terms.max_age_days:g}. It goes on serving; refresh it."
        )


def _check_digest(entries: Entries, manifest: Manifest, where: str) -> None:
    if digest(entries) != manifest.digest:
        raise ListError("The entries are not those of the manifest.", where, "Import the list again.")


def _first_step(listed: Listed) -> str:
    if listed.terms.signers:
        return "Have its first version signed with `lightship lists sign`."
    return "Import one with `lightship lists refresh`."


def load_banks(lists: Lists, *, scan_up_to: int = SCAN_UP_TO, tell: Tell = aloud) -> tuple[Bank, ...]:
    """Return all lists in force, searchable; what is stale, damaged or rolled back is told and goes on record.

    Raises
    ------
    ListError
        If a list has no good version left.
    """
    today = datetime.now(UTC).date()
    banks = tuple(lists.last_good(name, scan_up_to=scan_up_to, tell=tell) for name in lists.active())
    for bank in banks:
        alarm = lists.alarm(bank, today)
        if alarm:
            tell(alarm)
    return banks
