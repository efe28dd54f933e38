"""What a livestream may do: dated rules, who hosts, and whether a trained moderator is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from lightship import packs
from lightship.core import dated
from lightship.core.cases import Stream
from lightship.core.errors import PolicyError
from lightship.core.ports import Work
from lightship.watch.staffing import Staffing, lately, now_of

Live = Literal["on", "limited", "off"]
"""Whether it may be live: ``"limited"`` lets what runs run, and nothing new begin."""

Feature = Literal["comments", "reactions", "gifts", "recording"]
FEATURES: tuple[Feature, ...] = get_args(Feature)

CONDITIONS = frozenset({"child-host", "unknown-host", "host-under-16", "no-moderator", "surge"})

_KEYS = {"id", "says", "when", "live", "off", "from", "until", "enabled", "grade", "tbv"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters
    ----------
    when
        Conditions, all of which must hold.
    live, off
        What it asks for.
    begins, ends
        First day, and the day from which it no longer applies.
    grade, tbv
        How sure its source is, and what a person has yet to verify.
    """

    id: str
    says: str
    when: frozenset[str]
    live: Live
    off: frozenset[Feature]
    begins: date
    ends: date | None
    enabled: bool
    grade: str
    tbv: str

    def applies(self, day: date) -> bool:
        """Return whether it is in effect on a day."""
        return self.enabled and dated.in_force(self.begins, self.ends, day)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A jurisdiction's rules."""

    name: str
    title: str
    version: str
    source: str
    rules: tuple[Rule, ...]

    def with_switches(self, switches: Iterable[str]) -> RuleSet:
        """Return the rules with some switched, each as ``id=on`` or ``id=off``.

        Raises
        ------
        PolicyError
            If one is none of these, or there is no such rule.
        """
        rules = self
        for one in switches:
            id_, _, to = one.partition("=")
            if to not in {"on", "off"}:
                raise PolicyError(
                    f"{one!r} switches no rule.", f"controls {self.name}", "Write id=on or id=off."
                )
            rules = rules.switched(id_, on=to == "on")
        return rules

    def switched(self, id_: str, *, on: bool) -> RuleSet:
        """Return the rules with one switched on or off.

        Raises
        ------
        PolicyError
            If there is no such rule.
        """
        if id_ not in {one.id for one in self.rules}:
            raise PolicyError(f"There is no rule {id_!r}.", f"controls {self.name}", "Check its id.")
        rules = (replace(one, enabled=on) if one.id == id_ else one for one in self.rules)
        return replace(self, rules=tuple(rules))


@dataclass(frozen=True, slots=True)
class Controls:
    """What a stream may do now, and why.

    Parameters
    ----------
    off
        What is switched off.
    reasons
        Rule ids with what they say.
    """

    live: Live
    off: frozenset[Feature]
    reasons: tuple[tuple[str, str], ...]

    def allows(self, feature: Feature) -> bool:
        """Return whether something may be used."""
        return self.live != "off" and feature not in self.off


def rules_for(stream: Stream, day: date, staffing: Staffing, rules: RuleSet) -> Controls:
    """Return what a stream may do on a day; the strictest rule counts."""
    host_age = stream.host_age
    child = stream.child_host is True or (host_age is not None and host_age < 18)
    holds = {
        "child-host": child,
        "unknown-host": stream.child_host is None and host_age is None,
        "host-under-16": host_age is not None and host_age < 16,
        "no-moderator": not staffing.covered,
        "surge": staffing.surge,
    }
    met = [one for one in rules.rules if one.applies(day) and all(holds[name] for name in one.when)]
    strictness = get_args(Live)
    live: Live = max((one.live for one in met), key=strictness.index, default="on")
    off = frozenset(FEATURES) if live == "off" else frozenset().union(*(one.off for one in met))
    return Controls(live, off, tuple((one.id, one.says) for one in met))


def now_for(work: Work, stream: Stream, rules: RuleSet, now: datetime) -> Controls:
    """Return what a stream may do now; one that began after live was limited may not be live at all."""
    staffing = now_of(work, now)
    found = rules_for(stream, now.date(), staffing, rules)
    if found.live == "limited" and stream.began_at >= lately(work, now)[-1].begins:
        return replace(found, live="off", off=frozenset(FEATURES))
    return found


def load(name: str) -> RuleSet:
    """Return a rule set by name, from ``packs/controls``, or by path.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path = Path(name) if name.endswith(".toml") else packs.root() / "controls" / f"{name}.toml"
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"The controls cannot be read: {error}.", str(path), "Name another.") from error


def parse(text: str, where: str) -> RuleSet:
    """Read a rule set; what is unknown is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    return dated.read(
        text,
        where,
        what="controls",
        key="rules",
        rule=_rule,
        file=lambda rules, table: RuleSet(rules=rules, **table),
    )


def _rule(table: Mapping[str, Any], where: str) -> Rule:
    unknown = set(table) - _KEYS
    when = frozenset(str(table["when"]).split(" and "))
    off, live = table.get("off", []), table.get("live", "on")
    wrong: Sequence[str] = sorted({*unknown, *(when - CONDITIONS), *(set(off) - set(FEATURES))})
    if live not in get_args(Live):
        wrong = [*wrong, str(live)]
    begins, ends = table["from"], table.get("until")
    if wrong or not dated.are_days(begins, ends):
        raise PolicyError(
            f"The rule {table.get('id')!r} is refused: {', '.join(wrong) or 'its dates are no days'}.",
            where,
            f"Conditions: {', '.join(sorted(CONDITIONS))}. Features: {', '.join(FEATURES)}.",
        )
    return Rule(
        str(table["id"]),
        str(table["says"]),
        when,
        live,
        frozenset(off),
        begins,
        ends,
        bool(table.get("enabled", True)),
        str(table["grade"]),
        str(table.get("tbv", "")),
    )
