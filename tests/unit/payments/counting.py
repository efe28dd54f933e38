"""A step that anybody can check: an account counts its payments, and every third one begins an alert."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lightship.core.payments import Alert, Payment
from lightship.payments.acceptance import Scoring
from lightship.payments.account_json import payment_bytes, payment_of


@dataclass(frozen=True)
class Stepped:
    accounts: Mapping[str, int]
    alerts: tuple[Alert, ...]


def step(state, payment):
    if payment.text == "poison":
        raise RuntimeError("cannot be scored")
    count = state.get(payment.payer, 0) + 1
    alerts = ()
    if count % 3 == 0:
        alerts = (
            Alert(
                f"{payment.payer}-{count}", "test", "fast", payment.payer, payment.at_us, 0, 1, 0, 1, (), ()
            ),
        )
    return Stepped({payment.payer: count}, alerts)


def alert_bytes(alert):
    return json.dumps({"alert": alert.alert, "subject": alert.subject, "lane": alert.lane}).encode()


COUNTING: Scoring[int] = Scoring(step, payment_bytes, payment_of, lambda n: b"%d" % n, int, alert_bytes)


def pay(name, payer="ann", **more):
    return Payment(name, 1_780_000_000_000_000, payer, "bob", 1250, "GBP", "bank", **more)
