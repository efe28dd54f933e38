"""What every page of the console works with, and how pages are made."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from fastapi import Request
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lightship.console.accounts import Accounts
from lightship.console.assets import Assets
from lightship.console.desk_port import Desk
from lightship.console.keys import ACTIONS, keys_of
from lightship.console.promises import Tally
from lightship.console.prose import short
from lightship.console.record import Entry, Record
from lightship.console.settings import Settings
from lightship.console.visits import Visit, masked, visitor
from lightship.core.access import Act, Purpose, allowed_purposes
from lightship.core.cases import Case
from lightship.core.people import BODY_ROLES, PLATFORM_ROLES, Account, Look, Role, Shift, Shown
from lightship.core.ports import Bus, Store, Vault, Work

_PLACES: tuple[tuple[Act, str, str], ...] = (
    ("see-queue", "/queue", "Queue"),
    ("see-wall", "/wall", "Wall"),
    ("see-health", "/health", "Health"),
    ("see-audit", "/audit", "Audit"),
    ("see-duties", "/duties", "Duties"),
    ("see-record-book", "/regulator", "Record book"),
    ("see-holds", "/holds", "Holds"),
    ("manage-accounts", "/people", "People"),
    ("own-shift", "/shift", "Shift"),
    ("see-cases", "/cases", "Cases"),
    ("see-cases", "/links", "Links"),
    ("see-interests", "/deconfliction", "Deconfliction"),
    ("see-knowledge", "/knowledge", "Knowledge"),
)
_OF_A_BODY = frozenset({"/cases", "/links", "/deconfliction", "/knowledge"})


@dataclass(frozen=True, slots=True)
class House:
    """Whose console it is: which of the pages are there, and which roles its people have."""

    pages: frozenset[str]
    roles: tuple[Role, ...]

    def places(self, role: Role) -> tuple[tuple[str, str], ...]:
        """Return the pages that a role has, in order."""
        return tuple(
            (address, name)
            for act, address, name in _PLACES
            if address in self.pages and allowed_purposes(role, act)
        )


PLATFORM = House(frozenset(address for _, address, _ in _PLACES) - _OF_A_BODY, PLATFORM_ROLES)
BODY = House(_OF_A_BODY | {"/audit", "/people"}, BODY_ROLES)
"""An investigating body's own console: its cases and what they need, its record and its people."""


_HEADLINE = 160
Telling = Callable[[Entry], bool]


@dataclass(frozen=True)
class Room:
    """The store, the settings, and what is made of them once.

    Parameters
    ----------
    gate
        Returns which entries of the record somebody may read; None where whoever may see the record may see all of it.
    """

    house: House
    store: Store
    settings: Settings
    accounts: Accounts
    assets: Assets
    pages: Environment
    tally: Tally
    record: Record
    gate: Callable[[Work, str], Telling] | None = field(default=None, kw_only=True)

    def telling(self, work: Work, visit: Visit) -> Telling:
        """Return which entries of the record a visitor may read."""
        return self.gate(work, visit.account.id) if self.gate is not None else lambda _: True

    def visitor(self, act: Act, *purposes: Purpose, files: bool = False) -> Any:
        """Return the dependency of a page that is for ``act``; see :func:`lightship.console.visits.visitor`."""
        one = self.settings
        return visitor(self.accounts, act, *purposes, secure=one.secure, clock=one.clock, files=files)

    def page(self, request: Request, name: str, title: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page with the policy that lets it load nothing but what this server named."""
        nonce = secrets.token_urlsafe(16)
        account: Account | None = getattr(request.state, "account", None)
        session = getattr(request.state, "session", None)
        text = self.pages.get_template(name).render(
            title=title,
            nonce=nonce,
            account=account,
            places=self.house.places(account.role) if account else (),
            here=request.url.path,
            csrf=masked(session.csrf) if session else "",
            alarms=self.settings.health().alarms() if account else (),
            may_search=bool(account and allowed_purposes(account.role, "see-audit")),
            may_open_items=bool(account and self.is_platform and allowed_purposes(account.role, "see-item")),
            has_shifts="/shift" in self.house.pages,
            keys=keys_of(account.keys) if account else {},
            actions=ACTIONS,
            now=self.settings.clock(),
            **values,
        )
        return HTMLResponse(text, status, headers=page_headers(nonce))

    @property
    def is_platform(self) -> bool:
        """Whether items of a watch are here."""
        return "/queue" in self.house.pages

    def current_shift(self, work: Work, account: str) -> Shift | None:
        """Return somebody's open shift."""
        found = work.find(Shift, {"account": account, "ended_at": None}, order=("-began_at",), limit=1)
        return found[0] if found else None

    def looked(
        self,
        work: Work,
        visit: Visit,
        what: str,
        *,
        case: Case | None = None,
        shown: Shown = "words",
        exhibit: str = "",
        shift: Shift | None = None,
    ) -> None:
        """Put a look at a record on the ledger, and keep it where it was at a case (DPA 2018 s.62)."""
        entry = {
            "kind": "look",
            "at": visit.now.isoformat(),
            "by": visit.account.id,
            "role": visit.account.role,
        }
        work.record({**entry, "what": what, "shown": shown, "purpose": visit.purpose})
        if case is not None:
            at, by = visit.now, visit.account.id
            work.save(
                Look(uuid4().hex, by, shift.id if shift else "", case.id, exhibit, shown, visit.purpose, at)
            )


@dataclass(frozen=True)
class WatchRoom(Room):
    """A platform's, with the ports of its watch."""

    bus: Bus
    vault: Vault
    desk: Desk


def page_headers(nonce: str) -> dict[str, str]:
    """Return a page's headers."""
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' blob:; "
        "media-src blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
        # not no-referrer: browsers then send forms with "Origin: null", and their origin is what is checked
        "Referrer-Policy": "same-origin",
    }


def go(address: str) -> Response:
    """Send the browser on to a page after a form."""
    return RedirectResponse(address, 303)


def attached(data: bytes, name: str) -> Response:
    """Return bytes as a file to keep.

    Parameters
    ----------
    name
        Of the file; what cannot stand in a header is left out.
    """
    safe = "".join(one for one in name if one.isascii() and (one.isalnum() or one in "-_."))
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return Response(data, headers=headers, media_type="application/octet-stream")


def templates(assets: Assets) -> Environment:
    """Return the pages' templates; whatever they are given is text and never markup."""
    loader = ChoiceLoader(
        [
            PackageLoader("lightship.console"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    found = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found.globals["asset"] = assets.address
    found.filters["when"] = when
    found.filters["span"] = span
    found.filters["since"] = since
    found.filters["headline"] = headline
    found.filters["rest"] = rest
    found.filters["short"] = short
    found.filters["plainly"] = plainly
    found.filters["figure"] = figure
    return found


def when(at: datetime | None) -> str:
    """Return a time for people."""
    return f"{at:%-d %b %Y %H:%M:%S} UTC" if at else "–"


def span(at: datetime, until: datetime | None) -> str:
    """Return a moment, or a span with its day once where it has but one."""
    if until is None:
        return when(at)
    return (
        f"{at:%-d %b %Y %H:%M:%S} – {until:%H:%M:%S} UTC"
        if at.date() == until.date()
        else f"{when(at)} – {when(until)}"
    )


def headline(words: str) -> str:
    """Return the first sentence of a case's words."""
    return words.partition(". ")[0].rstrip(".")[:_HEADLINE]


def rest(words: str) -> str:
    """Return what follows the first sentence."""
    first = headline(words)
    return words[len(first) :].lstrip(". ")


def since(at: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    return lasting((now - at).total_seconds())


def lasting(seconds: float) -> str:
    """Return a length of time for people."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" if whole < 172_800 else f"{whole // 86_400} days"


def figure(value: float) -> str:
    """Return a number to three figures, as people write it.

    Examples
    --------
    >>> figure(12412.3), figure(7.8239)
    ('12,400', '7.82')
    """
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100.0 else f"{value:.3g}"


def plainly(weight_db: float) -> str:
    """Return a weight of evidence in words: 10 dB are ten to one against "this is benign".

    Examples
    --------
    >>> plainly(30.0)
    '1,000 to 1 against benign'
    """
    if weight_db < 3.0:
        return "hardly any evidence"
    odds = 10 ** (min(weight_db, 90.0) / 10)
    rounded = round(odds, 1 - len(str(int(odds)))) if odds >= 10 else round(odds)
    more = "more than " if weight_db > 90.0 else ""
    return f"{more}{int(rounded):,} to 1 against benign"
