"""The two pictures of a match side by side, with the bits in which they differ: for benign test lists only.

Whoever holds a list of abuse material holds no pictures of it, and nobody needs to see them to check a match. A test
list says ``# benign-test: true`` in its head, and its pictures lie in a folder under the names that it calls them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError, SinkError
from lightship.core.values import Luma
from lightship.detect.border import inside
from lightship.detect.look_up import CUT
from lightship.detect.matcher import Finding
from lightship.detect.pdq import DIHEDRAL, MATCH_BITS, Hash, distance, pdq

_HEAD_LINES = 20


def require_benign(path: Path) -> None:
    """Refuse a list that does not call itself a benign test list.

    Raises
    ------
    InputError
        If it does not.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        head = [line.strip().lower() for _, line in zip(range(_HEAD_LINES), file, strict=False)]
    said = [line.lstrip("#").replace(" ", "") for line in head if line.startswith("#")]
    if "benign-test:true" not in said:
        raise InputError(
            "Pictures are drawn for benign test lists only, and this is not marked as one.",
            str(path),
            "Other matches are explained in words; a list of harmless pictures may say “# benign-test: true”.",
        )


def as_matched(luma: Luma, transform: str) -> Luma:
    """Return the brightness ``(H, W) uint8`` in the form that matched: turned, mirrored, cut."""
    if transform.startswith(CUT):
        inner = inside(luma)
        luma = luma if inner is None else inner.of(luma)
        transform = transform.removeprefix(CUT).removeprefix(", ") or DIHEDRAL[0]
    number = DIHEDRAL.index(transform)
    mirrored = luma[:: -1 if number & 1 else 1, :: -1 if number & 2 else 1]
    return np.ascontiguousarray(mirrored.T if number & 4 else mirrored)


def differing(one: Hash, other: Hash) -> NDArray[np.bool_]:
    """Return ``(16, 16) bool``: in which coefficients two hashes differ, low frequencies at the top left."""
    bits = np.unpackbits((one ^ other).astype(">u8").view(np.uint8)).astype(bool)
    return bits[::-1].reshape(16, 16)


def draw(seen: Luma, listed: Luma, finding: Finding, path: Path) -> None:
    """Draw the picture that was seen, as it matched, beside the listed one and the bits that differ.

    Parameters
    ----------
    seen, listed
        ``(H, W) uint8`` brightness, upright.
    path
        A PNG.

    Raises
    ------
    InputError
        If the listed picture is not the one that matched.
    SinkError
        If it cannot be written.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    hit = finding.nearest
    assert hit is not None
    matched = as_matched(seen, finding.transform)
    (one, _), (other, _) = pdq(matched), pdq(listed)
    bits = distance(one, other)
    if bits > MATCH_BITS:
        raise InputError(
            f"The picture is not the one that the list's entry was made from: {bits} bits differ, not {hit.distance}.",
            hit.reference,
            "Put the right one into the folder.",
        )
    figure = Figure(figsize=(12.0, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.imshow(matched, cmap="gray", vmin=0, vmax=255)
    left.set_title(f"seen, {finding.transform} (quality {finding.quality})", fontsize=10)
    middle.imshow(listed, cmap="gray", vmin=0, vmax=255)
    middle.set_title(f"entry {hit.reference} (quality {hit.quality})", fontsize=10)
    right.imshow(differing(one, other), cmap=ListedColormap(["#e8edf2", "#c2410c"]), vmin=0, vmax=1)
    right.set_xticks(np.arange(-0.5, 16), labels=[])
    right.set_yticks(np.arange(-0.5, 16), labels=[])
    right.tick_params(length=0)
    right.grid(color="white", linewidth=1.0)
    right.set_xlabel("across: coarse → fine")
    right.set_ylabel("down: fine ← coarse")
    right.set_title(f"{bits} of 256 bits differ (limit {hit.bank.terms.distance})", fontsize=10)
    for axes in (left, middle):
        axes.set_axis_off()
    figure.suptitle(f"list {hit.bank.terms.name}: {finding.rule}, {finding.weight_db:.0f} dB", fontsize=11)
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        what = f"The picture cannot be written: {error.strerror}."
        raise SinkError(what, str(path), "Name another folder with --out.") from error
