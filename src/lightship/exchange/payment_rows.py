"""Payments as texts in, checked rows out: one query over a batch, whatever the batch was read from.

Every reader yields batches of :data:`RAW` columns, all of them text, and the number of each row. Here they become what
:data:`lightship.core.payments.TABLES` says, or a field and a reason why not; nothing is guessed. Times with an offset
are moved to UTC. A time without one is read in the zone that the mapping names, or in that of the payer's country;
where neither is known it is kept as it stands, and marked as not known. A day alone is noon of that day, so that it is
the same day in almost every zone; so is midnight to the second without an offset, by which tables write a day alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from lightship.core.errors import InputError
from lightship.core.payments import RAILS, TABLES, TIES
from lightship.exchange.fx import digits, shipped

RAW = (
    "payment", "at", "payer", "payee", "amount", "amount_minor", "currency", "payee_amount", "payee_amount_minor",
    "payee_currency", "payer_country", "payee_country", "rail", "via", "payee_name", "text", "merchant_code",
    "reverses", "time_known", "end_to_end", "customer",
)  # fmt: skip
"""Texts of a payment. ``amount`` is in whole units with a decimal point, ``amount_minor`` in minor ones, one of them is
given; ``end_to_end`` is the reference by which a reversal is found; ``customer`` says which side is the institution's
own: ``payer``, ``payee`` or ``both``."""

BY_PAYER = "payer"
"""As a zone: that of the payer's country."""

_TEXT = 500  # characters of a reference text or a name; more is no reference
_ID = 200
_SHOWN = 40
_CONTROL = "[[:cntrl:]]"
_WORDS = ("payee_name", "text", "via")
_AS = {"at": "said_at"}  # AT is a word of SQL
_FIELDS = tuple(TABLES["payments"])
STAGED = (*_FIELDS, "end_to_end", "customer")


def prepare(db: Any) -> None:
    """Give a DuckDB connection the tables that the query looks things up in."""
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")
    steps = ", ".join(f"({_quoted(one)}, {10 ** (5 - number)})" for one, number in digits().items())
    db.execute(f"CREATE TABLE currencies AS SELECT * FROM (VALUES {steps}) AS t(currency, step)")
    zones = ", ".join(
        f"('{row['country']}', nullif({_quoted(row['zone'])}, ''))" for row in shipped("countries.csv")
    )
    db.execute(f"CREATE TABLE countries AS SELECT * FROM (VALUES {zones}) AS t(country, zone)")
    db.execute("CREATE TABLE zones AS SELECT name AS zone FROM pg_timezone_names()")


def check_zone(db: Any, zone: str, where: str) -> None:
    """Refuse a zone that there is not.

    Raises
    ------
    InputError
        If so.
    """
    if (
        zone not in {"", BY_PAYER}
        and not db.execute("SELECT count(*) FROM zones WHERE zone = ?", [zone]).fetchall()[0][0]
    ):
        raise InputError(
            f"There is no time zone “{zone}”.", where, f"Use one such as Europe/London, or “{BY_PAYER}”."
        )


def checked(zone: str = BY_PAYER, formats: Iterable[str] = (), *, latest: date, source: str = "raw") -> str:
    """Return the query over raw payments: ``file``, ``row``, the staged columns, the wrong ``field`` and ``reason``.

    Parameters
    ----------
    zone
        In which times without an offset are read; :data:`BY_PAYER`, or empty where it is not known.
    formats
        Of times, as ``strptime`` has them; ISO 8601 where none is given.
    latest
        The last day that a payment may be of.
    source
        Has ``file``, ``row`` and the :data:`RAW` columns.
    """
    texts = ", ".join(
        f"""nullif(trim({_one_line(name) if name in _WORDS else f'"{name}"'}), '') AS {_AS.get(name, name)}"""
        for name in RAW
    )
    zone_sql = "of_payer.zone" if zone == BY_PAYER else f"nullif({_quoted(zone)}, '')"
    checks = "\n".join(
        f"      WHEN {when} THEN {{'field': '{name}', 'reason': {reason}}}"
        for name, when, reason in _checks(latest)
    )
    return f"""
WITH texts AS (SELECT file, row, {texts} FROM {source}),
told AS (
  SELECT *, {_naive(list(formats))} AS stands, {_moment(list(formats))} AS moment, {_dated(list(formats))} AS daily
  FROM texts),
days AS (
  SELECT *, stands::TIME = TIME '00:00:00' AND time_known IS DISTINCT FROM 'true' AS midnight FROM told),
times AS (
  SELECT *, CASE WHEN midnight THEN stands + INTERVAL 12 HOUR ELSE stands END AS naive,
    daily OR coalesce(midnight, false) AS dated
  FROM days),
looked_up AS (
  SELECT times.*, own.step AS step, other.step AS payee_step, of_payer.country AS from_country,
    of_payee.country AS to_country, {zone_sql} AS zone,
    CASE WHEN amount_minor IS NULL THEN try_cast(amount AS DECIMAL(18, 5)) END AS whole,
    CASE WHEN payee_amount_minor IS NULL THEN try_cast(payee_amount AS DECIMAL(18, 5)) END AS payee_whole
  FROM times
  LEFT JOIN currencies own ON own.currency = times.currency
  LEFT JOIN currencies other ON other.currency = times.payee_currency
  LEFT JOIN countries of_payer ON of_payer.country = times.payer_country
  LEFT JOIN countries of_payee ON of_payee.country = times.payee_country),
parsed AS (
  SELECT *, coalesce(moment, timezone('UTC', timezone(coalesce(zone, 'UTC'), naive))) AS at_utc,
    try_cast(whole::DECIMAL(28, 5) * 100000 AS BIGINT) AS parts,
    try_cast(payee_whole::DECIMAL(28, 5) * 100000 AS BIGINT) AS payee_parts
  FROM looked_up),
judged AS (
  SELECT *, CASE
{checks}
    END AS wrong
  FROM parsed)
SELECT file, row, payment, at_utc AS "at",
  NOT dated AND (moment IS NOT NULL OR zone IS NOT NULL) AND coalesce(time_known NOT IN ('false', '0', 'no'), true)
    AS time_known,
  payer, payee, coalesce(try_cast(amount_minor AS BIGINT), parts // step) AS amount_minor, currency,
  coalesce(try_cast(payee_amount_minor AS BIGINT), payee_parts // payee_step) AS payee_amount_minor, payee_currency,
  payer_country, payee_country, rail, via[:{_ID}] AS via, payee_name[:{_TEXT}] AS payee_name, text[:{_TEXT}] AS text,
  merchant_code, reverses, end_to_end, coalesce(customer, 'payer') AS customer,
  wrong.field AS field, wrong.reason AS reason
FROM judged"""


def _one_line(name: str) -> str:
    """Return a text with control characters as spaces: no form, page or picture may have them."""
    return f"""regexp_replace("{name}", '{_CONTROL}+', ' ', 'g')"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_HOURS = {"%H", "%I"}
_CLOCK = "[0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
_OFFSET = "(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAY, _PLAIN, _ZONED = f"{_DATE}{_OFFSET}?", f"{_DATE}[ T]{_CLOCK}", f"{_DATE}[ T]{_CLOCK} ?{_OFFSET}"
"""ISO 8601 as banks write it: a day, a time, a time with its offset. What would have to be guessed at is refused."""


def _naive(formats: list[str]) -> str:
    """Return the time as it stands, where it bears no offset."""
    if formats:
        plain = [
            f"try_strptime(said_at, {_quoted(one)})" + ("" if _HOURS & _codes(one) else " + INTERVAL 12 HOUR")
            for one in formats
            if "%z" not in one
        ]
        return f"coalesce({', '.join([*plain, 'NULL::TIMESTAMP'])})"
    return (
        f"CASE WHEN regexp_full_match(said_at, '{_DAY}') THEN try_cast(said_at[:10] || ' 12:00:00' AS TIMESTAMP) "
        f"WHEN regexp_full_match(said_at, '{_PLAIN}') THEN try_cast(replace(said_at, ',', '.') AS TIMESTAMP) END"
    )


def _moment(formats: list[str]) -> str:
    """Return the time in UTC, where it bears an offset."""
    if formats:
        zoned = [f"timezone('UTC', try_strptime(said_at, {_quoted(one)}))" for one in formats if "%z" in one]
        return f"coalesce({', '.join([*zoned, 'NULL::TIMESTAMP'])})"
    return (
        f"CASE WHEN regexp_full_match(said_at, '{_ZONED}') "
        "THEN timezone('UTC', try_cast(replace(said_at, ',', '.') AS TIMESTAMPTZ)) END"
    )


def _dated(formats: list[str]) -> str:
    """Return whether only the day is known."""
    if formats:
        days = [
            f"try_strptime(said_at, {_quoted(one)}) IS NOT NULL"
            for one in formats
            if not _HOURS & _codes(one)
        ]
        times = [f"try_strptime(said_at, {_quoted(one)}) IS NULL" for one in formats if _HOURS & _codes(one)]
        return f"({' OR '.join(days) or 'false'}) AND {' AND '.join(times) or 'true'}"
    return f"regexp_full_match(said_at, '{_DAY}')"


def _codes(form: str) -> set[str]:
    return {form[place : place + 2] for place, sign in enumerate(form) if sign == "%"}


def _shown(name: str) -> str:
    """Return the beginning of a message that shows a value: the condition's reason goes on within its quotes."""
    return f"'“' || {name}[:{_SHOWN}] || '”"


def _checks(latest: date) -> list[tuple[str, str, str]]:
    """Return what may be wrong, in the order in which it is told: the field, the condition, the reason."""
    missing = "'it is missing'"
    found = [("payment", "payment IS NULL", missing), ("at", "said_at IS NULL", missing)]
    found += [
        ("at", "at_utc IS NULL", f"{_shown('said_at')} is no date or time that there is'"),
        ("at", "at_utc < TIMESTAMP '1970-01-01'", f"{_shown('said_at')} is before 1970'"),
        (
            "at",
            f"at_utc >= TIMESTAMP '{latest}' + INTERVAL 2 DAY",
            f"{_shown('said_at')} lies after {latest}'",
        ),
    ]
    for name in ("payer", "payee"):
        found += [
            (name, f"{name} IS NULL", missing),
            (name, f"length({name}) > {_ID}", f"'it is longer than {_ID}'"),
        ]
    found += [
        (name, f"regexp_matches({name}, '{_CONTROL}')", "'it has a control character, such as a line break'")
        for name in ("payment", "payer", "payee", "reverses")
    ]
    found += [
        ("payment", f"length(payment) > {_ID}", f"'it is longer than {_ID}'"),
        ("currency", "currency IS NULL", missing),
        ("currency", "step IS NULL", f"{_shown('currency')} is no currency (ISO 4217)'"),
    ]
    for side, step, parts in (("", "step", "parts"), ("payee_", "payee_step", "payee_parts")):
        amount, minor, currency = f"{side}amount", f"{side}amount_minor", f"{side}currency"
        given = "true" if not side else f"({amount} IS NOT NULL OR {minor} IS NOT NULL)"
        found += [
            (amount, f"{given} AND {amount} IS NULL AND {minor} IS NULL", missing),
            (
                minor,
                f"{minor} IS NOT NULL AND try_cast({minor} AS BIGINT) IS NULL",
                f"{_shown(minor)} is no whole number'",
            ),
            (amount, f"{minor} IS NULL AND {given} AND {parts} IS NULL", f"{_shown(amount)} is no amount'"),
            (
                amount,
                f"{given} AND coalesce(try_cast({minor} AS BIGINT), {parts}) <= 0",
                f"{_shown(f'coalesce({minor}, {amount})')} is not above 0'",
            ),
        ]
        if side:
            found += [
                (currency, f"{given} AND {currency} IS NULL", missing),
                (
                    currency,
                    f"{currency} IS NOT NULL AND {step} IS NULL",
                    f"{_shown(currency)} is no currency (ISO 4217)'",
                ),
            ]
        found.append(
            (
                amount,
                f"{given} AND {minor} IS NULL AND {parts} % {step} <> 0",
                f"{_shown(amount)} has more decimals than ' || {currency} || ' has'",
            )
        )
    for name, known in (("payer_country", "from_country"), ("payee_country", "to_country")):
        found.append(
            (name, f"{name} IS NOT NULL AND {known} IS NULL", f"{_shown(name)} is no country (ISO 3166-1)'")
        )
    rails = ", ".join(f"'{one}'" for one in RAILS)
    found += [
        ("rail", "rail IS NULL", missing),
        ("rail", f"rail NOT IN ({rails})", f"{_shown('rail')} is none of {', '.join(RAILS)}'"),
        (
            "customer",
            "customer NOT IN ('payer', 'payee', 'both')",
            f"{_shown('customer')} is none of payer, payee, both'",
        ),
    ]
    return found


_CLOSED = {"kind": ("person", "business"), "tie": TIES}
_LOOKED_UP = {
    "country": ("countries", "country", "no country (ISO 3166-1)"),
    "zone": ("zones", "zone", "no time zone"),
}
_BETWEEN = {"born_month": (1, 12, "no month (1 to 12)")}
_CASTS = {"date": ("DATE", "no date that there is"), "int16": ("SMALLINT", "no number")}


def checked_facts(table: str, *, source: str = "raw") -> str:
    """Return the query over another table's texts: ``file``, ``row``, its columns, wrong ``field`` and ``reason``."""
    wheres, values, texts = [], [], []
    for name, (kind, may_be_null) in TABLES[table].items():
        texts.append(f"nullif(trim({name}), '') AS {name}")
        shown = _shown(name)
        if not may_be_null:
            wheres.append((name, f"{name} IS NULL", "'it is missing'"))
        cast, what = _CASTS.get(kind, ("", ""))
        values.append(f"try_cast({name} AS {cast}) AS {name}" if cast else name)
        if cast:
            wheres.append(
                (name, f"{name} IS NOT NULL AND try_cast({name} AS {cast}) IS NULL", f"{shown} is {what}'")
            )
        else:
            wheres.append((name, f"length({name}) > {_ID}", f"'it is longer than {_ID}'"))
        if name in _BETWEEN:
            low, high, what = _BETWEEN[name]
            wheres.append(
                (name, f"try_cast({name} AS {cast}) NOT BETWEEN {low} AND {high}", f"{shown} is {what}'")
            )
        if name in _CLOSED:
            known = ", ".join(_CLOSED[name])
            wheres.append((name, f"{name} NOT IN {_CLOSED[name]}", f"{shown} is none of {known}'"))
        if name in _LOOKED_UP:
            where, column, what = _LOOKED_UP[name]
            wheres.append((name, f"{name} NOT IN (SELECT {column} FROM {where})", f"{shown} is {what}'"))
    checks = " ".join(
        f"WHEN {when} THEN {{'field': '{name}', 'reason': {why}}}" for name, when, why in wheres
    )
    return f"""
WITH texts AS (SELECT file, row, {", ".join(texts)} FROM {source}),
judged AS (SELECT *, CASE {checks} END AS wrong FROM texts)
SELECT file, row, {", ".join(values)}, wrong.field AS field, wrong.reason AS reason FROM judged"""
