"""Reading typology packs and jurisdictions from TOML: strictly, so that an unknown key is refused."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, get_args

from lightship.core.errors import PolicyError
from lightship.core.payments import RAILS
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
        return self.take(key, date, default)

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
    except tomllib.TOMLDecodeError as error:
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
        currency=reader.text("currency"),
        adult_age=reader.whole("adult_age", 12, 25),
        corridors=corridors,
        extortion=extortion,
        texts={name: texts.text(name) for name in TEXTS},
        merchants={name: merchants.listed(name, str) for name in MERCHANTS},
        sums={name: _sum(sums.table(name)) for name in SUMS},
    )
    for one in (texts, merchants, sums, reader):
        one.done()
    return found


def _sum(reader: Reader) -> tuple[int, str]:
    found = round(reader.number("amount", 0, 1e9) * 100), reader.text("currency")
    reader.text("source")
    reader.done()
    return found


def _corridor(reader: Reader) -> Corridor:
    found = Corridor(
        country=reader.text("country"),
        since=reader.day("since"),
        until=reader.day("until", None),
        source=reader.text("source"),
    )
    reader.done()
    if not (len(found.country) == 2 and found.country.isascii() and found.country.isupper()):
        raise reader.refuse(f"{found.country!r} is no country code.", "Write two capital letters.")
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
        id=reader.text("id"),
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
    found = Indicator(
        id=reader.text("id"),
        family=reader.text("family"),
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
        source=reader.text("source"),
        grade=reader.one_of("grade", GRADES),
        tbv=reader.take("tbv", bool, False),
        since=reader.day("since"),
        until=reader.day("until", None),
    )
    reader.done()
    return found


def _sentence(reader: Reader, *, required: bool) -> str:
    text = reader.text("sentence", ... if required else "")
    try:
        names = {name for _, name, form, _ in string.Formatter().parse(text) if name is not None or form}
    except ValueError:
        names = {text}
    if not names <= {"value", "count", "of"}:
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
    right = len(model.shares) == len(model.edges) + 1 and min(model.shares) >= 0
    if not right or abs(sum(model.shares) - 1) > 1e-6:
        raise reader.refuse("The shares are not one a bin, or do not sum to 1.", "Correct them.")


def _check(pack: Pack, reader: Reader) -> None:
    ids = [one.id for one in pack.indicators]
    if len(set(ids)) != len(ids) or not ids:
        raise reader.refuse("There is no indicator, or two have one id.", "Name each once.")
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
