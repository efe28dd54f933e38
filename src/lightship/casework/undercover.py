"""The undercover register: authorisations, source records, contacts and what is due, inside a compartment.

The law is in :mod:`lightship.casework.authorisation`; here is what is kept, and what a step means for the rest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from lightship.casework import authorisation as law
from lightship.casework import undercover_texts
from lightship.casework.authorisation_clocks import standing, warned
from lightship.casework.authorisation_rules import Rules
from lightship.casework.compartment import Compartment
from lightship.core.errors import AccessDenied, InputError
from lightship.core.undercover import (
    Application,
    Authorisation,
    Contact,
    Due,
    Filled,
    Operation,
    PossibleError,
    Review,
    SourceRecord,
)


class Register:
    """An undercover unit's register, for one person inside its compartment."""

    def __init__(self, inside: Compartment, rules: Rules) -> None:
        inside.need("unit", "authorising-officer", "covert-desk")
        self._inside, self._rules, self.now = inside, rules, inside.now

    # Operations and sources --------------------------------------------------------------------

    def open_operation(self, id_: str, name: str, investigation: str) -> Operation:
        """Return a new operation.

        Raises
        ------
        InputError
            If there is one of this id, or no investigation is named.
        """
        if not investigation.strip() or any(one.id == id_ for one in self.operations()):
            raise InputError("This operation exists, or names no investigation.", id_, "Choose another id.")
        made = Operation(id_, name, investigation, self.now)
        self._inside.put("operation", made, "operation-opened")
        return made

    def keep_source(self, record: SourceRecord) -> SourceRecord:
        """Return a source record, complete as reg. 3 asks, with the days of its next assessments.

        Raises
        ------
        InputError
            Naming what is missing.
        """
        rule = self._rules.on(self._today, "source-record")
        lacking = [name for name in rule.names("needed") if not getattr(record, name)]
        if lacking:
            raise InputError(
                f"The source record lacks {', '.join(lacking)}.", record.id, f"{rule.section} asks for it."
            )
        times = self._rules.on(self._today, "welfare")
        kept = replace(
            record,
            welfare_due=record.welfare_due or self._today + timedelta(days=times.number("welfare_days")),
            tenure_due=record.tenure_due or self._today + timedelta(days=times.number("tenure_days")),
        )
        self._inside.put("source", kept, "source-kept")
        return kept

    def identity(self, source: str) -> SourceRecord:
        """Return a source record with its identity, once two people have agreed to that."""
        self._inside.override("see-identity", source)
        return self._inside.get("source", SourceRecord, source, identity=True)

    def source(self, source: str) -> SourceRecord:
        """Return a source record without its identity."""
        return self._inside.get("source", SourceRecord, source)

    def operations(self) -> tuple[Operation, ...]:
        """Return all operations."""
        return self._inside.all("operation", Operation)

    def sources(self) -> tuple[SourceRecord, ...]:
        """Return all source records, without identities."""
        return self._inside.all("source", SourceRecord)

    # Authorisations ----------------------------------------------------------------------------

    def apply(self, id_: str, asked: Application, *, oral: bool = False) -> Authorisation:
        """Return a new application; texts that are nearly the unit's own earlier ones are pointed out.

        Raises
        ------
        InputError, AccessDenied
            As :func:`lightship.casework.authorisation.apply_for`; or the operation is closed or the source unknown.
        """
        operation = self._inside.get("operation", Operation, asked.operation_id)
        if operation.closed_at is not None or operation.investigation != asked.investigation:
            raise AccessDenied(
                "The operation is closed, or is of another investigation.",
                asked.operation_id,
                "Open one for it.",
            )
        self._inside.get("source", SourceRecord, asked.source)
        if any(one.id == id_ for one in self.authorisations()):
            raise InputError("There is an authorisation of this id.", id_, "Choose another.")
        new = law.apply_for(id_, asked, self.now, self._rules, oral=oral)
        return self._keep(replace(new, warnings=self._formulaic(id_, asked)))

    def grant(
        self, id_: str, rank: str, review_due: date, *, oral: bool = False, urgent: str = ""
    ) -> Authorisation:
        """Return it granted, or waiting for a Judicial Commissioner.

        Raises
        ------
        InputError, AccessDenied
            As :func:`lightship.casework.authorisation.grant`.
        """
        self._inside.need("authorising-officer")
        others = self.authorisations()
        granted = self._change(
            id_,
            lambda one: law.grant(
                one,
                self._inside.person,
                rank,
                self.now,
                review_due,
                others,
                self._rules,
                oral=oral,
                urgent=urgent,
            ),
        )
        self._functions(granted)
        return granted

    def refuse(self, id_: str, why: str) -> Authorisation:
        """Return it refused."""
        self._inside.need("authorising-officer")
        return self._change(id_, lambda one: law.refuse(one, self._inside.person, why, self.now, self._rules))

    def write_down(self, id_: str, asked: Application) -> Authorisation:
        """Return an orally granted one with its written record."""
        noted = self._change(
            id_, lambda one: law.write_down(one, asked, self._inside.person, self.now, self._rules)
        )
        return self._keep(replace(noted, warnings=self._formulaic(id_, asked)))

    def approve_jc(self, id_: str, reference: str, notice: tuple[str, ...]) -> Authorisation:
        """Return it with the Judicial Commissioner's approval."""
        approved = self._change(
            id_, lambda one: law.approve_jc(one, reference, notice, self.now, self._rules)
        )
        self._functions(approved)
        return approved

    def refuse_jc(self, id_: str, reference: str, why: str) -> Authorisation:
        """Return it as a Judicial Commissioner's refusal leaves it."""
        return self._change(id_, lambda one: law.refuse_jc(one, reference, why, self.now, self._rules))

    def review(self, id_: str, use: str, tasks: str, information: str, next_due: date) -> Authorisation:
        """Return it reviewed."""
        done = Review(self.now, self._inside.person, use, tasks, information, next_due)
        return self._change(id_, lambda one: law.review(one, done, self._rules))

    def renew(
        self, id_: str, rank: str, review_due: date, *, oral: bool = False, urgent: str = ""
    ) -> Authorisation:
        """Return it renewed, or waiting for a Judicial Commissioner while it runs on."""
        self._inside.need("authorising-officer")
        others = self.authorisations()
        return self._change(
            id_,
            lambda one: law.renew(
                one,
                self._inside.person,
                rank,
                self.now,
                review_due,
                others,
                self._rules,
                oral=oral,
                urgent=urgent,
            ),
        )

    def cancel(self, id_: str, why: str) -> Authorisation:
        """Return it cancelled; who had a function for it has it no longer."""
        ended = self._change(
            id_, lambda one: law.cancel(one, self._inside.person, why, self.now, self._rules)
        )
        source = self.source(ended.application.source)
        others = any(
            one.application.source == source.id and standing(one, self.now) == "active"
            for one in self.authorisations()
        )
        if not others:
            closed = tuple(replace(one, until_at=one.until_at or self.now) for one in source.functions)
            self._inside.put("source", replace(source, functions=closed), "functions-ended")
        return ended

    def authorisation(self, id_: str) -> Authorisation:
        """Return one."""
        return self._inside.get("authorisation", Authorisation, id_)

    def authorisations(self) -> tuple[Authorisation, ...]:
        """Return all."""
        return self._inside.all("authorisation", Authorisation)

    # Contacts ----------------------------------------------------------------------------------

    def contact(
        self,
        id_: str,
        at: datetime,
        means: str,
        words: str,
        *,
        use: bool,
        tasks: str = "",
        information: str = "",
        dissemination: str = "",
        payment: str = "",
    ) -> Contact:
        """Keep a contact with a source, or a use of it. All contacts are kept; use needs authority at its time.

        Raises
        ------
        AccessDenied
            If it is use, or gives a task, outside the authorisation: what was said is kept as a possible error.
        InputError
            If it has no words, or lies in the future.
        """
        one = self.authorisation(id_)
        if not words.strip() or not means.strip() or at > self.now:
            raise InputError("A contact has a means and words, and does not lie ahead.", id_, "Correct it.")
        made = Contact(
            secrets.token_hex(8),
            one.application.source,
            id_,
            at,
            self.now,
            self._inside.person,
            means,
            use,
            words,
            tasks,
            information,
            dissemination,
            payment,
        )
        now = standing(one, at)
        if (use or tasks) and now != "active":
            rule = self._rules.on(self._today, "activity")
            raised = PossibleError(
                secrets.token_hex(8),
                self.now,
                f"authorisation/{id_}",
                f"Use or a task at {at.isoformat()} while the authorisation was {now}.",
                rule.section,
                made,
            )
            self._inside.put("possible-error", raised, "possible-error-raised")
            raise AccessDenied(
                f"The authorisation was {now} at that time; this is raised as possible error {raised.id}.",
                id_,
                f"{rule.section}. Stop the activity, and tell the authorising officer now.",
            )
        self._inside.put("contact", made, "contact-kept")
        return made

    def contacts(self, source: str) -> tuple[Contact, ...]:
        """Return all contacts with a source, oldest first."""
        found = (one for one in self._inside.all("contact", Contact) if one.source == source)
        return tuple(sorted(found, key=lambda one: (one.at, one.id)))

    def errors(self) -> tuple[PossibleError, ...]:
        """Return all possible errors, those that nobody has decided on first."""
        found = self._inside.all("possible-error", PossibleError)
        return tuple(sorted(found, key=lambda one: (one.decision != "", one.raised_at)))

    def decide_error(self, id_: str, decision: str) -> PossibleError:
        """Return a possible error with what two people decided about it."""
        one = self._inside.get("possible-error", PossibleError, id_)
        people = self._inside.override("decide-error", id_)
        decided = replace(one, decided_by=", ".join(people), decision=decision)
        self._inside.put("possible-error", decided, "possible-error-decided")
        return decided

    # What is due -------------------------------------------------------------------------------

    def due(self) -> tuple[Due, ...]:
        """Return what is due or overdue, soonest first, each with its law."""
        found = [due for one in self.authorisations() for due in self._due_of(one)]
        rule = self._rules.on(self._today, "welfare")
        for source in self.sources():
            for what, day in (("welfare", source.welfare_due), ("tenure", source.tenure_due)):
                if day is not None and day <= self._today + timedelta(days=28):
                    found.append(
                        self._due(self._end_of(day), what, source.id, f"{what} falls due", rule.section)
                    )
        found += [
            self._due(raised.raised_at, "possible-error", raised.about, raised.words, raised.section)
            for raised in self.errors()
            if not raised.decision
        ]
        return tuple(sorted(found, key=lambda one: (one.due_at, one.about)))

    def _due_of(self, one: Authorisation) -> list[Due]:
        found, now = [], standing(one, self.now)
        end = one.ends_at
        if now == "active" and end is not None:
            days = warned(end, self.now, self._rules.on(self._today, "warnings").values["days"])
            written = one.spans[-1].form == "written"
            if days or not written:
                clock = self._rules.on(self._today, "written-period" if written else "oral-period")
                said = f"ends within {days} days" if written else "ends within 72 hours"
                found.append(self._due(end, "expiry", one.id, said, clock.section))
        if now == "lapsed" and end is not None:
            section = self._rules.on(self._today, "cancellation").section
            found.append(self._due(end, "expiry", one.id, "has lapsed and is not cancelled", section))
        if (
            now == "active"
            and one.review_due is not None
            and one.review_due <= self._today + timedelta(days=7)
        ):
            section = self._rules.on(self._today, "review").section
            found.append(
                self._due(self._end_of(one.review_due), "review", one.id, "review falls due", section)
            )
        if one.waiting is not None:
            section = self._rules.on(self._today, "judicial-approval").section
            found.append(
                self._due(one.waiting.asked_at, "judicial-approval", one.id, "waits for approval", section)
            )
        for span in one.spans:
            if span.written_down_at is None:
                rule = self._rules.on(self._today, "oral-record")
                by = span.granted_at + timedelta(hours=rule.number("hours"))
                found.append(self._due(by, "write-down", one.id, "an oral grant has no record", rule.section))
        return found

    # Closing -----------------------------------------------------------------------------------

    def close_operation(self, id_: str) -> Operation:
        """Return an operation closed.

        Raises
        ------
        AccessDenied
            If an authorisation of it is neither cancelled nor refused; a lapsed one needs cancelling too.
        """
        self._inside.need("authorising-officer")
        one = self._inside.get("operation", Operation, id_)
        standing_open = [
            other.id
            for other in self.authorisations()
            if other.application.operation_id == id_ and other.state not in {"cancelled", "refused"}
        ]
        if standing_open or one.closed_at is not None:
            rule = self._rules.on(self._today, "closure")
            raise AccessDenied(
                f"Not closed: {', '.join(standing_open) or 'it is closed already'}.", id_, f"{rule.says}"
            )
        closed = replace(one, closed_at=self.now, closed_by=self._inside.person)
        self._inside.put("operation", closed, "operation-closed")
        return closed

    # Within ------------------------------------------------------------------------------------

    @property
    def _today(self) -> date:
        return self.now.astimezone(self._rules.zone).date()

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day, time(23, 59), self._rules.zone).astimezone(UTC)

    def _due(self, at: datetime, what: str, about: str, words: str, section: str) -> Due:
        return Due(at, what, about, words, section, at < self.now)  # type: ignore[arg-type]

    def _keep(self, one: Authorisation) -> Authorisation:
        act = one.transitions[-1].act
        self._inside.put("authorisation", one, f"authorisation-{act}")
        return one

    def _change(self, id_: str, step: Callable[[Authorisation], Authorisation]) -> Authorisation:
        return self._keep(step(self.authorisation(id_)))

    def _functions(self, one: Authorisation) -> None:
        """Note on the source record who has which function from now on, and who no longer (reg. 3(h), (i))."""
        if not one.spans:
            return
        source, asked = self.source(one.application.source), one.application
        now = {
            ("handler", asked.handler),
            ("cover", asked.cover),
            ("controller", asked.controller),
            ("record-keeper", asked.record_keeper),
        }
        held = {(f.function, f.person) for f in source.functions if f.until_at is None}
        kept = tuple(
            f if f.until_at is not None or (f.function, f.person) in now else replace(f, until_at=self.now)
            for f in source.functions
        )
        added = tuple(Filled(function, person, self.now) for function, person in sorted(now - held))  # type: ignore[arg-type]
        self._inside.put("source", replace(source, functions=(*kept, *added)), "functions-noted")

    def _formulaic(self, id_: str, asked: Application) -> tuple[str, ...]:
        rule = self._rules.on(self._today, "alike")
        earlier = [
            (one.id, {name: getattr(one.application, name) for name in law.TEXTS})
            for one in self.authorisations()
            if one.id != id_
        ]
        texts = {name: getattr(asked, name) for name in law.TEXTS}
        return undercover_texts.warnings(texts, earlier, rule.number("words"), float(rule.values["share"]))
