"""Accounts and payments of the live step as bytes, for whoever keeps them; what an account has, its fields say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, get_args, get_type_hints

from lightship.core.errors import StoreError
from lightship.core.payments import Payment
from lightship.payments.world import Account

# Made once: json.dumps would make one a call.
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_payment = attrgetter(*(one.name for one in fields(Payment)))


def _codec(kind: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return how an item of an account's tuple is written as JSON's own values, and read back."""
    if isinstance(kind, type) and is_dataclass(kind):
        return attrgetter(*(one.name for one in fields(kind))), lambda row: kind(*row)
    return (list, tuple) if get_args(kind) else (lambda item: item, lambda item: item)


_held = {name: _codec(get_args(hint)[0]) for name, hint in get_type_hints(Account).items()}


def payment_bytes(payment: Payment) -> bytes:
    """Return a payment's values in the order of its fields: the same bytes for the same payment."""
    return _dump(_payment(payment))


def payment_of(data: bytes) -> Payment:
    """Return the payment of :func:`payment_bytes`."""
    return Payment(*json.loads(data))


def account_bytes(account: Account) -> bytes:
    """Return what an account holds."""
    return _dump(
        {name: [write(item) for item in getattr(account, name)] for name, (write, _) in _held.items()}
    )


def account_of(data: bytes) -> Account:
    """Return the account of :func:`account_bytes`.

    Raises
    ------
    StoreError
        If it was written when accounts held other things.
    """
    value = json.loads(data)
    try:
        return Account(
            **{name: tuple(map(read, value.pop(name))) for name, (_, read) in _held.items()}, **value
        )
    except (KeyError, TypeError) as error:
        raise StoreError(
            "The accounts kept of live payments are of another version.",
            "accounts.db",
            "Remove that file; it is made anew from the dataset and the journal.",
        ) from error


def _dump(value: object) -> bytes:
    return _encoder.encode(value).encode()
