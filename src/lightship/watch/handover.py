"""A case of the watch, handed over to an investigating body: ordered by a person, sent by the outbox, once.

A platform and a body are separate organisations, so what is sent is the platform's own export of the case, without
pictures and without the stream's address, over HTTPS with the body's token. Where both are one organisation it goes
over their bus, and the outbox waits until the body has said that it is kept. It is no report that a law owes: those are
the duties room's, and a person files them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from lightship.core.cases import Case, Effect, Stream
from lightship.core.casework import REFERRED, TAKEN_IN
from lightship.core.errors import InputError, SinkError
from lightship.core.identity import identity
from lightship.core.ports import Bus, Store, Work
from lightship.exchange.referrals.platform import platform_referral
from lightship.watch.effects import ordered

Send = Callable[[str, bytes], None]
"""Sends a referral under its key, and returns once the body has said that it is kept."""

_WAIT_S = 5.0
FORM = "platform-json"


def order(work: Work, case: Case, content: str, *, by: str, now: datetime) -> Effect:
    """Order that a case is handed over; the same content is ordered once.

    Parameters
    ----------
    content
        Digest of what is to be said.
    """
    id_ = identity(case.id, "refer", content)
    found = work.get(Effect, id_)
    if found is not None:
        return found
    return ordered(work, Effect(id_, case.id, case.stream_id, "refer", by, now, now))


class Handover:
    """Delivers what is to be referred.

    Parameters
    ----------
    platform
        Under which name the body knows it.
    """

    def __init__(self, store: Store, platform: str, send: Send) -> None:
        self._store, self._platform, self._send = store, platform, send

    def __call__(self, effect: Effect) -> None:
        """Deliver an effect: the case as it is now, under the effect's id.

        Raises
        ------
        SinkError
            If the body did not say that it is kept.
        """
        with self._store.look() as work:
            case, stream = work.get(Case, effect.case_id), work.get(Stream, effect.stream_id)
        if case is None or stream is None:
            raise InputError("There is no such case with its stream.", f"case {effect.case_id}", "")
        self._send(effect.id, platform_referral(case, stream, self._platform))


class OverBus:
    """Sends referrals over the bus of a house that has both, and waits for the answer.

    Parameters
    ----------
    wait_s
        For the answer; with a second's slack it is less than the lease of an effect.
    """

    def __init__(self, bus: Bus, sender: str, wait_s: float = _WAIT_S) -> None:
        self._bus, self._sender, self._wait_s = bus, sender, wait_s

    def __call__(self, key: str, data: bytes) -> None:
        """Send a referral.

        Raises
        ------
        SinkError
            If nobody answered, or it was refused.
        """
        until_s = time.monotonic() + self._wait_s
        with self._bus.subscribe(TAKEN_IN) as answers:  # before it is asked, so that no answer passes by
            message = {"key": key, "sender": self._sender, "form": FORM, "data": data.decode()}
            self._bus.publish(REFERRED, message)
            while time.monotonic() < until_s:
                answer = next(answers)
                if answer is None or answer.get("key") != key:
                    continue
                if refused := answer.get("refused"):
                    raise SinkError(f"The body refused it: {refused}", "bus", "Correct it.")
                return
        raise SinkError("Nobody took the referral in.", "bus", "It is sent again.")
