"""``lightship payments hunt``, ``bundle``, ``draft``, ``refer``, pseudonyms: what leaves, and by whose hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from lightship.say import say

Dataset = Annotated[Path, typer.Option(help="The folder that `lightship payments read` wrote.")]
OwnDataset = Annotated[
    Path | None, typer.Option(help="The dataset that was scored; the one that `score` read unless named.")
]
Key = Annotated[Path, typer.Option(help="The bank's key of pseudonyms.")]


def hunt(
    seed: Annotated[Path, typer.Option(help="Known receivers: one identifier or pseudonym a line.")],
    dataset: Dataset,
    out: Annotated[Path, typer.Option(help="A folder for table and picture.")] = Path("hunt"),
    depth: Annotated[int, typer.Option(min=1, max=2, help="How many receivers far.")] = 2,
    key: Annotated[Path | None, typer.Option(help="With the bank's key, only pseudonyms leave.")] = None,
    shape: Annotated[str, typer.Option(help="A file on which payments count; ours unless named.")] = "",
) -> None:
    """Go from known receivers to unknown payers, and show by which path."""
    from lightship import app_payments_outward as app
    from lightship.payments.hunt_files import summary

    typer.echo(summary(app.hunt(dataset, seed, out, depth=depth, key_file=key, shape_name=shape)))
    say(f"Table and picture: {out}/hunt.csv, {out}/network.html")


def receivers(
    dataset: Dataset,
    out: Annotated[Path, typer.Option(help="A folder for table and picture.")] = Path("receivers"),
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 200,
    shape: Annotated[str, typer.Option(help="A file on which payments count; ours unless named.")] = "",
) -> None:
    """List receivers by their unrelated payers from abroad, and which identifiers may be one."""
    from lightship import app_payments_outward as app
    from lightship.payments.receivers import summary

    typer.echo(summary(app.receivers(dataset, out, limit=limit, shape_name=shape)))
    say(f"Table and picture: {out}/receivers.csv, {out}/network.html")


def bundle(
    alerts: Annotated[Path, typer.Argument(help="The alerts' file, or the folder that `score` wrote.")],
    dataset: OwnDataset = None,
    out: Annotated[Path, typer.Option(help="A folder for the bundles.")] = Path("cases"),
    alert: Annotated[str, typer.Option(help="The id of one alert; all unless named.")] = "",
    glossary: Annotated[str, typer.Option(help="Words and codes: a jurisdiction's name, or a file.")] = "uk",
    shape: Annotated[str, typer.Option(help="A file on which payments count; ours unless named.")] = "",
) -> None:
    """Write each alert's case: evidence, timeline, network, a draft, and why it may be innocent."""
    from lightship import app_payments_outward as app
    from lightship.payments.wording import counted

    made = app.bundle(
        alerts, dataset or _own(alerts), out, glossary_name=glossary, shape_name=shape, only=alert
    )
    typer.echo(f"{counted(made, 'cases')}, drafts all: {out}/index.html")


def draft(
    alerts: Annotated[Path, typer.Argument(help="The alerts' file, or the folder that `score` wrote.")],
    alert: Annotated[str, typer.Option(help="The id of the alert.")],
    form: Annotated[Literal["uk-sar", "goaml", "fincen"], typer.Option(help="Whose form.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    dataset: OwnDataset = None,
    profile: Annotated[str, typer.Option(help="Of goAML: a country's name, or a file.")] = "generic",
    filer: Annotated[
        Path | None, typer.Option(help="TOML: who reports, and facts from customers' files.")
    ] = None,
    narrative: Annotated[Path | None, typer.Option(help="The text that people agreed on.")] = None,
    prepared_by: Annotated[str, typer.Option(help="Who made it.")] = "",
    approved_by: Annotated[str, typer.Option(help="Who else agreed.")] = "",
    final: Annotated[
        bool, typer.Option("--final", help="No draft any more; two people stand for it.")
    ] = False,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its day; today unless named.")
    ] = None,
    xsd: Annotated[
        Path | None,
        typer.Option(envvar="LIGHTSHIP_GOAML_XSD", help="The goAML schema that your FIU gave you."),
    ] = None,
    rates: Annotated[
        Path | None, typer.Option(help="Of goAML: a dated table of rates; that of the dataset unless named.")
    ] = None,
    glossary: Annotated[str, typer.Option(help="Words and codes: a jurisdiction's name, or a file.")] = "uk",
    shape: Annotated[str, typer.Option(help="A file on which payments count; ours unless named.")] = "",
) -> None:
    """Write one alert in an authority's form, as a draft. Nothing is sent: filing is a person's act."""
    from lightship import app_payments_outward as app

    notes = app.draft(
        alerts,
        alert,
        dataset or _own(alerts),
        out,
        form,
        profile_name=profile,
        filer_file=filer,
        narrative_file=narrative,
        prepared_by=prepared_by,
        approved_by=approved_by,
        final=final,
        on=(on or datetime.now(UTC)).date(),
        xsd=xsd,
        rates_file=rates,
        glossary_name=glossary,
        shape_name=shape,
    )
    typer.echo(f"{'Final, not filed' if final else 'Draft'}: {out}")
    for note in notes:
        say(f"To do: {note}.")


def refer(
    alerts: Annotated[Path, typer.Argument(help="The alerts' file, or the folder that `score` wrote.")],
    alert: Annotated[str, typer.Option(help="The id of the alert.")],
    filed_as: Annotated[str, typer.Option(help="The reference of the report that was filed of it.")],
    by: Annotated[str, typer.Option(help="Who filed it.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write an alert as a referral for an investigating body, once a person has filed a report of it."""
    from lightship import app_payments_outward as app
    from lightship.exchange.whole import write_whole

    write_whole(out, app.refer(alerts, alert, filed_as=filed_as, by=by, at=datetime.now(UTC)))
    typer.echo(f"{out}: send it to POST /v1/referrals?form=alerts-jsonl, or hand the file over.")


def _own(alerts: Path) -> Path:
    """Return the dataset that a score of files left beside its alerts."""
    from lightship.app_payments_read import DATA

    return (alerts if alerts.is_dir() else alerts.parent) / DATA


def key(path: Annotated[Path, typer.Argument(help="A file that is not there yet.")]) -> None:
    """Make a key of pseudonyms. It stays with the bank: who has it can read them."""
    from lightship import app_payments_pseudonyms as app

    app.make_key(path)
    say(f"The key is in {path}. Keep a copy where only the bank can read it.")


def pseudonyms(
    source: Annotated[Path, typer.Argument(help="A dataset's folder, or a file of seeds.")],
    key: Key,
    out: Annotated[Path, typer.Option(help="Where to write.")],
) -> None:
    """Write a dataset or seeds with pseudonyms for identifiers, so that others can hunt without knowing anybody."""
    from lightship import app_payments_pseudonyms as app

    typer.echo(app.hide(source, out, key))


def reveal(
    names: Annotated[Path, typer.Argument(help="A text, such as hunt.csv, with pseudonyms in it.")],
    dataset: Dataset,
    key: Key,
) -> None:
    """Say whom pseudonyms mean: pseudonym, tab, identifier."""
    from lightship import app_payments_pseudonyms as app

    found = app.reveal(names, dataset, key)
    for hidden, plain in found:
        typer.echo(f"{hidden}\t{plain}")
    say(f"{len(found):,} pseudonyms are of this dataset.")


COMMANDS = (receivers, hunt, bundle, draft, refer, key, pseudonyms, reveal)
