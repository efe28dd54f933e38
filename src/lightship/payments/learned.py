"""A model that an institution trains on its own outcomes, shown beside the pack's weight and never in its place.

It learns how far the pack's indicators speak together: its features are each indicator's weight in a subject's own peer
group, in decibans, and every constraint is monotone, so that more evidence never lowers it. Indicators that stand for
corridor, nationality, age or sex are not learned: they keep the pack's weight, with its cap. What it says is in the
pack's unit: ``10·log10`` of the odds it gives to the odds among those it was trained on.
"""

from __future__ import annotations

import importlib
import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightship.core.canonical import digest
from lightship.core.errors import InputError
from lightship.payments.baseline import Baseline
from lightship.payments.lane import BURST_US
from lightship.payments.pack import Pack
from lightship.payments.weigh import parts_of

FORMAT = "lightship.payments-learned/1"
FEWEST = 20
"""Known subjects without which nothing is learned."""
FOLDS = 5
MDB = 10_000.0 / math.log(10.0)
"""Thousandths of a deciban in a natural logarithm of odds."""

SETTINGS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.06,
    "min_data_in_leaf": 20,
    "lambda_l2": 5.0,
    "monotone_constraints_method": "advanced",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbosity": -1,
}
ROUNDS = 150

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """How it would have done on subjects that each of its five trial models had not seen, beside the pack.

    Parameters
    ----------
    size
        Cases looked at first.
    pack_hits, learned_hits
        Known subjects among them.
    """

    size: int
    pack_hits: int
    learned_hits: int


@dataclass(frozen=True)
class Learned:
    """A trained model.

    Parameters
    ----------
    typology, pack, baseline
        What it was trained for; digests of what its features were weighed with.
    indicators
        Its features, in order.
    subjects, known
        How many it was trained on, and how many of them were known to be what the typology is about.
    base_logit
        Natural logarithm of the odds among its training rows.
    trial
        Out of sample, at the pack's budget.
    model
        LightGBM's own text.
    """

    typology: str
    pack: str
    baseline: str
    indicators: tuple[str, ...]
    subjects: int
    known: int
    base_logit: float
    trial: Trial
    model: str

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON of what it says."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's own values."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, value: Any, where: str) -> Learned:
        """Return what :meth:`to_json` wrote.

        Raises
        ------
        InputError
            If it is something else.
        """
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise InputError("It is no trained model.", where, "Train one with `lightship payments train`.")
        given = {key: item for key, item in value.items() if key != "format"}
        try:
            return cls(**given | {"indicators": tuple(given["indicators"]), "trial": Trial(**given["trial"])})
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"It is no trained model: {error}.", where, "Train one with `lightship payments train`."
            ) from error


@dataclass(frozen=True, slots=True)
class Rows:
    """Weighed subjects, or moments of them, as columns.

    Parameters
    ----------
    subject
        (n,) str.
    at_us, total_mdb
        (n,) int64: the last payment counted; the pack's weight.
    learnable
        (n, indicators) float64, decibans.
    fixed_mdb
        (n,) int64: what the indicators that are not learned bring.
    """

    subject: NDArray[np.str_]
    at_us: Ints
    total_mdb: Ints
    learnable: Floats
    fixed_mdb: Ints

    def take(self, places: Any) -> Rows:
        """Return some of them."""
        return Rows(
            self.subject[places],
            self.at_us[places],
            self.total_mdb[places],
            self.learnable[places],
            self.fixed_mdb[places],
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What the model says of one row, thousandths of a deciban.

    Parameters
    ----------
    learned_mdb
        The whole: the sum of the rest.
    start_mdb
        What it says before it has looked at any indicator.
    parts
        Indicator to its exact Shapley value.
    fixed_mdb
        The pack's weight of those that are not learned.
    """

    learned_mdb: int
    start_mdb: int
    parts: Mapping[str, int]
    fixed_mdb: int


def learnable(pack: Pack, base: Baseline) -> tuple[str, ...]:
    """Return the indicators that may be learned: those that are on and stand for no protected attribute."""
    return tuple(one.id for one in pack.computed if one.id in base.tables and not one.protected)


def rows_of(weighed: pa.Table, pack: Pack, base: Baseline) -> Rows:
    """Return a weighed table (:func:`lightship.payments.score.weighed_table`) as columns."""
    learned = learnable(pack, base)
    parts = parts_of(weighed, weighed["group_id"].to_numpy(), pack, base)
    nothing = np.zeros(len(weighed), dtype=np.int64)
    return Rows(
        np.array(weighed["subject"].to_pylist(), dtype=object).astype(str),
        weighed["last_us"].to_numpy(),
        weighed["total_mdb"].to_numpy(),
        np.stack([parts[name] / 1000.0 for name in learned], axis=1),
        sum((part for name, part in parts.items() if name not in learned), nothing),
    )


def marked(rows: Rows, known: Collection[str]) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the rows to learn from, and which are known.

    Of a known subject only the heaviest row counts and, in the fast lane, those of the 48 hours up to it: its other
    moments may be as anybody's.
    """
    is_known = np.isin(rows.subject, list(known))
    order = np.lexsort((rows.total_mdb, rows.subject))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = rows.subject[order][1:] != rows.subject[order][:-1]
    heaviest_us = dict(zip(rows.subject[order][last], rows.at_us[order][last], strict=True))
    until = np.array([heaviest_us[who] for who in rows.subject], dtype=np.int64)
    shown = is_known & (rows.at_us <= until) & (rows.at_us >= until - BURST_US)
    keep = ~is_known | shown
    return rows.take(keep), shown[keep]


def train(rows: Rows, known: Collection[str], pack: Pack, base: Baseline) -> Learned:
    """Return a model of a history's outcomes: who is known, all others taken for innocent.

    Raises
    ------
    InputError
        If too few are known, or LightGBM is not installed.
    """
    seen, truth = marked(rows, known)
    found = len(set(seen.subject[truth].tolist()))
    if found < FEWEST:
        raise InputError(
            f"{found} known subjects have payments of {pack.id}'s kind; a model needs {FEWEST}.",
            "outcomes",
            "Go on with the pack alone.",
        )
    fold = np.array([zlib.crc32(who.encode()) % FOLDS for who in seen.subject.tolist()])
    unseen = np.zeros(len(truth))
    for one in range(FOLDS):
        out, rest = fold == one, fold != one
        if out.any():
            model, start = _fitted(seen.learnable[rest], truth[rest])
            unseen[out] = (model.predict(seen.learnable[out], raw_score=True) - start) * MDB
    model, start = _fitted(seen.learnable, truth)
    right = set(seen.subject[truth].tolist())
    return Learned(
        typology=pack.id,
        pack=base.pack,
        baseline=base.digest,
        indicators=learnable(pack, base),
        subjects=len(set(seen.subject.tolist())),
        known=found,
        base_logit=start,
        trial=Trial(
            pack.budget,
            len(right & set(first(seen.subject, seen.total_mdb, pack.budget))),
            len(right & set(first(seen.subject, unseen + seen.fixed_mdb, pack.budget))),
        ),
        model=model.model_to_string(),
    )


def _fitted(evidence: Floats, truth: NDArray[np.bool_]) -> tuple[Any, float]:
    """Return a model and the logarithm of the odds among its rows."""
    library = _library()
    settings = {**SETTINGS, "monotone_constraints": [1] * evidence.shape[1]}
    data = library.Dataset(evidence, truth.astype(np.float64), params={"verbosity": -1})
    share = min(max(float(truth.mean()), 1e-9), 1.0 - 1e-9)
    return library.train(settings, data, num_boost_round=ROUNDS), math.log(share / (1.0 - share))


def first(subject: NDArray[np.str_], weight: NDArray[Any], size: int) -> list[str]:
    """Return the first so many subjects, each by its heaviest row."""
    order = np.lexsort((subject, -weight))
    places = np.sort(np.unique(subject[order], return_index=True)[1])[:size]
    return [str(who) for who in subject[order][places]]


def weights_mdb(learned: Learned, rows: Rows) -> Ints:
    """Return what the model says of each row, thousandths of a deciban."""
    raw = _booster(learned).predict(rows.learnable, raw_score=True)
    return np.asarray(np.rint((raw - learned.base_logit) * MDB).astype(np.int64) + rows.fixed_mdb)


def told(learned: Learned, rows: Rows) -> list[Told]:
    """Return what the model says of each row and why: exact Shapley values, for the few rows of a queue."""
    if not len(rows.subject):
        return []
    values = _booster(learned).predict(rows.learnable, pred_contrib=True)
    found = []
    for line, fixed in zip(values, rows.fixed_mdb.tolist(), strict=True):
        parts = {name: round(value * MDB) for name, value in zip(learned.indicators, line[:-1], strict=True)}
        start = round((line[-1] - learned.base_logit) * MDB)
        found.append(Told(start + sum(parts.values()) + fixed, start, parts, fixed))
    return found


def _booster(learned: Learned) -> Any:
    try:
        return _library().Booster(model_str=learned.model)
    except _library().basic.LightGBMError as error:
        raise InputError(
            f"LightGBM cannot read the model: {error}.", "model", "Train it anew with this version."
        ) from error


def _library() -> Any:
    try:
        return importlib.import_module("lightgbm")
    except ImportError as error:
        raise InputError(
            "LightGBM is not installed.", "model", "Install the extra: pip install 'lightship[learned]'."
        ) from error


def suits(learned: Learned, pack: Pack, base: Baseline) -> Learned:
    """Return the model, or refuse one that was trained with another pack or with other data.

    Raises
    ------
    InputError
        If its pack or its indicators are others.
    """
    wanted = learnable(pack, base)
    if learned.typology == pack.id and learned.pack == base.pack and learned.indicators == wanted:
        return learned
    missing: Sequence[str] = sorted(set(learned.indicators) ^ set(wanted))
    why = (
        f"indicators {', '.join(missing)} are on in one and off in the other"
        if missing
        else "the pack is another"
    )
    raise InputError(
        f"The model does not fit: {why}.", learned.typology, "Train it anew with `lightship payments train`."
    )
