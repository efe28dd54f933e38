"""A list's terms as TOML: who owns it, how it is used, and where it comes from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from lightship.core.errors import InputError, LedgerError
from lightship.core.known import Role, Terms
from lightship.core.manifest import SIGNERS_NEEDED
from lightship.core.notes import VerifierKey

EXCHANGES = ("ncmec", "stopncii", "tat")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LARGEST_DISTANCE = 31


@dataclass(frozen=True, slots=True)
class Source:
    """Where a list comes from.

    Parameters
    ----------
    api
        An exchange (``ncmec``, ``stopncii``, ``tat``), or empty for files.
    form
        The format of files.
    credentials
        ``env:NAME`` or ``file:PATH``; never the secret itself.
    environment
        NCMEC's database, such as ``Industry``.
    address
        Another address of the server than the exchange's own, such as a proxy's.
    """

    api: str = ""
    form: str = "pdq"
    credentials: str = ""
    environment: str = ""
    address: str = ""


def check_name(name: str) -> str:
    """Return a list's name.

    Raises
    ------
    InputError
        If it cannot be that of a folder everywhere.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"“{name[:80]}” cannot be the name of a list.",
            "",
            "Use up to 64 small letters, digits, dots, hyphens and underscores.",
        )
    return name


def parse_terms(text: str, where: str) -> tuple[Terms, Source]:
    """Read a list's terms, and its ``[source]``.

    Raises
    ------
    InputError
        If they are not TOML, name other things, or a value is not what it must be.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The terms are not TOML: {error}.", where, "Correct them.") from error
    return from_table(table, where)


def from_table(table: Mapping[str, Any], where: str) -> tuple[Terms, Source]:
    """Return the terms and the source of a table, as TOML or the ledger has them.

    Raises
    ------
    InputError
        If it names other things, or a value is not what it must be.
    """
    given = dict(table)
    source = given.pop("source", {})
    for key in ("tenants", "signers"):
        given[key] = tuple(given.get(key, ()))
    unknown = sorted(
        set(given) - {one.name for one in fields(Terms)} | set(source) - {one.name for one in fields(Source)}
    )
    if unknown or "name" not in given:
        raise InputError(
            f"The terms are refused: {', '.join(unknown)} is unknown."
            if unknown
            else "The terms name no list.",
            where,
            f"They may name {', '.join(one.name for one in fields(Terms))} and [source].",
        )
    terms, parsed = Terms(**given), Source(**source)
    wrong = _wrong(terms, parsed)
    if wrong:
        raise InputError(f"The terms are refused: {wrong}.", where, "Correct them.")
    return terms, parsed


def _wrong(terms: Terms, source: Source) -> str:
    """Return what is wrong, or an empty string."""
    check_name(str(terms.name))
    for key in terms.signers:
        try:
            VerifierKey.parse(str(key))
        except LedgerError as error:
            return f"a signer is no public key ({error.what})"
    numbers = isinstance(terms.distance, int) and isinstance(terms.canaries, int)
    checks = (
        (
            numbers and 0 <= terms.distance <= _LARGEST_DISTANCE,
            f"the distance is not 0 to {_LARGEST_DISTANCE}",
        ),
        (numbers and 0 <= terms.canaries <= 100, "canaries are 0 to 100"),
        (terms.role in get_args(Role), "the role is not known or negative"),
        (
            terms.max_age_days is None
            or (isinstance(terms.max_age_days, int | float) and terms.max_age_days > 0),
            "max_age_days is not a number above 0",
        ),
        (
            not terms.signers or len(set(terms.signers)) >= SIGNERS_NEEDED,
            f"signers are at least {SIGNERS_NEEDED}, or none",
        ),
        (source.api in ("", *EXCHANGES), f"the exchange is none of {', '.join(EXCHANGES)}"),
        (
            not source.credentials or source.credentials.startswith(("env:", "file:")),
            "credentials are env:NAME or file:PATH, never the secret itself",
        ),
        (
            not source.address
            or source.address.startswith(("https://", "http://127.0.0.1:", "http://[::1]:")),
            "a server's address begins with https://",
        ),
    )
    return next((said for held, said in checks if not held), "")


def to_table(terms: Terms, source: Source) -> dict[str, Any]:
    """Return both as a table for the ledger; what has its ordinary value is left out."""
    usual, plain = asdict(Terms("")), asdict(Source())
    table = {key: value for key, value in asdict(terms).items() if value != usual[key]}
    table |= {key: list(value) for key, value in table.items() if isinstance(value, tuple)}
    told = {key: value for key, value in asdict(source).items() if value != plain[key]}
    return {**table, **({"source": told} if told else {})}
