"""Deconfliction, wired: a body's key, its agreements, its front office with the query log, and questions it kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lightship.casework.deconflict import Question
from lightship.casework.deconflict_files import Message, kind_of, read, write
from lightship.casework.deconflict_limits import Agreement, parse_agreement
from lightship.casework.deconflict_office import Office
from lightship.core.errors import InputError
from lightship.core.notes import VerifierKey
from lightship.infra.compartment import CompartmentFile
from lightship.infra.keys import load_key, load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.whole_file import write_whole


class Bureau:
    """A body's deconfliction, in a folder: ``own.key``, ``agreements/``, ``office``, ``log`` and ``questions/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = folder / "own.key"
        self._one = threading.Lock()  # a secret that two make at once would be two

    @property
    def name(self) -> str:
        """Name of this body, as its key has it.

        Raises
        ------
        LedgerError
            If there is no key.
        """
        return load_key(self._key).name

    @property
    def partners(self) -> tuple[str, ...]:
        """With whom there is an agreement."""
        return tuple(sorted(path.stem for path in (self.folder / "agreements").glob("*.toml")))

    def agreement(self, partner: str) -> Agreement:
        """Return what was agreed with a partner.

        Raises
        ------
        InputError
            If there is no agreement, or it is refused.
        """
        return self._agreed(partner)[0]

    def _agreed(self, partner: str) -> tuple[Agreement, VerifierKey]:
        if partner not in self.partners:
            raise InputError("There is no agreement with this partner.", partner, "Write it: see the guide.")
        path = self.folder / "agreements" / f"{partner}.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The agreement cannot be read: {error}.", str(path), "Save it as UTF-8."
            ) from error
        agreed, key = parse_agreement(text, str(path))
        return agreed, VerifierKey.parse(key)

    @contextmanager
    def office(self, now: datetime) -> Iterator[Office]:
        """Open the front office.

        Raises
        ------
        LightshipError
            If there is no key, or store or log cannot be used.
        """
        key = load_key(self._key)
        with (
            self._one,
            CompartmentFile(self.folder / "office") as store,
            LedgerFile(self.folder / "log", key) as log,
        ):
            yield Office(key.name, store, log, now)

    def message(self, partner: str, data: bytes, where: str) -> Message:
        """Return a partner's message from its file.

        Raises
        ------
        InputError
            If it is no such file, was changed, or is not theirs.
        """
        return read(data, self._agreed(partner)[1], where, kind_of(data, where))

    def kept(self, partner: str) -> Iterator[Question]:
        """Yield the questions of a partner that were answered, as they came.

        Raises
        ------
        InputError
            If one was changed.
        """
        _, key = self._agreed(partner)
        for path in sorted((self.folder / "questions" / partner).glob("*")):
            if not path.name.startswith("."):
                found = read(path.read_bytes(), key, str(path), "question")
                if isinstance(found, Question):
                    yield found

    def keep(self, partner: str, question: Question, data: bytes) -> None:
        """Keep a question for the covert desk, whether there is one or not."""
        write_whole(self.folder / "questions" / partner / question.id, data)

    def signed(self, message: Message) -> bytes:
        """Return a message as a file, signed."""
        return write(message, load_or_create_key(self._key, "unnamed.invalid/body"))
