"""``lightship cases``: referrals come in, and become inquiries with one owner and one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.core.errors import InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.core.casework import Inquiry, Marking
    from lightship.core.ports import Work
    from lightship.core.release import Partner
    from lightship.infra.store import SqlStore

cases_app = typer.Typer(
    help="Which child may be in danger now, whose case it is, and by when somebody acts. Holds no pictures.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who you are.")]
Id = Annotated[str, typer.Argument(help="The inquiry.")]
Readers = Annotated[
    Path | None,
    typer.Option(
        envvar="LIGHTSHIP_READERS",
        help="The file that says what colleagues are cleared for; others: TLP and PAP amber.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same weeks.")]


@contextmanager
def _store() -> Iterator[SqlStore]:
    from lightship.app_casework import open_casework

    with open_casework(state_folder() / "cases", say) as store:
        yield store


ABOVE = "Above your clearance."


def _line(one: Inquiry) -> str:
    whose = f"{one.owner}, handed to {one.handed_to}" if one.handed_to else one.owner
    return f"{one.id}  urgency {one.urgency}  by {one.due_at:%Y-%m-%d %H:%M}Z  {whose}  {one.title}"


def _cleared(by: str, file: Path | None) -> tuple[Partner, Marking]:
    """Return who looks, as somebody who is released to, and the house's own marking."""
    from lightship.app_share import readers
    from lightship.casework.clearance import reader_of
    from lightship.core.casework import Marking

    own = Marking(tlp="amber", pap="amber")
    return reader_of(readers(file) if file else {}, by, own), own


def _act(act: Callable[[Work, datetime], Inquiry]) -> None:
    with _store() as store, store.begin() as work:
        changed = act(work, datetime.now(UTC))
    typer.echo(_line(changed))


@cases_app.command()
def intake(
    sender: Annotated[str, typer.Option(help="Who sent them.")],
    by: By,
    files: Annotated[list[Path], typer.Argument(help="Files with referrals.")] = [],  # noqa: B006
    form: Annotated[
        str,
        typer.Option(
            help="cybertip-xml, schedule1-json, goaml-xml, alerts-jsonl, platform-json, "
            "signal-json, stix-json, misp-json or csv."
        ),
    ] = "",
    mapping: Annotated[Path | None, typer.Option(help="TOML that says what a table's columns mean.")] = None,
    calling_code: Annotated[str, typer.Option(help="Calling code of national phone numbers.")] = "44",
    taxii: Annotated[
        str, typer.Option(help="Instead of files: the address of a partner's TAXII collection.")
    ] = "",
    token: Annotated[
        Path | None, typer.Option(help="For it: a file with the token, or name:password, they gave.")
    ] = None,
) -> None:
    """Take referrals in: each is on disk, owned and due before its line is printed."""
    from lightship import app_casework as wiring

    if bool(taxii) == bool(files) or (taxii and token is None) or (files and not form):
        what = "Name files with their --form, or a partner's collection: --taxii with its --token."
        raise InputError(what, "cases intake", "")
    number, now = 0, datetime.now(UTC)
    with _store() as store:
        if taxii and token is not None:
            found = wiring.intake_taxii(
                store, state_folder() / "cases", taxii, token, sender=sender, by=by, now=now
            )
        else:
            found = wiring.intake(
                store,
                files,
                form=form,
                sender=sender,
                by=by,
                now=now,
                mapping=mapping,
                calling_code=calling_code,
            )
        for one in found:
            number += 1
            how = "here already" if one.again else "joined" if one.joined else "opened"
            typer.echo(
                f"{one.referral_id}  {how} {one.inquiry_id}  urgency {one.urgency}  {one.owner}  "
                f"by {one.due_at:%Y-%m-%d %H:%M}Z"
            )
            for note in one.notes:
                say(f"  not read: {note}")
    say(f"{number} taken in.")


@cases_app.command()
def refer(
    case: Annotated[str, typer.Argument(help="The case of the platform's watch.")],
    folder: Annotated[Path, typer.Option(help="The platform's folder, as of `lightship serve`.")],
    platform: Annotated[str, typer.Option(help="The platform's name.")],
    by: By,
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Hand it over: `lightship serve --refer-to` sends it.")
    ] = False,
) -> None:
    """Refer a platform's case to an investigating body, without pictures and addresses; it is on the record."""
    from lightship.app_casework import refer as referred
    from lightship.exchange.whole import write_whole

    if (out is None) != send:
        raise InputError("A case is written to a file, or handed over.", "cases refer", "--out or --send.")
    data = referred(folder, case, platform, by=by, now=datetime.now(UTC), send=send)
    if out is None:
        say("Ordered. It is sent by the platform's running service, and again until the body has it.")
        return
    write_whole(out, data)
    say(f"Wrote {out}. Take it in with --form platform-json.")


@cases_app.command("list")
def list_(
    by: By,
    owner: Annotated[str, typer.Option(help="Only theirs.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    readers: Readers = None,
) -> None:
    """Show the queue: live and ongoing abuse first."""
    from lightship.casework.clearance import seen_queue
    from lightship.casework.sight import screen

    reader, own = _cleared(by, readers)
    with _store() as store, store.begin() as work:
        found, closed = seen_queue(screen(work, owner, limit, by=by, now=datetime.now(UTC)), reader, own)
    for one in found.inquiries:
        typer.echo(_line(one))
        for reason in [ABOVE] if one.id in closed else one.reasons:
            typer.echo(f"    {reason}")


@cases_app.command()
def show(
    inquiry: Id,
    by: By,
    narrative: Annotated[bool, typer.Option(help="Open what senders wrote.")] = False,
    readers: Readers = None,
) -> None:
    """Show an inquiry with its referrals, identifiers and tasks; the senders' words stay closed until asked for."""
    from lightship.casework.clearance import seen
    from lightship.casework.sight import sight
    from lightship.casework.urgency import shipped

    reader, own = _cleared(by, readers)
    with _store() as store, store.begin() as work:
        found = seen(sight(work, shipped(), inquiry, by=by, now=datetime.now(UTC)), reader, own)
    typer.echo(_line(found.inquiry))
    for reason in found.inquiry.reasons:
        typer.echo(f"  {reason}")
    for task in sorted(found.tasks, key=lambda one: one.due_at):
        typer.echo(
            f"  task {task.id}  {task.state}  by {task.due_at:%Y-%m-%d %H:%M}Z  {task.words or ABOVE}  [{task.rule}]"
        )
    for each in found.referrals:
        held = "" if each.kind == each.kind_now else f", held as {each.kind_now}"
        typer.echo(
            f"  referral {each.id}  {each.source} from {each.sender}  {each.reference}  {each.kind}{held}  "
            f"complete {each.completeness:.0%}"
        )
        for person in found.named.get(each.id, ()):
            where = f" on {person.platform}" if person.platform else ""
            typer.echo(
                f"    {person.person.partition('/')[2]} ({person.role}): {person.kind} {person.value}{where}"
            )
        if narrative and each.narrative:
            typer.echo("    " + each.narrative.replace("\n", "\n    "))
    if not found.whole:
        typer.echo(f"  Not all of it is shown. {ABOVE}")


@cases_app.command()
def why(inquiry: Id, by: By, readers: Readers = None) -> None:
    """Say why an inquiry stands where it stands, where it would stand without each fact, and what to ask next."""
    from lightship.casework.clearance import seen
    from lightship.casework.sight import sight
    from lightship.casework.urgency import shipped
    from lightship.core.errors import AccessDenied

    reader, own = _cleared(by, readers)
    with _store() as store, store.begin() as work:
        found = seen(sight(work, shipped(), inquiry, by=by, now=datetime.now(UTC)), reader, own).why
    if found is None:
        raise AccessDenied(ABOVE, f"inquiry {inquiry}", "Somebody cleared for it must read it.")
    urgency = found.urgency
    typer.echo(
        f"Urgency {urgency.level} ({urgency.weight_db:.0f} dB), rank {found.rank} of {found.of}: {urgency.rung.says}"
    )
    for one in found.without:
        typer.echo(
            f"+{one.factor.weight_db:.0f} dB: {one.factor.says} Without it: urgency {one.urgency.level}, "
            f"rank {one.rank}. [{one.factor.grade}: {one.factor.source}]"
        )
    for ask in found.ask:
        typer.echo(
            f"Ask: {ask.factor.ask} About {ask.factor.ask_minutes:.0f} minutes; "
            f"if so, +{ask.gain_db:.0f} dB, urgency {ask.to_level}."
        )


@cases_app.command()
def take(inquiry: Id, by: By) -> None:
    """Take an inquiry: from now on it is yours."""
    from lightship.casework import desk

    _act(lambda work, now: desk.take(work, inquiry, by=by, now=now))


@cases_app.command()
def hand(inquiry: Id, by: By, to: Annotated[str, typer.Option(help="Who gets it.")]) -> None:
    """Hand an inquiry over: it stays yours until the other acknowledges."""
    from lightship.casework import desk

    _act(lambda work, now: desk.hand(work, inquiry, by=by, to=to, now=now))


@cases_app.command()
def ack(inquiry: Id, by: By) -> None:
    """Acknowledge a hand-off."""
    from lightship.casework import desk

    _act(lambda work, now: desk.acknowledge(work, inquiry, by=by, now=now))


@cases_app.command()
def do(
    task: Annotated[str, typer.Argument(help="The task.")],
    by: By,
    outcome: Annotated[str, typer.Option(help="What came of it.")],
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="It is no longer to be done.")] = False,
) -> None:
    """End a task with what came of it."""
    from lightship.casework import desk

    with _store() as store, store.begin() as work:
        ended = desk.finish(work, task, by=by, outcome=outcome, now=datetime.now(UTC), withdrawn=withdrawn)
    typer.echo(f"{ended.id}  {ended.state}  {ended.words}")


@cases_app.command("file-away")
def file_away(inquiry: Id, by: By, why: Annotated[str, typer.Option(help="Your reason.")]) -> None:
    """End an inquiry, once the child's safety was seen to and nothing is open."""
    from lightship.casework import desk

    _act(lambda work, now: desk.file_away(work, inquiry, by=by, why=why, now=now))


@cases_app.command()
def reclassify(
    referral: Annotated[str, typer.Argument(help="The referral.")],
    by: By,
    kind: Annotated[str, typer.Option(help="What it is held as from now on.")],
    why: Annotated[str, typer.Option(help="Your reason.")],
) -> None:
    """Hold a referral as of another kind; what its sender called it stays."""
    from lightship.casework import intake

    with _store() as store, store.begin() as work:
        one = intake.reclassify(work, referral, kind, by=by, why=why, now=datetime.now(UTC))
    typer.echo(f"{one.id}  came as {one.kind}, held as {one.kind_now}")


@cases_app.command("read-again")
def read_again(
    referral: Annotated[str, typer.Argument(help="The referral.")],
    by: By,
    form: Annotated[str, typer.Option(help="What it really is; see intake.")],
    mapping: Annotated[Path | None, typer.Option(help="TOML that says what a table's columns mean.")] = None,
    calling_code: Annotated[str, typer.Option(help="Calling code of national phone numbers.")] = "44",
) -> None:
    """Read a referral that named nobody as another form, from the bytes that came."""
    from lightship.app_casework import read_again as read

    with _store() as store:
        one, notes = read(
            store,
            referral,
            form=form,
            by=by,
            now=datetime.now(UTC),
            mapping=mapping,
            calling_code=calling_code,
        )
    typer.echo(f"{one.id}  {one.source}  {one.reference}  complete {one.completeness:.0%}")
    for note in notes:
        say(f"  not read: {note}")


@cases_app.command()
def escalate() -> None:
    """Give what is late to the supervisor; run it every minute."""
    from lightship.casework import desk

    with _store() as store, store.begin() as work:
        found = desk.escalate(work, datetime.now(UTC), desk.Offices())
    for one in found:
        typer.echo(_line(one))


@cases_app.command()
def rarity(by: By) -> None:
    """Say how rare each fact of urgency is among your own referrals, and so how much it can weigh at most."""
    from lightship.casework.rarity import counted
    from lightship.casework.urgency import shipped

    with _store() as store, store.begin() as work:
        found = counted(work, shipped(), by=by, now=datetime.now(UTC))
    for one in found:
        over = "  more than its rarity allows" if one.factor.weight_db > one.most_db else ""
        typer.echo(
            f"{one.factor.id:16} {one.shown:8,} of {one.of:,}  at most {one.most_db:4.1f} dB, "
            f"weighs {one.factor.weight_db:g}{over}"
        )


@cases_app.command()
def simulate(
    weeks: Annotated[int, typer.Option(min=2, max=520, help="How many weeks a seed.")] = 26,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many seeds, from --seed on.")] = 5,
    seed: Seed = 1,
    capacity: Annotated[
        float,
        typer.Option(min=0.1, max=10.0, help="Analysts' time, as a multiple of what comes in; 0.1 to 10."),
    ] = 1.02,
    priors: Annotated[
        str, typer.Option(help="Name or path of what the weeks are drawn from.")
    ] = "simulation",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page, the picture and the figures.")
    ] = None,
) -> None:
    """Compare orders of the queue on made-up weeks: first come, record first, and the ladder of urgency."""
    import json

    from lightship import packs
    from lightship.casework import simulation_page
    from lightship.casework.made import parse_priors, weeks_of
    from lightship.casework.simulate import compare
    from lightship.casework.urgency import shipped
    from lightship.exchange.whole import write_whole

    where, text = packs.read("casework", priors, ".toml", "priors of a simulation")
    drawn = parse_priors(text, str(where))
    runs = {
        one: compare(drawn, shipped(), weeks_of(drawn, weeks, one), capacity)
        for one in range(seed, seed + seeds)
    }
    said = f"{seeds} seeds of {weeks} weeks, {drawn.week['referrals']:,.0f} referrals a week, capacity {capacity:g}."
    typer.echo(said)
    typer.echo(simulation_page.as_text(runs))
    say(simulation_page.CAVEAT)
    if out is not None:
        png = simulation_page.picture(runs)
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "simulation.png", png)
        write_whole(out / "simulation.html", simulation_page.page(runs, drawn, said, png).encode())
        write_whole(
            out / "simulation.json", (json.dumps(simulation_page.as_json(runs), indent=1) + "\n").encode()
        )
        say(f"Wrote {out / 'simulation.html'}.")


@cases_app.command()
def account(
    name: Annotated[str, typer.Argument(help="Small letters, digits, . _ and -.")],
    role: Annotated[str, typer.Option(help="analyst, auditor or administrator.")],
    shown_as: Annotated[str, typer.Option(help="How colleagues see the name.")] = "",
) -> None:
    """Make an account of the body's console; the secret of the one-time codes is shown once."""
    from lightship.app_casework import account as made
    from lightship.core.people import BODY_ROLES

    if role not in BODY_ROLES:
        raise InputError(f"“{role}” is no role here.", "--role", f"Use {', '.join(BODY_ROLES)}.")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    secret = made(state_folder() / "cases", name, shown_as or name, role, password)
    typer.echo(f"Secret of the one-time codes, for an authenticator app, shown once: {secret}")


@cases_app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8090,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate, for TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="A proxy before it does TLS.")] = False,
    partners: Annotated[
        Path | None, typer.Option(help="The file that names partners and their grades, for previews.")
    ] = None,
    readers: Annotated[
        Path | None,
        typer.Option(
            help="The file that says what colleagues are cleared for; others: what --tlp and so on allow."
        ),
    ] = None,
    house: Annotated[str, typer.Option(help="The body's name; it may lower its own markings.")] = "",
    tlp: Annotated[str, typer.Option(help="The house's own words: clear, green, amber or red.")] = "amber",
    pap: Annotated[
        str, typer.Option(help="What may be done with them: clear, green, amber or red.")
    ] = "amber",
    gsc: Annotated[str, typer.Option(help="Their classification, such as OFFICIAL.")] = "OFFICIAL",
    nats: Annotated[
        str, typer.Option(help="Take referrals from this bus too: of a platform of the same house alone.")
    ] = "",
    key: Annotated[Path | None, typer.Option(help="The house's signing key; for packs.")] = None,
    oidc: Annotated[
        Path | None, typer.Option(help="File (TOML) with the OpenID Connect provider to sign in through.")
    ] = None,
) -> None:
    """Serve the body's console, and `POST /v1/referrals` for those who have its token, until interrupted."""
    from json import dumps

    from lightship import app_casework_serve
    from lightship.app_serving import Serving
    from lightship.app_share import partners as named
    from lightship.app_share import readers as cleared
    from lightship.console.oidc import read_oidc
    from lightship.core.markings import read_marking
    from lightship.core.people import BODY_ROLES

    own = read_marking(dumps({"gsc": gsc, "tlp": tlp, "pap": pap, "originator": house}))
    serving = Serving(host, port, tls_certificate, tls_key, plain)
    app_casework_serve.serve(
        state_folder() / "cases",
        serving,
        named(partners) if partners else {},
        own,
        cleared(readers) if readers else {},
        key=key,
        oidc=read_oidc(oidc, BODY_ROLES) if oidc else None,
        nats=nats,
    )
