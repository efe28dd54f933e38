"""One registry of detectors: the entry points of the group ``lightship.detectors``.

Another distribution adds a detector by registering a callable ``load(**options) -> Detector`` under a new name.
Nothing is silent: a name registered twice, a package that does not load and an object that is no detector are errors
that name the package.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args, get_type_hints

from lightship.core.errors import DetectorError, LightshipError
from lightship.core.ladder import LABELS
from lightship.core.ports import Detector

GROUP = "lightship.detectors"


def available() -> dict[str, EntryPoint]:
    """Return every registered detector by name.

    Raises
    ------
    DetectorError
        If one name is registered twice: both packages are named. (The same entry of the same distribution, seen
        twice on the search path, counts once.)
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if (other.value, _package(other)) != (point.value, _package(point)):
            raise DetectorError(
                f"Two detectors are registered under the name {point.name!r}: {other.value} of {_package(other)} "
                f"and {point.value} of {_package(point)}.",
                GROUP,
                "Uninstall one of the packages.",
            )
    return found


def load(name: str, **options: Any) -> Detector:
    """Load a detector by name.

    Parameters
    ----------
    options
        Passed to the detector's own ``load``.

    Raises
    ------
    DetectorError
        If it is unknown, fails to load, or is not a detector with labels of the closed set.
    LightshipError
        As the detector's own ``load`` raises it.
    """
    points = available()
    if name not in points:
        known = ", ".join(sorted(points)) or "none; install lightship itself"
        raise DetectorError(f"There is no detector {name!r}.", GROUP, f"There are: {known}.")
    point = points[name]
    where = f"{point.value} of {_package(point)}"
    try:
        detector = point.load()(**options)
    except LightshipError:
        raise
    except Exception as error:
        raise DetectorError(
            f"The detector {name!r} failed to load: {type(error).__name__}: {error}.",
            where,
            "Repair or uninstall the package, and check the options that the policy gives it.",
        ) from error
    wrong = _fault(detector, name)
    if wrong:
        raise DetectorError(
            wrong, where, "Uninstall the package, or make it fit lightship.core.ports.Detector."
        )
    checked: Detector = detector
    return checked


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"


def _fault(detector: object, name: str) -> str:
    """Return what is wrong with a loaded object, or an empty string."""
    if not isinstance(detector, Detector) or detector.name != name:
        return f"This is not a detector named {name!r}."
    choices = get_type_hints(Detector)
    for field in ("takes", "evidence"):
        value, allowed = getattr(detector, field), get_args(choices[field])
        if value not in allowed:
            return (
                f"The detector {name!r} says {field} = {value!r}, which is not one of {', '.join(allowed)}."
            )
    if not isinstance(detector.labels, frozenset) or not detector.labels:
        return f"The detector {name!r} names no labels."
    outside = detector.labels - LABELS
    if outside:
        return f"{name!r} has labels outside the closed set: {', '.join(sorted(map(str, outside)))}."
    return ""
