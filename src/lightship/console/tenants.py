"""Who may ask: tenants with tokens, scopes, lists and quotas, in one file that a person keeps.

A token is 256 random bits. Such a secret cannot be guessed, so its SHA-256 is kept: a slow password hash (argon2id)
would protect a guessable secret, adds nothing here, and would cost every request tens of milliseconds and 64 MB.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from lightship.core.errors import InputError
from lightship.core.known import Terms

SCOPES = (
    "match",
    "lists",
    "metrics",
    "streams",
    "reports",
    "cases",
    "decisions",
    "payments",
    "alerts",
    "referrals",
)
EVERY_LIST = "*"
PREFIX = "lightship_"
_LOOK_EVERY_S = 1.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """Somebody who may ask.

    Parameters
    ----------
    name
        Letters, digits, ``.``, ``_`` and ``-``.
    token_sha256
        Of the token, in hexadecimal.
    scopes
        ``match`` asks about hashes, ``lists`` sees which lists there are, ``metrics`` reads the service's figures;
        ``streams`` registers streams, ``reports`` reports one, ``cases`` and ``decisions`` read what became of it;
        ``payments`` sends payments, ``alerts`` reads what they began; ``referrals`` refers to an investigating body.
    lists
        Names of the lists that it may be told of; ``*`` is every one whose own terms allow it.
    per_minute, per_day
        Hashes, digests and addresses that it may ask about; the first may be used up at once.
    lifted
        Since when a person has let it go on after an alarm; empty if never.
    """

    name: str
    token_sha256: str
    scopes: tuple[str, ...]
    lists: tuple[str, ...]
    per_minute: int
    per_day: int
    lifted: str = ""

    def may_know(self, terms: Terms) -> bool:
        """Return whether both the list's terms and the tenant's own entry allow it to be told of the list."""
        allowed = not terms.tenants or self.name in terms.tenants
        return allowed and (EVERY_LIST in self.lists or terms.name in self.lists)


def new_token() -> str:
    """Return a new token; the prefix lets scanners for leaked secrets find it."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Tenants:
    """The tenants of a file, read again when it changes.

    Parameters
    ----------
    path
        JSON: ``secret`` (makes the entries' numbers that HMA's clients see) and ``tenants``.

    Raises
    ------
    InputError
        If the file cannot be used. One that is broken later leaves the tenants as they were, and is told by
        :attr:`trouble`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self._lock = threading.Lock()
        self._looked_s = monotonic()
        self._stamp = _stamp(path)
        self.secret, self._by_token = _read(path)

    def of(self, token: str) -> Tenant | None:
        """Return whose token it is."""
        self._look()
        return self._by_token.get(digest(token))

    def all(self) -> tuple[Tenant, ...]:
        """Return all tenants."""
        return tuple(self._by_token.values())

    def _look(self) -> None:
        if monotonic() - self._looked_s < _LOOK_EVERY_S:
            return
        with self._lock:
            self._looked_s = monotonic()
            stamp = _stamp(self.path)
            if stamp == self._stamp:
                return
            try:
                self.secret, self._by_token = _read(self.path)
                self._stamp, self.trouble = stamp, ""
            except InputError as error:
                self.trouble = str(error)


def add(path: Path, tenant: Tenant) -> str:
    """Put a tenant into the file, made if there is none; returns its new token, which is kept nowhere.

    Raises
    ------
    InputError
        If the name, a scope, a list or a quota is unusable, or the file cannot be read or written.
    """
    token = new_token()
    tenant = _checked(asdict(replace(tenant, token_sha256=digest(token))), str(path))
    value = _value(path) if path.exists() else _empty()
    kept = [one for one in value["tenants"] if one.get("name") != tenant.name]
    _write(path, {**value, "tenants": [*kept, asdict(tenant)]})
    return token


def begin(path: Path) -> None:
    """Make the file, with nobody in it, if there is none.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if not path.exists():
        _write(path, _empty())


def revoke(path: Path, name: str) -> None:
    """Take a tenant out of the file: its token is worth nothing any more.

    Raises
    ------
    InputError
        If there is no such tenant, or the file cannot be read or written.
    """
    value = _value(path)
    kept = [one for one in value["tenants"] if one.get("name") != name]
    if len(kept) == len(value["tenants"]):
        raise InputError(f"There is no tenant “{name}”.", str(path), "Check the name.")
    _write(path, {**value, "tenants": kept})


def _empty() -> dict[str, Any]:
    return {"secret": secrets.token_hex(32), "tenants": []}


def lift(path: Path, name: str) -> None:
    """Let a suspended tenant go on, as a person decided.

    Raises
    ------
    InputError
        If there is no such tenant, or the file cannot be read or written.
    """
    value = _value(path)
    found = [one for one in value["tenants"] if one.get("name") == name]
    if not found:
        raise InputError(f"There is no tenant “{name}”.", str(path), "Check the name.")
    found[0]["lifted"] = datetime.now(UTC).isoformat()
    _write(path, value)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def _value(path: Path) -> dict[str, Any]:
    todo = "Make it with `lightship token add NAME`, or `lightship matcher token NAME` for a matcher."
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            value = json.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"The file of tenants cannot be read: {error}.", str(path), todo) from error
    if os.name == "posix" and mode & 0o077:
        what = f"Others can read the file of tenants (mode {mode:o})."
        raise InputError(what, str(path), f"Run: chmod 600 {path}")
    if not (
        isinstance(value, dict) and isinstance(value.get("secret"), str) and len(value["secret"]) == 64
    ) or not isinstance(value.get("tenants"), list):
        raise InputError("The file is not one of tenants.", str(path), todo)
    return value


def _read(path: Path) -> tuple[bytes, dict[str, Tenant]]:
    value = _value(path)
    tenants = [_checked(one, str(path)) for one in value["tenants"]]
    if len({one.name for one in tenants}) != len(tenants):
        raise InputError("Two tenants have the same name.", str(path), "Remove one.")
    try:
        secret = bytes.fromhex(value["secret"])
    except ValueError:
        raise InputError("The file's secret is not hexadecimal.", str(path), "Restore the file.") from None
    return secret, {one.token_sha256: one for one in tenants}


def _checked(value: Mapping[str, Any], where: str) -> Tenant:
    """Return a tenant as the file has it.

    Raises
    ------
    InputError
        If something is missing, unknown or unusable.
    """
    try:
        tenant = Tenant(**{**value, "scopes": tuple(value["scopes"]), "lists": tuple(value["lists"])})
        datetime.fromisoformat(tenant.lifted) if tenant.lifted else None
        usable = (
            _NAME.fullmatch(tenant.name)
            and re.fullmatch("[0-9a-f]{64}", tenant.token_sha256)
            and set(tenant.scopes) <= set(SCOPES)
            and all(isinstance(one, str) and one for one in tenant.lists)
            and type(tenant.per_minute) is int
            and type(tenant.per_day) is int
            and tenant.per_day >= tenant.per_minute >= 1
        )
    except (KeyError, TypeError, ValueError):
        usable = None
    if not usable:
        todo = f"A tenant has name, token_sha256, scopes ({', '.join(SCOPES)}), lists, per_minute ≤ per_day."
        raise InputError("A tenant of the file cannot be used.", where, todo)
    return tenant


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """Write the file whole under another name, then put it in place: no reader sees half of it."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(part, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        what = f"The file of tenants cannot be written: {error.strerror}."
        raise InputError(what, str(path), "Choose a place that can be written to.") from error
