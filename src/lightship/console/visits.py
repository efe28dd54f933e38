"""Who visits a page, and whether they may: the one place that every page's request passes before its own code."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from lightship.console.accounts import Accounts
from lightship.console.problems import Problem
from lightship.core.access import (
    Act,
    Permission,
    Person,
    Purpose,
    allowed_purposes,
    permit,
    permit_in_general,
)
from lightship.core.cases import Case, Judgement
from lightship.core.people import Account, Session

COOKIE, FORM_COOKIE = "lightship", "lightship-form"
_SITES = {"same-origin", "none"}
_LINES = {"\n", "\r", "\t"}


class SignInFirst(Exception):
    """Nobody is signed in.

    Parameters
    ----------
    then
        The page that they wanted.
    """

    def __init__(self, then: str) -> None:
        super().__init__(then)
        self.then = then


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What somebody sent.

    Parameters
    ----------
    form
        Its fields; empty for a look.
    file
        The bytes of the file that came with it; empty without one.
    """

    form: Mapping[str, str] = field(default_factory=dict)
    file: bytes = b""

    def field(self, name: str, *, longest: int = 200, needed: bool = True) -> str:
        """Return what they wrote into a field.

        Raises
        ------
        Problem
            If it is missing, too long, or holds control characters.
        """
        value = self.form.get(name, "").strip()
        if needed and not value:
            raise Problem(
                "invalid", f"Something is missing: {name}.", errors=({"where": name, "what": "missing"},)
            )
        if len(value) > longest or any(not one.isprintable() and one not in _LINES for one in value):
            raise Problem("invalid", f"Something is too long or not text: {name}.")
        return value

    def choice(self, name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
        """Return one of several values.

        Raises
        ------
        Problem
            If it is none of them.
        """
        value = self.field(name)
        if value not in known:
            raise Problem("invalid", f"Choose one of those that are offered: {name}.")
        return value


@dataclass(frozen=True, slots=True)
class Visit(Sent):
    """A request of somebody who is signed in and may do what they ask in general.

    Parameters
    ----------
    purpose
        What for, of the purposes that the page is for and their role allows.
    """

    account: Account
    session: Session
    now: datetime
    purpose: Purpose

    @property
    def person(self) -> Person:
        """Who they are, for :func:`~lightship.core.access.permit`."""
        return person_of(self.account)

    def may(
        self,
        act: Act,
        *,
        purpose: Purpose | None = None,
        case: Case | None = None,
        judgement: Judgement | None = None,
    ) -> Permission:
        """Return whether they may do something of this case."""
        found = purpose or self.purpose
        return permit(self.person, act, purpose=found, now=self.now, case=case, judgement=judgement)

    def must(self, act: Act, **more: Any) -> None:
        """Raise :class:`Problem` unless they may."""
        answer = self.may(act, **more)
        if not answer:
            raise Problem("forbidden", answer.why)


def person_of(account: Account) -> Person:
    """Return an account as one who asks."""
    return Person(account.id, account.role, account.active, account.trained_until)


def cookie_name(use: str, *, secure: bool) -> str:
    """Return a cookie's name: with TLS one that no other host and no plain request can have set."""
    return f"__Host-{use}" if secure else use


def masked(token: str) -> str:
    """Return a token as one page carries it: never twice the same, so that compression tells nothing of it."""
    raw = token.encode()
    mask = secrets.token_bytes(len(raw))
    return urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(raw, mask, strict=True))).decode()


def unmasked(value: str) -> str:
    """Return the token again; an empty string for what is none."""
    try:
        both = urlsafe_b64decode(value.encode())
        half = len(both) // 2
        return bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=True)).decode()
    except ValueError:
        return ""


async def sent_form(request: Request) -> dict[str, str]:
    """Return a request's form; files and fields given twice are refused."""
    return dict((await _alone(request)).form)


async def sent_with_file(request: Request) -> Sent:
    """Return a request's form, and the one file that may come with it."""
    return await _sent(request, files=1)


async def _sent(request: Request, *, files: int) -> Sent:
    if request.method != "POST":
        return Sent()
    same_site(request)
    form = await request.form(max_files=files, max_fields=100, max_part_size=1 << 17)
    pairs = form.multi_items()
    came = [one for _, one in pairs if isinstance(one, UploadFile)]
    file = await came[0].read() if came else b""
    await form.close()
    if len({name for name, _ in pairs}) != len(pairs) or len(came) > files:
        raise Problem("invalid", "A field was sent twice.")
    return Sent(form={name: value for name, value in pairs if isinstance(value, str)}, file=file)


async def _alone(request: Request) -> Sent:
    return await _sent(request, files=0)


def of_this_session(request: Request, sent: Sent, csrf: str) -> None:
    """Refuse a form that is not of somebody's session.

    Raises
    ------
    Problem
        If it is not.
    """
    given = sent.form.get("csrf", "") or request.headers.get("x-csrf", "")
    if not hmac.compare_digest(unmasked(given).encode(), csrf.encode()):
        raise Problem("forbidden", "The form is not of this session. Load the page again.")


def same_site(request: Request) -> None:
    """Refuse what another site's page sent.

    Raises
    ------
    Problem
        If the browser says so.
    """
    origin = request.headers.get("origin")
    other = origin is not None and origin.partition("://")[2] != request.headers.get("host", "")
    if request.headers.get("sec-fetch-site", "same-origin") not in _SITES or other:
        raise Problem("forbidden", "Another site's page sent this.")


def visitor(
    accounts: Accounts,
    act: Act,
    *purposes: Purpose,
    secure: bool,
    clock: Callable[[], datetime],
    files: bool = False,
) -> Any:
    """Return a dependency that gives the visit of a request that may do ``act`` for one of ``purposes``.

    Parameters
    ----------
    files
        Whether one file may come with the form.
    """

    def visit(request: Request, sent: Sent = Depends(sent_with_file if files else _alone)) -> Visit:  # noqa: B008
        found = accounts.of(request.cookies.get(cookie_name(COOKIE, secure=secure), ""))
        if found is None:
            raise SignInFirst(request.url.path if request.method == "GET" else "/")
        session, account = found
        if request.method == "POST":
            of_this_session(request, sent, session.csrf)
        known = allowed_purposes(account.role, act)
        purpose = next((one for one in purposes if one in known), purposes[0])
        answer = permit_in_general(person_of(account), act, purpose=purpose, now=clock())
        if not answer:
            raise Problem("forbidden", answer.why)
        request.state.account = account
        request.state.session = session
        return Visit(account, session, clock(), purpose, form=sent.form, file=sent.file)

    return Depends(visit)


def local(address: str) -> str:
    """Return an address of this console, or its first page for one that leads elsewhere."""
    safe = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return quote(address, safe="/?=&-._~:%") if safe and "\\" not in address else "/"
