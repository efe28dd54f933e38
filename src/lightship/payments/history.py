"""A dataset's window in an engine: what several packs measure is computed once, kept, and can be gone on from.

The rows that packs need are a small part of all payments. :meth:`History.tables` hands them out, and a later history
that begins from them reads only the payments that came since, and looks only at whom those concern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

from lightship.core.errors import InputError
from lightship.payments.engine import Engine
from lightship.payments.features import payer_rows, receiver_rows
from lightship.payments.lane import BURST_US, PASSING_US, flows, fresh, moments, outs, passings, through
from lightship.payments.pack import Pack
from lightship.payments.prepare import Dataset, Terms, Window, context, lookups, sends
from lightship.payments.vocabulary import DATA, FEATURES, View

BASES: dict[View, tuple[str, ...]] = {
    "payer": ("sends", "facts"),
    "receiver": ("sends", "facts"),
    "burst": ("outs", "through"),
    "mule": ("flows",),
}
"""What each view is made of."""

ONCE = ("flows", "through")
"""What a view reads once, so that it need not be kept."""


@dataclass
class History:
    """A dataset's window in an engine.

    Parameters
    ----------
    small
        The tables that :func:`lightship.payments.prepare.lookups` made.
    coverage
        Letters of :data:`lightship.payments.vocabulary.DATA` that the dataset holds.
    before
        Folder with an earlier history's tables to go on from; `data` then holds what came since.
    going_on
        True if a later history is to go on from this one: facts are then kept of all customers.
    """

    engine: Engine
    data: Dataset
    terms: Terms
    window: Window
    small: Mapping[str, Any]
    coverage: frozenset[str]
    before: Path | None = None
    going_on: bool = False
    _kept: dict[str, Any] = field(default_factory=dict)

    def rows(self, view: View) -> Any:
        """Return a view's rows; of whom the new payments concern, where the history goes on from an earlier one.

        Raises
        ------
        InputError
            If a payment's currency has no rate.
        """
        if f"rows {view}" not in self._kept:
            self._kept[f"rows {view}"] = self.engine.keep(self._name(f"rows_{view}"), self._rows(view))
        return self._kept[f"rows {view}"]

    def _rows(self, view: View) -> Any:
        marks = self.data.markers
        if view == "payer":
            mine = self._of_concern("sends", "payer")
            if self.before is None:
                return payer_rows(mine, mine, self.facts, marks)
            paid = mine.select(paid=mine.payee).distinct()
            receipts = self.base("sends").semi_join(paid, self.base("sends").payee == paid.paid)
            return payer_rows(mine, receipts, self.facts, marks)
        if view == "receiver":
            theirs = self._of_concern("sends", "payee")
            if self.before is None:
                return receiver_rows(theirs, theirs, theirs, self.facts, marks)
            every = self.base("sends")
            paying = theirs.select(paying=theirs.payer).distinct()
            all_sends = every.semi_join(paying, every.payer == paying.paying)
            paid = all_sends.select(paid=all_sends.payee).distinct()
            received = every.semi_join(paid, every.payee == paid.paid)
            return receiver_rows(theirs, all_sends, received, self.facts, marks)
        if view == "burst":
            return moments(self._fresh, self.base("outs"), self.base("through"), self.window, marks)
        return passings(self._of_concern("flows", "subject"), self.window)

    @property
    def facts(self) -> Any:
        """What else is known of customers."""
        return self.base("facts")

    def tables(self, view: View) -> dict[str, Any]:
        """Return the tables that a later history needs to go on with a view."""
        return {name: self.base(name) for name in BASES[view]}

    def base(self, name: str) -> Any:
        """Return one of the tables that views are made of."""
        if name not in self._kept:
            new = self._new(name)
            if self.before is not None:
                new = self._with_earlier(name, new)
                if name not in ONCE:
                    new = self.engine.keep(self._name(f"all_{name}"), new)
            self._kept[name] = new
        return self._kept[name]

    def _new(self, name: str) -> Any:
        """Return what the dataset's own payments bring to a table."""
        if f"new {name}" not in self._kept:
            kept = self.engine.keep(self._name(name), self._made(name))
            self._kept[f"new {name}"] = kept if name in ("facts", "through") else self._rated(kept)
        return self._kept[f"new {name}"]

    def _made(self, name: str) -> Any:
        where = (self.data, self.terms, self.window)
        if name == "sends":
            return sends(*where, self.small)
        if name == "outs":
            return outs(*where, self.small)
        if name == "flows":
            return flows(*where, self.small["rates"])
        if name == "through":
            rows = through(self.data, self.terms, self._looked_back, self._receivers)
            return rows.select("payment", "at_us", "subject", "other", "credit")
        if self.going_on or self.before is not None:
            return context(*where, self.small, None)
        mine = self.base("sends")
        return context(*where, self.small, mine.select(sender=mine.payer).distinct())

    @property
    def _fresh(self) -> Any:
        """What is counted of what left children's accounts, a few of all: kept, as the moments are made of it twice."""
        if "fresh" not in self._kept:
            rows = fresh(self._of_concern("outs", "subject"))
            self._kept["fresh"] = self.engine.keep(self._name("fresh"), rows)
        return self._kept["fresh"]

    @property
    def _receivers(self) -> Any | None:
        """Which customers were paid in what is counted, or None where a later history may ask of anybody."""
        if self.going_on:
            return None
        if "receivers" not in self._kept:
            paid = self._fresh.filter(self._fresh.voucher == 0).select(holder="other").distinct()
            own = self.data.customers
            paid = paid.semi_join(own, paid.holder == own.customer)
            self._kept["receivers"] = self.engine.keep(self._name("receivers"), paid)
        return self._kept["receivers"]

    @property
    def _looked_back(self) -> Window:
        """The window with what its first moments look back on."""
        return Window(self.window.from_us - PASSING_US - BURST_US, self.window.to_us)

    def _with_earlier(self, name: str, new: Any) -> Any:
        assert self.before is not None
        earlier = self.engine.read(self._name(f"before_{name}"), self.before / f"{name}.parquet")
        if name == "through" and (whose := self._receivers) is not None:
            earlier = earlier.semi_join(whose, earlier.subject == whose.holder)
        payments = self.data.payments
        gone = payments.filter(payments.reverses.notnull()).select(taken_back=payments.reverses).distinct()
        earlier = earlier.anti_join(gone, earlier.payment == gone.taken_back)
        if name != "outs":
            window = self._looked_back if name == "through" else self.window
            earlier = earlier.filter(earlier.at_us > window.from_us)
        return earlier.union(new.select(*earlier.columns))

    def _of_concern(self, name: str, subject: str) -> Any:
        """Return a table's rows, of the subjects of new ones only where the history goes on."""
        every = self.base(name)
        if self.before is None:
            return every
        new = self._new(name)
        whom = new.select(concerns=new[subject]).distinct()
        return every.semi_join(whom, every[subject] == whom.concerns)

    def _rated(self, rows: Any) -> Any:
        found = self.engine.arrow(
            rows.filter(rows.ref.isnull()).select("currency", "payment").limit(1)
        ).to_pylist()
        if found:
            raise InputError(
                f"There is no rate for {found[0]['currency']}.",
                f"payment {found[0]['payment']}",
                "Add the currency to the table of exchange rates, with its day.",
            )
        return rows

    def _name(self, name: str) -> str:
        return f"ls_{name}_{self.window.from_us}"


def open_history(
    engine: Engine,
    data: Dataset,
    terms: Terms,
    window: Window,
    *,
    before: Path | None = None,
    coverage: frozenset[str] | None = None,
    going_on: bool = False,
) -> History:
    """Return a dataset's window, ready to be measured.

    Parameters
    ----------
    before
        Tables of an earlier history.
    coverage
        What the data hold, and those of an earlier history; found out unless given.
    going_on
        True if a later history is to go on from this one.
    """
    zones = engine.arrow(data.customers.select("zone").distinct())["zone"].to_pylist()
    small = lookups(engine, terms, window, [zone for zone in zones if zone])
    held = coverage_of(engine, data) if coverage is None else coverage
    return History(engine, data, terms, window, small, held, before, going_on)


def not_yet_counted(engine: Engine, data: Dataset, before: Path) -> tuple[Dataset, int]:
    """Return a dataset without the payments that an earlier history holds, by id, and how many those are."""
    held = [
        engine.read(f"ls_held_{name}", path).select("payment")
        # A payment that went through an account may be there twice: who sent money is counted once.
        for name in sorted({name for names in BASES.values() for name in names} - {"through"})
        if (path := before / f"{name}.parquet").is_file()
    ]
    if not held:
        return data, 0
    known = reduce(lambda one, other: one.union(other), held)
    # Kept: every view reads them.
    new = engine.keep("ls_new", data.payments.anti_join(known, "payment"))
    told, fresh_ = (
        engine.arrow(rows.count().as_table()).column(0)[0].as_py() for rows in (data.payments, new)
    )
    return replace(data, payments=new), told - fresh_


def coverage_of(engine: Engine, data: Dataset) -> frozenset[str]:
    """Return the letters of :data:`lightship.payments.vocabulary.DATA` that a dataset holds."""
    found = set("pfg")
    held = engine.arrow(
        data.payments.aggregate(t=data.payments.text.count() > 0, m=data.payments.merchant_code.count() > 0)
    ).to_pylist()[0]
    found |= {letter for letter in "tm" if held[letter]}
    found |= {letter for letter, table in (("k", data.ties), ("o", data.markers)) if table is not None}
    return frozenset(found)


def covered(pack: Pack, coverage: frozenset[str]) -> tuple[Pack, dict[str, str]]:
    """Return the pack with what the dataset cannot carry switched off, and all that is off with its reason."""
    missing = {}
    for one in pack.computed:
        lacks = sorted(set(FEATURES[one.feature].needs) - coverage)
        if lacks:
            words = ", ".join(DATA[letter] for letter in lacks)
            missing[one.id] = f"needs {words}, which this dataset lacks"
    off = {one.id: missing.get(one.id) or one.off for one in pack.indicators if one.id in missing or one.off}
    return pack.without(missing), off
