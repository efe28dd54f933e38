"""Accounts and sessions: passwords by argon2id, one-time codes, and tokens that are kept only as digests."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lightship.core.errors import AccessDenied, InputError
from lightship.core.people import Account, Role, Session
from lightship.core.ports import Store, Work
from lightship.watch.staffing import IDLE

LONGEST = timedelta(hours=12)
SHORTEST_PASSWORD = 12
FAILURES = 5
"""So many failed sign-ins in a row lock an account, for :data:`LOCK` doubled with each more."""
LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
PER_ADDRESS = 30
"""Sign-ins that one address may try in a minute."""
_STEP_S = 30
_TOUCH = timedelta(minutes=1)
_ADDRESSES = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: its token, which only the cookie has, and what is kept."""

    token: str
    session: Session
    account: Account


class Accounts:
    """Who may sign in, and who has.

    Parameters
    ----------
    secret
        At least 32 bytes; encrypts the secrets of one-time codes and signs what the sign-in form carries.
    hasher
        argon2id with the library's parameters; tests take cheaper ones.
    """

    def __init__(
        self, store: Store, secret: bytes, clock: Callable[[], datetime], hasher: PasswordHasher | None = None
    ) -> None:
        if len(secret) < 32:
            raise InputError("The console's secret is too short.", "", "Give it 32 random bytes.")
        self.store, self.clock = store, clock
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._box = Fernet(urlsafe_b64encode(_derived(secret, b"one-time codes")))
        self._cookies = Fernet(urlsafe_b64encode(_derived(secret, b"cookies")))
        self._form_key = _derived(secret, b"sign-in form")
        self._tries: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, shown_as: str, role: Role, password: str, trained_until: datetime) -> str:
        """Make an account; returns the secret of its one-time codes, which is shown once.

        Raises
        ------
        InputError
            If the name or the password cannot be used.
        StoreError
            If there is such an account.
        """
        if not _NAME.fullmatch(name) or name.startswith("oidc-"):
            raise InputError("The name cannot be used.", "", "Use up to 64 small letters, digits, . _ and -.")
        if not SHORTEST_PASSWORD <= len(password) <= 256:
            what = f"A password has {SHORTEST_PASSWORD} to 256 characters."
            raise InputError(what, "", "Choose another.")
        code_secret = pyotp.random_base32()
        account = Account(
            id=name,
            shown_as=shown_as,
            role=role,
            password_hash=self._hasher.hash(password),
            totp_sealed=self._box.encrypt(code_secret.encode()).decode(),
            made_at=self.clock(),
            trained_until=trained_until,
        )
        with self.store.begin() as work:
            work.save(account)
            work.record({"kind": "account-made", "at": self.clock().isoformat(), "role": role})
        return code_secret

    def sign_in(self, name: str, password: str, code: str, address: str) -> SignedIn | None:
        """Return a new session, or None: the caller says nothing of why.

        A failed try takes as long for a name that nobody has as for one that somebody has.
        """
        now = self.clock()
        if not self._may_try(address, now):
            return None
        with self.store.begin() as work:
            account = work.get(Account, name) if _NAME.fullmatch(name) else None
        right = self._password_is(account, password[:256])
        if account is None or not account.active:
            return None
        if account.locked_until is not None and account.locked_until > now:
            return None
        step = self._step_of(account, code, now) if right else 0
        with self.store.begin() as work:
            if not step:
                self._failed(work, account, now)
                return None
            used = work.change(
                Account,
                name,
                {"totp_used": account.totp_used, "active": True},
                totp_used=step,
                failures=0,
                locked_until=None,
            )
            if used is None:  # the same code at the same moment
                return None
            return _begun(work, used, now)

    def sign_in_through(self, name: str, shown_as: str, role: Role, provider: str) -> SignedIn:
        """Return a new session of somebody whom a provider vouches for; their account is made or brought up to date.

        A new account has no training on record, and no password: it is signed in to by the provider alone.

        Raises
        ------
        AccessDenied
            If the account is closed here.
        """
        now = self.clock()
        with self.store.begin() as work:
            account = work.get(Account, name)
            if account is None:
                account = Account(name, shown_as, role, "", "", now, trained_until=now)
                work.save(account)
                work.record(
                    {"kind": "account-made", "at": now.isoformat(), "role": role, "through": provider}
                )
            if not account.active:
                raise AccessDenied("Your account is closed here.", "sign-in", "Ask an administrator.")
            if account.role != role:  # sessions of the old role end by themselves
                said = {"account": name, "role": role, "through": provider}
                work.record({"kind": "account-changed", "at": now.isoformat(), "by": provider, **said})
            used = work.change(Account, name, {}, shown_as=shown_as, role=role) or account
            return _begun(work, used, now, through=provider)

    def sealed(self, data: bytes) -> str:
        """Return bytes that only this console can read again, for a cookie."""
        return self._cookies.encrypt(data).decode()

    def unsealed(self, text: str, most_s: int) -> bytes:
        """Return the bytes again; ``InvalidToken`` if they are not from here, or older than so many seconds."""
        return self._cookies.decrypt(text.encode(), ttl=most_s)

    def of(self, token: str) -> tuple[Session, Account] | None:
        """Return whose session it is; one that is idle, old, ended, or of another role than now is none."""
        now = self.clock()
        with self.store.begin() as work:
            session = work.get(Session, digest(token)) if 0 < len(token) <= 128 else None
            if session is None or session.ended_at is not None:
                return None
            account = work.get(Account, session.account)
            live = (
                account is not None
                and account.active
                and account.role == session.role
                and now - session.seen_at < IDLE
                and now - session.began_at < LONGEST
            )
            if not live or account is None:
                work.change(Session, session.id, {"ended_at": None}, ended_at=now)
                return None
            if now - session.seen_at > _TOUCH:
                work.change(Session, session.id, {"ended_at": None}, seen_at=now)
                session = replace(session, seen_at=now)
        return session, account

    def sign_out(self, session: Session) -> None:
        """End a session."""
        with self.store.begin() as work:
            work.change(Session, session.id, {"ended_at": None}, ended_at=self.clock())
            work.record({"kind": "signed-out", "at": self.clock().isoformat(), "by": session.account})

    def change(self, name: str, by: str, **fields: Any) -> None:
        """Change an account; its sessions end, so that nobody keeps what they no longer have.

        Raises
        ------
        InputError
            If there is no such account.
        """
        now = self.clock()
        with self.store.begin() as work:
            if work.change(Account, name, {}, **fields) is None:
                raise InputError("There is no such account.", "", "Check the name.")
            for session in work.find(Session, {"account": name, "ended_at": None}):
                work.change(Session, session.id, {"ended_at": None}, ended_at=now)
            said = {key: str(value) for key, value in fields.items() if key in {"role", "active"}}
            work.record({"kind": "account-changed", "at": now.isoformat(), "by": by, "account": name, **said})

    def form_token(self, cookie: str) -> str:
        """Return what the sign-in form carries beside its cookie."""
        return hmac.new(self._form_key, cookie.encode(), hashlib.sha256).hexdigest()

    def _password_is(self, account: Account | None, password: str) -> bool:
        try:
            self._hasher.verify(account.password_hash if account else self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return account is not None

    def _step_of(self, account: Account, code: str, now: datetime) -> int:
        """Return the time step that a code is of, if it is right and newer than the last one taken; else 0."""
        try:
            secret = self._box.decrypt(account.totp_sealed.encode()).decode()
        except InvalidToken:
            return 0
        return step_of(secret, code, account.totp_used, now)

    def _failed(self, work: Work, account: Account, now: datetime) -> None:
        failures = account.failures + 1
        over = failures - FAILURES
        locked = now + min(LONGEST_LOCK, LOCK * 2 ** min(over, 10)) if over >= 0 else None
        work.change(Account, account.id, {}, failures=failures, locked_until=locked)
        work.record(
            {"kind": "sign-in-failed", "at": now.isoformat(), "account": account.id, "tries": failures}
        )

    def _may_try(self, address: str, now: datetime) -> bool:
        with self._lock:
            since, count = self._tries.pop(address, (now, 0))
            if now - since > timedelta(minutes=1):
                since, count = now, 0
            self._tries[address] = (since, count + 1)
            if len(self._tries) > _ADDRESSES:
                self._tries.popitem(last=False)
            return count < PER_ADDRESS


def _begun(work: Work, account: Account, now: datetime, **more: str) -> SignedIn:
    """Begin a session, on the record; those of theirs that nobody came back to have ended, and say when."""
    for one in work.find(Session, {"account": account.id, "ended_at": None}):
        over = min(one.seen_at + IDLE, one.began_at + LONGEST)
        if over <= now:
            work.change(Session, one.id, {"ended_at": None}, ended_at=over)
    token = secrets.token_urlsafe(32)
    session = Session(digest(token), account.id, account.role, secrets.token_urlsafe(24), now, now)
    work.save(session)
    entry = {"kind": "signed-in", "at": now.isoformat(), "by": account.id, "role": account.role, **more}
    work.record(entry)
    return SignedIn(token, session, account)


def step_of(secret: str, code: str, used: int, now: datetime) -> int:
    """Return the time step that a one-time code is of, if it is right and newer than the last one taken; else 0."""
    codes = pyotp.TOTP(secret, interval=_STEP_S)
    current = int(now.timestamp()) // _STEP_S
    for step in (current, current - 1, current + 1):
        if step > used and hmac.compare_digest(codes.generate_otp(step).encode(), code.strip().encode()):
            return step
    return 0


def digest(token: str) -> str:
    """Return what is kept of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"lightship console: " + use).derive(secret)
