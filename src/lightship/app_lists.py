"""Wires the governed lists to the store on disk and the ledger beside it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from lightship import settings
from lightship.core.errors import InputError, SinkError
from lightship.core.known import Role, Terms
from lightship.core.notes import SigningKey
from lightship.core.terms import Source, check_name, parse_terms
from lightship.core.tuning import TuningRecord, tuning_record
from lightship.detect import list_acts
from lightship.detect.bank import Bank, load
from lightship.detect.follow import ListFiles, follow, follow_files
from lightship.detect.known_media import SCAN_UP_TO
from lightship.detect.list_acts import Prepared
from lightship.detect.lists import Lists, Tell, aloud, load_banks
from lightship.detect.matcher import Matcher
from lightship.infra.keys import load_key, load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.list_store import ListStore

__all__ = ["add", "banks_or_paths", "follow", "load_banks", "matcher_of", "open_lists", "refresh", "today"]


@contextmanager
def open_lists(folder: Path | None = None) -> Iterator[Lists]:
    """Open the governed lists; beside their folder lie the key that seals them and the ledger with its key.

    Parameters
    ----------
    folder
        :func:`lightship.settings.lists_folder` unless named.

    Raises
    ------
    LightshipError
        If a key cannot be read, or the ledger does not continue what was signed.
    """
    folder = folder or settings.lists_folder()
    store = ListStore(folder, settings.lists_key())
    path = ledger_path(folder)
    with LedgerFile(path, load_or_create_key(path.with_suffix(".key"), "lightship-lists")) as ledger:
        yield Lists(store, ledger)


def ledger_path(folder: Path | None = None) -> Path:
    """Return where the ledger of the lists lies."""
    folder = folder or settings.lists_folder()
    return folder.with_name(f"{folder.name}.ledger")


def today() -> date:
    """Return the day."""
    return datetime.now(UTC).date()


def person() -> str:
    """Return the name under which this user's acts go on record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def add(
    lists: Lists,
    name: str,
    file: Path | None,
    *,
    by: str,
    terms: Path | None = None,
    role: Role = "known",
    form: str = "",
    manifest: Path | None = None,
    skip_bad: bool = False,
    sealed: bool = True,
) -> Prepared:
    """Add a list: its terms, and its first version from a file or an exchange.

    Parameters
    ----------
    terms
        Their TOML file; without one it is known material, or what ``role`` says.
    form
        The format of its files; what the terms say unless named.

    Raises
    ------
    LightshipError
        Whatever is wrong with the terms, the file, or the exchange.
    """
    check_name(name)
    if name in lists.active():
        raise InputError("There is such a list already.", f"list {name}", "Use `lightship lists refresh`.")
    agreed, source = parse_terms(read_text(terms), str(terms)) if terms else (Terms(name, role), Source())
    if agreed.name != name:
        raise InputError(f"The terms are those of the list “{agreed.name}”.", str(terms), "Use its name.")
    if form:
        source = Source(source.api, form, source.credentials, source.environment, source.address)
    if file is None and not source.api:
        raise InputError(
            "The list has neither a file nor an exchange.", f"list {name}", "Name one of the two."
        )
    list_acts.set_terms(lists, agreed, source, by)
    return refresh(lists, name, file, by=by, manifest=manifest, skip_bad=skip_bad, sealed=sealed)


def refresh(
    lists: Lists,
    name: str,
    file: Path | None,
    *,
    by: str,
    terms: Path | None = None,
    manifest: Path | None = None,
    skip_bad: bool = False,
    sealed: bool = True,
) -> Prepared:
    """Make a list's next version from a file, or from what is new at its exchange.

    Raises
    ------
    LightshipError
        Whatever is wrong with the terms, the file, or the exchange; the version in force goes on serving.
    """
    if terms is not None:
        agreed, source = parse_terms(read_text(terms), str(terms))
        if agreed.name != name:
            raise InputError(f"The terms are those of the list “{agreed.name}”.", str(terms), "Use its name.")
        list_acts.set_terms(lists, agreed, source, by)
    source = lists.listed(name).source
    if file is None:
        if not source.api:
            raise InputError("The list comes from files.", f"list {name}", "Name the new file.")
        from lightship.exchange.sharing import fetch

        return list_acts.refresh(lists, name, fetch, today(), by)
    note = read_text(manifest) if manifest is not None else ""
    with list_acts.refusing(lists, name):
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC).date() if file.exists() else today()
        offered = list_acts.read_file(file, source.form, written, skip_bad=skip_bad, note=note)
    return list_acts.offer(lists, name, offered, by, sealed=sealed)


def sign(lists: Lists, name: str, key: Path, by: str) -> Prepared:
    """Sign a list's newest version with the key in a file.

    Raises
    ------
    LightshipError
        If the key cannot be read or is none of the list's signers'.
    """
    loaded: SigningKey = load_key(key)
    return list_acts.sign(lists, name, loaded, by)


def send_feedback(lists: Lists, name: str, reference: str, verdict: str) -> bool:
    """Tell the list's exchange what a person found, where it can be told; returns whether it was."""
    from lightship.exchange.sharing import send_feedback as send

    version = lists.store.current(name)
    entries = lists.entries(name, version) if version else {}
    kinds = [kind for kind, table in entries.items() if len(table.references.rows_of(reference))]
    told = [send(lists.listed(name).source, reference, kind, verdict) for kind in kinds]
    return any(told)


def write_record(record: TuningRecord, folder: Path) -> None:
    """Write a list's six-month record as JSON and Markdown.

    Raises
    ------
    SinkError
        If it cannot be written.
    """
    day = today()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(record.to_json(day), indent=1, ensure_ascii=False) + "\n"
        (folder / f"{record.name}.json").write_text(text, encoding="utf-8")
        (folder / f"{record.name}.md").write_text(record.to_markdown(day), encoding="utf-8")
    except OSError as error:
        raise SinkError(
            f"The record cannot be written: {error.strerror}.", str(folder), "Name another folder."
        ) from error


def record_of(lists: Lists, name: str) -> TuningRecord:
    """Return a list's six-month record."""
    return tuning_record(name, lists.listed(name))


def banks_or_paths(named: Sequence[Path], tell: Tell = aloud) -> list[Bank | str]:
    """Return, for each list named on a command line, the governed list of this name, or else the path.

    A file that exists is always the file.

    Raises
    ------
    LightshipError
        If a governed list has no good version.
    """
    if not any(_governed(path) for path in named):
        return [str(path) for path in named]
    with open_lists() as lists:
        return [_bank(lists, str(path), tell) if _governed(path) else str(path) for path in named]


@contextmanager
def matcher_of(
    known: Sequence[Path], lawful: Sequence[Path], form: str, tell: Tell, *, skip_bad: bool = False
) -> Iterator[Matcher]:
    """Return a matcher over the lists that are named, or else over all governed lists; it follows them and the files.

    Parameters
    ----------
    known, lawful
        Files, or names of governed lists.
    form, skip_bad
        Of the files.

    Raises
    ------
    LightshipError
        If there is no list, or one cannot be used.
    """
    names = {str(path) for path in (*known, *lawful) if _governed(path)}
    loads = {
        path: partial(load, path, Terms(path.stem, role), form=form, skip_bad=skip_bad)
        for role, paths in _roles(known, lawful)
        for path in paths
        if str(path) not in names
    }
    matcher = Matcher(())
    with ExitStack() as stack:
        if loads:
            stack.enter_context(follow_files(ListFiles(matcher, loads, tell)))
        if known and not names:
            yield matcher
            return
        lists = stack.enter_context(open_lists())
        for name in names:
            lists.listed(name)
        only = frozenset(names) if known else None
        with follow(lists, matcher, tell=tell, only=only):
            if not any(bank.terms.role == "known" for bank in matcher.banks):
                raise InputError(
                    "There is no list of known media.",
                    "",
                    "Name a file with --list, or add one with `lists add`.",
                )
            yield matcher


def _roles(known: Sequence[Path], lawful: Sequence[Path]) -> tuple[tuple[Role, Sequence[Path]], ...]:
    return ("known", known), ("negative", lawful)


def _governed(path: Path) -> bool:
    """Return whether a word is the name of a governed list and not a file's path."""
    return not path.exists() and (settings.lists_folder() / path / "current").is_file()


def _bank(lists: Lists, name: str, tell: Tell) -> Bank:
    bank = lists.last_good(name, scan_up_to=SCAN_UP_TO, tell=tell)
    alarm = lists.alarm(bank, today())
    if alarm:
        tell(alarm)
    return bank


def read_text(path: Path) -> str:
    """Return the text of a small file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file cannot be read: {error}.", str(path), "Check the path.") from error
