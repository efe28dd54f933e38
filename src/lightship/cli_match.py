"""The commands on known media: looking things up, saying why, and hashing one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lightship.core.errors import InputError, LightshipError, SinkError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.core.known import Entry
    from lightship.detect.look_up import Finder
    from lightship.detect.matcher import Finding
    from lightship.detect.sequence import Segment


class _FilesUnlessNamed(TyperGroup):
    """``lightship match FILES...`` looks files up; a word that is a command of its own is that command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before what does not begin with one."""
        if not args or args[0] not in self.commands:
            args = ["files", *args]
        return super().parse_args(ctx, args)


match_app = typer.Typer(
    cls=_FilesUnlessNamed, help="Look pictures, videos, streams and addresses up in lists."
)

Lists = Annotated[
    list[Path],
    typer.Option(
        "--list",
        help="A list's file, or a governed list's name; may be given again. None: all governed lists.",
    ),
]
Lawful = Annotated[
    list[Path], typer.Option(help="A list of known-lawful media, which overrides; may be given again.")
]


@match_app.command(
    "files", epilog="Another command: lightship match robustness FOLDER, what alterations a match survives."
)
def match_files(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Pictures, videos, folders of them, or addresses of streams.")
    ] = None,
    stream: Annotated[list[str], typer.Option(help="A live stream's address; may be given again.")] = [],  # noqa: B006
    url: Annotated[
        list[str], typer.Option(help="A page's address, looked up in lists of addresses and never fetched.")
    ] = [],  # noqa: B006
    known: Lists = [],  # noqa: B006
    lawful: Lawful = [],  # noqa: B006
    matcher_url: Annotated[
        str, typer.Option("--matcher", help="A matcher service to ask instead of lists; only hashes leave.")
    ] = "",
    token_file: Annotated[Path | None, typer.Option(help="The token for it.")] = None,
    form: Annotated[
        str,
        typer.Option("--format", help="Of the lists: pdq, vpdq, digests, urls, or the path of a mapping."),
    ] = "pdq",
    fps: Annotated[float, typer.Option(min=0.01, max=60.0, help="Looks a second.")] = 1.0,
    turned: Annotated[
        bool, typer.Option(help="Look up turned forms too, not only the mirrored one.")
    ] = False,
    skip_bad: Annotated[bool, typer.Option(help="Load the good lines of a list that has bad ones.")] = False,
    explain: Annotated[bool, typer.Option(help="Say how each match came about and what it weighs.")] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder with the pictures of a benign test list, to draw matches beside."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for what --pictures draws.")] = Path("explained"),
    as_json: Annotated[bool, typer.Option("--json", help="Print every look as a line of JSON.")] = False,
) -> None:
    """Look pictures, videos, streams and addresses up in lists of known media."""
    from lightship import app_match as wiring
    from lightship.app_lists import matcher_of
    from lightship.detect.look_up import look_up_address
    from lightship.detect.sequence import Segment

    if not (sources or stream or url):
        raise InputError("Nothing to look up is named.", "", "Give files, --stream or --url.")
    if not matcher_url:
        matcher: Finder = ctx.with_resource(matcher_of(known, lawful, form, say, skip_bad=skip_bad))
    else:
        matcher = _elsewhere(matcher_url, token_file, alone=not (known or lawful or explain))
    drawer = wiring.drawer(pictures, out, known) if pictures is not None else None
    for address in url:
        _tell(address, None, look_up_address(matcher, address), matcher if explain else None, as_json)

    def look_up(source: str) -> None:
        found = 0
        for seen in wiring.match(source, matcher, fps=fps, turned=turned, say=say):
            if isinstance(seen, Segment):
                _tell_segment(source, seen, explain, as_json)
                continue
            found += bool(seen.finding.hits or seen.finding.overridden)
            if as_json or seen.finding.hits or seen.finding.overridden:
                _tell(source, seen.at_s, seen.finding, matcher if explain else None, as_json)
            if drawer is not None and seen.finding.hits:
                say(drawer(source, seen))
        if not found and not as_json:
            typer.echo(f"{source}: on no list")

    _go_through([*wiring.in_folders(sources or []), *stream], look_up)


def _elsewhere(address: str, token_file: Path | None, *, alone: bool) -> Finder:
    from lightship.app_match import remote_matcher

    if token_file is None or not alone:
        todo = "Give --matcher URL with --token-file FILE and no --list, --lawful or --explain."
        raise InputError("Either lists here or a matcher elsewhere is asked, not both.", "", todo)
    return remote_matcher(address, token_file)


def _go_through(sources: list[str], act: Callable[[str], None]) -> None:
    """Do it to each source: one bad file does not keep the others from being looked up, but decides the exit code."""
    if len(sources) == 1:
        act(sources[0])
        return
    failed: LightshipError | None = None
    for source in sources:
        try:
            act(source)
        except LightshipError as error:
            failed = failed or error
            say(f"lightship: {error}")
    if failed is not None:
        raise typer.Exit(failed.exit_code)


def _tell(source: str, at_s: float | None, finding: Finding, matcher: Any, as_json: bool) -> None:
    from lightship.detect.explain import explanation, in_words

    why = explanation(finding, matcher) if matcher is not None else None
    if as_json:
        when = {} if at_s is None else {"at_s": round(at_s, 3)}
        more = {} if why is None else {"why": why}
        typer.echo(json.dumps({"source": source, **when, **finding.to_json(), **more}))
        return
    typer.echo(f"{source}{'' if at_s is None else f' at {at_s:.1f} s'}: {finding}")
    if why is not None:
        typer.echo(in_words(why))


@match_app.command("robustness")
def match_robustness(
    folder: Annotated[Path, typer.Argument(help="Folder of benign photographs.")],
    out: Annotated[Path, typer.Option(help="Folder for robustness.json, robustness.md and the plots.")],
    decoys: Annotated[int, typer.Option(min=0, help="Other hashes on the list.")] = 20_000,
) -> None:
    """Measure what alterations a match survives, on your own benign pictures among decoys."""
    from lightship import app_match as wiring

    for path in wiring.robustness(folder, out, decoys, say):
        say(f"Wrote {path}")


def _tell_segment(source: str, segment: Segment, explain: bool, as_json: bool) -> None:
    if as_json:
        why = {"why": segment.why} if explain else {}
        typer.echo(json.dumps({"source": source, "segment": {**segment.to_json(), **why}}))
        return
    typer.echo(f"{source}, segment {segment}")
    if explain:
        typer.echo(f"  {segment.why}")


def hash_own(
    files: Annotated[list[str], typer.Argument(help="Your own pictures and videos.")],
    out: Annotated[Path, typer.Option(help="The list to write.")],
    form: Annotated[
        str, typer.Option("--format", help="pdq (pictures), vpdq (videos) or digests (any file).")
    ] = "pdq",
    fps: Annotated[
        float, typer.Option(min=0.01, max=60.0, help="Frames of a video that are hashed, a second.")
    ] = 1.0,
) -> None:
    """Hash your own media and write a list that --list and `lightship lists add` read."""
    from lightship import app_match as wiring
    from lightship.exchange.hash_lists import lines_of, vpdq_json

    if form not in {"pdq", "vpdq", "digests"}:
        raise InputError(f"“{form}” is not a format to write.", "--format", "Use pdq, vpdq or digests.")

    def entries() -> Iterator[Entry]:
        for source in files:
            yield from wiring.hash_media(source, form, fps, say)

    found = list(entries())
    text = vpdq_json(found) if form == "vpdq" else "".join(lines_of(found, form))
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(
            f"The list cannot be written: {error.strerror}.", str(out), "Name another place."
        ) from error
    say(f"Wrote {out}: {len(found)} hashes of {len(files)} file{'s' if len(files) != 1 else ''}.")
