"""The sweep for near copies of an intimate image, on a deployment: the case's stills against what is still up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lightship.app_duties import vault_beside
from lightship.app_platform import Deployment
from lightship.console.settings import utc_now
from lightship.core.cases import Exhibit
from lightship.core.duties import Clock, Paper
from lightship.core.errors import InputError
from lightship.core.ports import Store, Vault
from lightship.duties import intimate
from lightship.duties.intimate import Looked
from lightship.media.keyframes import Keyframes
from lightship.media.sources import Source, open_source
from lightship.media.trouble import public_name
from lightship.watch.address import Network, pin
from lightship.watch.sweep import Swept, span_of, sweep

PURPOSE = "sweep for near copies of an intimate image"
_EVERY_S = 1.0


def run_sweep(
    deployment: Deployment, clock_id: str, recordings: Sequence[str], pictures: Sequence[Path], by: str
) -> Paper:
    """Look for a case's pictures, and for others that were given, in recordings; keep what was found on the clock.

    Parameters
    ----------
    recordings
        Paths and addresses of what is still up, or was.
    pictures
        Files of the image, beside the stills of the case; they are hashed, and not kept.

    Raises
    ------
    LightshipError
        If the clock is of no intimate image, no picture can be matched, or something cannot be used.
    """
    names = [_name(one) for one in recordings]
    if len(set(names)) < len(names):
        raise InputError("Two recordings have one name.", "sweep", "Sweep them one after the other.")
    with vault_beside(deployment) as (store, vault):
        with store.look() as work:
            clock = work.get(Clock, clock_id)
        about = clock.about if clock is not None else ""
        kept = list(_stills(store, vault, about, by))
        stills = [*kept, *((0.0, _bytes(one)) for one in pictures)]
        called = [*(f"the still at {at_s:g} s" for at_s, _ in kept), *map(str, pictures)]
        span, began_at = span_of(about, stills), utc_now()
        found = [
            _looked(name, one)
            for name, one in zip(
                names,
                sweep(span, recordings, began_at.date(), lambda one: _opened(one, deployment.allowed)),
                strict=True,
            )
        ]
        with store.begin() as work:
            return intimate.swept(
                work,
                clock_id,
                found,
                len(span.at_s),
                by=by,
                now=utc_now(),
                began_at=began_at,
                unused=[f"{called[place]} ({why})" for place, why in span.unused],
            )


def _stills(store: Store, vault: Vault, case: str, by: str) -> Iterator[tuple[float, bytes]]:
    with store.look() as work:
        kept = work.find(Exhibit, {"case_id": case, "destroyed_at": None}, order=("sealed_at",))
    for one in kept:
        if one.media.startswith("image/"):
            yield one.from_s, vault.open(one, by=by, purpose=PURPOSE)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The picture cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def _name(recording: str) -> str:
    """Return what to call a recording; two addresses may differ only in what is secret, and have two names."""
    if "://" not in recording:
        return recording
    return f"{public_name(recording)}#{hashlib.sha256(recording.encode()).hexdigest()[:8]}"


def _opened(recording: str, allowed: Sequence[Network]) -> Source:
    keyframes = Keyframes(every_s=_EVERY_S)
    if "://" not in recording:
        return open_source(recording, keyframes=keyframes)
    pinned = pin(recording, allowed)
    return open_source(pinned.url, keyframes=keyframes, options=pinned.options)


def _looked(name: str, found: Swept) -> Looked:
    copies = tuple((one.from_s, one.to_s) for one in found.copies)
    return Looked(name, copies, found.looks, found.missed)
