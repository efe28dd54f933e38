"""What is done to a governed list: added, refreshed, signed, compared, checked; and what people decide of its entries.

A version is prepared beside the one in force and put in force only when its manifest bears the signatures that the
list's terms ask for. Whatever fails before that leaves the version in force where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lightship.core.changes import Changes, Difference, applied, difference
from lightship.core.entries import Collected, collect, digest
from lightship.core.errors import InputError, LightshipError, ListError
from lightship.core.known import Terms
from lightship.core.manifest import SIGNERS_NEEDED, Manifest, check_follows, check_signers, signed, signers
from lightship.core.notes import SigningKey
from lightship.core.terms import Source, to_table
from lightship.detect.bank import Bank, build
from lightship.detect.list_arrays import to_arrays
from lightship.detect.lists import Lists
from lightship.exchange import hash_lists


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version that was written.

    Parameters
    ----------
    manifest
        What it is.
    signed_by
        Who signed it so far.
    in_force
        Whether it is in force, or waits for signatures.
    """

    manifest: Manifest
    signed_by: tuple[str, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Entries offered as a list's next version.

    Parameters
    ----------
    collected
        The entries and what was counted while reading them.
    source
        Where they came from, in words.
    as_of
        The day they are from, where they do not say.
    note
        The owner's manifest, if there is one.
    facts
        What is kept with the version, such as an exchange's checkpoint.
    """

    collected: Collected
    source: str
    as_of: date
    note: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def set_terms(lists: Lists, terms: Terms, source: Source, by: str) -> None:
    """Put a list's terms on record, unless they are what they were."""
    table = to_table(terms, source)
    known = lists.book().lists.get(terms.name)
    if known is None or to_table(known.terms, known.source) != table:
        lists.record("list terms", terms.name, terms=table, by=by)


def read_file(path: Path, form: str, as_of: date, *, skip_bad: bool = False, note: str = "") -> Offer:
    """Read a list's file as its next version.

    Raises
    ------
    InputError
        As :func:`lightship.detect.bank.load`.
    """
    collected = collect(hash_lists.read(path, form), str(path), skip_bad=skip_bad)
    return Offer(collected, f"file {path.name}", as_of, note)


@contextmanager
def refusing(lists: Lists, name: str) -> Iterator[None]:
    """Put on record what is refused, and say what goes on serving."""
    try:
        yield
    except LightshipError as error:
        if name in lists.book().lists:
            lists.refuse(name, error)
            error.todo = f"{error.todo} {serving(lists, name)}".strip()
        raise


def serving(lists: Lists, name: str) -> str:
    """Return what goes on serving when a version is refused, in a sentence."""
    version = lists.store.current(name)
    if not version:
        return "No version of the list is in force yet."
    day = lists.manifest(name, version).as_of
    age = (datetime.now(UTC).date() - day).days
    return f"Version {version} of {day} ({age} days old) goes on serving."


def offer(lists: Lists, name: str, offered: Offer, by: str, *, sealed: bool = True) -> Prepared:
    """Write a list's next version, and put it in force if its terms allow.

    Parameters
    ----------
    by
        Who does it.
    sealed
        Encrypt it at rest.

    Raises
    ------
    ListError
        If a manifest came with it and does not fit it, is not signed by two of the signers, or rolls the list back.
    """
    with refusing(lists, name), lists.store.lock(name):
        listed = lists.listed(name)
        last = lists.manifest(name, listed.version) if listed.version in lists.store.versions(name) else None
        found = offered.collected
        if last is not None and not offered.note and digest(found.entries) == last.digest:
            return Prepared(
                last, signers(lists.store.note(name, last.version), listed.terms.signers), in_force=True
            )
        manifest = Manifest(
            name,
            listed.version + 1,
            digest(found.entries),
            found.as_of or offered.as_of,
            {kind: len(table) for kind, table in found.entries.items()},
            offered.source,
            listed.digest,
            found.skipped,
            found.quarantined,
            found.duplicates,
        )
        note = manifest.note()
        if offered.note:
            note, manifest = offered.note, _owners(offered.note, manifest, last, listed.terms)
        bank = build(listed.terms, found, manifest.as_of, version=manifest.version)
        file = lists.store.write(name, manifest.version, to_arrays(bank), offered.facts, note, sealed=sealed)
        lists.record(
            "list prepared", name, version=manifest.version, digest=manifest.digest, file=file, by=by
        )
        return _put_in_force(lists, manifest, note, by)


def _owners(note: str, ours: Manifest, last: Manifest | None, terms: Terms) -> Manifest:
    """Return the owner's manifest, if it is of these entries, rightly signed, and follows."""
    where = f"list {ours.name}"
    manifest = Manifest.parse(note, where)
    check_signers(note, terms.signers, where)
    check_follows(manifest, last)
    if manifest.name != ours.name or manifest.digest != ours.digest:
        raise ListError(
            "The list's checksum is not the one in its manifest: the file was changed, or is another.",
            where,
            "Fetch both again.",
        )
    return manifest


def _put_in_force(lists: Lists, manifest: Manifest, note: str, by: str) -> Prepared:
    keys = lists.listed(manifest.name).terms.signers
    found = signers(note, keys)
    if keys and len(found) < SIGNERS_NEEDED:
        return Prepared(manifest, found, in_force=False)
    lists.store.publish(manifest.name, manifest.version)
    lists.record(
        "list published",
        manifest.name,
        version=manifest.version,
        digest=manifest.digest,
        previous=manifest.previous,
        as_of=manifest.as_of.isoformat(),
        counts=dict(manifest.counts),
        source=manifest.source,
        signed_by=list(found),
        by=by,
    )
    return Prepared(manifest, found, in_force=True)


def sign(lists: Lists, name: str, key: SigningKey, by: str) -> Prepared:
    """Sign the newest version of a list; with the second signature it comes into force.

    Raises
    ------
    InputError
        If the key is none of the list's signers, or there is no version.
    ListError
        If the version is not what its manifest says.
    """
    with lists.store.lock(name):
        terms = lists.listed(name).terms
        if str(key.verifier) not in terms.signers:
            raise InputError(
                f"{key.name} is none of the list's signers.", f"list {name}", "Name the key in its terms."
            )
        version = max(lists.store.versions(name), default=0)
        if not version:
            raise InputError("The list has no version to sign.", f"list {name}", "Import one.")
        lists.entries(name, version)
        note = signed(lists.store.note(name, version), key)
        lists.store.set_note(name, version, note)
        lists.record("list signed", name, version=version, signer=key.name, by=by)
        manifest = lists.manifest(name, version)
        if version == lists.store.current(name):
            return Prepared(manifest, signers(note, terms.signers), in_force=True)
        return _put_in_force(lists, manifest, note, by)


Fetch = Callable[[Source, Mapping[str, Any]], tuple[Changes, Mapping[str, Any]]]
"""Fetches what is new from an exchange since a checkpoint; returns it with the next checkpoint."""


def refresh(lists: Lists, name: str, fetch: Fetch, today: date, by: str) -> Prepared:
    """Fetch what is new of a list from its exchange, and make it the next version.

    Raises
    ------
    LightshipError
        Whatever goes wrong on the way; the version in force goes on serving.
    """
    with refusing(lists, name):
        source = lists.listed(name).source
        version = max(lists.store.versions(name), default=0)
        stored = lists.store.read(name, version) if version else None
        facts = stored.facts if stored is not None else {}
        changes, facts = fetch(source, facts)
        entries = lists.entries(name, version) if version else {}
        found = applied(entries, changes, f"list {name}")
        if not found.entries:
            raise ListError("The exchange's list is empty.", f"list {name}", "Check the environment.")
    offered = Offer(found, f"exchange {source.api}", today, "", facts)
    return offer(lists, name, offered, by, sealed=stored.sealed if stored is not None else True)


def compare(lists: Lists, name: str, old: int = 0, new: int = 0) -> Difference:
    """Return what came and went between two kept versions; the last two unless named.

    Raises
    ------
    InputError
        If there are no two.
    ListError
        If one is damaged.
    """
    kept = lists.store.versions(name)
    new = new or (kept[-1] if kept else 0)
    old = old or max((one for one in kept if one < new), default=0)
    if old not in kept or new not in kept:
        raise InputError(
            "There are no two such versions to compare.", f"list {name}", f"Kept are {list(kept)}."
        )
    return difference(lists.entries(name, old), lists.entries(name, new))


def verify(lists: Lists, name: str) -> tuple[Bank, Manifest, tuple[str, ...]]:
    """Check everything about the version in force: digests, manifest, signatures, and that it is what was published.

    Raises
    ------
    ListError
        If something does not hold.
    """
    listed, version = lists.listed(name), lists.store.current(name)
    if version < listed.version:
        raise ListError(
            f"The list was rolled back: version {version} is in force, {listed.version} was published.",
            f"list {name}",
            "Find out who moved the pointer.",
        )
    bank = lists.bank(name, version)
    note = lists.store.note(name, version)
    return bank, lists.manifest(name, version), check_signers(note, listed.terms.signers, f"list {name}")


def disable(lists: Lists, name: str, reference: str, reason: str, by: str) -> None:
    """Keep one entry from matching.

    Raises
    ------
    InputError
        If the list holds no such entry, or no reason is given.
    """
    lists.listed(name)
    _need(reason)
    version = lists.store.current(name)
    entries = lists.entries(name, version) if version else {}
    if not any(len(table.references.rows_of(reference)) for table in entries.values()):
        raise InputError(f"The list holds no entry “{reference}”.", f"list {name}", "Check the reference.")
    lists.record("entry disabled", name, reference=reference, what="disabled", reason=reason, by=by)


def enable(lists: Lists, name: str, reference: str, reason: str, by: str) -> None:
    """Let a disabled entry match again.

    Raises
    ------
    InputError
        If it is not disabled, or no reason is given.
    """
    those = lists.listed(name).off
    _need(reason)
    _among(those, reference, "disabled")
    lists.record("entry enabled", name, reference=reference, what="enabled", reason=reason, by=by)


def release(lists: Lists, name: str, reference: str, reason: str, by: str) -> None:
    """Let an entry match again that the flood brake set aside.

    Raises
    ------
    InputError
        If it is not set aside, or no reason is given.
    """
    those = lists.listed(name).aside
    _need(reason)
    _among(those, reference, "set aside")
    lists.record("entry released", name, reference=reference, what="released", reason=reason, by=by)


def _need(reason: str) -> None:
    if not reason.strip():
        raise InputError("A reason is needed.", "", "Give one with --reason; it goes on record.")


def _among(those: Mapping[str, Any], reference: str, what: str) -> None:
    if reference not in those:
        raise InputError(f"The entry “{reference}” is not {what}.", "", f"{', '.join(those) or 'None'} is.")


def feed_back(lists: Lists, name: str, reference: str, verdict: str, reason: str, by: str) -> None:
    """Record for the list's owner that an entry was confirmed, or matches what it should not.

    Raises
    ------
    InputError
        If the verdict is neither, or no reason is given.
    """
    lists.listed(name)
    _need(reason)
    if verdict not in ("confirmed", "false-positive"):
        raise InputError(f"“{verdict}” is no verdict.", "", "Say confirmed or false-positive.")
    lists.record("entry feedback", name, reference=reference, what=verdict, reason=reason, by=by)


def feedback_for_owner(lists: Lists, name: str) -> dict[str, Any]:
    """Return what was said of a list's entries, for its owner: references and words, never hashes or names."""
    listed = lists.listed(name)
    said = [
        {"entry": act.reference, "verdict": act.what, "reason": act.reason, "at": act.at.isoformat()}
        for act in listed.feedback
    ]
    return {"list": name, "owner": listed.terms.owner, "feedback": said}
