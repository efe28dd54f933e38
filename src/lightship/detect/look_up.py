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

from lightship.core.entries import QUALITY_FLOOR
from lightship.core.errors import InputError
from lightship.core.known import Kind
from lightship.core.ports import Picture
from lightship.core.values import Luma
from lightship.detect.border import Inside, inside
from lightship.detect.matcher import Finding
from lightship.detect.pdq import DIHEDRAL, Hash, Hashed, WeighRows, dihedral, pdq, weigh_rows
from lightship.exchange.addresses import prefixes
from lightship.media.sampler import Cadence

_CHUNK_BYTES = 1 << 20

CUT = "without its border"


class Finder(Protocol):
    """Looks hashes and digests up: the matcher here, or one on another machine."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What its lists hold besides pictures."""

    def match(
        self,
        hashes: NDArray[np.uint64],
        qualities: Sequence[int],
        *,
        subject: str = "",
        at_s: float = 0.0,
        tries: float = 1.0,
    ) -> list[Finding]:
        """Return what the lists say of each picture; see :meth:`lightship.detect.matcher.Matcher.match`."""

    def equal(self, kind: Kind, values: Sequence[bytes], *, subject: str = "", at_s: float = 0.0) -> Finding:
        """Return what the lists say of a file by its digest, or of an address."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look, and what the lists say of it.

    Parameters
    ----------
    at_s
        Stream seconds; 0 for a still picture or a whole file.
    finding
        What the lists say.
    picture
        The picture's PDQ hash as it was seen, a number of 256 bits; None where a file's digest was looked up. It tells
        pictures apart (:mod:`lightship.detect.sequence`) and is never told.
    """

    at_s: float
    finding: Finding
    picture: int | None = None


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
        Looks a second; infinite looks at every picture.
    turned
        Look up all eight mirrored and turned forms, not only the mirrored one.

    Raises
    ------
    LightshipError
        Whatever goes wrong with the medium.
    """
    weigh, cadence = quickest(), Cadence(fps, fps)
    for picture in pictures:
        if cadence.due(picture.at_s):
            yield look_up(matcher, picture, subject=subject, turned=turned, weigh=weigh)


def look_up(
    matcher: Finder,
    picture: Picture,
    *,
    subject: str = "",
    turned: bool = False,
    weigh: WeighRows = weigh_rows,
) -> Seen:
    """Return what the lists say of a picture, in whichever form they know it: see :func:`in_all_forms`."""
    finding, hash_ = in_all_forms(
        matcher, picture.luma(), subject=subject, at_s=picture.at_s, turned=turned, weigh=weigh
    )
    return Seen(picture.at_s, finding, hash_)


def in_all_forms(
    matcher: Finder,
    luma: Luma,
    *,
    subject: str = "",
    at_s: float = 0.0,
    turned: bool = False,
    weigh: WeighRows = weigh_rows,
    hashed: Hashed | None = None,
) -> tuple[Finding, int]:
    """Return what the lists say of a picture: as it is, else mirrored (or turned), else the same without its border.

    Each further form is another chance to match by accident, so the chance is shared out beforehand: half of it to the
    picture as it is, the rest among the others (the mean of e-values is an e-value). ``docs/robustness.md`` measures
    what the others find and cost.

    Parameters
    ----------
    hashed
        The picture's hash, where it is known already.

    Returns
    -------
    finding, hash
        The best finding, and the hash of the picture as it is, a number of 256 bits.
    """
    inner = inside(luma)
    others = (2 if inner is not None else 1) * (len(DIHEDRAL) if turned else 2) - 1
    first: tuple[int, int] | None = None
    for names, hashes, quality in _forms(luma, inner, weigh, hashed, turned=turned):
        first = first or (int.from_bytes(hashes[0].astype(">u8").tobytes(), "big"), quality)
        tries = 2.0 if names[0] == DIHEDRAL[0] else 2.0 * others
        found = matcher.match(
            np.stack(hashes), [quality] * len(hashes), subject=subject, at_s=at_s, tries=tries
        )
        told = [
            replace(one, transform=name)
            for one, name in zip(found, names, strict=True)
            if one.hits or one.overridden
        ]
        if told:
            best = max(told, key=lambda one: (one.weight_db, bool(one.overridden)))
            return best, first[0]
    assert first is not None
    return Finding(quality=first[1]), first[0]


def _forms(
    luma: Luma, inner: Inside | None, weigh: WeighRows, hashed: Hashed | None, *, turned: bool
) -> Iterator[tuple[Sequence[str], Sequence[Hash], int]]:
    """Yield the names, hashes and quality of the picture as it is, of its other forms, and of both without border."""
    cuts = [("", luma)]
    if inner is not None:
        cuts.append((f"{CUT}, ", np.ascontiguousarray(inner.of(luma))))
    for cut, part in cuts:
        if turned:
            hashes, quality = dihedral(part, weigh)
        else:
            hash_, quality = hashed if hashed is not None and not cut else pdq(part, weigh)
            hashes = (hash_,)
        names = [f"{cut}{name}" if not cut or name != DIHEDRAL[0] else CUT for name in DIHEDRAL]
        yield names[:1], hashes[:1], quality
        if quality < QUALITY_FLOOR:
            continue
        if turned:
            yield names[1:], hashes[1:], quality
        else:
            mirrored, _ = pdq(flipped(part), weigh)
            yield names[2:3], (mirrored,), quality


def flipped(luma: Luma) -> Luma:
    """Return the brightness mirrored, as an array of its own: five times as fast as numpy copies a reversed one."""
    import cv2

    return np.asarray(cv2.flip(luma, 1), np.uint8)


def look_up_file(matcher: Finder, path: Path) -> Seen | None:
    """Return what the lists say of a file by its MD5, SHA-1 and SHA-256; None where no list holds digests.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    kinds: tuple[Kind, ...] = ("md5", "sha1", "sha256")
    wanted = [kind for kind in kinds if kind in matcher.kinds]
    if not wanted:
        return None
    sums = digests(path, wanted)
    found = [matcher.equal(kind, [sums[kind]], subject=str(path)) for kind in wanted]
    return Seen(0.0, max(found, key=lambda finding: finding.weight_db))


def digests(path: Path, kinds: Sequence[Kind]) -> dict[Kind, bytes]:
    """Return a file's digests of these kinds, reading it once.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    sums = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                for one in sums.values():
                    one.update(chunk)
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", path.name, "Check the path."
        ) from error
    return {kind: one.digest() for kind, one in sums.items()}


def look_up_address(matcher: Finder, address: str) -> Finding:
    """Return what the lists of addresses say of one, in any of the forms under which a list may hold it; not fetched.

    Raises
    ------
    InputError
        If it is not the address of a host.
    """
    try:
        forms = prefixes(address)
    except ValueError as error:
        raise InputError(
            f"This is no address: {error}.", address[:80], "Write it as a browser shows it."
        ) from error
    return matcher.equal("url", [hashlib.sha256(form.encode()).digest() for form in forms], subject=forms[0])
