"""Payments from the bus: each message is answered on the topic that it names, once its payments are on disk.

The bus itself promises nothing; who sends waits for the answer and sends again where none comes. A payment that comes
twice changes nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from lightship.console.live_payments import answer
from lightship.console.problems import Problem
from lightship.core.errors import LightshipError
from lightship.core.payments import Payment
from lightship.core.ports import Bus
from lightship.payments.acceptance import Intake, Outcome

PAYMENTS = "payments"
"""Topic of messages ``{"payments": [...], "reply": "TOPIC"}``."""

_LOG = logging.getLogger(__name__)


class BusPayments:
    """Listens in a thread of its own until told to stop.

    Parameters
    ----------
    read
        Returns the payments in a message's JSON; raises :class:`Problem`.
    """

    def __init__(self, bus: Bus, intake: Intake[Any], read: Callable[[str], list[Payment]]) -> None:
        self._bus, self._intake, self._read = bus, intake, read
        self._stop, self._listening = threading.Event(), threading.Event()
        self._answers = ThreadPoolExecutor(1, "payments-answer")  # a slow bus holds up no commit
        self._thread = threading.Thread(target=self._run, name="payments-bus", daemon=True)
        self._thread.start()
        self._listening.wait(10)

    def _run(self) -> None:
        with self._bus.subscribe(PAYMENTS) as messages:
            self._listening.set()
            for message in messages:
                if message is not None:
                    self._take(message)
                if self._stop.is_set():
                    return

    def _take(self, message: Mapping[str, Any]) -> None:
        reply = str(message.get("reply", ""))
        try:
            payments = self._read(json.dumps({"payments": message.get("payments")}))
            waiting = self._intake.put(payments)
        except (Problem, LightshipError) as error:
            why = error.detail or error.title if isinstance(error, Problem) else str(error)
            errors = [dict(one) for one in error.errors] if isinstance(error, Problem) else []
            self._send(reply, {"error": why, "errors": errors})
            return
        waiting.add_done_callback(lambda done: self._answered(reply, done))

    def _answered(self, reply: str, done: Future[list[Outcome]]) -> None:
        error = done.exception()
        said = (
            {"error": "The payments could not be kept. Send them again."}
            if error
            else self._told(done.result())
        )
        self._send(reply, said)

    def _told(self, told: Sequence[Outcome]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(answer(told))
        return found

    def _send(self, reply: str, value: Mapping[str, Any]) -> None:
        if reply:
            self._answers.submit(self._publish, reply, value)
        elif "error" in value:
            _LOG.warning("A message of payments was refused, and names no topic to say so.")

    def _publish(self, reply: str, value: Mapping[str, Any]) -> None:
        try:
            self._bus.publish(reply, value)
        except LightshipError as error:
            _LOG.warning("An answer was lost; its sender will send again: %s", type(error).__name__)

    def close(self) -> None:
        """Stop listening, and send the answers that are due."""
        self._stop.set()
        self._thread.join()
        self._answers.shutdown()
