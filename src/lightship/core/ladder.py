"""The ladder: a policy as data, and the pure machine that climbs it.

A policy is a TOML file. It names the detectors, the rungs with their alarm budgets, what releases them, the legal
basis and the texts. Everything in it is closed: an unknown key, label or rung is refused. The same policy
always has the same digest, whatever its formatting.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

from lightship.core.canonical import digest
from lightship.core.errors import PolicyError
from lightship.core.values import Rung
from lightship.core.watchkeeper import Budget, Kind

LABELS = frozenset({"test-card", "exposed", "known-media", "camera-frozen", "camera-black"})
"""The closed label set. A policy that names another label is refused; adding one changes this line in public."""

RUNGS: tuple[Rung, ...] = get_args(Rung)
COVERING: frozenset[Rung] = frozenset({"blur", "pause", "end"})

WhenBlind = Literal["cover", "pass-with-notice"]
Release = Literal["benign", "person", "never"]
Audience = Literal["child", "adult", "all"]


@dataclass(frozen=True, slots=True)
class DetectorUse:
    """One detector of a policy.

    Parameters
    ----------
    name
        Its name in the registry.
    labels
        Which of its labels count.
    calibration
        Name of the calibration file in ``packs/calibrations``; empty for an analytic or camera detector.
    required
        If it cannot be loaded: True stops the run, False records its coverage as absent.
    group
        Detectors of one group share their evidence (their e-values are averaged); groups are independent
        (their weights add).
    options
        Passed to the detector's ``load``.
    """

    name: str
    labels: frozenset[str]
    calibration: str = ""
    required: bool = True
    group: str = ""
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class RungRule:
    """One rung of a policy.

    Parameters
    ----------
    rung
        The response.
    budget
        How many false ones benign use may suffer.
    block_s
        Length of this rung's blocks in seconds: several times as long as what fools a detector lasts.
    after_s
        Seconds that the covering rung below must have been in force first.
    """

    rung: Rung
    budget: Budget
    block_s: float = 2.0
    after_s: float = 0.0


@dataclass(frozen=True)
class Policy:
    """What may act, on what evidence, how, and on what legal basis.

    Parameters
    ----------
    name, version, title
        Which policy this is.
    jurisdiction
        File in ``packs/jurisdictions`` with the help lines.
    audience
        Whose help lines the card shows: ``"child"``, ``"adult"`` or ``"all"``.
    legal_basis
        Why this may be done to this person's picture.
    test
        True only for policies that may act on the benign test card.
    when_blind
        What happens while detection cannot see: ``"cover"`` or ``"pass-with-notice"``.
    blind_after_s
        How long detection may be silent before the policy counts as blind, seconds.
    hold_back_s
        How long frames are held before they leave, seconds.
    slow_fps, fast_fps
        Analysed frames a second, at rest and while evidence is rising.
    release
        What ends a cover: the evidence gone (``"benign"``), a person (``"person"``), or nothing.
    release_after_s
        How long the picture must have been benign first, seconds.
    grace_s
        After a person's resume, seconds before evidence counts again.
    card_title, card_lines
        The words on the still card.
    """

    name: str
    version: str
    title: str
    jurisdiction: str
    audience: Audience
    legal_basis: str
    detectors: tuple[DetectorUse, ...]
    rungs: tuple[RungRule, ...]
    card_title: str
    card_lines: tuple[str, ...]
    test: bool = False
    when_blind: WhenBlind = "pass-with-notice"
    blind_after_s: float = 2.0
    hold_back_s: float = 0.0
    slow_fps: float = 4.0
    fast_fps: float = 6.0
    release: Release = "benign"
    release_after_s: float = 10.0
    grace_s: float = 10.0
    detector_kind: Kind = "cusum"

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON of what the policy says."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return all that the policy says as a JSON object."""
        value = {item.name: getattr(self, item.name) for item in fields(self)}
        value["card_lines"] = list(self.card_lines)
        value["detectors"] = [
            {
                "name": use.name,
                "labels": sorted(use.labels),
                "calibration": use.calibration,
                "required": use.required,
                "group": use.group,
                "options": dict(use.options),
            }
            for use in self.detectors
        ]
        value["rungs"] = [
            {
                "rung": rule.rung,
                "mean_time_s": rule.budget.mean_time_s,
                "block_s": rule.block_s,
                "after_s": rule.after_s,
            }
            for rule in self.rungs
        ]
        return value

    def rule(self, rung: Rung) -> RungRule | None:
        """Return the rule of a rung, or None where the policy has no such rung."""
        return next((rule for rule in self.rungs if rule.rung == rung), None)

    @property
    def lightest_cover(self) -> Rung | None:
        """The lightest covering rung of the policy, None if it covers nothing."""
        return next((rule.rung for rule in self.rungs if rule.rung in COVERING), None)


def parse_policy(text: str, where: str = "policy") -> Policy:
    """Read a policy from TOML.

    Raises
    ------
    PolicyError
        Naming the key or label that is unknown, missing, of the wrong type or out of range.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy is not TOML: {error}.", where, "Correct the line.") from error
    return _policy(_Reader(table, where))


class _Reader:
    """Takes keys out of a table, each with its type; what is left over is unknown and refused."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._rest = dict(table)
        self.where = where

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        if key not in self._rest:
            if default is ...:
                raise PolicyError(f"The key {key!r} is missing.", self.where, "Add it.")
            return default
        value = self._rest.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise PolicyError(
                f"{key} = {value!r} is of the wrong type.", self.where, "See docs/reference/policy.md."
            )
        return value

    def number(self, key: str, default: float, least: float = 0.0, most: float = math.inf) -> float:
        value = float(self.take(key, (int, float), default))
        if not least <= value <= most:
            raise PolicyError(
                f"{key} = {value:g} is outside {least:g} to {most:g}.", self.where, "Change it."
            )
        return value

    def words(self, key: str, default: Any = ...) -> tuple[str, ...]:
        values = self.take(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise PolicyError(
                f"{key} holds something that is not text.", self.where, "Write a list of texts."
            )
        return tuple(values)

    def one_of(self, key: str, allowed: Iterable[str], default: Any = ...) -> Any:
        value = self.take(key, str, default)
        if value not in allowed:
            raise PolicyError(
                f"{key} = {value!r} is not one of {', '.join(allowed)}.", self.where, "Choose one."
            )
        return value

    def tables(self, key: str) -> list[_Reader]:
        values = self.take(key, list)
        if not values or not all(isinstance(value, dict) for value in values):
            raise PolicyError(f"There is no [[{key}]].", self.where, "Add at least one.")
        return [_Reader(value, f"{self.where}, {key} {number}") for number, value in enumerate(values, 1)]

    def done(self) -> None:
        if self._rest:
            raise PolicyError(
                f"Unknown key {', '.join(sorted(self._rest))}.",
                self.where,
                "Remove it, or see docs/reference/policy.md.",
            )


def _policy(reader: _Reader) -> Policy:
    detectors = tuple(_detector(table) for table in reader.tables("detectors"))
    rungs = tuple(_rung(table) for table in reader.tables("rungs"))
    slow_fps = reader.number("slow_fps", 4.0, 0.1, 60.0)
    policy = Policy(
        name=reader.take("name", str),
        version=reader.take("version", str),
        title=reader.take("title", str),
        jurisdiction=reader.take("jurisdiction", str),
        audience=reader.one_of("audience", get_args(Audience)),
        legal_basis=reader.take("legal_basis", str),
        detectors=detectors,
        rungs=rungs,
        card_title=reader.take("card_title", str),
        card_lines=reader.words("card_lines"),
        test=reader.take("test", bool, False),
        when_blind=reader.one_of("when_blind", get_args(WhenBlind), "pass-with-notice"),
        blind_after_s=reader.number("blind_after_s", 2.0, 0.1),
        hold_back_s=reader.number("hold_back_s", 0.0, 0.0, 30.0),
        slow_fps=slow_fps,
        fast_fps=reader.number("fast_fps", max(6.0, slow_fps), slow_fps, 60.0),
        release=reader.one_of("release", get_args(Release), "benign"),
        release_after_s=reader.number("release_after_s", 10.0),
        grace_s=reader.number("grace_s", 10.0),
        detector_kind=reader.one_of("detector_kind", get_args(Kind), "cusum"),
    )
    reader.done()
    _check(policy, reader.where)
    return policy


def _detector(reader: _Reader) -> DetectorUse:
    use = DetectorUse(
        name=reader.take("name", str),
        labels=frozenset(reader.words("labels")),
        calibration=reader.take("calibration", str, ""),
        required=reader.take("required", bool, True),
        group=reader.take("group", str, ""),
        options=tuple(sorted(reader.take("options", dict, {}).items())),
    )
    reader.done()
    unknown = use.labels - LABELS
    if unknown or not use.labels:
        raise PolicyError(
            f"{', '.join(sorted(unknown)) or 'An empty list'} is outside the closed label set.",
            reader.where,
            f"The labels are {', '.join(sorted(LABELS))}.",
        )
    return use


def _rung(reader: _Reader) -> RungRule:
    rule = RungRule(
        rung=reader.one_of("rung", RUNGS),
        budget=Budget.parse(reader.take("budget", str), f"{reader.where}, budget"),
        block_s=reader.number("block_s", 2.0, 2.0, 7200.0),
        after_s=reader.number("after_s", 0.0),
    )
    reader.done()
    return rule


def _check(policy: Policy, where: str) -> None:
    order = [RUNGS.index(rule.rung) for rule in policy.rungs]
    if order != sorted(set(order)):
        raise PolicyError(
            "The rungs are not in order, or one is named twice.", where, f"Order: {', '.join(RUNGS)}."
        )
    times = [rule.budget.mean_time_s for rule in policy.rungs]
    if times != sorted(times):
        raise PolicyError("A graver rung has a larger budget than a lighter one.", where, "Make it smaller.")
    if not policy.test and any("test-card" in use.labels for use in policy.detectors):
        raise PolicyError(
            "Only a policy marked `test = true` may act on the test card.",
            where,
            "Remove the label or mark the policy.",
        )
    if not policy.legal_basis.strip():
        raise PolicyError("The legal basis is empty.", where, "Say on what basis this may be done.")
    names = [use.name for use in policy.detectors]
    if len(names) != len(set(names)):
        raise PolicyError("A detector is named twice.", where, "Name each once.")
