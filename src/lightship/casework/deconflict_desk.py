"""The covert desk: recognises its own entries in others' questions, inside the compartment, in its own time.

What it finds goes to nobody: the desk decides on contact. It works on questions that the front office has answered
already, so that nothing it does can be seen in an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from lightship.casework import deconflict
from lightship.casework.compartment import Compartment
from lightship.casework.deconflict import Interest, Notice, Question, Round
from lightship.casework.deconflict_limits import Agreement
from lightship.casework.deconflict_office import secret_for
from lightship.core.errors import InputError


class Desk:
    """The covert desk of one body, for one person inside.

    Parameters
    ----------
    name
        Of this body.
    """

    def __init__(self, name: str, inside: Compartment) -> None:
        inside.need("covert-desk", "authorising-officer")
        self.name, self._inside, self._store = name, inside, inside.store

    def keep(self, entries: Iterable[Interest]) -> None:
        """Keep covert entries; partners' questions are compared with them after the next round.

        Raises
        ------
        InputError
            If one is overt.
        """
        for one in entries:
            if not one.covert:
                raise InputError("An overt entry is not kept here.", one.id, "Give it to the front office.")
            self._inside.put("interest", one, "interest-kept")

    def round_for(self, agreed: Agreement) -> Round:
        """Return the next round for a partner: entries it has not had, and dummies, always as many in all."""
        known = {one["id"] for one in self._store.all(f"sent/{agreed.partner}")}
        entries = [one for one in self._inside.all("interest", Interest) if one.id not in known]
        made, places = deconflict.make_round(
            entries[: agreed.round_size],
            secret_for(self._store, "desk", agreed.partner),
            holder=self.name,
            asker=agreed.partner,
            size=agreed.round_size,
        )
        self._store.put("round", made.id, {"id": made.id, "partner": agreed.partner, "places": list(places)})
        self._store.note({"at": self._inside.now.isoformat(), "kind": "round-made", "about": made.id})
        return made

    def take_round(self, returned: Round, agreed: Agreement) -> None:
        """Keep what a returned round lets the desk recognise.

        Raises
        ------
        InputError
            If it is no returned round of ours.
        """
        sent = self._store.get("round", returned.id)
        if sent is None or not returned.answered or sent["partner"] != agreed.partner:
            raise InputError("This is no returned round of ours.", returned.id, "Ask for it again.")
        if len(returned.points) != len(sent["places"]):
            raise InputError("The round came back in another size.", returned.id, "Ask for it again.")
        known = deconflict.known_points(returned, sent["places"])
        self._store.put_all(
            f"known/{agreed.partner}",
            {point.hex(): {"id": point.hex(), "entries": list(entries)} for point, entries in known.items()},
        )
        had = {entry for entries in known.values() for entry in entries}
        self._store.put_all(f"sent/{agreed.partner}", {entry: {"id": entry} for entry in had})
        back = self._rounds_back(agreed.partner) + 1
        self._store.put("rounds-back", agreed.partner, {"id": agreed.partner, "count": back})

    def read(self, questions: Iterable[Question], agreed: Agreement) -> tuple[Notice, ...]:
        """Return the new notices of a partner's questions; a question is read once for each round that came back."""
        partner, told = agreed.partner, list[Notice]()
        secret, back = secret_for(self._store, "desk", partner), self._rounds_back(partner)
        entries = {one.id: one for one in self._inside.all("interest", Interest)}

        def known(point: bytes) -> tuple[str, ...]:
            found = self._store.get(f"known/{partner}", point.hex())
            return tuple(found["entries"]) if found is not None else ()

        for question in questions:
            done = self._store.get("read", question.id)
            if done is not None and done["rounds"] == back:
                continue
            hits = deconflict.recognised(question, secret, known)
            for notice in deconflict.notices(
                question, (entries[one] for one in hits), self._inside.now.date(), self._inside.now
            ):
                if self._store.get("notice", notice.id) is None:
                    self._inside.put("notice", notice, "notice-raised")
                    told.append(notice)
            self._store.put("read", question.id, {"id": question.id, "rounds": back})
        return tuple(told)

    def notices(self) -> tuple[Notice, ...]:
        """Return all notices, most urgent first."""
        return tuple(sorted(self._inside.all("notice", Notice), key=lambda one: (one.urgency, one.seen_at)))

    def _rounds_back(self, partner: str) -> int:
        found = self._store.get("rounds-back", partner)
        return 0 if found is None else int(found["count"])
