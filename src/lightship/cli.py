"""The command line. Rooms are imported inside commands, so that each starts as fast as it can."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from copy import copy
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command_name

from lightship import (
    cli_duties_regulator,
    cli_duties_report,
    cli_match,
    cli_payments_live,
    cli_payments_outward,
    cli_payments_trial,
    cli_serve,
)
from lightship.cli_call import call
from lightship.cli_cases import cases_app
from lightship.cli_deconflict import deconflict_app
from lightship.cli_duties import duties_app
from lightship.cli_evidence import evidence_app
from lightship.cli_hold import hold_app
from lightship.cli_knowledge import knowledge_app
from lightship.cli_links import bundle, link_app, unbundle
from lightship.cli_lists import lists_app
from lightship.cli_log import log_app
from lightship.cli_matcher import matcher_app
from lightship.cli_packs import packs_app
from lightship.cli_payments import explain, payments_app
from lightship.cli_share import send, share_app
from lightship.cli_undercover import undercover_app
from lightship.core.errors import InputError, LedgerError, LightshipError
from lightship.say import say

app = typer.Typer(
    name="lightship",
    help="Finds and stops livestreamed child sexual abuse, lawfully, in the open, and without weakening privacy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
ledger_app = typer.Typer(help="Records that an outsider can verify.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")
app.add_typer(cli_match.match_app, name="match")
app.command("hash")(cli_match.hash_own)
for command in (cli_serve.serve, cli_serve.worker, cli_serve.account):
    app.command()(command)
app.command()(call)
app.add_typer(cli_serve.token_app, name="token")
cli_duties_report.register(duties_app)
cli_duties_regulator.register(duties_app)
app.add_typer(duties_app, name="duties")
app.add_typer(hold_app, name="hold")
app.add_typer(matcher_app, name="matcher")
app.add_typer(lists_app, name="lists")
for act in (
    *cli_payments_outward.COMMANDS,
    cli_payments_trial.generate,
    cli_payments_trial.backtest,
    cli_payments_trial.train,
    cli_payments_trial.demo,
    cli_payments_live.serve,
    cli_payments_live.token,
):
    payments_app.command()(act)
app.add_typer(payments_app, name="payments")
packs_app.command()(explain)
app.add_typer(packs_app, name="packs")
app.add_typer(log_app, name="log")
cases_app.command("disseminate")(send)
cases_app.add_typer(link_app, name="link")
cases_app.command("bundle")(bundle)
cases_app.command("unbundle")(unbundle)
app.add_typer(cases_app, name="cases")
app.add_typer(share_app, name="share")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(undercover_app, name="undercover")
app.add_typer(deconflict_app, name="deconflict")
app.add_typer(evidence_app, name="evidence")

ENDED_BY_POLICY = 10
INTERRUPTED = 130


def _lists(paths: list[Path], skip_bad: bool) -> dict[str, dict[str, object]]:
    if not paths:
        return {}
    from lightship.app_lists import banks_or_paths

    return {"known-media": {"lists": banks_or_paths(paths, say), "skip_bad": skip_bad}}


@app.command()
def guard(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A file, - for stdin, camera[:N], rtmp://, rtmp+listen://, rtsp://, srt:// or an HLS address."
        ),
    ] = None,
    sink: Annotated[
        str | None,
        typer.Argument(help="A file, - for raw Y4M on stdout, rtmp://, srt://, virtual-camera or null."),
    ] = None,
    policy: Annotated[str, typer.Option(help="Name or path of a policy.")] = "child-device",
    known: Annotated[
        list[Path],
        typer.Option("--list", help="A governed list's name, or a list's file; may be given again."),
    ] = [],  # noqa: B006
    skip_bad: Annotated[bool, typer.Option(help="Load the good lines of a list that has bad ones.")] = False,
    live: Annotated[bool, typer.Option(help="Play a file at its own speed, as if it were live.")] = False,
    log: Annotated[Path | None, typer.Option(help="Where the local log lies.")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for a report with a timeline picture.")] = None,
    packs: Annotated[
        Path | None, typer.Option(help="A folder of signed packs; the policy then comes from one of them.")
    ] = None,
    pack: Annotated[str, typer.Option(help="Which of the signed packs.")] = "device",
    explain: Annotated[Path | None, typer.Option(help="Read a log in plain words, and nothing else.")] = None,
) -> None:
    """Watch a live picture and stop it in time."""
    if explain is not None:
        _explain(explain)
        return
    if source is None or sink is None:
        raise InputError(
            "A source and a sink are needed.", "", "For example: lightship guard camera null --policy test"
        )
    from lightship import app as wiring
    from lightship.media.trouble import public_name
    from lightship.progress import live_progress

    try:
        with live_progress(source) as (progress, started):
            outcome = wiring.protect(
                source,
                sink,
                policy,
                log=log or wiring.default_log(),
                live=live,
                options=_lists(known, skip_bad),
                report=report,
                progress=progress,
                started=started,
                signed=packs,
                pack=pack,
                say=say,
            )
    except KeyboardInterrupt:  # once a picture has arrived, Ctrl-C is a reason in the outcome instead
        say(f"Interrupted while waiting for {public_name(source)}; no picture had come.")
        raise typer.Exit(INTERRUPTED) from None
    counts = outcome.counts
    say(
        f"{outcome.reason.capitalize()} after {outcome.seconds:.1f} s: {counts.pictures_out} pictures left, "
        f"{counts.pictures_covered} of them covered. The log: lightship guard --explain {log or wiring.default_log()}"
    )
    if outcome.reason == "the policy ended the stream":
        raise typer.Exit(ENDED_BY_POLICY)
    if outcome.reason == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _explain(log: Path) -> None:
    from lightship.guard.diary import explain as in_words
    from lightship.infra.ledger_file import read_entries

    typer.echo(in_words(read_entries(log)))


@app.command()
def calibrate(
    footage: Annotated[list[Path], typer.Argument(help="Files or folders of benign video.")],
    out: Annotated[Path, typer.Option(help="Where to write the calibration, such as mine.json.")],
    detector: Annotated[str, typer.Option(help="A detector of the registry.")] = "exposure",
    label: Annotated[str, typer.Option(help="Which of its labels.")] = "exposed",
    fps: Annotated[
        float, typer.Option(min=0.5, max=60.0, help="Looks a second; a policy may not look faster.")
    ] = 4.0,
) -> None:
    """Calibrate a detector on your own benign footage."""
    from lightship import app as wiring

    calibration = wiring.calibrate_files(footage, out, detector, label, fps, say)
    say(
        f"Wrote {out}: {calibration.hours:.2f} benign hours in {len(calibration.streams)} streams, "
        f"{len(calibration.maxima(2.0))} blocks, {calibration.digest}"
    )


@app.command()
def evaluate(
    out: Annotated[Path, typer.Option(help="Folder for card.json, card.md and card.png.")],
    benign: Annotated[list[Path] | None, typer.Argument(help="Files or folders of benign video.")] = None,
    policy: Annotated[str, typer.Option(help="Name or path of a policy.")] = "child-device",
    marked: Annotated[
        list[Path],
        typer.Option(
            help="A video with sensitive spans named beside it, in NAME.marks.json: [[from_s, to_s], ...]."
        ),
    ] = [],  # noqa: B006
    group: Annotated[
        list[str], typer.Option(help="NAME=FOLDER: benign video of a group, for the card's fairness table.")
    ] = [],  # noqa: B006
    known: Annotated[
        list[Path], typer.Option("--list", help="A list of known media; may be given again.")
    ] = [],  # noqa: B006
) -> None:
    """Run footage through a policy and print what was promised beside what happened."""
    from lightship import app as wiring

    groups = wiring.named_folders(group)
    card = wiring.evaluate_files(
        policy, benign or [], marked, groups, out, _lists(known, skip_bad=False), say
    )
    typer.echo(card.to_markdown())


@app.command()
def statistics(
    log: Annotated[Path | None, typer.Argument(help="The guard's log.")] = None,
    epsilon: Annotated[float, typer.Option(help="Privacy of a day: the smaller, the more is made up.")] = 1.0,
) -> None:
    """Print what you may share of the guard's days, with noise that protects you. Nothing is sent, now or ever."""
    from lightship import app as wiring

    days, words = wiring.statistics(log or wiring.default_log(), epsilon)
    say(words)
    typer.echo(json.dumps({"epsilon": epsilon, "days": days}, indent=1))


@app.command("test-card")
def test_card(path: Annotated[Path, typer.Argument(help="Where to write it, such as card.png.")]) -> None:
    """Write the benign test card: print it, hold it to a camera, or lay it over a video."""
    from lightship.detect.test_card import write

    write(path)
    say(f"Wrote {path}. Only a policy marked `test = true` acts on it.")


@ledger_app.command("verify")
def ledger_verify(
    file: Annotated[Path, typer.Argument(help="The ledger.")],
    key: Annotated[
        Path | None, typer.Option(help="The public key's file; beside the ledger unless named.")
    ] = None,
    witness: Annotated[
        list[Path], typer.Option(help="A checkpoint kept elsewhere; may be given again.")
    ] = [],  # noqa: B006
) -> None:
    """Verify a ledger from the file and the public key alone."""
    from lightship.infra.keys import load_public_key
    from lightship.infra.ledger_file import verify_file

    notes = [_text(path) for path in witness]
    result = verify_file(file, load_public_key(key or file.with_suffix(".pub")), witnessed=notes)
    typer.echo(str(result))
    if not result.ok:
        raise typer.Exit(LedgerError.exit_code)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Folder for what it leaves behind.")] = Path("out")) -> None:
    """Play the demonstration; the exit code says whether every chapter held."""
    from lightship.demo.casework import TITLE, chapter
    from lightship.demo.play import CHAPTERS, play

    if not play(out, (*CHAPTERS, (TITLE, chapter(typed)))):
        raise typer.Exit(1)


def typed(state: Path, words: tuple[str, ...]) -> str:
    """Run a command line in a state folder, and return what it prints.

    Raises
    ------
    LightshipError
        Whatever it raises.
    """
    before = os.environ.get("LIGHTSHIP_STATE")
    os.environ["LIGHTSHIP_STATE"] = str(state)
    try:
        with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()):
            app(list(words), standalone_mode=False)
    finally:
        del os.environ["LIGHTSHIP_STATE"]
        if before is not None:
            os.environ["LIGHTSHIP_STATE"] = before
    return printed.getvalue()


def _asked_for(word: str) -> typer.Typer:
    """Return the program with no group of commands but the one that is asked for: Typer makes a parser of all it has.

    A word that it does not know gets the whole program, for its help and for what was meant.
    """
    groups = [one for one in app.registered_groups if one.name == word]
    names = {
        one.name or get_command_name(one.callback.__name__) for one in app.registered_commands if one.callback
    }
    if not groups and word not in names:
        return app
    one = copy(app)
    one.registered_groups = groups
    return one


def main() -> None:
    """Run the command line; an error is one clear sentence and a documented exit code."""
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a polite kill ends in the same order as Ctrl-C
    try:
        _asked_for(" ".join(sys.argv[1:2]))(standalone_mode=True)
    except LightshipError as error:
        say(f"lightship: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("lightship: interrupted.")
        sys.exit(INTERRUPTED)
