"""A pack: all that a device may go by, as one file that is signed and logged as a whole.

A pack is closed. What it may hold is settled by :data:`ROOMS`, the label set and the registry of detectors, so that
adding a new kind of thing to look for is a change of the program, in public, and never of a pack.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import LightshipError, PackError
from lightship.core.ladder import DetectorUse, Policy, parse_policy
from lightship.core.manifest import Manifest, check_signers
from lightship.core.weight import Calibration

FORMAT = "lightship.pack/1"
ROOMS = ("calibrations", "cards", "controls", "jurisdictions", "lists", "policies", "typologies")
"""The folders of a pack."""

MOST_BYTES = 64 * 1024 * 1024
OPTIONS = frozenset({"card"})
"""What a policy of a pack may say to a detector: an option may name any file, these only name the pack's own."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PATH = re.compile(r"[a-z]+(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,3}")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Pack:
    """A pack.

    Parameters
    ----------
    name, version
        Which pack, and which of its versions, from 1 on.
    title
        For whom and what it is, in words.
    files
        Text by path, such as ``policies/child-device.toml``.
    """

    name: str
    version: int
    title: str
    files: Mapping[str, str]

    @cached_property
    def data(self) -> bytes:
        """The pack as a file: canonical JSON."""
        return canonical(
            {
                "format": FORMAT,
                "name": self.name,
                "version": self.version,
                "title": self.title,
                "files": dict(self.files),
            }
        )

    @property
    def digest(self) -> str:
        """``sha256:`` of the file."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @classmethod
    def parse(cls, data: bytes, where: str) -> Pack:
        """Read a pack's file; what is in it is checked by :func:`check`.

        Raises
        ------
        PackError
            If it is no pack, or holds a file that has no place in one.
        """
        try:
            value: Any = json.loads(data)
            pack = cls(value["name"], value["version"], value["title"], value["files"])
            if value["format"] != FORMAT or set(value) != {"format", "name", "version", "title", "files"}:
                raise ValueError(str(value["format"])[:40])  # noqa: TRY301 - one answer to all that is no pack
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PackError(
                f"This is not a pack of the form {FORMAT}: {error!r}.", where, "Ask for it again."
            ) from error
        pack.check_form(where)
        pack.__dict__["data"] = data  # the digest is that of the bytes that were signed
        return pack

    def check_form(self, where: str) -> None:
        """Refuse a name, version or path that no pack has.

        Raises
        ------
        PackError
            Naming it.
        """
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise PackError(f"{self.name!r} is not a pack's name.", where, "Use small letters, digits and -.")
        if type(self.version) is not int or self.version < 1 or not isinstance(self.title, str):
            raise PackError(
                f"The pack's version {self.version!r} or its title is wrong.", where, "Correct it."
            )
        if not isinstance(self.files, Mapping):
            raise PackError("The pack's files are no table.", where, "Ask for it again.")
        for path, text in self.files.items():
            if not _PATH.fullmatch(path) or path.partition("/")[0] not in ROOMS or not isinstance(text, str):
                raise PackError(
                    f"A pack has no place for {path[:80]!r}.", where, f"Its folders: {', '.join(ROOMS)}."
                )

    def room(self, room: str, suffix: str) -> dict[str, str]:
        """Return the texts of one folder by their names without the suffix."""
        prefix = f"{room}/"
        return {
            path.removeprefix(prefix).removesuffix(suffix): text
            for path, text in sorted(self.files.items())
            if path.startswith(prefix) and path.endswith(suffix)
        }

    @cached_property
    def policies(self) -> dict[str, Policy]:
        """Its policies by file name; read only once :func:`check` has passed them."""
        return {name: parse_policy(text, name) for name, text in self.room("policies", ".toml").items()}

    @cached_property
    def cards(self) -> dict[str, dict[str, Any]]:
        """Its model cards by file name, as tables."""
        return {name: tomllib.loads(text) for name, text in self.room("cards", ".toml").items()}

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """The manifests of the lists that may match, by file name."""
        return {name: Manifest.parse(text, name) for name, text in self.room("lists", ".manifest").items()}

    def signers_of(self, name: str) -> tuple[str, ...]:
        """Return who vouches for a list, from among the keys that the pack names.

        Raises
        ------
        ListError
            If fewer than two do.
        """
        keys = self.files.get(f"lists/{name}.keys", "").split()
        return check_signers(self.room("lists", ".manifest")[name], keys, f"list {name}")


def check(pack: Pack, detectors: frozenset[str], where: str, *, whole: bool = True) -> None:
    """Refuse a pack that holds more than a pack may, or that does not hold together.

    Parameters
    ----------
    detectors
        The names in the registry.
    whole
        Also read what cannot widen what a device does (calibrations, texts): those who build and sign do, a device
        reads it when it is used.

    Raises
    ------
    PackError
        Naming the file, and the label, detector, option or list that is outside what is settled.
    """
    for path, text in pack.files.items():
        try:
            _check_file(pack, path, text, detectors, whole=whole)
        except PackError:
            raise
        except (LightshipError, tomllib.TOMLDecodeError, ValueError, TypeError, KeyError) as error:
            what = error.what if isinstance(error, LightshipError) else f"{path} cannot be read: {error!r}."
            raise PackError(what, f"{where}, {path}", "Do not use this pack; tell its signers.") from error


def _check_file(pack: Pack, path: str, text: str, detectors: frozenset[str], *, whole: bool) -> None:
    room, _, name = path.partition("/")
    match room, name.rpartition(".")[2]:
        case "policies", "toml":
            policy = parse_policy(text, path)
            _must(
                policy.name == name.removesuffix(".toml"),
                f"The policy in {path} calls itself {policy.name!r}.",
            )
            here = f"jurisdictions/{policy.jurisdiction}.toml" in pack.files
            _must(
                here, f"{path} names the jurisdiction {policy.jurisdiction!r}, which the pack does not hold."
            )
            for use in policy.detectors:
                _check_use(pack, path, use, detectors)
        case ("calibrations", "json") | ("jurisdictions" | "controls" | "typologies", "toml") if not whole:
            pass
        case "calibrations", "json":
            value = json.loads(text)
            if value["format"] == "lightship.calibration/1":
                Calibration.from_json(value, path)
        case "cards", "toml":
            card = tomllib.loads(text)
            _must(
                bool(_SHA256.fullmatch(str(card.get("sha256")))),
                f"{path} does not pin its model by a digest.",
            )
        case "lists", "manifest":
            Manifest.parse(text, path)
            keys = pack.files.get(f"lists/{name.removesuffix('.manifest')}.keys", "").split()
            _must(len(set(keys)) > 1, f"{path} names fewer than two keys that may vouch for the list.")
            pack.signers_of(name.removesuffix(".manifest"))
        case ("lists", "keys") | ("lists" | "jurisdictions" | "controls" | "typologies", "toml"):
            if name.endswith(".toml"):
                tomllib.loads(text)
        case _:
            _must(False, f"A pack has no place for {path}.")


def _check_use(pack: Pack, path: str, use: DetectorUse, detectors: frozenset[str]) -> None:
    _must(use.name in detectors, f"{path} names the detector {use.name!r}, which is not in the registry.")
    held = not use.calibration or f"calibrations/{use.calibration}.json" in pack.files
    _must(held, f"{path} names the calibration {use.calibration!r}, which the pack does not hold.")
    for option, value in use.options:
        _must(option in OPTIONS, f"{path} gives {use.name} the option {option!r}, which no pack may give.")
        _must(
            f"cards/{value}.toml" in pack.files,
            f"{path} names the card {value!r}, which the pack does not hold.",
        )


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise PackError(what, "", "Do not use this pack; tell its signers.")
