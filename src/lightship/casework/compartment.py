"""The compartment: who is inside, what two people must agree to, and one answer to everybody else.

Outside, nothing can be told from nothing: a name that is not a member's gets the same refusal whether the compartment
is empty, full or not there, and is refused before anything but the list of members is read.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import secrets
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from lightship.core.errors import AccessDenied, InputError

Role = Literal["covert-desk", "authorising-officer", "unit", "auditor"]
ROLES: tuple[Role, ...] = ("covert-desk", "authorising-officer", "unit", "auditor")
Override = Literal["see-identity", "admit", "auditor-reads", "decide-error"]
"""What needs two people. Activity after a lapse is not among them: no number of people can allow that."""
OVERRIDES: tuple[Override, ...] = get_args(Override)
OVERRIDE_S = 24 * 3600.0
V = TypeVar("V")


class SealedStore(Protocol):
    """Values of a compartment, encrypted; the fields of an identity under a key of their own."""

    def put(self, kind: str, id_: str, value: Mapping[str, Any]) -> None:
        """Keep a value; one of the same kind and id is replaced."""

    def put_all(self, kind: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep values by their ids: all or none."""

    def get(self, kind: str, id_: str, *, identity: bool = False) -> dict[str, Any] | None:
        """Return a value, or None; without ``identity`` its identity fields are empty."""

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the values of a kind in the order of their ids, identity fields empty."""

    def note(self, entry: Mapping[str, Any]) -> None:
        """Put an act on the compartment's own ledger; when this returns it is on disk."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody inside."""

    id: str
    role: Role
    admitted_at: datetime
    admitted_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What somebody inside signs in with to its pages.

    Parameters
    ----------
    id
        The member.
    digest
        SHA-256 of the passphrase, which is made and never chosen: of 120 random bits no guess is good.
    code_secret, code_used
        Of their one-time codes (RFC 6238), base 32; and the last step of time that one was taken for.
    """

    id: str
    digest: str
    code_secret: str
    code_used: int = 0


def new_key(person: str) -> tuple[Key, str]:
    """Return a new key and its passphrase, which is shown once; the secret of the codes is in the key."""
    passphrase = secrets.token_urlsafe(15)
    code_secret = base64.b32encode(secrets.token_bytes(20)).decode()
    return Key(person, hashlib.sha256(passphrase.encode()).hexdigest(), code_secret), passphrase


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's agreement that something be done once, about one thing, for a reason.

    Parameters
    ----------
    role
        As what somebody is to be admitted; None for every other act.
    """

    id: str
    act: Override
    about: str
    by: str
    why: str
    at: datetime
    used: bool = False
    role: Role | None = None


class Compartment:
    """What somebody inside may do. Made for one person; whoever is not inside gets :func:`nothing_here`.

    Parameters
    ----------
    store
        None if this machine has no compartment, or its key cannot be read.
    why
        What this person looks for; noted beside each look and act.

    Raises
    ------
    AccessDenied
        If that person is not inside.
    """

    def __init__(self, store: SealedStore | None, person: str, now: datetime, why: str = "") -> None:
        found = store.get("member", person) if store is not None else None
        if store is None or found is None:
            raise nothing_here()
        self.store, self.member, self.now = store, from_table(Member, found), now
        self.person, self._why = person, {"why": why} if why else {}

    def need(self, *roles: Role) -> None:
        """Refuse who has another role.

        Raises
        ------
        AccessDenied
            As to somebody outside: who has no need to know learns nothing.
        """
        if self.member.role not in roles:
            raise nothing_here()

    def note(self, act: str, about: str) -> None:
        """Put an act, or a look, on the compartment's ledger."""
        entry = {"at": self.now.isoformat(), "kind": act, "about": about, "by": self.person}
        self.store.note({**entry, **self._why})

    def put(self, kind: str, value: Any, act: str) -> None:
        """Keep a value, its act first on the compartment's ledger."""
        self.note(act, f"{kind}/{value.id}")
        self.store.put(kind, value.id, to_table(value))

    def get(self, kind: str, of: type[V], id_: str, *, identity: bool = False) -> V:
        """Return a value; the look is on the compartment's ledger.

        Raises
        ------
        InputError
            If there is none.
        """
        self.note("consulted", f"{kind}/{id_}")
        found = self.store.get(kind, id_, identity=identity)
        if found is None:
            raise InputError("There is no such record.", id_, "Check its name.")
        return from_table(of, found)

    def all(self, kind: str, of: type[V]) -> tuple[V, ...]:
        """Return all of a kind, without identities."""
        return tuple(from_table(of, one) for one in self.store.all(kind))

    # Two people --------------------------------------------------------------------------------

    def approve(self, act: Override, about: str, why: str, role: Role | None = None) -> int:
        """Agree to an override; returns how many different people have within the day, to an admission in this role.

        Raises
        ------
        InputError
            If no reason is given; or, of an admission, no role, or they are inside already.
        """
        if not why.strip():
            raise InputError("An override needs its reason.", about, "Give it: both reasons are kept.")
        if (act == "admit") is not (role is not None):
            raise InputError(
                "An admission is in a role, and nothing else is.", about, f"The roles are {', '.join(ROLES)}."
            )
        if act == "admit":
            self._new(about)
        one = Approval(secrets.token_hex(8), act, about, self.person, why, self.now, role=role)
        self.put("approval", one, "override-approved")
        return len({other.by for other in self._approvals(act, about, role)})

    def override(self, act: Override, about: str, role: Role | None = None) -> tuple[str, ...]:
        """Use up the agreement of two people; returns who they are.

        Raises
        ------
        AccessDenied
            If fewer than two different people inside have agreed; or to an admission no authorising officer has.
        """
        given = self._approvals(act, about, role)
        people = tuple(sorted({one.by for one in given}))
        if len(people) < 2:
            raise AccessDenied(
                f"{len(people)} of two people have agreed to this.", about, "Ask another inside."
            )
        if act == "admit" and not any(self._authorises(one) for one in people):
            raise AccessDenied(
                "No authorising officer is among those who have agreed to this.",
                about,
                "What they agreed to is kept for a day: ask an authorising officer to agree.",
            )
        for one in given:
            self.put("approval", dataclasses.replace(one, used=True), "override-used")
        return people

    def _authorises(self, person: str) -> bool:
        found = self.store.get("member", person)
        return found is not None and from_table(Member, found).role == "authorising-officer"

    def _new(self, name: str) -> None:
        """Refuse a member's name: to admit them again would give them another role, and another their place."""
        if self.store.get("member", name) is not None:
            raise InputError("They are inside already.", name, "Take another name.")

    def _approvals(self, act: Override, about: str, role: Role | None) -> list[Approval]:
        since = self.now - timedelta(seconds=OVERRIDE_S)
        return [
            one
            for one in self.all("approval", Approval)
            if (one.act, one.about, one.role, one.used) == (act, about, role, False)
            and since <= one.at <= self.now
        ]

    def pending(self) -> tuple[Approval, ...]:
        """Return what somebody has agreed to within the day and was not used yet, the newest first."""
        since = self.now - timedelta(seconds=OVERRIDE_S)
        found = [one for one in self.all("approval", Approval) if not one.used and since <= one.at]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def admit(self, name: str, role: Role) -> Member:
        """Let somebody in, once two people inside, one an authorising officer, have agreed to them in this role.

        Raises
        ------
        InputError
            If they are inside already.
        AccessDenied
            If two have not agreed.
        """
        self._new(name)
        people = self.override("admit", name, role)
        new = Member(name, role, self.now, people)
        self.put("member", new, "admitted")
        return new


def found_compartment(store: SealedStore, people: Iterable[str], now: datetime) -> tuple[Member, ...]:
    """Return the first two members of a new compartment, who make each other.

    Raises
    ------
    InputError
        If they are not two, or it has members.
    """
    names = tuple(sorted({one.strip() for one in people if one.strip()}))
    if len(names) != 2 or any(True for _ in store.all("member")):
        raise InputError(
            "A compartment begins with exactly two people, once.", "", "Further ones are admitted by two."
        )
    made = tuple(Member(name, "authorising-officer", now, names) for name in names)
    for one in made:
        store.note({"at": now.isoformat(), "kind": "founded", "about": f"member/{one.id}", "by": one.id})
        store.put("member", one.id, to_table(one))
    return made


def nothing_here() -> AccessDenied:
    """Return the one answer to everybody outside."""
    return AccessDenied("There is nothing here for you.", "", "")


# Values as tables ----------------------------------------------------------------------------


def to_table(value: Any) -> Any:
    """Return a frozen value as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_table(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_table(one) for one in value]
    return value


def from_table(kind: type[V], table: Any) -> V:
    """Return the value of a table that :func:`to_table` made."""
    hints = get_type_hints(kind)
    return kind(**{name: _from(hints[name], value) for name, value in table.items()})


def _from(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        inner = next(one for one in get_args(hint) if one is not type(None))
        return None if value is None else _from(inner, value)
    if origin is tuple:
        return tuple(_from(get_args(hint)[0], one) for one in value)
    if dataclasses.is_dataclass(hint):
        return from_table(hint, value)  # type: ignore[arg-type]
    if hint is datetime:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if hint is date else value
