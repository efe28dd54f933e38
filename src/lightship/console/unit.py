"""What the compartment's pages work with: who visits, the compartment that is open for them, and how a page is made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Depends, Request
from starlette.responses import HTMLResponse

from lightship.casework.authorisation_rules import Rules
from lightship.casework.compartment import Compartment
from lightship.casework.undercover import Register
from lightship.console.deconflict_port import Bureau
from lightship.console.door import DESK, ROOT, Inside, Keeper, opens
from lightship.console.room import Room, page_headers
from lightship.console.visits import (
    Sent,
    masked,
    of_this_session,
    sent_form,
    sent_with_file,
)


class WhyFirst(Exception):
    """Somebody inside has not said yet what they look for."""


@dataclass(frozen=True, slots=True)
class UnitVisit(Sent):
    """A request of somebody inside."""

    one: Inside
    token: str
    now: datetime


@dataclass(frozen=True)
class Unit:
    """What every page inside works with.

    Parameters
    ----------
    room
        The console's: its templates, its clock and its settings, and nothing of its store.
    """

    room: Room
    keeper: Keeper
    bureau: Bureau
    rules: Rules

    def visitor(self, *, files: bool = False, first: bool = False) -> Any:
        """Return a dependency that gives the visit.

        Parameters
        ----------
        files
            Whether one file may come with the form.
        first
            Whether it is the page that asks what for.
        """

        async def sent(request: Request) -> Sent:
            return await sent_with_file(request) if files else Sent(form=await sent_form(request))

        def visit(request: Request, sent: Sent = Depends(sent)) -> UnitVisit:  # noqa: B008
            one: Inside = request.state.inside
            if request.method == "POST":
                of_this_session(request, sent, one.csrf)
            if not one.why and not first:
                raise WhyFirst
            now = self.keeper.clock()
            return UnitVisit(one, request.state.token, now, form=sent.form, file=sent.file)

        return Depends(visit)

    @contextmanager
    def inside(self, visit: UnitVisit) -> Iterator[Compartment]:
        """Open the compartment."""
        with self.keeper.opened(visit.one, visit.now) as inside:
            yield inside

    @contextmanager
    def register(self, visit: UnitVisit) -> Iterator[Register]:
        """Open the register."""
        with self.inside(visit) as inside:
            yield Register(inside, self.rules)

    def page(self, request: Request, name: str, title: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page."""
        one: Inside = request.state.inside
        nonce = secrets.token_urlsafe(16)
        text = self.room.pages.get_template(name).render(
            title=title,
            nonce=nonce,
            here=request.url.path,
            csrf=masked(one.csrf),
            inside=one,
            root=ROOT,
            desk=DESK if opens(one.role, DESK) else "",
            now=self.keeper.clock(),
            rules=self.rules,
            **values,
        )
        return HTMLResponse(text, status, headers=page_headers(nonce))
