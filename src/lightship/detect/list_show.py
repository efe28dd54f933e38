"""A governed list as a person sees it: what is in force, how old it is, what is off, and what they are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from lightship.core.errors import ListError
from lightship.core.governance import Listed
from lightship.core.manifest import Manifest
from lightship.core.tuning import tuning_record
from lightship.detect.lists import Lists


@dataclass(frozen=True, slots=True)
class Shown:
    """One list.

    Parameters
    ----------
    name
        What it is called.
    listed
        What the ledger says of it.
    manifest
        Of the version in force, if there is one.
    waiting
        The version that waits for signatures, 0 if none does.
    due
        When its settings must be decided on.
    age_days
        Of the version in force; -1 if there is none.
    alarms
        What a person should look at now.
    """

    name: str
    listed: Listed
    manifest: Manifest | None
    waiting: int
    due: date
    age_days: int
    alarms: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object; references, never hashes."""
        listed, manifest = self.listed, self.manifest
        return {
            "list": self.name,
            "role": listed.terms.role,
            "owner": listed.terms.owner,
            "distance_bits": listed.terms.distance,
            "version": manifest.version if manifest else 0,
            "as_of": manifest.as_of.isoformat() if manifest else None,
            "age_days": self.age_days if manifest else None,
            "counts": dict(manifest.counts) if manifest else {},
            "skipped": manifest.skipped if manifest else 0,
            "quarantined": manifest.quarantined if manifest else 0,
            "duplicates": manifest.duplicates if manifest else 0,
            "digest": manifest.digest if manifest else "",
            "waiting_for_signatures": self.waiting,
            "disabled": {ref: [act.reason, act.by, act.at.isoformat()] for ref, act in listed.off.items()},
            "set_aside": {ref: [act.reason, act.at.isoformat()] for ref, act in listed.aside.items()},
            "settings_due": self.due.isoformat(),
            "alarms": list(self.alarms),
        }

    def __str__(self) -> str:
        listed, manifest = self.listed, self.manifest
        owner = f" of {listed.terms.owner}" if listed.terms.owner else ""
        head = f"{self.name} ({listed.terms.role}{owner}), within {listed.terms.distance} bits"
        if manifest is None:
            lines = [f"{head}: no version in force"]
        else:
            counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(manifest.counts.items()))
            left = f"{manifest.skipped} bad, {manifest.quarantined} of low quality, {manifest.duplicates} seen before"
            lines = [
                f"{head}: version {manifest.version} of {manifest.as_of}, {self.age_days} days old: {counts}",
                f"  left out: {left}; {manifest.digest}",
            ]
        if self.waiting:
            lines.append(f"  version {self.waiting} waits for signatures")
        lines += [
            f"  disabled {ref}: {act.reason} ({act.by}, {act.at.date()})" for ref, act in listed.off.items()
        ]
        lines += [
            f"  set aside {ref}: {act.reason} ({act.at.date()}); release it with `lightship lists release`"
            for ref, act in listed.aside.items()
        ]
        return "\n".join([*lines, f"  settings to be decided on by {self.due}"])


def shown(lists: Lists, name: str, today: date) -> Shown:
    """Return a list as a person sees it; that it is stale goes on record.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    listed = lists.listed(name)
    version = lists.store.current(name)
    alarms, manifest = [], None
    try:
        manifest = lists.manifest(name, version) if version else None
    except ListError as error:
        alarms.append(str(error))
    due = tuning_record(name, listed).due
    newest = max(lists.store.versions(name), default=0)
    age = (today - manifest.as_of).days if manifest else -1
    limit = listed.terms.max_age_days
    if manifest and limit is not None and age > limit:
        alarms.append(
            f"the list {name} is stale: {age} days old, and its terms allow {limit:g}; it goes on serving"
        )
        if listed.stale_told != version:
            lists.record("list stale", name, version=version, age_days=age)
    if version < listed.version:
        alarms.append(f"the list {name} was rolled back from version {listed.version} to {version}")
    if listed.refused:
        alarms.append(f"the last version offered of {name} was refused: {listed.refused}")
    if today > due:
        alarms.append(f"the settings of {name} should have been decided on by {due}")
    alarms += [f"the entry {ref} of {name} floods and is set aside" for ref in listed.aside]
    return Shown(name, listed, manifest, newest if newest > version else 0, due, age, tuple(alarms))
