"""The front office of deconfliction: its own lists and questions, and the answers to other bodies' questions.

It has no way into the compartment. Every accepted question is kept for the covert desk, whether there is one or not.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from lightship.casework import deconflict, psi
from lightship.casework.compartment import SealedStore, from_table, to_table
from lightship.casework.deconflict import Answer, Interest, OvertList, Pointer, Question, Round
from lightship.casework.deconflict_limits import Agreement, Asked, own_refusal, refusal, round_refusal
from lightship.core.errors import InputError
from lightship.core.ports import ReadableLedger

Kept = Callable[[], Iterable[Question]]
"""Gives the accepted questions of the partner, as they came."""


class Office:
    """The front office of one body.

    Parameters
    ----------
    name
        Of this body, as its key has it.
    store
        Sealed, and not the compartment's: secrets, overt entries, own questions until they are opened.
    log
        The query log: a ledger.
    """

    def __init__(self, name: str, store: SealedStore, log: ReadableLedger, now: datetime) -> None:
        self.name, self._store, self._log, self.now = name, store, log, now

    # What we tell ------------------------------------------------------------------------------

    def keep(self, entries: Iterable[Interest]) -> int:
        """Keep overt entries; returns how many are kept in all."""
        kept = list(entries)
        for one in kept:
            if one.covert:
                raise InputError("A covert entry is not kept here.", one.id, "Give it to the covert desk.")
        self._store.put_all("interest", {one.id: to_table(one) for one in kept})
        return sum(1 for _ in self._store.all("interest"))

    def list_for(self, agreed: Agreement) -> OvertList:
        """Return the sealed list for a partner."""
        entries = [from_table(Interest, one) for one in self._store.all("interest")]
        made = deconflict.make_list(
            entries,
            self._secret("holder", agreed.partner),
            holder=self.name,
            asker=agreed.partner,
            capacity=agreed.list_size,
            today=self.now.date(),
        )
        self._note("list-made", agreed.partner, id=made.id)
        return made

    def answer(self, question: Question, agreed: Agreement, kept: Kept) -> Answer:
        """Return the answer, or a refusal with its reason; either is on the log.

        Raises
        ------
        InputError
            If it is for another, or an earlier question had its id and other points.
        """
        self._ours(question.holder, question.asker, agreed)
        earlier = list(kept())
        same = [one for one in earlier if one.id == question.id]
        if same and same[0] != question:
            raise InputError("Another question had this id.", question.id, "Ask the partner.")
        secret = self._secret("holder", agreed.partner)
        if same:  # the same file again: the same answer, and it counts once
            return deconflict.answer(question, secret)
        seen = {point for one in earlier for point in one.points}
        new = sum(point not in seen for point in question.points)
        why = refusal(question, new, self._asked(agreed.partner), agreed, self.now)
        reply = (
            Answer(question.id, question.asker, question.holder, (), why)
            if why
            else deconflict.answer(question, secret)
        )
        self._note(
            "question-refused" if why else "question-answered",
            agreed.partner,
            id=question.id,
            basis=question.basis,
            reference=question.reference,
            points=len(question.points),
            new_points=new,
            refused=why,
        )
        return reply

    def answer_round(self, asked: Round, agreed: Agreement) -> Round:
        """Return a partner desk's round with our asking secret put to it; it is on the log.

        Raises
        ------
        InputError
            If it is for another, or more than is agreed.
        """
        self._ours(asked.asker, asked.holder, agreed)
        name = sha256(b"".join(asked.points)).hexdigest()
        others = {  # the same round again counts once
            one["digest"]: datetime.fromisoformat(one["at"])
            for one in self._entries(agreed.partner, "round-answered")
            if one["digest"] != name
        }
        why = round_refusal(len(asked.points), others.values(), agreed, self.now)
        if why:
            self._note("round-refused", agreed.partner, id=asked.id, refused=why)
            raise InputError(f"The round is not answered: {why}.", agreed.partner, "Speak to the partner.")
        made = deconflict.answer_round(asked, self._secret("asker", agreed.partner))
        self._note("round-answered", agreed.partner, id=asked.id, digest=name)
        return made

    # What we ask -------------------------------------------------------------------------------

    def take_list(self, held: OvertList, agreed: Agreement) -> None:
        """Keep a partner's list, in place of the one before.

        Raises
        ------
        InputError
            If it is for another, or older than the one that is kept.
        """
        self._ours(held.asker, held.holder, agreed)
        rows = base64.b64encode(b"".join(held.rows)).decode()
        known = self._store.get("list", agreed.partner)
        if known is not None and known["made_on"] > held.made_on.isoformat():
            raise InputError(
                "This list is older than the one that is kept.", agreed.partner, "Ask for a new one."
            )
        self._store.put(
            "list",
            agreed.partner,
            {"id": agreed.partner, "list": held.id, "made_on": held.made_on.isoformat(), "rows": rows},
        )

    def ask(self, keys: Iterable[str], agreed: Agreement, **said: Any) -> Question:
        """Return a question, once it is checked as our own and on the log.

        Parameters
        ----------
        said
            ``basis``, ``reference``, ``contact``, ``urgency``, ``until``.

        Raises
        ------
        InputError
            If it has too few identifiers, looks like guesses, or its basis is not agreed.
        """
        own = tuple(keys)
        why = own_refusal(own, str(said.get("basis")), agreed)
        if why:
            self._note("question-stopped", agreed.partner, id="", refused=why)
            raise InputError(
                f"This question is stopped: {why}.",
                agreed.partner,
                "Ask what a case holds.",
            )
        secret = self._secret("asker", agreed.partner)
        question, places = deconflict.ask(
            own, secret, size=agreed.size, asker=self.name, holder=agreed.partner, at=self.now, **said
        )
        self._note(
            "question-asked",
            agreed.partner,
            id=question.id,
            basis=question.basis,
            reference=question.reference,
            identifiers=len(set(own)),
        )
        self._store.put("places", question.id, {"id": question.id, "places": list(places)})
        return question

    def open(self, reply: Answer, agreed: Agreement) -> dict[str, tuple[Pointer, ...]]:
        """Return the pointers of an answer by our own keys; it is on the log how many there were.

        Raises
        ------
        InputError
            If it was refused, is not to a question of ours, or there is no list of the partner's.
        """
        self._ours(reply.asker, reply.holder, agreed)
        if reply.refused:
            raise InputError(f"The partner refused: {reply.refused}.", agreed.partner, "Speak to them.")
        places = self._store.get("places", reply.question_id)
        held = self._store.get("list", agreed.partner)
        if places is None or held is None:
            raise InputError(
                "It is to no question of ours, or there is no list.", agreed.partner, "Open the list."
            )
        found = deconflict.open_answer(
            reply,
            places["places"],
            self._secret("asker", agreed.partner),
            _list_of(held, agreed.partner, self.name),
        )
        self._note("answer-opened", agreed.partner, id=reply.question_id, pointers=len(found))
        return found

    # The log -----------------------------------------------------------------------------------

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the query log, oldest first."""
        yield from self._log.entries()

    def _asked(self, partner: str) -> list[Asked]:
        return [
            Asked(datetime.fromisoformat(one["at"]), one["new_points"], one["refused"])
            for one in self._entries(partner, "question-answered")
        ]

    def _entries(self, partner: str, kind: str) -> Iterator[Mapping[str, Any]]:
        return (one for one in self._log.entries() if one["kind"] == kind and one["partner"] == partner)

    def _note(self, kind: str, partner: str, **facts: Any) -> None:
        self._log.append({"at": self.now.isoformat(), "kind": kind, "partner": partner, **facts})

    def _ours(self, us: str, them: str, agreed: Agreement) -> None:
        if us != self.name or them != agreed.partner:
            raise InputError("This file is between others.", f"{them} and {us}", f"We are {self.name}.")

    def _secret(self, part: str, partner: str) -> bytes:
        return secret_for(self._store, part, partner)


def secret_for(store: SealedStore, part: str, partner: str) -> bytes:
    """Return this body's secret for one part towards one partner, made when first needed."""
    id_ = f"{part}/{partner}"
    found = store.get("secret", id_)
    if found is None:
        found = {"id": id_, "secret": psi.new_secret().hex()}
        store.put("secret", id_, found)
    return bytes.fromhex(found["secret"])


def _list_of(held: Mapping[str, Any], holder: str, asker: str) -> OvertList:
    raw = base64.b64decode(held["rows"])
    width = deconflict.TAG + deconflict.POINTER + 16
    rows = tuple(raw[start : start + width] for start in range(0, len(raw), width))
    return OvertList(held["list"], holder, asker, datetime.fromisoformat(held["made_on"]).date(), rows)
