"""A jurisdiction's rules as dated data: authorities, priorities, clocks, keeping, prompts and targets.

Each matter is a file of ``packs/duties/NAME/``. What a file does not know is refused, and so is a set of rules that
leaves some case undecided on some day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import product
from typing import Any, Literal, TypeVar, get_args

from lightship import packs
from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.errors import PolicyError
from lightship.duties.calendar import Calendar, holidays_of, zone_of

Unit = Literal["hours", "days", "working-days", "months", "years"]
Kept = Literal["content", "submission", "basis", "look-back", "reference"]
Measure = Literal["stopped", "decided", "filed", "upheld"]
Grade = Literal["P", "S", "choice"]

MATTERS = ("authorities", "priorities", "clocks", "keep", "prompts", "targets")
"""The files of a jurisdiction."""

DANGER = "danger"
_HEAD = {"name", "title", "version", "source"}
_RULE = {"id", "says", "from", "until", "source", "grade", "tbv"}
_PROMPTED = ("priority", "danger", "office", "registered", "authority")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule has.

    Parameters
    ----------
    says
        The rule in words.
    begins, ends
        The first day it is in force, and the day from which it no longer is.
    source, grade, tbv
        Where it stands, how sure that is, and what a person has yet to verify.
    """

    id: str
    says: str
    begins: date
    ends: date | None
    source: str
    grade: Grade
    tbv: str

    def on(self, day: date) -> bool:
        """Return whether it is in force on a day."""
        return dated.in_force(self.begins, self.ends, day)


Conditions = Mapping[str, frozenset[str]]
"""Facts, and the values that each may have; all must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed(Rule):
    """Says whom something is owed to: an authority's id, or nobody where that is empty."""

    when: Conditions
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Rule):
    """Says how urgent something is.

    Parameters
    ----------
    promptly
        In the law's words.
    target_min
        The service's own target from awareness to filing, minutes.
    file_first
        Whether it is filed before a person's verdict.
    """

    when: Conditions
    priority: str
    promptly: str
    target_min: float
    file_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(Rule):
    """Says how long a clock runs: `length` in `unit` since what `since` names."""

    since: str
    length: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Rule):
    """Says for how many years something of a report is kept, and for how many days before it data is looked up."""

    what: Kept
    years: int
    back_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt(Rule):
    """Says what a person is to do, where all that it names holds."""

    when: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Rule):
    """Says which share of cases is to be well: within seconds of awareness, or upheld.

    Parameters
    ----------
    priority
        Of the reports meant; empty for all.
    within_s
        0 where it is about no time.
    """

    of: Measure
    priority: str
    within_s: float
    share: float


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody to whom reports go, and the adapters by which they may, best first."""

    id: str
    title: str
    adapters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """A jurisdiction's rules.

    Parameters
    ----------
    facts
        What may be told of a detection, with the values each may have; none of them where any text may stand.
    labels
        Kinds of detection by the clause of a decision.
    digests
        Of each matter's file; :attr:`digest` is of them all.
    """

    name: str
    title: str
    version: str
    facts: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]
    authorities: Mapping[str, Authority]
    owed: tuple[Owed, ...]
    criteria: tuple[Criterion, ...]
    periods: Mapping[str, Period]
    calendar: Calendar
    keeping: tuple[Keeping, ...]
    prompts: tuple[Prompt, ...]
    targets: tuple[Target, ...]
    digests: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Names exactly these rules."""
        return digest(dict(self.digests))

    def day(self, at: datetime) -> date:
        """Return the day that a moment is on here."""
        return at.astimezone(self.calendar.zone).date()

    def period(self, kind: str, day: date) -> Period:
        """Return a clock's rule.

        Raises
        ------
        PolicyError
            If there is none of that name, or none in force on the day.
        """
        found = self.periods.get(kind)
        if found is None or not found.on(day):
            known = ", ".join(sorted(one.id for one in self.periods.values() if one.on(day)))
            raise PolicyError(
                f"No clock {kind!r} runs here on {day}.", f"duties {self.name}", f"Known: {known}."
            )
        return found

    def kept(self, what: Kept, day: date) -> Keeping | None:
        """Return for how long something of a report is kept; None where no rule says so."""
        return next((one for one in self.keeping if one.what == what and one.on(day)), None)


def load(name: str) -> Law:
    """Return a jurisdiction's rules by name, from ``packs/duties``, or by the path of a folder.

    Raises
    ------
    PolicyError
        If a file cannot be read or is refused.
    """
    folder = name if "/" in name else f"{packs.root() / 'duties' / name}"
    found = {one: packs.read("duties", f"{folder}/{one}.toml", ".toml", "duties' rules") for one in MATTERS}
    return parse(
        {one: text for one, (_, text) in found.items()}, {one: str(path) for one, (path, _) in found.items()}
    )


def parse(texts: Mapping[str, str], where: Mapping[str, str] | None = None) -> Law:
    """Read the files of a jurisdiction by their matters.

    Raises
    ------
    PolicyError
        Naming what is wrong, also where the rules leave a case undecided or contradict each other.
    """
    places = {one: (where or {}).get(one, one) for one in MATTERS}
    head: dict[str, dict[str, Any]] = {}

    def rows(matter: str, key: str, rule: Any) -> tuple[Any, ...]:
        def file(found: tuple[Any, ...], table: dict[str, Any]) -> tuple[Any, ...]:
            head[matter] = table
            return found

        what = f"duties' {matter}"
        return dated.read(texts[matter], places[matter], what=what, key=key, rule=rule, file=file)

    owed = rows("authorities", "rules", _owed)
    criteria = rows("priorities", "criteria", _criterion)
    periods = rows("clocks", "clocks", _period)
    keeping = rows("keep", "keeping", _keeping)
    prompts = rows("prompts", "prompts", _prompt)
    targets = rows("targets", "targets", _target)
    for matter, table in head.items():
        more = {"authorities": {"facts", "labels", "authorities"}, "clocks": {"zone", "holidays", "office"}}
        _only(table, _HEAD | more.get(matter, set()), _HEAD | more.get(matter, set()), places[matter])
    top, where_owed = head["authorities"], places["authorities"]
    law = Law(
        str(top["name"]),
        str(top["title"]),
        str(top["version"]),
        _facts(top["facts"], where_owed),
        {str(key): str(value) for key, value in top["labels"].items()},
        {one.id: one for one in _authorities(top["authorities"], where_owed)},
        owed,
        criteria,
        {one.id: one for one in periods},
        _calendar(head["clocks"], places["clocks"]),
        keeping,
        prompts,
        targets,
        {one: digest(texts[one]) for one in MATTERS},
    )
    _fits(law, where_owed)
    return law


def holding(conditions: Conditions, facts: Mapping[str, str]) -> bool | None:
    """Return whether conditions hold of facts; None where that hangs on a fact that is not told."""
    if any(name in facts and facts[name] not in wanted for name, wanted in conditions.items()):
        return False
    return True if all(name in facts for name in conditions) else None


# Reading ---------------------------------------------------------------------------------------

E = TypeVar("E")


def _refuse(what: str, where: str, todo: str = "Correct it.") -> PolicyError:
    return PolicyError(what, where, todo)


def _only(table: Mapping[str, Any], known: set[str], needed: set[str], where: str) -> None:
    for wrong in sorted(set(table) - known):
        raise _refuse(f"The key {wrong!r} is unknown.", where, f"Known: {', '.join(sorted(known))}.")
    for wrong in sorted(needed - set(table)):
        raise _refuse(f"The key {wrong!r} is missing.", where)


def _common(table: Mapping[str, Any], where: str, more: set[str], needed: set[str]) -> dict[str, Any]:
    """Return what every rule has; ``more`` keys are allowed beside, ``needed`` of them must be there."""
    where = f"{where}, {table.get('id')!r}"
    _only(table, _RULE | more, (_RULE - {"until", "tbv"}) | needed, where)
    texts = {name: table.get(name, "") for name in ("id", "says", "source", "grade", "tbv")}
    if any(not isinstance(one, str) for one in texts.values()) or not (texts["id"] and texts["says"]):
        raise _refuse("A rule's words are no text.", where)
    if texts["grade"] not in get_args(Grade) or not texts["source"].startswith("https://"):
        raise _refuse(
            "A rule has no source or no grade.",
            where,
            f"Grades: {', '.join(get_args(Grade))}; sources are https.",
        )
    if not dated.are_days(table["from"], table.get("until")):
        raise _refuse("A rule's dates are no days.", where)
    return {**texts, "begins": table["from"], "ends": table.get("until")}


def _conditions(table: Mapping[str, Any], where: str) -> Conditions:
    if any(not isinstance(one, list) or not one for one in table.values()):
        raise _refuse("A condition is no list of values.", where)
    return {str(name): frozenset(map(str, values)) for name, values in table.items()}


def _one_of(value: Any, known: tuple[E, ...], where: str) -> E:
    if value not in known:
        raise _refuse(f"{value!r} is unknown.", where, f"Known: {', '.join(map(str, known))}.")
    return next(one for one in known if one == value)


def _number(value: Any, where: str, *, whole: bool = True) -> Any:
    if type(value) not in ({int} if whole else {int, float}) or not value > 0:
        raise _refuse(f"{value!r} is no number above 0.", where)
    return value


def _owed(table: Mapping[str, Any], where: str) -> Owed:
    common = _common(table, where, {"when", "authority"}, {"when"})
    return Owed(**common, when=_conditions(table["when"], where), authority=str(table.get("authority", "")))


def _criterion(table: Mapping[str, Any], where: str) -> Criterion:
    needed = {"when", "priority", "promptly", "target_min"}
    common = _common(table, where, needed | {"file_first"}, needed)
    return Criterion(
        **common,
        when=_conditions(table["when"], where),
        priority=str(table["priority"]),
        promptly=str(table["promptly"]),
        target_min=float(_number(table["target_min"], where, whole=False)),
        file_first=table.get("file_first", False) is True,
    )


def _period(table: Mapping[str, Any], where: str) -> Period:
    needed = {"since", "length", "unit"}
    return Period(
        **_common(table, where, needed, needed),
        since=str(table["since"]),
        length=_number(table["length"], where),
        unit=_one_of(table["unit"], get_args(Unit), where),
    )


def _keeping(table: Mapping[str, Any], where: str) -> Keeping:
    common = _common(table, where, {"what", "years", "back_days"}, {"what", "years"})
    return Keeping(
        **common,
        what=_one_of(table["what"], get_args(Kept), where),
        years=_number(table["years"], where),
        back_days=_number(table["back_days"], where) if "back_days" in table else 0,
    )


def _prompt(table: Mapping[str, Any], where: str) -> Prompt:
    common = _common(table, where, set(_PROMPTED), set())
    return Prompt(**common, when=_conditions({one: table[one] for one in _PROMPTED if one in table}, where))


def _target(table: Mapping[str, Any], where: str) -> Target:
    common = _common(table, where, {"of", "priority", "within_s", "share"}, {"of", "share"})
    of = _one_of(table["of"], get_args(Measure), where)
    share = float(_number(table["share"], where, whole=False))
    if share > 1 or ("within_s" in table) is (of == "upheld"):
        raise _refuse("A target is a share up to 1, of a time within which, or of what was upheld.", where)
    return Target(
        **common,
        of=of,
        priority=str(table.get("priority", "")),
        within_s=float(_number(table["within_s"], where, whole=False)) if "within_s" in table else 0.0,
        share=share,
    )


def _facts(table: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    if DANGER not in table or any(not isinstance(one, list) for one in table.values()):
        raise _refuse(f"Facts are lists of values, and {DANGER!r} is one.", where)
    return {str(name): tuple(map(str, values)) for name, values in table.items()}


def _authorities(rows: Sequence[Mapping[str, Any]], where: str) -> list[Authority]:
    for one in rows:
        _only(one, {"id", "title", "adapters"}, {"id", "title", "adapters"}, where)
    return [Authority(str(one["id"]), str(one["title"]), tuple(map(str, one["adapters"]))) for one in rows]


def _calendar(table: Mapping[str, Any], where: str) -> Calendar:
    place, office = table["holidays"], table["office"]
    keys = {"country", "subdivision", "added", "source", "grade", "tbv"}
    _only(place, keys, keys - {"tbv"}, where)
    keys = {"authority", "opens", "closes", "source", "grade", "tbv"}
    _only(office, keys, keys - {"tbv"}, where)
    added, opens, closes = place["added"], office["opens"], office["closes"]
    if not isinstance(added, list) or any(type(one) is not date for one in added):
        raise _refuse("An added bank holiday is no day.", where)
    if type(opens) is not time or type(closes) is not time or not opens < closes:
        raise _refuse("The office's hours are no times of a day.", where)
    zone = zone_of(str(table["zone"]), where)
    days = holidays_of(str(place["country"]), str(place["subdivision"]), tuple(added), where)
    return Calendar(zone, days, opens, closes)


# What a jurisdiction must hold together ---------------------------------------------------------


def _fits(law: Law, where: str) -> None:
    ruled: tuple[Owed | Criterion, ...] = (*law.owed, *law.criteria)
    for rule in ruled:
        for name, values in rule.when.items():
            if not values <= set(law.facts.get(name, ())):
                raise _refuse(
                    f"The rule {rule.id!r} goes by {name!r}, or a value of it, which is no fact here.", where
                )
    for one in law.owed:
        if one.authority and one.authority not in law.authorities:
            raise _refuse(
                f"The rule {one.id!r} names an authority that is not there: {one.authority}.", where
            )
    counted = sorted({name for one in law.owed for name in one.when})
    mixtures = [
        dict(zip(counted, one, strict=True)) for one in product(*(law.facts[name] for name in counted))
    ]
    # how urgent it is must be known whatever was told, so there some rule asks for nothing
    for name, rules, cases in (("authorities", law.owed, mixtures), ("priorities", law.criteria, [{}])):
        if gap := _gap(rules, cases):
            todo = "Add a rule for it, or one without conditions."
            raise _refuse(f"The {name} leave a case undecided: {gap}.", where, todo)


def _gap(rules: Sequence[Owed | Criterion], cases: Sequence[Mapping[str, str]]) -> str:
    """Return a case that no rule decides, in words, on any day from the first on; empty where there is none."""
    for day in sorted({one.begins for one in rules} | {one.ends for one in rules if one.ends is not None}):
        held = [one for one in rules if one.on(day)]
        for case in cases:
            if not any(holding(one.when, case) for one in held):
                return f"{', '.join(f'{name}={value}' for name, value in case.items()) or 'any'} on {day}"
    return ""
