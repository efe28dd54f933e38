"""What the pages of deconfliction need of a deployment: agreements, the front office, and files that are signed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from lightship.casework.deconflict import Question
from lightship.casework.deconflict_files import Message
from lightship.casework.deconflict_limits import Agreement
from lightship.casework.deconflict_office import Office


class Bureau(Protocol):
    """A body's deconfliction."""

    @property
    def name(self) -> str:
        """Name of this body, as its key has it."""

    @property
    def partners(self) -> tuple[str, ...]:
        """With whom there is an agreement."""

    def agreement(self, partner: str) -> Agreement:
        """Return what was agreed with a partner."""

    def office(self, now: datetime) -> AbstractContextManager[Office]:
        """Open the front office."""

    def message(self, partner: str, data: bytes, where: str) -> Message:
        """Return a partner's message from its file."""

    def kept(self, partner: str) -> Iterator[Question]:
        """Yield the questions of a partner that were answered, as they came."""

    def keep(self, partner: str, question: Question, data: bytes) -> None:
        """Keep a question for the covert desk, whether there is one or not."""

    def signed(self, message: Message) -> bytes:
        """Return a message as a file, signed."""
