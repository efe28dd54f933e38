"""``lightship duties``: what the law is owed, who answers for it, what runs, and what is kept and destroyed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lightship.cli_duties_intimate import intimate_app
from lightship.cli_serve import Database, Folder
from lightship.core.errors import InputError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.core.duties import Clock, Duty
    from lightship.duties.law import Law
    from lightship.duties.provider import Provider

duties_app = typer.Typer(help="What the law is owed for what was detected.", no_args_is_help=True)
people_app = typer.Typer(help="Who answers for it, on any day.", no_args_is_help=True)
retention_app = typer.Typer(help="What is kept for a report, and its destruction.", no_args_is_help=True)
question_app = typer.Typer(help="An authority's questions, and their seven days.", no_args_is_help=True)
clock_app = typer.Typer(help="Every other time that runs.", no_args_is_help=True)
for name, one in (
    ("people", people_app), ("retention", retention_app), ("question", question_app), ("clock", clock_app),
    ("intimate", intimate_app),
):  # fmt: skip
    duties_app.add_typer(one, name=name)

By = Annotated[str, typer.Option(help="Whose act it is, for the record; this user's unless named.")]
Day = Annotated[str, typer.Option(help="A day, such as 2026-11-30; today unless named.")]
Received = Annotated[str, typer.Option(help="When it came, as 2026-11-28T23:40+00:00; now unless named.")]
Known = Annotated[str, typer.Option("--reference", help="Under which they speak of it.")]


@duties_app.command("owed")
def owed_(
    state: Annotated[str, typer.Option(help="Show not-owed, filed or closed instead of what waits.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Say for every detection whether a report is owed, to whom, why not, or under which reference it was filed."""
    from lightship.app_platform import store_of
    from lightship.duties import owed

    if state and state not in owed.STATES:
        raise InputError(f"“{state}” is no state.", "--state", f"Use {', '.join(owed.STATES)}.")
    law, now = _provider(folder).law, datetime.now(UTC)
    with store_of(folder, database) as store, store.look() as work:
        standing = owed.standing(work, law, now, limit=limit)
        shown = owed.done(work, state, limit=limit) if state else list(standing.waiting)
    typer.echo("; ".join(f"{name} {count:,}" for name, count in standing.counts.items()))
    if standing.oldest is not None:
        typer.echo(f"The oldest that waits: {_told(standing.oldest, law, now)}")
    for one in shown:
        typer.echo(_told(one, law, now))
    for clock in standing.clocks:
        typer.echo(told_clock(clock, now))


@duties_app.command()
def decide(
    duty: Annotated[str, typer.Argument(help="The duty's id.")],
    fact: Annotated[
        list[str], typer.Option(help="A fact of the detection, as uk-link=yes; may be given again.")
    ] = [],  # noqa: B006
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Tell facts of a detection, and decide by the rules whom its report is owed to."""
    from lightship.app_platform import store_of
    from lightship.duties import desk, owed

    given, now, who = _provider(folder), datetime.now(UTC), by or _person()
    with store_of(folder, database) as store, store.begin() as work:
        if fact:
            desk.tell(work, duty, fact, given.law, by=who, now=now)
        decided, _ = desk.decide(work, duty, given.law, provider=given.facts, by=who, now=now)
        to_do = owed.told_to_do(work, decided, given.law, now, registered=given.registered)
    for said in to_do:
        say(said)
    typer.echo(_told(decided, given.law, now))


@duties_app.command()
def call(
    duty: Annotated[str, typer.Argument(help="The duty's id.")],
    whom: Annotated[str, typer.Option(help="Who was called, such as 999.")],
    words: Annotated[str, typer.Option(help="What was said, in words without content.")] = "",
    reference: Known = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Put a telephone call about a duty on the record."""
    from lightship.app_platform import store_of
    from lightship.duties import desk

    now = datetime.now(UTC)
    with store_of(folder, database) as store, store.begin() as work:
        desk.called(work, duty, whom=whom, reference=reference, words=words, by=by or _person(), now=now)
    say("Written down.")


@duties_app.command()
def targets(
    month: Annotated[
        str, typer.Option(help="Such as 2026-11, 2026-Q4 or 2026; this month unless named.")
    ] = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Say what became of the targets for time and accuracy, with the misses that took longest and their causes."""
    from lightship.app_regulator import open_desk
    from lightship.cli_serve import deployed
    from lightship.duties.targets import in_words

    with open_desk(deployed(folder, database)) as desk:
        found = desk.targets(desk.period(month))
    for one in found["targets"]:
        typer.echo(f"{one['id']}: {in_words(one)}")
        for miss in one["longest"]:
            took = f", {miss['took_s'] / 60:,.0f} min" if one["within_s"] else ""
            waits = " so far" if miss["waits"] else ""
            typer.echo(f"  case {miss['case']}{took}{waits}: {miss['cause']}")


# People ----------------------------------------------------------------------------------------


@people_app.command()
def roster(on: Day = "", folder: Folder = None, database: Database = "") -> None:
    """Say who held which post on a day, and what was missing."""
    from lightship.app_platform import store_of
    from lightship.duties import people

    at = _moment(on)
    with store_of(folder, database) as store, store.look() as work:
        seats = people.roster(work, at)
    for one in seats:
        until = f", trained until {one.trained_until:%Y-%m-%d}" if one.trained_until else ""
        account = f" ({one.account})" if one.account else ""
        typer.echo(f"{one.id}  {one.post}: {one.name}{account}, since {one.begins_at:%Y-%m-%d}{until}")
    for said in people.lacks(seats, at):
        say(said)


@people_app.command("seat")
def seat_(
    post: Annotated[str, typer.Argument(help="accountable, administrator, replacement or authorised.")],
    name: Annotated[str, typer.Argument(help="The person's name.")],
    account: Annotated[str, typer.Option(help="Their account at the console, if they sign in.")] = "",
    begins: Day = "",
    trained_until: Annotated[str, typer.Option(help="Until which day their training for it holds.")] = "",
    registered_as: Annotated[str, typer.Option(help="With the authority.")] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Give a person a post; whoever held one that is held by one person leaves it."""
    from lightship.app_platform import store_of
    from lightship.core.duties import Post
    from lightship.duties import people

    with store_of(folder, database) as store, store.begin() as work:
        made = people.seat(
            work,
            cast(Post, post),
            name=name,
            account=account,
            begins_at=_moment(begins),
            trained_until=_moment(trained_until) if trained_until else None,
            registered_as=registered_as,
            by=by or _person(),
        )
    typer.echo(made.id)


@people_app.command()
def train(
    seat: Annotated[str, typer.Argument(help="The seat's id, as the roster says it.")],
    until: Annotated[str, typer.Option(help="Until which day it holds.")],
    materials: Annotated[str, typer.Option(help="Which materials, with their version.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Take in that somebody was trained for their post."""
    from lightship.app_platform import store_of
    from lightship.duties import people

    with store_of(folder, database) as store, store.begin() as work:
        people.train(work, seat, until=_moment(until), materials=materials, by=by or _person())
    say("Written down.")


@people_app.command()
def leave(
    seat: Annotated[str, typer.Argument(help="The seat's id, as the roster says it.")],
    on: Day = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """End a seat."""
    from lightship.app_platform import store_of
    from lightship.duties import people

    with store_of(folder, database) as store, store.begin() as work:
        people.leave(work, seat, ends_at=_moment(on), by=by or _person())
    say("Written down.")


# Clocks ----------------------------------------------------------------------------------------


@question_app.command()
def add(
    about: Annotated[str, typer.Argument(help="The duty it is about.")],
    words: Annotated[str, typer.Argument(help="What is asked, in words without content.")],
    reference: Known = "",
    received: Received = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Take in a question of the authority; its seven days run from its receipt."""
    begin_clock("nca-question", about, words, reference, received, by, folder, database)


@question_app.command()
def answer(
    question: Annotated[str, typer.Argument(help="The question's id.")],
    words: Annotated[str, typer.Argument(help="What was answered, in words without content.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Take in that it was answered."""
    _end(question, words, by, folder, database)


@clock_app.command("begin")
def begin_(
    kind: Annotated[
        str, typer.Argument(help="Such as intimate-image, data-protection-complaint or erasure-request.")
    ],
    about: Annotated[str, typer.Argument(help="The case, report or exhibit it is about.")],
    words: Annotated[str, typer.Option(help="What is asked, in words without content.")] = "",
    reference: Known = "",
    received: Received = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Let a clock run."""
    begin_clock(kind, about, words, reference, received, by, folder, database)


@clock_app.command()
def end(
    clock: Annotated[str, typer.Argument(help="The clock's id.")],
    outcome: Annotated[str, typer.Argument(help="What was done; where it is late, why.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """End a clock with its outcome."""
    _end(clock, outcome, by, folder, database)


@clock_app.command("list")
def listed(folder: Folder = None, database: Database = "") -> None:
    """Say which clocks run, the next one due first."""
    from lightship.app_platform import store_of
    from lightship.duties import clocks

    with store_of(folder, database) as store, store.look() as work:
        found = clocks.running(work)
    for one in found:
        typer.echo(told_clock(one, datetime.now(UTC)))
    if not found:
        say("No clock runs.")


# Keeping ---------------------------------------------------------------------------------------


@retention_app.command()
def run(
    recover: Annotated[
        bool, typer.Option("--recover", help="The store is the right one, though it knows less than half.")
    ] = False,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Seal what was filed, destroy what is past its time, and certify both; a running service does it every hour."""
    from lightship.app_duties import run_retention
    from lightship.cli_serve import deployed

    done = run_retention(deployed(folder, database), say, recover=recover)
    expired = done.expired
    typer.echo(
        f"Sealed for reports: {len(done.secured)}. Destroyed: {len(expired.destroyed)} exhibits; "
        f"{expired.held} past their time are on hold. Reports of which all is destroyed: {len(done.proved)}."
    )


@retention_app.command()
def keep(
    duty: Annotated[str, typer.Argument(help="The duty whose report it belongs to.")],
    file: Annotated[Path, typer.Argument(help="What to keep; the file itself is left where it is.")],
    what: Annotated[str, typer.Option(help="look-back, basis, submission or content.")] = "look-back",
    media: Annotated[str, typer.Option(help="Of content, such as video/mp4.")] = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Seal what only the platform has: sign-ins, messages, connections of the two weeks before."""
    from lightship.app_duties import keep_file
    from lightship.cli_serve import deployed

    typer.echo(keep_file(deployed(folder, database), duty, file, what, media).id)


@retention_app.command()
def erase(
    request: Annotated[str, typer.Argument(help="The clock of the request to erase, which is about a case.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Answer a request to erase: what no law and no hold wants kept goes, the rest stays with a written reason."""
    from lightship.app_duties import erase_asked
    from lightship.cli_serve import deployed

    typer.echo(erase_asked(deployed(folder, database), request, by or _person()).words)


def begin_clock(
    kind: str,
    about: str,
    words: str,
    reference: str,
    received: str,
    by: str,
    folder: Path | None,
    database: str,
) -> None:
    """Let a clock run, and say until when."""
    from lightship.app_platform import store_of
    from lightship.duties import clocks

    law, now = _provider(folder).law, datetime.now(UTC)
    began = _received(received, now)
    with store_of(folder, database) as store, store.begin() as work:
        clock = clocks.begin(
            work, law, kind, about=about, began_at=began, by=by or _person(), words=words, reference=reference
        )
    typer.echo(told_clock(clock, now))


def _end(clock: str, outcome: str, by: str, folder: Path | None, database: str) -> None:
    from lightship.app_platform import store_of
    from lightship.duties import clocks

    now = datetime.now(UTC)
    with store_of(folder, database) as store, store.begin() as work:
        ended = clocks.end(work, clock, outcome=outcome, by=by or _person(), now=now)
    late = now > ended.due_at
    say(f"Ended{', late' if late else ', in time'}.")


def _told(duty: Duty, law: Law, now: datetime) -> str:
    from lightship.duties import owed

    clock = ""
    if duty.due_at is not None and duty.filed_at is None:
        clock = f", {'LATE since' if duty.due_at < now else 'until'} {duty.due_at:%Y-%m-%d %H:%M} UTC"
    urgent = f" {duty.priority}" if duty.priority else ""
    return f"{duty.id}{urgent}, aware {duty.aware_at:%Y-%m-%d %H:%M} UTC{clock}: {owed.words(duty, law)}"


def told_clock(clock: Clock, now: datetime) -> str:
    """Return a clock in a line."""
    late = "LATE since" if clock.due_at < now else "until"
    reference = f" ({clock.reference})" if clock.reference else ""
    words = f": {clock.words}" if clock.words else ""
    return f"{clock.id}  {clock.kind} about {clock.about}{reference}, {late} {clock.due_at:%Y-%m-%d %H:%M} UTC{words}"


def _provider(folder: Path | None) -> Provider:
    from lightship.app_duties import provider_of
    from lightship.cli_serve import deployed

    return provider_of(deployed(folder).folder)


def _person() -> str:
    from lightship.app_lists import person

    return person()


def _day(text: str, now: datetime) -> date:
    try:
        return date.fromisoformat(text) if text else now.date()
    except ValueError as error:
        raise InputError(f"“{text}” is no day.", "", "Write it like 2026-11-30.") from error


def _moment(text: str) -> datetime:
    """Return the beginning of a day, UTC; now where none is named."""
    now = datetime.now(UTC)
    day = _day(text, now)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if text else now


def _received(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text) if text else now
    except ValueError as error:
        raise InputError(
            f"“{text}” is no time.", "--received", "Write it like 2026-11-28T23:40+00:00."
        ) from error
    if at.tzinfo is None:
        raise InputError(
            "A time without its zone may be any of several.", "--received", "Add it, such as +00:00."
        )
    if at > now:
        raise InputError("What comes later has not been received.", "--received", "Check the time.")
    return at.astimezone(UTC)
