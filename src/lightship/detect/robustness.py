"""What alterations a match survives, measured on one's own benign pictures among decoys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lightship.core.entries import QUALITY_FLOOR, collect
from lightship.core.errors import InputError
from lightship.core.known import Entry, Terms
from lightship.core.values import Luma, Rgb
from lightship.detect.alterations import ALTERATIONS, Alteration
from lightship.detect.bank import Bank, build
from lightship.detect.look_up import look_up, quickest
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import Hash, WeighRows, distance, hash_stages, pdq
from lightship.detect.robustness_cost import Cost, costs
from lightship.media.frames import ArrayPicture

DECOYS = 20_000
WAYS = ("as it is", "with retries", "all turned forms")
_QUANTILES = (0.1, 0.5, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One alteration at one strength.

    Parameters
    ----------
    alteration, strength, unit
        Which.
    recall
        Share of the pictures that are still found, for each of :data:`WAYS`.
    bits
        Distance of the picture as it is from its entry: first decile, median, last decile and largest.
    false
        Looks that matched an entry of another picture or a decoy, for each of :data:`WAYS`.
    """

    alteration: str
    strength: float
    unit: str
    recall: tuple[float, ...]
    bits: tuple[float, ...]
    false: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Parameters
    ----------
    pictures
        Names of the pictures.
    left_out
        Names of those that are too flat to be matched at all, or have the same hash as another.
    alike
        Pairs that match each other unaltered, and are not counted as false.
    decoys
        Other hashes on the list.
    limit
        Bits within which a match is one.
    rows, costs
        The results.
    created
        The day.
    """

    pictures: tuple[str, ...]
    left_out: tuple[str, ...]
    alike: tuple[tuple[str, str], ...]
    decoys: int
    limit: int
    rows: tuple[Row, ...]
    costs: tuple[Cost, ...]
    created: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"format": "lightship.robustness/1", "ways": WAYS, "quantiles": _QUANTILES, **asdict(self)}


def measure(
    pictures: dict[str, Rgb],
    say: Callable[[str], None] = lambda _: None,
    *,
    decoys: int = DECOYS,
    alterations: Sequence[Alteration] = ALTERATIONS,
) -> Report:
    """Alter pictures, and look for what is left of them in a list of the originals among decoys.

    Parameters
    ----------
    pictures
        ``(H, W, 3) uint8 RGB`` by name; benign.
    say
        Told of progress.
    decoys
        Hashes of made pictures on the list beside the originals.

    Raises
    ------
    InputError
        If no picture is left that can be matched.
    """
    weigh = quickest()
    hashed = {name: pdq(_luma(picture), weigh) for name, picture in pictures.items()}
    kept: dict[str, Hash] = {}
    for name, (hash_, quality) in hashed.items():
        if quality >= QUALITY_FLOOR and not any((hash_ == other).all() for other in kept.values()):
            kept[name] = hash_
    if not kept:
        raise InputError("None of the pictures can be matched.", "", "Give a folder of photographs.")
    originals = _bank("originals", {name: [hash_] for name, hash_ in kept.items()}, hashed)
    matcher = Matcher((originals, _bank("decoys", {"decoy": _decoys(decoys)}, {})))
    alike = {
        (one, other)
        for one in kept
        for other in kept
        if one != other and _near(kept[one], kept[other], originals)
    }
    rows: list[Row] = []
    for alteration in alterations:
        for strength in alteration.strengths:
            altered = {name: alteration.apply(pictures[name], strength) for name in kept}
            rows.append(_row(alteration, strength, altered, kept, alike, matcher, weigh))
        said = ", ".join(f"{row.recall[1]:.0%}" for row in rows[-len(alteration.strengths) :])
        say(f"{alteration.name}: {said}")
    return Report(
        tuple(kept),
        tuple(name for name in pictures if name not in kept),
        tuple(sorted(pair for pair in alike if pair[0] < pair[1])),
        decoys,
        originals.terms.distance,
        tuple(rows),
        costs(_luma(next(iter(pictures.values()))), weigh),
        datetime.now(UTC).date().isoformat(),
    )


def _row(
    alteration: Alteration,
    strength: float,
    altered: dict[str, Rgb],
    entries: dict[str, Hash],
    alike: set[tuple[str, str]],
    matcher: Matcher,
    weigh: WeighRows,
) -> Row:
    bits, found, false = [], [0] * len(WAYS), [0] * len(WAYS)
    for name, picture in altered.items():
        hash_, quality = pdq(_luma(picture), weigh)
        bits.append(distance(hash_, entries[name]))
        (plain,) = matcher.match(hash_[None], [quality])
        answers = [plain] + [
            look_up(matcher, ArrayPicture(0.0, picture), turned=turned, weigh=weigh).finding
            for turned in (False, True)
        ]
        for way, answer in enumerate(answers):
            told = {hit.reference for hit in answer.hits}
            found[way] += name in told
            false[way] += bool(told - {name} - {other for one, other in alike if one == name})
    return Row(
        alteration.name,
        strength,
        alteration.unit,
        tuple(count / len(altered) for count in found),
        tuple(float(one) for one in np.quantile(bits, _QUANTILES)),
        tuple(false),
    )


def _near(one: Hash, other: Hash, bank: Bank) -> bool:
    return distance(one, other) <= bank.terms.distance


def _bank(name: str, hashes: dict[str, list[Hash]], qualities: dict[str, tuple[Hash, int]]) -> Bank:
    entries = [
        Entry(
            "pdq",
            hash_.astype(">u8").tobytes(),
            qualities[reference][1] if reference in qualities else 100,
            reference,
        )
        for reference, some in hashes.items()
        for hash_ in some
    ]
    return build(Terms(name), collect(entries, name), datetime.now(UTC).date())


def _decoys(count: int) -> list[Hash]:
    """Return hashes of made pictures: noise with the spectrum of photographs, and some with a bright or dark part."""
    rng = np.random.default_rng(2026)
    down, across = np.meshgrid(np.fft.fftfreq(64), np.fft.rfftfreq(64), indexing="ij")
    fall = 1.0 / np.maximum(np.hypot(down, across), 1.0 / 64.0)
    found: list[Hash] = []
    while len(found) < count:
        some = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(1000, 64, 64))) * fall, s=(64, 64))
        some = 128.0 + 60.0 * some / some.std(axis=(1, 2), keepdims=True)
        for picture in some[::2]:
            top, left = rng.integers(0, 40, 2)
            picture[top : top + 24, left : left + 24] += rng.normal(0.0, 60.0)
        hashes, qualities = hash_stages(some.clip(0, 255).astype(np.float32))
        found += list(hashes[qualities >= QUALITY_FLOOR])
    return found[:count]


def _luma(picture: Rgb) -> Luma:
    return ArrayPicture(0.0, picture).luma()


def pictures_in(folder: Path, read: Callable[[Path], Rgb | None]) -> dict[str, Rgb]:
    """Return a folder's pictures by name.

    Parameters
    ----------
    read
        Returns the picture in a file, or None where there is none.

    Raises
    ------
    InputError
        If the folder cannot be read or has none.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InputError(
            f"The folder cannot be read: {error.strerror}.", str(folder), "Check the path."
        ) from error
    found = {path.name: picture for path in paths if (picture := read(path)) is not None}
    if not found:
        raise InputError(
            "The folder has no pictures in it.", str(folder), "Give a folder of benign photographs."
        )
    return found
