"""Looking a file or a stream up in the lists: its digests, and its pictures one after the other."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lightship.core.known import Kind
from lightship.core.ports import Picture
from lightship.detect.matcher import Finding
from lightship.detect.pdq import DIHEDRAL, WeighRows, dihedral, pdq, weigh_rows
from lightship.media.sampler import Cadence

_CHUNK_BYTES = 1 << 20


class Finder(Protocol):
    """Looks hashes and digests up: the matcher here, or one on another machine."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What its lists hold besides pictures."""

    def match(
        self, hashes: NDArray[np.uint64], qualities: Sequence[int], *, subject: str = "", at_s: float = 0.0
    ) -> list[Finding]:
        """Return what the lists say of each picture; see :meth:`lightship.detect.matcher.Matcher.match`."""

    def equal(self, kind: Kind, values: Sequence[bytes], *, subject: str = "", at_s: float = 0.0) -> Finding:
        """Return what the lists say of a file by its digest."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look, and what the lists say of it.

    Parameters
    ----------
    at_s
        Stream seconds; 0 for a still picture or a whole file.
    finding
        What the lists say.
    """

    at_s: float
    finding: Finding


def quickest() -> WeighRows:
    """Return the compiled part of PDQ where numba is installed, else numpy's: the same hashes."""
    if importlib.util.find_spec("numba") is None:
        return weigh_rows
    from lightship.detect import pdq_compiled

    return pdq_compiled.weigh_rows


def look_up_pictures(
    matcher: Finder, pictures: Iterable[Picture], *, subject: str, fps: float, turned: bool
) -> Iterator[Seen]:
    """Yield what the lists say of the pictures that are due.

    Parameters
    ----------
    subject
        The file or stream, for the brake on floods.
    fps
        Looks a second.
    turned
        Look up the seven mirrored and turned forms as well.

    Raises
    ------
    LightshipError
        Whatever goes wrong with the medium.
    """
    weigh, cadence = quickest(), Cadence(fps, fps)
    for picture in pictures:
        if not cadence.due(picture.at_s):
            continue
        hashes, quality = dihedral(picture.luma(), weigh) if turned else _one(picture, weigh)
        found = matcher.match(np.stack(hashes), [quality] * len(hashes), subject=subject, at_s=picture.at_s)
        best = max(
            range(len(found)), key=lambda form: (found[form].weight_db, bool(found[form].overridden), -form)
        )
        yield Seen(picture.at_s, replace(found[best], transform=DIHEDRAL[best]))


def _one(picture: Picture, weigh: WeighRows) -> tuple[tuple[np.ndarray, ...], int]:
    hash_, quality = pdq(picture.luma(), weigh)
    return (hash_,), quality


def look_up_file(matcher: Finder, path: Path) -> Seen | None:
    """Return what the lists say of a file by its MD5, SHA-1 and SHA-256; None where no list holds digests.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    kinds: tuple[Kind, ...] = ("md5", "sha1", "sha256")
    wanted = [kind for kind in kinds if kind in matcher.kinds]
    if not wanted:
        return None
    sums = {kind: hashlib.new(kind, usedforsecurity=False) for kind in wanted}
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            for one in sums.values():
                one.update(chunk)
    found = [matcher.equal(kind, [sums[kind].digest()], subject=str(path)) for kind in wanted]
    return Seen(0.0, max(found, key=lambda finding: finding.weight_db))
