"""Intake: what came in is kept, owned and due in one transaction, and only then is the sender told that it was.

The bytes are kept as they came; what a reader made of them lies beside (:func:`read_again`). The same bytes twice are
one referral. What no reader can read is a referral all the same, with an owner and a clock, and says what was not read.
What a sender sends again under its own reference joins the inquiry that the first one opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lightship.casework import desk
from lightship.casework.desk import MACHINE, Offices, identity
from lightship.casework.normal import normalise
from lightship.casework.urgency import Ladder
from lightship.core.casework import Comparison, Identifier, Inquiry, Named, Original, Parsed, Referral, Task
from lightship.core.errors import InputError
from lightship.core.markings import marking_json, read_marking, strictest
from lightship.core.ports import Identified, Store, Work

BATCH = 200
"""Referrals of one transaction at most: one wait for the disk serves them all."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Received:
    """A referral at the door: the bytes, what the sender says they are, and what a reader made of them."""

    form: str
    sender: str
    data: bytes
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Taken:
    """The receipt of a referral.

    Parameters
    ----------
    again
        Whether the same bytes were here already.
    joined
        Whether its inquiry was there before it.
    notes
        What could not be read.
    """

    referral_id: str
    original: str
    inquiry_id: str
    owner: str
    due_at: datetime
    urgency: int
    again: bool
    joined: bool
    notes: tuple[str, ...]


def take_in(
    store: Store,
    ladder: Ladder,
    batch: Sequence[Received],
    *,
    now: datetime,
    offices: Offices,
    by: str = MACHINE,
    calling_code: str = "",
) -> tuple[Taken, ...]:
    """Take referrals in; when this returns, each is on disk with an owner and a clock, and on the ledger.

    Parameters
    ----------
    calling_code
        Of the country whose national phone numbers are meant, such as ``"44"``.

    Raises
    ------
    StoreError
        If they cannot be kept: then none of the part that failed is, and its sender sends it again.
    """
    found: list[Taken] = []
    for start in range(0, len(batch), BATCH):
        with store.begin() as work:
            door = _Door(work, ladder, now, offices, by, calling_code)
            taken = [door.take(one) for one in door.known(batch[start : start + BATCH])]
            work.save(*door.new)
        found.extend(taken)  # the transaction is on disk: only now is it said
    return tuple(found)


def reclassify(work: Work, referral_id: str, kind: str, *, by: str, why: str, now: datetime) -> Referral:
    """Hold a referral as of another kind from now on; what its sender called it stays.

    Raises
    ------
    InputError
        If there is no such referral, or no kind or reason is said.
    """
    where = f"referral {referral_id}"
    referral = work.get(Referral, referral_id)
    if referral is None:
        raise InputError("There is no such referral.", where, "Check its id.")
    if not kind.strip() or not why.strip():
        raise InputError("A referral is held as something, for a reason.", where, "Write both.")
    changed = work.change(Referral, referral_id, {"kind_now": referral.kind_now}, kind_now=kind.strip())
    if changed is None:
        raise InputError("Somebody else changed this referral meanwhile.", where, "Look again.")
    work.record(
        {
            "kind": "referral-reclassified",
            "referral": referral_id,
            "was": referral.kind_now,
            "is": changed.kind_now,
            "by": by,
            "why": why.strip(),
            "at": now.isoformat(),
        }
    )
    desk.log_use(work, "alteration", referral_id, by, now, reason=why.strip())
    return changed


def read_again(
    work: Work,
    ladder: Ladder,
    referral_id: str,
    parsed: Parsed,
    *,
    form: str,
    by: str,
    now: datetime,
    calling_code: str = "",
) -> tuple[Referral, tuple[str, ...]]:
    """Keep what another reader made of a referral that named nobody; returns it, and what was not read this time.

    What was said before stays said: facts are added, its sender's kind is kept, and its marking is never lowered.

    Raises
    ------
    InputError
        If there is no such referral, or identifiers were read from it already.
    """
    where = f"referral {referral_id}"
    referral = work.get(Referral, referral_id)
    if referral is None:
        raise InputError("There is no such referral.", where, "Check its id.")
    if work.find(Identifier, {"referral_id": referral_id}, limit=1):
        raise InputError("It was read already.", where, "Only what named nobody is read again.")
    facts, unknown = known_facts(ladder, parsed.facts)
    identifiers, unread = identifiers_of(referral_id, parsed, calling_code)
    changed = work.change(
        Referral,
        referral_id,
        {"completeness": referral.completeness},
        source=parsed.source,
        reference=referral.reference or parsed.reference,
        kind_now=parsed.kind,
        facts=tuple(dict.fromkeys((*referral.facts, *facts))),
        completeness=_complete(parsed),
        narrative=parsed.narrative or referral.narrative,
        marking=_stricter(referral.marking, parsed),
        happened_at=parsed.happened_at,
    )
    if changed is None:
        raise InputError("Somebody else changed this referral meanwhile.", where, "Look again.")
    work.save(*identifiers)
    if work.change(Comparison, referral_id, {}, asked_at=now, done_at=None) is None:
        work.save(Comparison(referral_id, now))
    work.record(
        {
            "kind": "referral-read-again",
            "referral": referral_id,
            "form": form,
            "by": by,
            "at": now.isoformat(),
        }
    )
    desk.log_use(work, "alteration", referral_id, by, now, reason=f"read again as {form}")
    desk.reassess(work, ladder, referral.inquiry_id, now=now)
    return changed, (*parsed.notes, *unknown, *unread)


def known_facts(ladder: Ladder, facts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return facts of the ladder's closed list, and a note for each other one."""
    listed = ladder.facts
    good, notes = [], []
    for one in facts:
        name, _, value = one.partition("=")
        if value in listed.get(name, ()):
            good.append(one)
        else:
            notes.append("a fact: not on the ladder's list, so it has no weight")
    return tuple(good), tuple(dict.fromkeys(notes))


@dataclass
class _Door:
    """One transaction of intake; what is new is saved at its end, all at once."""

    work: Work
    ladder: Ladder
    now: datetime
    offices: Offices
    by: str
    calling_code: str
    new: list[Identified] = field(default_factory=list)
    _referrals: dict[str, Referral] = field(default_factory=dict)
    _inquiries: dict[str, Inquiry] = field(default_factory=dict)
    _repeats: dict[tuple[str, str], str] = field(default_factory=dict)

    def known(self, batch: Sequence[Received]) -> Sequence[Received]:
        """Look up what is here already, once for all; returns the batch."""
        ids = tuple(identity("referral", _digest(one.data)) for one in batch)
        self._referrals = {one.id: one for one in self.work.find(Referral, {"id": ids})}
        references: dict[str, dict[str, None]] = {}
        for one in batch:
            if one.parsed.reference:
                references.setdefault(one.sender, {})[one.parsed.reference] = None
        for sender, those in references.items():
            earlier = self.work.find(
                Referral, {"sender": sender, "reference": tuple(those)}, order=("received_at",)
            )
            self._repeats |= {(sender, one.reference): one.inquiry_id for one in earlier}
        return batch

    def take(self, one: Received) -> Taken:
        original = _digest(one.data)
        id_ = identity("referral", original)
        if (there := self._referrals.get(id_)) is not None:
            return self._again(there, one)
        parsed = one.parsed
        facts, unknown = known_facts(self.ladder, parsed.facts)
        identifiers, unread = identifiers_of(id_, parsed, self.calling_code)
        notes = (*parsed.notes, *unknown, *unread)
        here = self._inquiry_of(one.sender, parsed.reference)
        inquiry = self._opened(id_, parsed, facts, notes) if here is None else here
        referral = Referral(
            id_,
            parsed.source,
            one.sender,
            parsed.reference,
            parsed.kind,
            parsed.kind,
            self.now,
            original,
            inquiry.id,
            completeness=_complete(parsed),
            facts=facts,
            narrative=parsed.narrative,
            marking="" if parsed.marking is None else marking_json(parsed.marking),
            happened_at=parsed.happened_at,
        )
        kept = Original(original, one.form, one.data, one.sender, self.now)
        self._keep(kept, referral, *identifiers, *([Comparison(id_, self.now)] if identifiers else []))
        self._referrals[id_] = referral
        if parsed.reference:
            self._repeats[one.sender, parsed.reference] = inquiry.id
        if here is not None:
            inquiry = self._joined(inquiry, referral, notes)
        self.new.append(desk.use_of("collection", id_, self.by, self.now))
        self._record("referral-taken-in", referral, one.sender, completeness=referral.completeness)
        return self._taken(referral, inquiry, again=False, joined=here is not None, notes=notes)

    def _again(self, referral: Referral, one: Received) -> Taken:
        """Say that these bytes are here already, from whomever they come now."""
        self._record("referral-came-again", referral, one.sender)
        inquiry = self._live(referral.inquiry_id) or self.work.get(Inquiry, referral.inquiry_id)
        if inquiry is None:
            raise InputError("A referral has no inquiry.", f"referral {referral.id}", "Restore the store.")
        return self._taken(referral, inquiry, again=True, joined=True, notes=())

    def _opened(self, id_: str, parsed: Parsed, facts: Sequence[str], notes: Sequence[str]) -> Inquiry:
        title = f"{parsed.source} referral {parsed.reference or id_[:8]}"
        inquiry, *tasks = desk.founded(
            self.ladder, facts, key=id_, title=title, now=self.now, offices=self.offices, note=not_read(notes)
        )
        self._keep(inquiry, *tasks)
        self._inquiries[inquiry.id] = inquiry
        desk.record(self.work, "inquiry-opened", inquiry, MACHINE, self.now, urgency=inquiry.urgency)
        return inquiry

    def _joined(self, inquiry: Inquiry, referral: Referral, notes: Sequence[str]) -> Inquiry:
        """Give an inquiry the place that it has with one more referral, and somebody to read it."""
        self.work.save(*self.new)  # what follows reads them
        self.new.clear()
        desk.log_use(self.work, "combination", referral.id, self.by, self.now)
        changed = desk.reassess(self.work, self.ladder, inquiry.id, now=self.now)
        waiting = self.work.find(Task, {"inquiry_id": inquiry.id, "kind": "triage", "state": "open"}, limit=1)
        if not waiting or notes:
            rung = self.ladder.rungs[changed.urgency - 1]
            desk.add_task(
                self.work,
                inquiry.id,
                "triage",
                f"Read what came to it since. {not_read(notes)}".strip(),
                self.now + timedelta(hours=rung.act_within_hours),
                f"urgency {self.ladder.version} rung {rung.id}",
                by=MACHINE,
                now=self.now,
            )
        now = self.work.get(Inquiry, inquiry.id) or changed
        self._inquiries[inquiry.id] = now
        return now

    def _inquiry_of(self, sender: str, reference: str) -> Inquiry | None:
        """Return the open inquiry of an earlier referral with this sender's reference."""
        return self._live(self._repeats.get((sender, reference), ""))

    def _live(self, id_: str) -> Inquiry | None:
        """Return the open inquiry of an id, or the one that it was merged into."""
        seen: set[str] = set()
        while id_ and id_ not in seen:
            seen.add(id_)
            inquiry = self._inquiries.get(id_) or self.work.get(Inquiry, id_)
            if inquiry is None:
                return None
            if not inquiry.merged_into:
                return inquiry if inquiry.state in desk.LIVE else None
            id_ = inquiry.merged_into
        return None

    def _keep(self, *values: Identified) -> None:
        self.new.extend(values)

    def _record(self, kind: str, referral: Referral, sender: str, **more: object) -> None:
        entry = {"kind": kind, "referral": referral.id, "original": referral.original, "sender": sender}
        self.work.record(
            {**entry, "inquiry": referral.inquiry_id, "by": self.by, "at": self.now.isoformat(), **more}
        )

    def _taken(
        self, referral: Referral, inquiry: Inquiry, *, again: bool, joined: bool, notes: tuple[str, ...]
    ) -> Taken:
        return Taken(
            referral.id,
            referral.original,
            inquiry.id,
            inquiry.owner,
            inquiry.due_at,
            inquiry.urgency,
            again,
            joined,
            notes,
        )


def identifiers_of(
    referral_id: str, parsed: Parsed, calling_code: str
) -> tuple[list[Identifier], tuple[str, ...]]:
    """Return the identifiers of a referral in their one spelling, and a note for each that has none."""
    found, notes = [], []
    for number, one in enumerate(parsed.named):
        try:
            value = normalise(one.kind, one.value, calling_code=calling_code)
        except InputError as error:
            notes.append(f"{_place(one)}: {error.what}")
            continue
        found.append(
            Identifier(
                identity("identifier", referral_id, str(number)),
                referral_id,
                one.kind,
                value,
                one.role,
                f"{referral_id}/{one.person}",
                one.platform,
                one.first_at,
                one.last_at,
            )
        )
    return found, tuple(dict.fromkeys(notes))


def _stricter(marking: str, parsed: Parsed) -> str:
    """Return a referral's marking together with what it is now read to come under: the strictest of both."""
    if parsed.marking is None:
        return marking
    return marking_json(strictest([*([read_marking(marking)] if marking else []), parsed.marking]))


def _complete(parsed: Parsed) -> float:
    return min(1.0, parsed.held / max(1, parsed.holdable))


def not_read(notes: Sequence[str]) -> str:
    """Return what could not be read, in a sentence or none."""
    if not notes:
        return ""
    rest = f"; and {len(notes) - _SHOWN} more" if len(notes) > _SHOWN else ""
    return f"Not read: {'; '.join(notes[:_SHOWN])}{rest}. The original is kept."


def _place(one: Named) -> str:
    return f"{one.kind} of {one.role}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
