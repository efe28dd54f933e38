"""Speaking to the person at the terminal."""

from __future__ import annotations

import typer


def say(text: str) -> None:
    """Print for a person; standard output stays free for media and for what other programs read."""
    typer.echo(text, err=True)
