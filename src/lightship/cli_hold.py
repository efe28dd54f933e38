"""``lightship hold``: exhibits that are kept beyond their day, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.cli_serve import Database, Folder
from lightship.core.errors import InputError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.core.duties import Hold

hold_app = typer.Typer(help="Legal holds on what the vault keeps.", no_args_is_help=True)

By = Annotated[str, typer.Option(help="Whose act it is, for the record; this user's unless named.")]


@hold_app.command()
def place(
    exhibit: Annotated[str, typer.Argument(help="The exhibit's id; or name a case.")] = "",
    case: Annotated[str, typer.Option(help="Every exhibit that this case has now.")] = "",
    basis: Annotated[str, typer.Option(help="The order, duty or proceedings it rests on.")] = "",
    reason: Annotated[str, typer.Option(help="Why, in words without content.")] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Keep an exhibit, or all of a case, until the hold is lifted, whatever retention says."""
    from lightship.app_platform import store_of
    from lightship.core import holds

    if bool(exhibit) == bool(case):
        raise InputError("Name an exhibit or a case.", "lightship hold place", "One of the two.")
    what = {"basis": basis, "reason": reason, "by": by or _person()}
    now = datetime.now(UTC)
    with store_of(folder, database) as store, store.begin() as work:
        placed = (
            holds.place_on_case(work, case, **what, now=now)
            if case
            else (holds.place(work, exhibit, **what, now=now),)
        )
    for one in placed:
        typer.echo(_told(one))


@hold_app.command()
def lift(
    hold: Annotated[str, typer.Argument(help="The hold's id, as the list says it.")],
    reason: Annotated[str, typer.Option(help="Why it ends.")] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Lift a hold; the exhibit is kept on while another one stands."""
    from lightship.app_platform import store_of
    from lightship.core import holds

    with store_of(folder, database) as store, store.begin() as work:
        lifted = holds.lift(work, hold, reason=reason, by=by or _person(), now=datetime.now(UTC))
        left = len(holds.standing(work, lifted.exhibit_id))
    say(f"Lifted. {left or 'No'} other hold{'' if left == 1 else 's'} on this exhibit.")


@hold_app.command("list")
def listed(
    case: Annotated[str, typer.Option(help="Only of this case.")] = "",
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted as well.")] = False,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Say which holds stand, oldest first."""
    from lightship.app_platform import store_of
    from lightship.core.duties import Hold

    where: dict[str, object] = {} if lifted else {"lifted_at": None}
    if case:
        where["case_id"] = case
    with store_of(folder, database) as store, store.look() as work:
        found = work.find(Hold, where, order=("placed_at",))
    for one in found:
        typer.echo(_told(one))
    if not found:
        say("No hold stands." if not lifted else "There is no hold.")


def _told(one: Hold) -> str:
    over = f"; lifted {one.lifted_at:%Y-%m-%d} by {one.lifted_by}: {one.lifted_why}" if one.lifted_at else ""
    said = f"{one.id}  exhibit {one.exhibit_id}  case {one.case_id}  since {one.placed_at:%Y-%m-%d} by {one.placed_by}"
    return f"{said}: {one.basis} ({one.reason}){over}"


def _person() -> str:
    from lightship.app_lists import person

    return person()
