"""The messages of deconfliction as signed files, for partners with a link and without.

A file is a signed note (c2sp.org/signed-note) of one line of canonical JSON, a zero byte, and the points or rows; the
note has their digest. Nothing in it is secret from the
partner; who carries it learns who asks whom, when and by what law.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal

from lightship.casework import psi
from lightship.casework.deconflict import POINTER, TAG, Answer, OvertList, Question, Round
from lightship.core.canonical import canonical
from lightship.core.errors import InputError, LedgerError
from lightship.core.notes import SigningKey, VerifierKey, open_note, sign_note

FORM = "lightship.deconflict/1"
MOST_BYTES = 64 * 1024 * 1024
Message = Question | Answer | OvertList | Round
_ROW = TAG + POINTER + 16
_KINDS = {Question: "question", Answer: "answer", OvertList: "list", Round: "round"}
_WIDTH: dict[str, int] = {"question": psi.POINT, "answer": psi.POINT, "round": psi.POINT, "list": _ROW}


def write(message: Message, key: SigningKey) -> bytes:
    """Return a message as a file, signed."""
    kind = _KINDS[type(message)]
    pieces = message.rows if isinstance(message, OvertList) else message.points
    body = b"".join(pieces)
    head = {"form": FORM, "kind": kind, "body": sha256(body).hexdigest(), **_facts(message)}
    return sign_note(canonical(head).decode() + "\n", key).encode() + b"\0" + body


def _facts(one: Message) -> dict[str, Any]:
    facts: dict[str, Any] = {"asker": one.asker, "holder": one.holder}
    match one:
        case Question():
            return {
                **facts,
                "id": one.id,
                "at": one.at.isoformat(),
                "basis": one.basis,
                "reference": one.reference,
                "contact": one.contact,
                "urgency": one.urgency,
                "until": one.until.isoformat(),
            }
        case Answer():
            return {**facts, "id": one.question_id, "refused": one.refused}
        case OvertList():
            return {**facts, "id": one.id, "made_on": one.made_on.isoformat()}
        case Round():
            return {**facts, "id": one.id, "answered": one.answered}


def read(
    data: bytes,
    key: VerifierKey,
    where: str,
    kind: Literal["question", "answer", "list", "round"],
) -> Message:
    """Return the message of a file, once its signature and its digest hold.

    Raises
    ------
    InputError
        If it is no such file, was changed, or is not signed by this key.
    """
    note, zero, body = data.partition(b"\0")
    try:
        if len(data) > MOST_BYTES or not zero:
            raise ValueError("no message, or too long")  # noqa: TRY301 - one answer to all that is no message
        head = json.loads(open_note(note.decode(), key))
        width = _WIDTH[kind]
        if head["form"] != FORM or head["kind"] != kind or head["body"] != sha256(body).hexdigest():
            raise ValueError(f"not a whole {kind}")  # noqa: TRY301
        if len(body) % width:
            raise ValueError("its length")  # noqa: TRY301
        pieces = tuple(body[start : start + width] for start in range(0, len(body), width))
        return _message(kind, head, pieces)
    except (ValueError, KeyError, TypeError, RecursionError, LedgerError) as error:
        why = error.what if isinstance(error, LedgerError) else str(error)
        raise InputError(
            f"This {kind} is refused: {why}.", where, "Ask the partner for it again, and for its key."
        ) from error


def _message(kind: str, head: dict[str, Any], pieces: tuple[bytes, ...]) -> Message:
    asker, holder, id_ = str(head["asker"]), str(head["holder"]), str(head["id"])
    if len(id_) != 32 or set(id_) - set("0123456789abcdef"):
        raise ValueError("its id")
    if kind == "question":
        at = datetime.fromisoformat(head["at"])
        if at.tzinfo is None or head["urgency"] not in range(1, 6):
            raise ValueError("its time or urgency")
        return Question(
            id_,
            asker,
            holder,
            at,
            str(head["basis"]),
            str(head["reference"]),
            str(head["contact"]),
            int(head["urgency"]),
            date.fromisoformat(head["until"]),
            pieces,
        )
    if kind == "answer":
        return Answer(id_, asker, holder, pieces, str(head["refused"]))
    if kind == "list":
        if any(one >= other for one, other in pairwise(pieces)):
            raise ValueError("its rows are in no order")
        return OvertList(id_, holder, asker, date.fromisoformat(head["made_on"]), pieces)
    return Round(id_, holder, asker, pieces, bool(head["answered"]))


def kind_of(data: bytes, where: str) -> Literal["question", "answer", "list", "round"]:
    """Return what a file says it is; nothing is verified.

    Raises
    ------
    InputError
        If it is none of ours.
    """
    try:
        kind: Any = json.loads(data.partition(b"\n")[0])["kind"]
    except (ValueError, KeyError, TypeError, RecursionError):
        kind = None
    if kind not in _WIDTH:
        raise InputError("This is no file of deconfliction.", where, "Ask the partner for it again.")
    return kind  # type: ignore[no-any-return]
