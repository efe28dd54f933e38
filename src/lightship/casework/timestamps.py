"""Time-stamps of tree heads (RFC 3161): which authorities, what is stamped, and what the ledger says of it.

Stamped are the bytes of a signed checkpoint: its text and its signature. So whoever trusts the authority knows that
every entry under it, and the signature, was there at that time. The stamp goes on the same ledger, behind them.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lightship.core.errors import InputError

ENOUGH = 2
"""Authorities that stamp a head: one may be found wrong, or cease."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority.

    Parameters
    ----------
    address
        Where it answers: ``https://``, or a port of this machine.
    certificate
        Path of its own certificate, or of who issued it, PEM; got another way than its answers.
    """

    name: str
    address: str
    certificate: str


def parse_authorities(text: str, where: str) -> tuple[Authority, ...]:
    """Return the authorities of a TOML text, ``[[authorities]]`` each.

    Raises
    ------
    InputError
        If they cannot be read, are named twice, or are none.
    """
    try:
        found = tuple(Authority(**one) for one in tomllib.loads(text)["authorities"])
        names = [one.name for one in found]
        fits = all(_NAME.fullmatch(one) for one in names) and len(set(names)) == len(names) > 0
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"The authorities cannot be read: {error}.", where, "See the guide.") from error
    if not fits:
        raise InputError("Each authority has a short name of its own.", where, "Name them apart.")
    return found


def head_stamped(checkpoint: str, authority: str, token: bytes, stamped_at: datetime) -> Mapping[str, Any]:
    """Return the ledger's entry of a time-stamp.

    Parameters
    ----------
    checkpoint
        The signed note that was stamped.
    token
        The authority's answer as it came (TimeStampResp, DER).
    stamped_at
        The time in it.
    """
    return {
        "kind": "head-stamped",
        "authority": authority,
        "checkpoint": checkpoint,
        "token": base64.b64encode(token).decode(),
        "stamped_at": stamped_at.isoformat(),
    }
