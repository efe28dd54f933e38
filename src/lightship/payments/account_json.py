"""Accounts and payments of the live step as bytes, for whoever keeps them."""

from __future__ import annotations

import json
from dataclasses import fields
from operator import attrgetter
from typing import Any

from lightship.core.payments import Payment
from lightship.payments.derive import Fact, Out, Passing, Send
from lightship.payments.live import Account

_ROWS: dict[str, type[Any]] = {
    "sends": Send,
    "receipts": Send,
    "facts": Fact,
    "outs": Out,
    "passing": Passing,
}
_values: dict[type[Any], Any] = {
    kind: attrgetter(*(one.name for one in fields(kind))) for kind in (Payment, *_ROWS.values())
}


def payment_bytes(payment: Payment) -> bytes:
    """Return a payment's values in the order of its fields: the same bytes for the same payment."""
    return _dump(_values[Payment](payment))


def payment_of(data: bytes) -> Payment:
    """Return the payment of :func:`payment_bytes`."""
    return Payment(*json.loads(data))


def account_bytes(account: Account) -> bytes:
    """Return what an account holds."""
    rows = [[_values[kind](row) for row in getattr(account, name)] for name, kind in _ROWS.items()]
    return _dump([*rows, account.gone, account.reached])


def account_of(data: bytes) -> Account:
    """Return the account of :func:`account_bytes`."""
    *rows, gone, reached = json.loads(data)
    held = {
        name: tuple(kind(*row) for row in part)
        for (name, kind), part in zip(_ROWS.items(), rows, strict=True)
    }
    return Account(**held, gone=tuple(gone), reached=tuple((name, at_us) for name, at_us in reached))


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
