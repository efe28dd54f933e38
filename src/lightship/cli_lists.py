"""``lightship lists``: governed lists of known media. Nothing here ever prints a hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lightship.core.errors import InputError, ListError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.detect.list_acts import Prepared

lists_app = typer.Typer(
    help="Lists of known media, governed: who vouches, what is off, what is due.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The list.")]
Reference = Annotated[str, typer.Argument(help="The entry, by its owner's reference.")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]
By = Annotated[str, typer.Option(help="Who does it; your user name unless named.")]
Manifest = Annotated[Path | None, typer.Option(help="The signed manifest that its owner sent along.")]
Terms = Annotated[Path | None, typer.Option(help="TOML: owner, distance, age, signers, [source] and so on.")]
SkipBad = Annotated[bool, typer.Option(help="Load the good lines of a list that has bad ones.")]


def _by(named: str) -> str:
    from lightship.app_lists import person

    return named or person()


def _prepared(made: Prepared) -> None:
    """Say what became of a version."""
    manifest = made.manifest
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(manifest.counts.items()))
    left = [
        f"{count:,} {what}"
        for what, count in (
            ("bad and left out", manifest.skipped),
            ("of too low a quality", manifest.quarantined),
            ("seen before", manifest.duplicates),
        )
        if count
    ]
    signers = f"signed by {', '.join(made.signed_by)}" if made.signed_by else "signed by nobody"
    state = "in force" if made.in_force else "NOT in force: it waits for signatures (lightship lists sign)"
    typer.echo(
        f"{manifest.name} version {manifest.version} of {manifest.as_of}, from {manifest.source}: {counts}"
        f"{' (' + ', '.join(left) + ')' if left else ''}; {signers}; {state}."
    )


@lists_app.command()
def add(
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="Its file; none if its terms name an exchange.")] = None,
    terms: Terms = None,
    role: Annotated[Literal["known", "negative"], typer.Option(help="Known material, or lawful.")] = "known",
    form: Annotated[
        str, typer.Option("--format", help="pdq, vpdq, digests, urls, or the path of a mapping.")
    ] = "",
    manifest: Manifest = None,
    skip_bad: SkipBad = False,
    plain: Annotated[bool, typer.Option(help="Do not encrypt it at rest.")] = False,
    by: By = "",
) -> None:
    """Add a list, from a file or from an exchange."""
    from lightship import app_lists

    with app_lists.open_lists() as lists:
        made = app_lists.add(
            lists,
            name,
            file,
            by=_by(by),
            terms=terms,
            role=role,
            form=form,
            manifest=manifest,
            skip_bad=skip_bad,
            sealed=not plain,
        )
        _prepared(made)
        if not lists.listed(name).terms.signers:
            say("Its terms name no signers: versions are taken as they come.")


@lists_app.command()
def refresh(
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="Its new file; none asks its exchange.")] = None,
    terms: Terms = None,
    manifest: Manifest = None,
    skip_bad: SkipBad = False,
    plain: Annotated[bool, typer.Option(help="Do not encrypt it at rest.")] = False,
    by: By = "",
) -> None:
    """Take a list's next version, or what is new at its exchange."""
    from lightship import app_lists

    with app_lists.open_lists() as lists:
        made = app_lists.refresh(
            lists,
            name,
            file,
            by=_by(by),
            terms=terms,
            manifest=manifest,
            skip_bad=skip_bad,
            sealed=not plain,
        )
        _prepared(made)


@lists_app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="One list; all unless named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    manifest: Annotated[bool, typer.Option(help="Print the version's manifest with its signatures.")] = False,
) -> None:
    """Show lists, their age and what a person is asked about; exits with 8 if one is stale or was refused."""
    from lightship import app_lists
    from lightship.detect.list_show import shown

    with app_lists.open_lists() as lists:
        names = [name] if name else sorted(lists.book().lists)
        if manifest and name:
            typer.echo(lists.store.note(name, max(lists.store.versions(name), default=0)), nl=False)
            return
        states = [shown(lists, one, app_lists.today()) for one in names]
    if as_json:
        typer.echo(json.dumps([state.to_json() for state in states], indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(map(str, states)) or "There is no list yet: lightship lists add NAME FILE.")
    alarms = [alarm for state in states for alarm in state.alarms]
    for alarm in alarms:
        say(f"ALARM: {alarm}")
    if alarms:
        raise typer.Exit(ListError.exit_code)


@lists_app.command()
def diff(
    name: Name,
    old: Annotated[int, typer.Argument(help="A version; the one before unless named.")] = 0,
    new: Annotated[int, typer.Argument(help="A version; the newest unless named.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="References shown of each kind.")] = 20,
) -> None:
    """Show what came and went between two versions: counts and references."""
    from lightship import app_lists
    from lightship.detect.list_acts import compare

    with app_lists.open_lists() as lists:
        found = compare(lists, name, old, new)
    for what, kinds in (("added", found.added), ("removed", found.removed)):
        for kind, references in kinds.items():
            more = f" and {len(references) - limit:,} more" if len(references) > limit else ""
            typer.echo(f"{what} {len(references):,} {kind}: {', '.join(references[:limit])}{more}")
    if not found.added and not found.removed:
        typer.echo("No entry came or went.")


@lists_app.command()
def verify(name: Annotated[str | None, typer.Argument(help="One list; all unless named.")] = None) -> None:
    """Check digests, manifests, signatures and the ledger of the lists."""
    from lightship import app_lists
    from lightship.detect.list_acts import verify as check
    from lightship.infra.keys import load_public_key
    from lightship.infra.ledger_file import verify_file

    with app_lists.open_lists() as lists:
        for one in [name] if name else lists.active():
            bank, manifest, signed_by = check(lists, one)
            by = f"signed by {', '.join(signed_by)}" if signed_by else "signed by nobody, as its terms allow"
            typer.echo(f"{one}: version {bank.version} holds: {manifest.digest}, {by}.")
    path = app_lists.ledger_path()
    report = verify_file(path, load_public_key(path.with_suffix(".pub")))
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(7)


@lists_app.command()
def sign(
    key: Annotated[Path, typer.Option(help="A signer's private key.")],
    name: Annotated[str, typer.Argument(help="The list; none with --make.")] = "",
    make: Annotated[str, typer.Option(help="Make a key of this name, and print its public line.")] = "",
    by: By = "",
) -> None:
    """Sign a list's newest version; with the second signature it comes into force."""
    from lightship import app_lists

    if make:
        from lightship.infra.keys import create_key

        typer.echo(str(create_key(key, make).verifier))
        return
    with app_lists.open_lists() as lists:
        _prepared(app_lists.sign(lists, name, key, _by(by)))


@lists_app.command()
def disable(name: Name, reference: Reference, reason: Reason = "", by: By = "") -> None:
    """Keep one entry from matching."""
    from lightship import app_lists
    from lightship.detect import list_acts

    with app_lists.open_lists() as lists:
        list_acts.disable(lists, name, reference, reason, _by(by))
    typer.echo(f"{name}: the entry {reference} does not match any more.")


@lists_app.command()
def enable(name: Name, reference: Reference, reason: Reason = "", by: By = "") -> None:
    """Let a disabled entry match again."""
    from lightship import app_lists
    from lightship.detect import list_acts

    with app_lists.open_lists() as lists:
        list_acts.enable(lists, name, reference, reason, _by(by))
    typer.echo(f"{name}: the entry {reference} matches again.")


@lists_app.command()
def release(name: Name, reference: Reference, reason: Reason = "", by: By = "") -> None:
    """Let an entry match again that the flood brake set aside."""
    from lightship import app_lists
    from lightship.detect import list_acts

    with app_lists.open_lists() as lists:
        list_acts.release(lists, name, reference, reason, _by(by))
    typer.echo(f"{name}: the entry {reference} was released.")


@lists_app.command()
def feedback(
    name: Name,
    reference: Annotated[str, typer.Argument(help="The entry; nothing with --export.")] = "",
    verdict: Annotated[str, typer.Argument(help="confirmed or false-positive.")] = "",
    reason: Reason = "",
    send: Annotated[bool, typer.Option(help="Tell the exchange too, where it can be told.")] = False,
    export: Annotated[Path | None, typer.Option(help="Write all feedback on the list for its owner.")] = None,
    by: By = "",
) -> None:
    """Record for a list's owner what an entry matched, or write what was recorded to a file."""
    from lightship import app_lists
    from lightship.detect import list_acts

    with app_lists.open_lists() as lists:
        if export is not None:
            value = list_acts.feedback_for_owner(lists, name)
            export.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            typer.echo(
                f"Wrote {export}: {len(value['feedback'])} remarks for {value['owner'] or 'the owner'}."
            )
            return
        list_acts.feed_back(lists, name, reference, verdict, reason, _by(by))
        told = send and app_lists.send_feedback(lists, name, reference, verdict)
    typer.echo(
        f"{name}: recorded{' and sent' if told else '; send the owner the file that --export writes'}."
    )


@lists_app.command()
def review(
    name: Name,
    item: Annotated[str, typer.Argument(help="An item of the sample.")] = "",
    verdict: Annotated[str, typer.Argument(help="confirmed, false-positive or unsure.")] = "",
    sample: Annotated[int, typer.Option(min=0, help="Draw so many matches to review.")] = 0,
    matches: Annotated[Path | None, typer.Option(help="What `lightship match --json` printed.")] = None,
    seed: Annotated[int, typer.Option(help="Decides which are drawn.")] = 1,
    decide: Annotated[str, typer.Option(help="What is decided of the settings, such as keep.")] = "",
    record: Annotated[Path | None, typer.Option(help="Folder for the six-month record.")] = None,
    reason: Reason = "",
    by: By = "",
) -> None:
    """Review a sample of a list's matches, decide on its settings, and write the six-month record (Ofcom C9)."""
    from lightship import app_lists
    from lightship.detect import list_review

    with app_lists.open_lists() as lists:
        if sample:
            if matches is None:
                raise InputError("There is nothing to draw from.", "--matches", "Name a file of matches.")
            lines = app_lists.read_text(matches).splitlines()
            found = list_review.matches_of(name, lines, str(matches))
            for one in list_review.draw_sample(lists, name, found, seed, sample, _by(by)):
                at = f"{one.source} at {one.at_s:.1f} s"
                typer.echo(
                    f"{one.item}  {one.weight_db:.0f} dB, distance {one.distance}, {one.reference}: {at}"
                )
        if item:
            list_review.review(lists, name, item, verdict, reason, _by(by))
        if decide:
            list_review.decide(lists, name, decide, reason, _by(by))
        made = app_lists.record_of(lists, name)
    if record is not None:
        app_lists.write_record(made, record)
    if not sample:
        typer.echo(made.to_markdown(app_lists.today()))
