"""Referrals as they come: one small reader a format, from bytes to a :class:`~lightship.core.casework.Parsed`.

A reader never fails: what it cannot read is a note, and the referral is taken in all the same. It says what the sender
says and assumes nothing; it joins no two people; completeness is the share of the format's fields that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from lightship.core.casework import Parsed
from lightship.core.errors import InputError
from lightship.exchange.referrals.cybertip import read_cybertip
from lightship.exchange.referrals.financial import read_alert, read_goaml
from lightship.exchange.referrals.misp import read_misp
from lightship.exchange.referrals.platform import platform_referral, read_platform
from lightship.exchange.referrals.schedule1 import read_schedule1
from lightship.exchange.referrals.signal import read_signal
from lightship.exchange.referrals.stix import read_stix
from lightship.exchange.referrals.table import Mapped, not_more, parse_mapping, read_table, rows_of

__all__ = ["FORMS", "Mapped", "Reader", "parse_mapping", "platform_referral", "reader_of", "split"]

Reader = Callable[[bytes, datetime], Parsed]
"""From bytes, and when they were received, to what they say."""

_READERS: Mapping[str, Reader] = {
    "cybertip-xml": read_cybertip,
    "schedule1-json": read_schedule1,
    "goaml-xml": read_goaml,
    "alerts-jsonl": read_alert,
    "platform-json": read_platform,
    "signal-json": read_signal,
    "stix-json": read_stix,
    "misp-json": read_misp,
}
FORMS: tuple[str, ...] = (*_READERS, "csv")
_LINES = frozenset({"alerts-jsonl", "signal-json"})


def reader_of(form: str, mapped: Mapped | None = None) -> Reader:
    """Return the reader of a form; a table's needs its mapping.

    Raises
    ------
    InputError
        If there is no such form, or a table comes without its mapping.
    """
    if form == "csv" and mapped is not None:
        whole = mapped
        return _safe(lambda data, at: read_table(data, at, whole))
    if form == "csv":
        raise InputError("A table needs a mapping of its columns.", "csv", "Give one with --mapping.")
    if form not in _READERS:
        raise InputError(f"{form!r} is no form of a referral.", "form", f"One of: {', '.join(FORMS)}.")
    return _safe(_READERS[form])


def split(form: str, data: bytes, mapped: Mapped | None = None, most: int | None = None) -> tuple[bytes, ...]:
    """Return the referrals of a file, each with its own bytes: the lines or rows of a form that has several.

    Raises
    ------
    InputError
        If there are more than ``most``.
    """
    if form == "csv" and mapped is not None:
        return rows_of(data, mapped, most)
    lines = tuple(line for line in data.split(b"\n") if line.strip()) if form in _LINES else ()
    whole = all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
    if len(lines) > 1 and whole:
        not_more(len(lines), most, form)
        return lines
    return (data,)


def _safe(reader: Reader) -> Reader:
    """Return a reader whose defects lose no referral: they are said, and a person reads the original."""

    def read(data: bytes, received_at: datetime) -> Parsed:
        try:
            return reader(data, received_at)
        except Exception as error:  # noqa: BLE001 - a referral is worth more than a clean stop
            note = f"the whole: a defect of this reader ({type(error).__name__}); nothing was read; report it"
            return Parsed("partner", "", "unsaid", notes=(note,))

    return read
