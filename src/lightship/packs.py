"""Where knowledge lies: policies, calibrations, terms and jurisdictions, from ``packs/``, a path or a verified pack."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
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


Files = Mapping[str, str]
"""The files of a verified pack: text by path. Where they are given, nothing else is read."""


def _read(what: str, room: str, name: str, suffix: str, files: Files | None) -> tuple[str, str]:
    """Return a file's text and where it was."""
    if files is not None:
        path = f"{room}/{name}{suffix}"
        if path not in files:
            raise PolicyError(f"The {what} {name!r} is not in the pack.", path, "Name one that is.")
        return files[path], f"pack, {path}"
    named = name.endswith(suffix) or "/" in name
    file = Path(name) if named else root() / room / f"{name}{suffix}"
    return _text(file, what, room, suffix), str(file)


def _text(path: Path, what: str, room: str, suffix: str) -> str:
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


def read(room: str, name: str, suffix: str, what: str) -> tuple[Path, str]:
    """Return where a pack's file lies and its text, by name or path.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    text, where = _read(what, room, name, suffix, None)
    return Path(where), text


def policy(name: str, files: Files | None = None) -> Policy:
    """Return a policy by name or path; of a pack, by name.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    return parse_policy(*_read("policy", "policies", name, ".toml", files))


def policy_text(name: str) -> str:
    """Return a policy's TOML as it is written, by name or path.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    return _read("policy", "policies", name, ".toml", None)[0]


def calibration(name: str, files: Files | None = None) -> Calibration:
    """Return a calibration by name or path; of a pack, by name.

    Raises
    ------
    PolicyError
        If it cannot be read or is not a calibration.
    """
    text, where = _read("calibration", "calibrations", name, ".json", files)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PolicyError(
            f"The calibration is not JSON: {error}.", where, "Make it again with `lightship calibrate`."
        ) from error
    return Calibration.from_json(value, where)


def retention(name: str) -> Retention:
    """Return retention terms by name or path.

    Raises
    ------
    PolicyError
        If they cannot be read or are refused.
    """
    return parse_retention(*_read("retention terms", "retention", name, ".toml", None))


def report_text(name: str) -> tuple[str, str]:
    """Return a report's list of fields as it is written, by name or path, and where it was.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    return _read("list of a report's fields", "reports", name, ".toml", None)


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


def help_lines(jurisdiction: str, files: Files | None = None) -> tuple[HelpLine, ...]:
    """Return a jurisdiction's help lines.

    Raises
    ------
    PolicyError
        If the file cannot be read or a line lacks its words or source.
    """
    text, where = _read("jurisdiction", "jurisdictions", jurisdiction, ".toml", files)
    try:
        table = tomllib.loads(text)
        return tuple(HelpLine(line["audience"], line["words"], line["source"]) for line in table["help"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyError(f"The jurisdiction file is refused: {error}.", where, "Correct it.") from error
