"""A typology pack: indicators as data, named by a digest; `pack_file` reads one strictly.

A pack is a TOML file that says what a typology's *subject* is, which measures of the closed vocabulary speak for it or
against it, how payers behave according to which publication, and what may never decide. A *jurisdiction* file
gives the currency, the dated corridors, the languages' words and the merchants' codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal

from lightship.core.canonical import digest
from lightship.payments.vocabulary import FEATURES, Params, View

GRADES = ("P", "S", "M", "C", "A")
Lane = Literal["slow", "fast"]
ModelKind = Literal["share", "bins", "upto"]
PEERS = ("habit", "age", "payroll")
SUMS = {
    "salary": "from this on, a transfer from a bank account counts as pay",
    "small_crypto": "up to this, small",
}


@dataclass(frozen=True, slots=True)
class Corridor:
    """A country that official guidance lists, from a day on; a corridor weighs nothing by itself.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2.
    since, until
        From this day on, and to before that day where it has ended.
    source
        Who lists it.
    """

    country: str
    since: date
    until: date | None
    source: str


@dataclass(frozen=True)
class Jurisdiction:
    """What differs from country to country.

    Parameters
    ----------
    id, title
        Such as ``"uk"``.
    currency
        In which sums are shown.
    adult_age
        From which age on an account is no child's.
    corridors, extortion
        Listed for livestreamed abuse, and for financial extortion; with dates and sources.
    texts
        Category to a regular expression over a reference text in small letters.
    merchants
        Category to ISO 18245 codes.
    sums
        Of :data:`SUMS`: hundredths of a currency, and which.
    """

    id: str
    title: str
    currency: str
    adult_age: int
    corridors: tuple[Corridor, ...]
    extortion: tuple[Corridor, ...]
    texts: Mapping[str, str]
    merchants: Mapping[str, tuple[str, ...]]
    sums: Mapping[str, tuple[int, str]]

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON of what it says."""
        return digest(_plain(asdict(self)))


@dataclass(frozen=True, slots=True)
class Model:
    """How the typology's subjects are spread over an indicator's bins, as published.

    Parameters
    ----------
    kind
        ``"share"``: the subject's own share is Beta with a mean and a concentration, so that its count among n is
        beta-binomial; ``"bins"``: a share a bin; ``"upto"``: a share for 1, 2, 3 and so on, as far as there are so many
        payments.
    mean, concentration
        Of the Beta.
    edges
        Where bins begin, after the first; for shares in thousandths.
    shares
        One a bin, summing to 1.
    """

    kind: ModelKind
    mean: float = 0.0
    concentration: float = 0.0
    edges: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """One published sign, for or against.

    Parameters
    ----------
    id, family
        Members of a family share one weight.
    title
        Plain words.
    sentence
        How a reason reads; ``{value}``, ``{count}`` and ``{of}`` stand for what was measured.
    feature
        Of the vocabulary; empty where it cannot be computed from what a dataset holds.
    params
        What the feature's definition needs; money in hundredths of `currency`.
    currency
        Of the sums among the parameters.
    model
        None where the feature is empty.
    cap_db
        The most that it may weigh, either way.
    counter
        True for counter-evidence, which may only lower a total.
    look_alike
        Whom the counter-evidence tells apart.
    silent
        True where its absence (the first bin) says nothing and weighs nothing; so with all counter-evidence.
    among_all
        True where it is compared with all subjects: where it says what the peer group is made of.
    only_joined
        True where guidance says that it counts with others only: with two other families.
    needs
        Letters of :data:`lightship.payments.vocabulary.DATA`.
    off
        Why it is off and what it would need; empty where it is computed.
    published
        The published numbers.
    source, grade, tbv
        Address, how well it is known, and whether a person has still to verify it.
    since, until
        Effective dates.
    """

    id: str
    family: str
    title: str
    sentence: str
    feature: str
    params: Params
    currency: str
    model: Model | None
    cap_db: float
    counter: bool
    look_alike: str
    silent: bool
    among_all: bool
    only_joined: bool
    needs: str
    off: str
    published: str
    source: str
    grade: str
    tbv: bool
    since: date
    until: date | None

    @property
    def protected(self) -> frozenset[str]:
        """Protected attributes that it stands for."""
        return FEATURES[self.feature].protected if self.feature else frozenset()


@dataclass(frozen=True, slots=True)
class CountModel:
    """How many payments a subject makes: ``max(1, round(LogNormal(mu, sigma)))``."""

    mu: float
    sigma: float
    source: str


@dataclass(frozen=True, slots=True)
class KeeperTerms:
    """What a customer's Watchkeeper weighs payment by payment.

    Parameters
    ----------
    traits
        Ids of share indicators; together they sort a payment into one of ``2^k`` cells.
    fade_db
        What a level loses a week.
    cap_db
        The most that one week may weigh, either way.
    """

    traits: tuple[str, ...]
    fade_db: float
    cap_db: float


@dataclass(frozen=True)
class Pack:
    """A typology.

    Parameters
    ----------
    id, version, title, description
        Which it is; `description` says whom it may be about, and who that person may be instead.
    lane
        ``"slow"`` or ``"fast"``.
    view
        Whose rows are measured.
    window_days
        How far back.
    floor_db
        Below this total nothing is an alert, whatever the budget.
    families_needed
        How many families, free of protected attributes, must speak for it.
    budget
        Cases a month that people can look at, such as 50; the command line may say otherwise.
    habit
        Where classes of habit (number of rows) begin, after the first; part of a peer group.
    peers
        What makes a peer group: ``"habit"``, ``"age"`` of the account, ``"payroll"``.
    count
        The published number of payments.
    keeper
        None without a Watchkeeper.
    """

    id: str
    version: str
    title: str
    description: str
    lane: Lane
    view: View
    window_days: int
    floor_db: float
    families_needed: int
    budget: int
    habit: tuple[int, ...]
    peers: tuple[str, ...]
    count: CountModel | None
    keeper: KeeperTerms | None
    indicators: tuple[Indicator, ...]

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON of what the pack says."""
        return digest(_plain(asdict(self)))

    @cached_property
    def computed(self) -> tuple[Indicator, ...]:
        """Indicators that a dataset can carry."""
        return tuple(one for one in self.indicators if one.feature)

    def without(self, ids: Iterable[str]) -> Pack:
        """Return the pack with some indicators off."""
        off = set(ids)
        return replace(
            self,
            indicators=tuple(
                replace(one, feature="", model=None, off=one.off or "switched off for this run")
                if one.id in off
                else one
                for one in self.indicators
            ),
        )

    def in_force(self, day: date) -> Pack:
        """Return the pack with only the indicators in force on a day."""
        return replace(
            self,
            indicators=tuple(
                one for one in self.indicators if one.since <= day and (one.until is None or day < one.until)
            ),
        )


def _plain(value: Any) -> Any:
    """Return a value with dates as text, for canonical JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
