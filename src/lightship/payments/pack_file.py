"""Reading typology packs and jurisdictions from TOML: strictly, so that an unknown key is refused."""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, get_args

from lightship.core.errors import PolicyError
from lightship.core.payments import RAILS
from lightship.exchange.fx import digits, shipped
from lightship.payments.features import column
from lightship.payments.pack import (
    GRADES,
    PEERS,
    SUMS,
    Corridor,
    CountModel,
    Indicator,
    Jurisdiction,
    KeeperTerms,
    Lane,
    Model,
    ModelKind,
    Pack,
)
from lightship.payments.vocabulary import DATA, FEATURES, MERCHANTS, TEXTS, VIEWS, Params, View

SEE = "See docs/reference/typology.md."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_ONE_ENGINE_ONLY = re.compile(r"\(\?[=!<P(]|\\[1-9]|[*+?}]\+")
"""What Python's expressions have and RE2, which the batch engine runs in a time that is bounded, has not."""


class Reader:
    """Takes keys out of a table, each with its type; what is left over is unknown and refused."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._rest = dict(table)
        self.where = where

    def refuse(self, what: str, todo: str = SEE) -> PolicyError:
        """Return the error that refuses the pack."""
        return PolicyError(what, self.where, todo)

    def has(self, key: str) -> bool:
        """Return whether a key is still there."""
        return key in self._rest

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """Return a key's value."""
        if key not in self._rest:
            if default is ...:
                raise self.refuse(f"The key {key!r} is missing.", "Add it.")
            return default
        value = self._rest.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.refuse(f"{key} = {value!r} is of the wrong type.")
        return value

    def number(self, key: str, least: float, most: float, default: Any = ...) -> float:
        """Return a number within bounds."""
        value = float(self.take(key, (int, float), default))
        if not least <= value <= most:
            raise self.refuse(f"{key} = {value:g} is outside {least:g} to {most:g}.", "Change it.")
        return value

    def whole(self, key: str, least: int, most: int, default: Any = ...) -> int:
        """Return a whole number within bounds."""
        value = int(self.take(key, int, default))
        if not least <= value <= most:
            raise self.refuse(f"{key} = {value} is outside {least} to {most}.", "Change it.")
        return value

    def one_of(self, key: str, allowed: Iterable[str], default: Any = ...) -> Any:
        """Return a word out of a closed list."""
        value = self.take(key, str, default)
        if value not in (known := tuple(allowed)):
            raise self.refuse(f"{key} = {value!r} is not one of {', '.join(known)}.", "Choose one.")
        return value

    def text(self, key: str, default: Any = ...) -> str:
        """Return a text that is not blank, unless blank is the default."""
        value = str(self.take(key, str, default))
        if not value.strip() and default is ...:
            raise self.refuse(f"{key} is blank.", "Write it.")
        return value

    def name(self, key: str) -> str:
        """Return a name that files, columns and pages can bear."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.refuse(f"{key} = {value!r} is no name.", "Use letters, digits, - and _ only.")
        return value

    def address(self, key: str) -> str:
        """Return the address of a publication."""
        value = self.text(key)
        if not value.startswith(("https://", "http://")) or any(one.isspace() for one in value):
            raise self.refuse(f"{key} = {value!r} is no address.", "Write one that begins with https://.")
        return value

    def span(self) -> tuple[date, date | None]:
        """Return the days from which and before which something holds."""
        since, until = self.day("since"), self.day("until", None)
        if until is not None and until <= since:
            raise self.refuse(f"until = {until} is not after since = {since}.", "Correct one of them.")
        return since, until

    def listed(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> tuple[Any, ...]:
        """Return a list of one type."""
        values = self.take(key, list, default)
        if not all(isinstance(value, kind) and not isinstance(value, bool) for value in values):
            raise self.refuse(f"{key} holds something of the wrong type.")
        return tuple(values)

    def rising(self, key: str, default: Any = ...) -> tuple[int, ...]:
        """Return whole numbers, each larger than the one before."""
        values = self.listed(key, int, default)
        if any(low >= high for low, high in pairwise(values)):
            raise self.refuse(f"{key} does not rise.", "Put its numbers in order.")
        return values

    def day(self, key: str, default: Any = ...) -> Any:
        """Return a day."""
        if default is None and not self.has(key):
            return None
        value = self.take(key, date, default)
        if type(value) is not date:
            raise self.refuse(f"{key} = {value} is a time.", "Write the day alone.")
        return value

    def table(self, key: str) -> Reader:
        """Return a table inside."""
        return Reader(self.take(key, dict), f"{self.where}, {key}")

    def tables(self, key: str) -> list[Reader]:
        """Return a list of tables inside."""
        values = self.take(key, list, [])
        if not all(isinstance(value, dict) for value in values):
            raise self.refuse(f"[[{key}]] holds something that is no table.")
        return [
            Reader(value, f"{self.where}, {key} {value.get('id', number)}")
            for number, value in enumerate(values, 1)
        ]

    def done(self) -> None:
        """Refuse what is left over."""
        if self._rest:
            raise self.refuse(f"Unknown key {', '.join(sorted(self._rest))}.", f"Remove it. {SEE}")


def _toml(text: str, where: str) -> Reader:
    try:
        return Reader(tomllib.loads(text), where)
    except (ValueError, RecursionError) as error:  # also numbers and lists beyond all bounds
        raise PolicyError(f"It is not TOML: {error}.", where, "Correct the line.") from error


def parse_jurisdiction(text: str, where: str = "jurisdiction") -> Jurisdiction:
    """Read a jurisdiction from TOML.

    Raises
    ------
    PolicyError
        Naming the key that is unknown, missing, of the wrong type or out of range.
    """
    reader = _toml(text, where)
    corridors, extortion = (
        tuple(_corridor(one) for one in reader.tables(key)) for key in ("corridors", "extortion")
    )
    texts, merchants, sums = (reader.table(name) for name in ("texts", "merchants", "sums"))
    found = Jurisdiction(
        id=reader.text("id"),
        title=reader.text("title"),
        currency=_currency(reader),
        adult_age=reader.whole("adult_age", 12, 25),
        corridors=corridors,
        extortion=extortion,
        texts={name: _expression(texts, name) for name in TEXTS},
        merchants={name: merchants.listed(name, str) for name in MERCHANTS},
        sums={name: _sum(sums.table(name)) for name in SUMS},
    )
    for one in (texts, merchants, sums, reader):
        one.done()
    return found


def _sum(reader: Reader) -> tuple[int, str]:
    found = round(reader.number("amount", 0, 1e9) * 100), _currency(reader)
    reader.text("source")
    reader.done()
    return found


def _currency(reader: Reader) -> str:
    value = reader.text("currency")
    if value not in digits():
        raise reader.refuse(f"{value!r} is no currency (ISO 4217).", "Write three capital letters.")
    return value


def _expression(reader: Reader, key: str) -> str:
    """Return a regular expression that means the same in every engine."""
    value = reader.text(key)
    try:
        re.compile(value, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise reader.refuse(f"{key} is no regular expression: {error}.", "Correct it.") from error
    if found := _ONE_ENGINE_ONLY.search(value):
        what = f"{key} has {found[0]!r}, which not every engine knows."
        raise reader.refuse(what, "Write it without looking around, references or possessive repeats.")
    return value


def _corridor(reader: Reader) -> Corridor:
    country = reader.text("country")
    if country not in {row["country"] for row in shipped("countries.csv")}:
        raise reader.refuse(f"{country!r} is no country code (ISO 3166-1).", "Write two capital letters.")
    since, until = reader.span()
    found = Corridor(country, since, until, reader.text("source"))
    reader.done()
    return found


def parse_pack(text: str, where: str = "pack") -> Pack:
    """Read a typology pack from TOML; whether it may be used is for `proof` to say.

    Raises
    ------
    PolicyError
        Naming the key that is unknown, missing, of the wrong type or out of range.
    """
    reader = _toml(text, where)
    view: View = reader.one_of("view", VIEWS)
    count = keeper = None
    if reader.has("count"):
        table = reader.table("count")
        count = CountModel(table.number("mu", -10, 10), table.number("sigma", 0.01, 10), table.text("source"))
        table.done()
    if reader.has("keeper"):
        table = reader.table("keeper")
        keeper = KeeperTerms(
            table.listed("traits", str), table.number("fade_db", 0, 10), table.number("cap_db", 0.1, 10)
        )
        table.done()
    indicators = tuple(
        [_indicator(one, view, counter=False) for one in reader.tables("indicators")]
        + [_indicator(one, view, counter=True) for one in reader.tables("counter")]
    )
    pack = Pack(
        id=reader.name("id"),
        version=reader.text("version"),
        title=reader.text("title"),
        description=reader.text("description"),
        lane=reader.one_of("lane", get_args(Lane)),
        view=view,
        window_days=reader.whole("window_days", 1, 3660),
        floor_db=reader.number("floor_db", 0.1, 100),
        families_needed=reader.whole("families_needed", 0, 20),
        budget=reader.whole("budget", 1, 1_000_000),
        habit=reader.rising("habit", []),
        peers=reader.listed("peers", str, []),
        count=count,
        keeper=keeper,
        indicators=indicators,
    )
    reader.done()
    _check(pack, reader)
    return pack


def _indicator(reader: Reader, view: View, *, counter: bool) -> Indicator:
    feature = reader.text("feature", "")
    if feature and (feature not in FEATURES or view not in FEATURES[feature].views):
        raise reader.refuse(
            f"The feature {feature!r} is not in the vocabulary of the view {view!r}.",
            f"It has {', '.join(name for name, one in FEATURES.items() if view in one.views)}.",
        )
    currency, model = "", None
    params: Params = {}
    if feature:
        currency = reader.text("currency", "")
        params = _params(reader, FEATURES[feature].params, currency)
        model = _model(reader, FEATURES[feature].reduce)
    needs = reader.text("needs", FEATURES[feature].needs if feature else ...)
    if not set(needs) <= set(DATA):
        raise reader.refuse(f"needs = {needs!r} has a letter that is none of {', '.join(DATA)}.", SEE)
    since, until = reader.span()
    found = Indicator(
        id=reader.name("id"),
        family=reader.name("family"),
        title=reader.text("title"),
        sentence=_sentence(reader, required=bool(feature)),
        feature=feature,
        params=params,
        currency=currency,
        model=model,
        cap_db=reader.number("cap_db", 0.1, 30, 10.0),
        counter=counter,
        look_alike=reader.text("look_alike", ... if counter else ""),
        silent=counter or reader.take("silent", bool, False),
        among_all=reader.take("among_all", bool, False),
        only_joined=reader.take("only_joined", bool, False),
        needs=needs,
        off="" if feature else reader.text("off"),
        published=reader.text("published", ""),
        source=reader.address("source"),
        grade=reader.one_of("grade", GRADES),
        tbv=reader.take("tbv", bool, False),
        since=since,
        until=until,
    )
    reader.done()
    return found


def _sentence(reader: Reader, *, required: bool) -> str:
    text = reader.text("sentence", ... if required else "")
    try:
        places = [rest for _, *rest in string.Formatter().parse(text) if rest[0] is not None]
    except ValueError:
        places = [[text, "", None]]
    if any(name not in {"value", "count", "of"} or form or conversion for name, form, conversion in places):
        raise reader.refuse(
            f"The sentence has a place for something unknown: {text!r}.",
            "Use {value}, {count} and {of} only.",
        )
    return text


def _params(reader: Reader, names: tuple[str, ...], currency: str) -> Params:
    """Return the parameters as whole numbers; sums of money in hundredths of `currency`."""
    found: dict[str, int] = {}
    for name in names:
        if name.endswith("_minor"):
            if not currency:
                raise reader.refuse("A sum of money has no currency.", "Add currency.")
            found[name] = round(reader.number(name.removesuffix("_minor"), 0, 1e9) * 100)
        elif name == "rail":
            found[name] = RAILS.index(reader.one_of(name, RAILS))
        else:
            found[name] = reader.whole(name, 0, 1_000_000)
    for low, high in (("low", "high"), ("low_minor", "high_minor"), ("least", "most")):
        if low in found and high in found and found[low] > found[high]:
            raise reader.refuse(
                f"{low.removesuffix('_minor')} is above {high.removesuffix('_minor')}.", "Swap them."
            )
    return found


def _model(reader: Reader, reduce: str) -> Model:
    table = reader.table("model")
    kind: ModelKind = table.one_of("kind", get_args(ModelKind))
    if (kind == "share") != (reduce == "share"):
        raise table.refuse(f"A model of the kind {kind!r} does not suit this feature.", SEE)
    if kind == "share":
        model = Model(
            kind,
            mean=table.number("mean", 0.001, 0.999),
            concentration=table.number("concentration", 0.01, 1000),
        )
    elif kind == "bins":
        model = Model(kind, edges=table.rising("edges"), shares=table.listed("shares", (int, float)))
    else:
        shares = table.listed("shares", (int, float))
        model = Model(kind, edges=tuple(range(2, len(shares) + 1)), shares=shares)
    if kind != "share":
        _check_shares(model, table)
    table.done()
    return model


def _check_shares(model: Model, reader: Reader) -> None:
    right = len(model.shares) == len(model.edges) + 1 and all(0 <= one <= 1 for one in model.shares)
    if not right or not math.isclose(sum(model.shares), 1, abs_tol=1e-6):
        raise reader.refuse("The shares are not one a bin, or do not sum to 1.", "Correct them.")


def _check(pack: Pack, reader: Reader) -> None:
    ids = [column(one.id) for one in pack.indicators]
    if len(set(ids)) != len(ids) or not ids:
        what = "There is no indicator, or two have one id (capital letters, - and _ do not tell ids apart)."
        raise reader.refuse(what, "Name each once.")
    if not set(pack.peers) <= set(PEERS):
        raise reader.refuse(f"peers has something that is none of {', '.join(PEERS)}.", SEE)
    counters = {one.family for one in pack.indicators if one.counter}
    if mixed := counters & {one.family for one in pack.indicators if not one.counter}:
        raise reader.refuse(
            f"The family {', '.join(sorted(mixed))} holds evidence and counter-evidence.",
            "Give counter-evidence a family of its own.",
        )
    traits = pack.keeper.traits if pack.keeper else ()
    shares = {one.id for one in pack.computed if one.model and one.model.kind == "share"}
    if not set(traits) <= shares or len(traits) > 8:
        raise reader.refuse("The keeper's traits are not at most eight share indicators.", SEE)
