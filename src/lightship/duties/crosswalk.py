"""One set of labels for what was found, and what others call it: there, and back again as far as that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.errors import InputError, PolicyError

Match = Literal["exact", "broader"]
Code = tuple[str, ...]
"""A scheme's words for a label, the general ones first."""


@dataclass(frozen=True, slots=True)
class Label:
    """One kind of thing that is found.

    Parameters
    ----------
    codes
        By scheme: its words, and whether they say as much as the label.
    """

    id: str
    says: str
    codes: Mapping[str, tuple[Code, Match]]


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """The labels and the schemes.

    Parameters
    ----------
    schemes
        Their titles.
    digest
        Of the file; with the version it is the mapping that a report names.
    """

    name: str
    title: str
    version: str
    source: str
    schemes: Mapping[str, str]
    labels: tuple[Label, ...]
    digest: str

    @property
    def ids(self) -> frozenset[str]:
        """The closed set of labels."""
        return frozenset(one.id for one in self.labels)

    @property
    def mapping(self) -> str:
        """Names this mapping in a report."""
        return f"{self.name} {self.version} {self.digest}"

    def to(self, scheme: str, label: str) -> Code:
        """Return a scheme's words for a label.

        Raises
        ------
        InputError
            If there is no such label or scheme, or the scheme has no words for it.
        """
        self._known(scheme)
        found = next((one for one in self.labels if one.id == label), None)
        if found is None:
            raise InputError(f"“{label}” is no label.", self.title, "Use one of the crosswalk's.")
        if scheme not in found.codes:
            raise InputError(
                f"The scheme “{scheme}” has no words for “{label}”.", self.title, "Report it otherwise."
            )
        return found.codes[scheme][0]

    def back(self, scheme: str, code: Code) -> str:
        """Return the label that a scheme's words stand for.

        Raises
        ------
        InputError
            If there is no such scheme, or it has no such words.
        """
        self._known(scheme)
        for one in self.labels:
            if one.codes.get(scheme) == (code, "exact"):
                return one.id
        raise InputError(f"The scheme “{scheme}” has no words {code}.", self.title, "Check them.")

    def says_less(self, scheme: str, label: str) -> bool:
        """Return whether a scheme's words say less than the label, so that it does not come back."""
        self.to(scheme, label)
        return any(one.id == label and one.codes[scheme][1] == "broader" for one in self.labels)

    def _known(self, scheme: str) -> None:
        if scheme not in self.schemes:
            raise InputError(
                f"“{scheme}” is no scheme.", self.title, f"Use one of: {', '.join(sorted(self.schemes))}."
            )


def parse_crosswalk(text: str, where: str) -> Crosswalk:
    """Read a crosswalk; what is unknown or does not come back is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """

    def file(labels: tuple[Label, ...], table: dict[str, Any]) -> Crosswalk:
        schemes = {str(name): str(one["title"]) for name, one in table.pop("schemes").items()}
        found = Crosswalk(schemes=schemes, labels=labels, digest=digest(text), **table)
        wrong = sorted({name for one in labels for name in one.codes} - set(schemes))
        for scheme in schemes:
            codes = [one.codes[scheme] for one in labels if scheme in one.codes]
            exact = [code for code, match in codes if match == "exact"]
            wrong += [f"{scheme}: {code} is exact twice" for code in set(exact) if exact.count(code) > 1]
            wrong += [f"{scheme}: {code} is never exact" for code in {one for one, _ in codes} - set(exact)]
        if wrong:
            raise PolicyError(f"The crosswalk is refused: {'; '.join(wrong)}.", where, "Correct it.")
        return found

    return dated.read(text, where, what="labels", key="labels", rule=_label, file=file)


def _label(table: Mapping[str, Any], where: str) -> Label:
    codes = {}
    for scheme, one in table.items():
        if scheme in {"id", "says"}:
            continue
        if set(one) != {"code", "match"} or one["match"] not in {"exact", "broader"} or not one["code"]:
            raise PolicyError(
                f"The words of {scheme} for {table['id']!r} are refused.",
                where,
                "Give code, and match as exact or broader.",
            )
        codes[scheme] = (tuple(map(str, one["code"])), cast(Match, one["match"]))
    return Label(str(table["id"]), str(table["says"]), codes)
