"""``lightship knowledge``: cards whose every claim has a source, checked, searched and taken along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightship.core.errors import PolicyError

knowledge_app = typer.Typer(
    help="What is known, with its sources: typologies, evidence, routes, countries.", no_args_is_help=True
)

Cards = Annotated[Path | None, typer.Option(help="A folder of cards; those that ship unless named.")]


@knowledge_app.command()
def check(cards: Cards = None) -> None:
    """Fail on a claim without source, date or review, on one that is overdue, and on a link to nothing."""
    from lightship.casework import knowledge
    from lightship.console.settings import utc_now

    found = knowledge.shipped(cards)
    wrong = knowledge.check(found, utc_now().date())
    for one in wrong:
        typer.echo(one)
    claims = [claim for card in found for claim in card.claims]
    typer.echo(f"{len(found)} cards, {len(claims)} claims, {sum(one.tbv for one in claims)} to be verified.")
    if wrong:
        raise typer.Exit(PolicyError.exit_code)


@knowledge_app.command()
def search(
    words: Annotated[str, typer.Argument(help="Words that must all stand there.")], cards: Cards = None
) -> None:
    """Print the claims that say something of it, with their sources."""
    from lightship.casework import knowledge

    for card, claim in knowledge.search(knowledge.shipped(cards), words):
        doubt = " [to be verified]" if claim.tbv else ""
        typer.echo(f"{card.id}:{claim.id} {claim.text}{doubt}\n  {claim.source}")


@knowledge_app.command()
def export(out: Annotated[Path, typer.Argument(help="A folder.")], cards: Cards = None) -> None:
    """Write every card as plain text, to be read without this program or a network."""
    from lightship.casework import knowledge
    from lightship.exchange.whole import write_each

    found = knowledge.shipped(cards)
    write_each(out, {f"{card.id}.txt": knowledge.told(card).encode() for card in found})
    typer.echo(f"{len(found)} cards in {out}.")
