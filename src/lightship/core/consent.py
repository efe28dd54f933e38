"""What the owner of a device agreed to: no pack may do more there, whoever signed it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from lightship.core.errors import ConsentExceeded, PackError, PolicyError
from lightship.core.ladder import LABELS, RUNGS, Policy, Release, WhenBlind
from lightship.core.values import Rung
from lightship.core.watchkeeper import Budget

_TODO = "See docs/reference/packs.md."


@dataclass(frozen=True, slots=True)
class Consent:
    """The most that may happen on a device.

    Parameters
    ----------
    by, at
        Who agreed, and on which day, in their words.
    labels, detectors
        What may count, and who may look.
    lists
        Lists of known media that may match.
    rungs
        What may happen, and how often by mistake at most.
    when_blind, release
        What may happen while detection cannot see, and what may end a cover.
    """

    by: str
    at: str
    labels: frozenset[str]
    detectors: frozenset[str]
    lists: frozenset[str]
    rungs: Mapping[Rung, Budget]
    when_blind: frozenset[WhenBlind]
    release: frozenset[Release]

    @classmethod
    def parse(cls, text: str, where: str) -> Consent:
        """Read the consent file.

        Raises
        ------
        PackError
            Naming the key that is missing, unknown or wrong.
        """
        try:
            table = tomllib.loads(text)
            rungs = {rung: Budget.parse(budget, where) for rung, budget in table.pop("rungs").items()}
            consent = cls(
                by=str(table.pop("by")),
                at=str(table.pop("at")),
                labels=_words(table.pop("labels"), LABELS),
                detectors=_words(table.pop("detectors")),
                lists=_words(table.pop("lists", [])),
                rungs=rungs,
                when_blind=_words(table.pop("when_blind"), get_args(WhenBlind)),
                release=_words(table.pop("release"), get_args(Release)),
            )
            if table or not _words(list(rungs), RUNGS) or not consent.by.strip():
                raise ValueError(f"unknown key {', '.join(table)}" if table else "nothing was agreed to")  # noqa: TRY301
        except KeyError as error:
            raise PackError(f"The consent lacks {error}.", where, _TODO) from error
        except (tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError, PolicyError) as error:
            raise PackError(f"The consent is refused: {error}.", where, _TODO) from error
        return consent

    @classmethod
    def to(cls, policy: Policy, by: str, at: str, lists: frozenset[str] = frozenset()) -> Consent:
        """Return consent to just what a policy does."""
        return cls(
            by,
            at,
            frozenset(label for use in policy.detectors for label in use.labels),
            frozenset(use.name for use in policy.detectors),
            lists,
            {rule.rung: rule.budget for rule in policy.rungs},
            frozenset({policy.when_blind}),
            frozenset({policy.release}),
        )

    def to_toml(self) -> str:
        """Return the file that :meth:`parse` reads."""

        def words(values: frozenset[Any]) -> str:
            return json.dumps(sorted(values), ensure_ascii=False)

        lines = [
            "# What the owner of this device agreed to. No pack may do more here.",
            f"by = {json.dumps(self.by, ensure_ascii=False)}",
            f"at = {json.dumps(self.at)}",
            f"labels = {words(self.labels)}",
            f"detectors = {words(self.detectors)}",
            f"lists = {words(self.lists)}",
            f"when_blind = {words(self.when_blind)}",
            f"release = {words(self.release)}",
            "",
            "[rungs]",
            *(
                f'{rung} = "{budget.events:g} per {budget.period_s / 3600.0:g} hours"'
                for rung, budget in self.rungs.items()
            ),
        ]
        return "\n".join(lines) + "\n"

    def exceeded(self, policy: Policy) -> list[str]:
        """Return in words what a policy would do beyond what was agreed to."""
        labels = {label for use in policy.detectors for label in use.labels} - self.labels
        detectors = {use.name for use in policy.detectors} - self.detectors
        found = [f"it would act on “{label}”" for label in sorted(labels)]
        found += [f"it would look with the detector “{name}”" for name in sorted(detectors)]
        for rule in policy.rungs:
            agreed = self.rungs.get(rule.rung)
            if agreed is None:
                found.append(f"it could {rule.rung}, and nobody agreed to that")
            elif rule.budget.mean_time_s < agreed.mean_time_s * (1 - 1e-9):
                found.append(f"it could {rule.rung} by mistake {rule.budget}, and {agreed} was agreed to")
        if policy.when_blind not in self.when_blind:
            found.append(f"it would {policy.when_blind} while it cannot see")
        if policy.release not in self.release:
            found.append(f"a cover would end by “{policy.release}” alone")
        return found

    def check(self, policy: Policy, where: str) -> None:
        """Refuse a policy that does more.

        Raises
        ------
        ConsentExceeded
            Saying what.
        """
        found = self.exceeded(policy)
        if found:
            raise ConsentExceeded(
                f"The policy {policy.name} goes beyond what {self.by} agreed to on {self.at}: {'; '.join(found)}.",
                where,
                "Ask the owner of the device; only a new consent file changes this.",
            )


def _words(values: Any, allowed: Any = None) -> frozenset[Any]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{values!r} is not a list of words")
    outside = set(values) - set(allowed) if allowed is not None else set()
    if outside:
        raise ValueError(f"{', '.join(sorted(outside))} is not one of {', '.join(sorted(allowed))}")
    return frozenset(values)
