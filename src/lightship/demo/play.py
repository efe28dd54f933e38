"""Plays the demonstration's chapters, and says whether all of it held."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lightship.core.errors import LightshipError
from lightship.demo import duties, guard, payments, platform


@dataclass(frozen=True, slots=True)
class Check:
    """One claim of a chapter, and whether it held.

    Parameters
    ----------
    claim
        In the words of a user.
    held
        Whether it was so.
    seen
        What was measured.
    """

    claim: str
    held: bool
    seen: str


Chapter = Callable[[Path, Console], list[tuple[str, bool, str]]]

PAYMENTS: tuple[str, Chapter] = (
    "Payments: payers, receivers and a child who is extorted, all made up",
    payments.play,
)
DUTIES: tuple[str, Chapter] = (
    "Duties: a livestream is stopped at 23:40 on a Saturday before a bank holiday",
    duties.play,
)
CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("Guard: a live picture, watched and stopped in time", guard.play),
    ("Platform: live streams watched, one stopped, one reported, both reviewed", platform.play),
    PAYMENTS,
    DUTIES,
)


def play(out: Path, chapters: Sequence[tuple[str, Chapter]] = CHAPTERS) -> bool:
    """Play chapters, leave their results in a folder, and return whether all of it held."""
    console = Console(stderr=True, highlight=False)
    out.mkdir(parents=True, exist_ok=True)
    held = True
    for number, (title, chapter) in enumerate(chapters, 1):
        console.rule(f"[bold]{number}. {escape(title)}", align="left")
        began_s = time.monotonic()
        try:
            checks = [Check(*check) for check in chapter(out, console)]
        except LightshipError as error:
            checks = [Check("the chapter plays to its end", False, str(error))]
        for check in checks:
            mark = "[green]held[/]" if check.held else "[bold red]FAILED[/]"
            console.print(f"  {mark}  {escape(check.claim)}  [dim]({escape(check.seen)})[/]")
            held = held and check.held
        console.print(f"  [dim]{time.monotonic() - began_s:.0f} s[/]")
    console.print(f"\nThe results are in [bold]{escape(str(out))}/[/].")
    console.print("To try a guarded call in your browser: [bold]lightship call[/].")
    console.print("[green]Every chapter held.[/]" if held else "[bold red]Something did not hold.[/]")
    return held
