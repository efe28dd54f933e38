"""``lightship cases link`` and ``bundle``: who may be one person, what says the same, and how to take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.core.casework import Link
    from lightship.core.ports import Work
    from lightship.infra.store import SqlStore

link_app = typer.Typer(
    help="Who may be one person, with reasons and what else explains it. A machine proposes; people decide.",
    invoke_without_command=True,
)

By = Annotated[str, typer.Option(help="Who you are.")]
Id = Annotated[str, typer.Argument(help="The link.")]
Why = Annotated[str, typer.Option(help="Your reason.")]


@contextmanager
def _store() -> Iterator[SqlStore]:
    from lightship.app_casework import open_casework

    with open_casework(state_folder() / "cases", say) as store:
        yield store


def _line(one: Link) -> str:
    return f"{one.id}  {one.state}  {one.weight_db:+.1f} dB  {one.one}  {one.other}"


def _act(act: Callable[[Work, datetime], Link]) -> None:
    with _store() as store, store.begin() as work:
        changed = act(work, datetime.now(UTC))
    typer.echo(_line(changed))


@link_app.callback()
def link(
    context: typer.Context,
    referral: Annotated[str, typer.Option(help="Only the people of this referral.")] = "",
) -> None:
    """Compare people of different referrals, and propose the links that stand; `list` shows them."""
    if context.invoked_subcommand is not None:
        return
    from lightship.casework.link_model import shipped
    from lightship.casework.link_pass import link_all, link_one

    now = datetime.now(UTC)
    with _store() as store:
        if referral:
            with store.begin() as work:
                found = link_one(work, shipped(), referral, now=now)
            for one in found:
                typer.echo(_line(one))
            return
        done = link_all(store, shipped(), now=now)
    say(
        f"{done.persons:,} people, {done.pairs:,} pairs weighed, {done.groups:,} may be one; "
        f"{done.proposed:,} links proposed."
    )


@link_app.command("list")
def list_(by: By, limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20) -> None:
    """Show the links that wait for review: contested ones first, then the heaviest."""
    from lightship.casework.links import waiting

    with _store() as store, store.begin() as work:
        found = waiting(work, by=by, now=datetime.now(UTC), limit=limit)
    for one in found:
        typer.echo(_line(one))
        typer.echo(f"    else: {one.rival}")


@link_app.command()
def explain(id_: Id, by: By) -> None:
    """Show what speaks for a link and against it, what else explains it, and who said what."""
    from lightship.casework.links import look

    with _store() as store, store.begin() as work:
        found = look(work, id_, by=by, now=datetime.now(UTC))
    typer.echo(_line(found.link))
    for reason in found.link.reasons:
        typer.echo(f"  {reason}")
    typer.echo(f"  else: {found.link.rival}")
    for person in (found.one, found.other):
        typer.echo(f"  {person.key} ({', '.join(sorted(person.roles))}), inquiry {person.inquiry.id}")
        for each in person.identifiers:
            where = f" on {each.platform}" if each.platform else ""
            typer.echo(f"    {each.kind} {each.value}{where}")
    votes = found.votes
    typer.echo(f"  yes: {', '.join(votes.yes) or 'nobody'}; no: {', '.join(votes.no) or 'nobody'}")
    if votes.lacking:
        typer.echo(f"  contested: {votes.lacking} more independent reviewers must agree")


@link_app.command()
def accept(id_: Id, by: By, why: Why) -> None:
    """Say that they are one person: their inquiries become one."""
    from lightship.casework.links import vote
    from lightship.casework.urgency import shipped

    _act(lambda work, now: vote(work, shipped(), id_, yes=True, by=by, why=why, now=now))


@link_app.command()
def refuse(id_: Id, by: By, why: Why) -> None:
    """Say that they are two; what somebody else accepted is contested."""
    from lightship.casework.links import vote
    from lightship.casework.urgency import shipped

    _act(lambda work, now: vote(work, shipped(), id_, yes=False, by=by, why=why, now=now))


@link_app.command()
def undo(id_: Id, by: By, why: Why) -> None:
    """Undo an accepted link: the inquiries are parted again, as they were."""
    from lightship.casework import links
    from lightship.casework.urgency import shipped

    _act(lambda work, now: links.undo(work, shipped(), id_, by=by, why=why, now=now))


def bundle() -> None:
    """Bundle reports that say the same: one file going round, one event, one account again; nothing is closed."""
    from lightship.casework import bundling
    from lightship.casework.link_model import shipped

    with _store() as store, store.begin() as work:
        made = bundling.bundle(work, shipped().bundles, now=datetime.now(UTC))
    for one in made:
        typer.echo(f"{one.id}  {len(one.members)} referrals  {one.key}")
    say(f"{len(made)} bundles made.")


def unbundle(
    id_: Annotated[str, typer.Argument(metavar="BUNDLE", help="The bundle.")], by: By, why: Why
) -> None:
    """Take a bundle apart: each referral is as it was, byte for byte."""
    from lightship.casework import bundling

    with _store() as store, store.begin() as work:
        one = bundling.take_apart(work, id_, by=by, why=why, now=datetime.now(UTC))
    typer.echo(f"{one.id}  {len(one.members)} referrals are apart again")
