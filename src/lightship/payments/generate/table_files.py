"""A population's columns as the tables of a dataset, in Parquet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.payments import RAILS
from lightship.payments.generate.draws import Ints
from lightship.payments.generate.flow import TEXTS, TYPOLOGIES, VIAS, Flow
from lightship.payments.generate.world import NAMELESS, World
from lightship.payments.schema import ARROW, schema

_PRIME = 999_999_937
"""The largest below 10^9: multiplying by less than it reorders all numbers of nine digits below it."""

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "tr")
_VOWELS = ("a", "e", "i", "o")
_ENDS = ("na", "ro", "lin", "sa", "tan", "ra", "dor", "ka")


def digits(numbers: NDArray[np.integer], width: int, letter: str) -> pa.Array:
    """Return ids: a letter and the number's digits."""
    size = len(numbers)
    text = np.empty((size, width + 1), dtype=np.uint8)
    text[:, 0] = ord(letter)
    rest = numbers.astype(np.int64)
    for place in range(width, 0, -1):
        rest, text[:, place] = np.divmod(rest, 10)
    text[:, 1:] += ord("0")
    offsets = np.arange(0, (size + 1) * (width + 1), width + 1, dtype=np.int32)
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(text))


def account_ids(accounts: NDArray[np.integer], seed: int) -> pa.Array:
    """Return the accounts' ids, which tell nothing of what they are."""
    factor = 1 + (seed * 7_919 + 611_953) * 104_729 % (_PRIME - 1)
    return digits(accounts.astype(np.int64) * factor % _PRIME, 9, "a")


def _chosen(words: list[str] | tuple[str, ...], places: NDArray[np.integer]) -> pa.Array:
    """Return the words in those places; none for a negative place."""
    mask = places < 0
    return pa.array(words, pa.string()).take(pa.array(np.where(mask, 0, places), pa.int64(), mask=mask))


def _spelt(names: NDArray[np.integer], variant: NDArray[np.integer]) -> pa.Array:
    """Return names made of syllables, as remitters write them: in full, with an initial, turned round, in capitals."""
    written, place = np.unique(names.astype(np.int64) * 4 + variant, return_inverse=True)
    texts = []
    for code in written.tolist():
        number, way = divmod(code, 4)
        given = _word(number % 4096)
        family = _word(number // 4096)
        texts.append(
            (f"{given} {family}", f"{given[0]} {family}", f"{family} {given}", f"{given} {family}".upper())[
                way
            ]
        )
    return _chosen(texts, np.where(names == NAMELESS, -1, place))


def _word(number: int) -> str:
    number, end = divmod(number, len(_ENDS))
    number, vowel = divmod(number, len(_VOWELS))
    number, onset = divmod(number, len(_ONSETS))
    return (
        _ONSETS[onset] + _VOWELS[vowel] + ("", "l", "m", "r", "n", "s", "ri", "lo")[number] + _ENDS[end]
    ).capitalize()


class PaymentsFile:
    """Writes the payments, a part at a time and each in the order of time.

    Parameters
    ----------
    path
        The Parquet file.
    world
        Whose accounts they are between.
    seed
        For the ids.

    `rows` counts what was written, and `parts` names the payments that belong to a typology's pattern.
    """

    def __init__(self, path: Path, world: World, seed: int) -> None:
        self._world, self._seed, self.rows = world, seed, 0
        self.parts: list[pa.Table] = []
        self._schema = schema("payments")
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)
        self._money = [country.currency for country in world.population.countries]
        self._codes = [country.code for country in world.population.countries]
        self._scale = np.array([10.0**country.digits for country in world.population.countries])

    def write(self, flow: Flow, rng: np.random.Generator) -> None:
        """Append payments as one row group; a few are reversed in the days that follow."""
        flow, reverses = self._with_reversals(flow, rng)
        world, size = self._world, len(flow)
        payer_country, payee_country = world.where(flow.payer), world.where(flow.payee)
        number = np.arange(self.rows, self.rows + size)
        day = np.clip((flow.at_us - world.start_us) // 86_400_000_000, 0, world.population.days)
        inward = payer_country > 0
        given = np.rint(
            flow.amount / 100.0 * world.rate[payer_country, day] * self._scale[payer_country]
        ).astype(np.int64)
        amount = np.where(inward, np.maximum(given, 1), flow.amount)
        arrives = np.where(inward & (payee_country == 0) & (flow.arrives > 0), flow.amount, flow.arrives)
        variant = np.searchsorted([0.8, 0.88, 0.94], rng.random(size), side="right")
        names = np.where(flow.code > 0, NAMELESS, world.name[flow.payee])
        columns = {
            "payment": digits(number, 10, "p"),
            "at": pa.array(flow.at_us, pa.int64()).cast(ARROW["timestamp"]),
            "time_known": pa.array(flow.timed),
            "payer": account_ids(flow.payer, self._seed),
            "payee": account_ids(flow.payee, self._seed),
            "amount_minor": pa.array(amount, pa.int64()),
            "currency": _chosen(self._money, payer_country),
            "payee_amount_minor": pa.array(arrives, pa.int64(), mask=arrives == 0),
            "payee_currency": _chosen(self._money, np.where(arrives > 0, payee_country, -1)),
            "payer_country": _chosen(self._codes, payer_country),
            "payee_country": _chosen(self._codes, payee_country),
            "rail": _chosen(RAILS, flow.rail),
            "via": _chosen(VIAS, flow.via),
            "payee_name": _spelt(names, variant),
            "text": _chosen(TEXTS, flow.text),
            "merchant_code": _chosen(
                [f"{code:04}" for code in range(10_000)], np.where(flow.code > 0, flow.code, -1)
            ),
            "reverses": digits(number[np.maximum(reverses, 0)], 10, "p").take(
                pa.array(np.arange(size), pa.int64(), mask=reverses < 0)
            ),
        }
        shown = np.flatnonzero((flow.part >= 0) & (reverses < 0))
        self.parts.append(
            pa.table(
                {"payment": digits(number[shown], 10, "p"), "typology": _chosen(TYPOLOGIES, flow.part[shown])}
            )
        )
        self._writer.write_table(pa.table(columns, schema=self._schema), row_group_size=max(size, 1))
        self.rows += size

    def _with_reversals(self, flow: Flow, rng: np.random.Generator) -> tuple[Flow, Ints]:
        """Return the payments with some taken back, and for each row which row it takes back, or -1."""
        last = flow.at_us[-1] if len(flow) else 0
        home = (self._world.where(flow.payer) == 0) & (self._world.where(flow.payee) == 0)
        taken = np.flatnonzero(home & (rng.random(len(flow)) < self._world.population.everyday.reversed))
        later = np.minimum(flow.at_us[taken] + rng.integers(3_600_000_000, 172_800_000_000, len(taken)), last)
        back = flow.take(taken)
        at_us = np.concatenate((flow.at_us, later))
        order = np.argsort(at_us, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        whole = Flow(
            at_us,
            np.concatenate((flow.payer, back.payee)),
            np.concatenate((flow.payee, back.payer)),
            *(
                np.concatenate((getattr(flow, name), getattr(back, name)))
                for name in ("amount", "arrives", "rail", "via", "text", "code", "timed", "part")
            ),
        )
        source = np.concatenate((np.full(len(flow), -1), place[taken]))
        return whole.take(order), source[order]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside this one; its files replace those of the same names once all are written.

    Raises
    ------
    InputError
        If it cannot be written, as on a full disk; the old files then stay as they were.
    """
    new = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        yield new
        folder.mkdir(exist_ok=True)
        for file in sorted(new.iterdir()):
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.replace(folder / file.name)
        new.rmdir()
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise InputError(
            f"The population cannot be written: {error.strerror or error}.",
            str(folder),
            "Make room, or name another folder.",
        ) from error


def write_table(path: Path, table: pa.Table) -> None:
    """Write a small table."""
    pq.write_table(table, path, compression="zstd")
