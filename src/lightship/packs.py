"""Where knowledge lies: policies, calibrations, retention terms, jurisdictions, from ``packs/`` or from a path."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lightship.core.errors import PolicyError
from lightship.core.ladder import Policy, parse_policy
from lightship.core.retention import Retention, parse_retention
from lightship.core.weight import Calibration


@cache
def root() -> Path:
    """Return the folder of packs: inside the installed package, or beside ``src`` in a clone."""
    package = Path(__file__).parent
    installed = package / "packs"
    return installed if installed.is_dir() else package.parents[1] / "packs"


def _find(room: str, name: str, suffix: str) -> Path:
    if name.endswith(suffix) or "/" in name:
        return Path(name)
    return root() / room / f"{name}{suffix}"


def _read(path: Path, what: str, room: str, suffix: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        known = ", ".join(
            sorted(file.name.removesuffix(suffix) for file in (root() / room).glob(f"*{suffix}"))
        )
        raise PolicyError(
            f"The {what} cannot be read: {error.strerror}.",
            str(path),
            f"Give a path, or one of: {known or 'none'}.",
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"The {what} is not UTF-8 text.", str(path), "Save it as UTF-8.") from error


def policy(name: str) -> Policy:
    """Return a policy by name or path.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path = _find("policies", name, ".toml")
    return parse_policy(_read(path, "policy", "policies", ".toml"), str(path))


def calibration(name: str) -> Calibration:
    """Return a calibration by name or path.

    Raises
    ------
    PolicyError
        If it cannot be read or is not a calibration.
    """
    path = _find("calibrations", name, ".json")
    text = _read(path, "calibration", "calibrations", ".json")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PolicyError(
            f"The calibration is not JSON: {error}.", str(path), "Make it again with `lightship calibrate`."
        ) from error
    return Calibration.from_json(value, str(path))


def retention(name: str) -> Retention:
    """Return retention terms by name or path.

    Raises
    ------
    PolicyError
        If they cannot be read or are refused.
    """
    path = _find("retention", name, ".toml")
    return parse_retention(_read(path, "retention terms", "retention", ".toml"), str(path))


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A place to turn to, with its source.

    Parameters
    ----------
    audience
        ``"child"``, ``"adult"`` or ``"all"``.
    words
        One line for a card.
    source
        Where the fact comes from.
    """

    audience: str
    words: str
    source: str


def help_lines(jurisdiction: str) -> tuple[HelpLine, ...]:
    """Return a jurisdiction's help lines.

    Raises
    ------
    PolicyError
        If the file cannot be read or a line lacks its words or source.
    """
    path = _find("jurisdictions", jurisdiction, ".toml")
    try:
        table = tomllib.loads(_read(path, "jurisdiction", "jurisdictions", ".toml"))
        return tuple(HelpLine(line["audience"], line["words"], line["source"]) for line in table["help"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyError(f"The jurisdiction file is refused: {error}.", str(path), "Correct it.") from error
