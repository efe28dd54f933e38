"""Model cards: all that is needed to run an ONNX model, as data."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from lightship.core.errors import DetectorError

Layout = Literal["NCHW", "NHWC"]
Colours = Literal["RGB", "BGR"]
Fit = Literal["stretch", "letterbox-top-left"]
Decoding = Literal["classifier-softmax", "classifier-sigmoid", "classifier", "yolo"]

CARDS = Path(__file__).parent / "cards"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """How to run a model, and what its outputs mean.

    Parameters
    ----------
    name, title, licence, source
        Which model this is, and under what terms.
    package, resource
        The installed package that carries the file, and the file's path inside it; or:
    file
        The file's path, relative to the card.
    sha256
        Digest of the file; another file is refused.
    width, height
        Input size in pixels.
    layout, colours
        Order of the input's axes and of its colours.
    scale, mean, std
        ``(pixel · scale - mean) / std`` for each colour, pixels 0-255.
    fit
        ``stretch``, or ``letterbox-top-left``: shrunk to fit, the rest black.
    decoding
        What the output is: class scores (as they are, or to be squashed), or YOLO boxes ``(4 + classes, boxes)``.
    floor
        Boxes below this score are left out.
    labels
        The classes in order.
    counts
        Which of them count as ``exposed``.
    """

    name: str
    title: str
    licence: str
    source: str
    package: str
    resource: str
    file: str
    sha256: str
    width: int
    height: int
    layout: Layout
    colours: Colours
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: Fit
    decoding: Decoding
    floor: float
    labels: tuple[str, ...]
    counts: frozenset[str]
    folder: Path

    def read_model(self) -> bytes:
        """Return the model file's bytes, checked against the digest.

        Raises
        ------
        DetectorError
            If the package or file is missing, or is not the one the card describes.
        """
        path = self._path()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DetectorError(
                f"The model file cannot be read: {error.strerror}.",
                str(path),
                "Install or name the right file.",
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise DetectorError(
                f"The model file has the digest {found[:12]}…, the card says {self.sha256[:12]}…: "
                "it is another model or corrupt.",
                f"card {self.name}",
                "Install the version that the card names, or write a card for this one.",
            )
        return data

    def _path(self) -> Path:
        if self.file:
            return self.folder / self.file
        try:
            spec = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:
            raise DetectorError(
                f"The package {self.package!r} that carries the model is not installed.",
                f"card {self.name}",
                "Install it with `pip install lightship[exposure]`.",
            )
        return Path(spec.origin).parent / self.resource


def load_card(name: str | Path, directory: str | Path | None = None) -> ModelCard:
    """Return a card by name or by path.

    Parameters
    ----------
    name
        A card's name, or its path (``.toml``).
    directory
        Where cards are looked for by name before the shipped ones.

    Raises
    ------
    DetectorError
        If it cannot be read, or a key is missing, unknown or wrong: the key is named.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = CARDS / f"{name}.toml"
        if directory is not None and (Path(directory) / path.name).exists():
            path = Path(directory) / path.name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        shipped = ", ".join(sorted(card.stem for card in CARDS.glob("*.toml")))
        raise DetectorError(
            f"The model card cannot be read: {error.strerror}.",
            str(path),
            f"Give a path, or one of: {shipped}.",
        ) from error
    except UnicodeDecodeError as error:
        raise DetectorError("The model card is not UTF-8 text.", str(path), "Save it as UTF-8.") from error
    return parse_card(text, path)


def parse_card(text: str, path: Path) -> ModelCard:
    """Return the card in a text.

    Parameters
    ----------
    path
        Where it lies, or would lie: a model's file is named relative to it.

    Raises
    ------
    DetectorError
        If a key is missing, unknown or wrong: the key is named.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DetectorError(f"The model card is not TOML: {error}.", str(path), "Correct it.") from error
    return _card(table, path)


def _card(table: Mapping[str, Any], path: Path) -> ModelCard:
    rest = {
        **table,
        **_prefixed(table.get("input"), "input", path),
        **_prefixed(table.get("output"), "output", path),
    }
    rest.pop("input"), rest.pop("output")

    def take(key: str, kind: type, default: Any = ...) -> Any:
        value = rest.pop(key, default)
        if value is ...:
            raise DetectorError(f"The model card lacks {key!r}.", str(path), "Add it.")
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise DetectorError(f"{key} = {value!r} is of the wrong type.", str(path), "Correct it.")
        return value

    def one_of(key: str, choices: Any) -> Any:
        value = take(key, str)
        if value not in get_args(choices):
            raise DetectorError(
                f"{key} = {value!r} is not one of {', '.join(get_args(choices))}.", str(path), "Correct it."
            )
        return value

    def words(key: str) -> list[str]:
        value: list[Any] = take(key, list)
        if not all(isinstance(one, str) and one for one in value):
            raise DetectorError(f"{key} takes words.", str(path), "Correct it.")
        return value

    card = ModelCard(
        name=take("name", str),
        title=take("title", str),
        licence=take("licence", str),
        source=take("source", str),
        package=take("package", str, ""),
        resource=take("resource", str, ""),
        file=take("file", str, ""),
        sha256=take("sha256", str).lower(),
        width=take("input.width", int),
        height=take("input.height", int),
        layout=one_of("input.layout", Layout),
        colours=one_of("input.colours", Colours),
        scale=take("input.scale", float),
        mean=tuple(take("input.mean", list)),
        std=tuple(take("input.std", list)),
        fit=one_of("input.fit", Fit),
        decoding=one_of("output.decoding", Decoding),
        floor=take("output.floor", float, 0.0),
        labels=tuple(words("output.labels")),
        counts=frozenset(words("output.counts")),
        folder=path.parent,
    )
    _check(card, sorted(rest), path)
    return card


def _prefixed(value: Any, name: str, path: Path) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DetectorError(f"The model card lacks [{name}].", str(path), "Add it.")
    return {f"{name}.{key}": item for key, item in value.items()}


def _check(card: ModelCard, unknown: list[str], path: Path) -> None:
    for wrong, what in (
        (unknown, f"Unknown key {', '.join(unknown)}."),
        (
            bool(card.file) == bool(card.package and card.resource),
            "Name either a file, or a package and a resource.",
        ),
        (not re.fullmatch("[0-9a-f]{64}", card.sha256), "sha256 is not 64 hexadecimal characters."),
        (
            min(card.width, card.height) < 1 or max(card.width, card.height) > 4096,
            f"The input size {card.width}×{card.height} is outside 1 to 4096.",
        ),
        (not (math.isfinite(card.scale) and card.scale > 0.0), f"scale = {card.scale:g} is not more than 0."),
        (
            not all(len(three) == 3 and all(map(_is_number, three)) for three in (card.mean, card.std)),
            "mean and std take three finite numbers, one a colour.",
        ),
        (not all(card.std), "std holds a zero."),
        (not 0.0 <= card.floor <= 1.0, f"floor = {card.floor:g} is not 0 to 1."),
        (len(set(card.labels)) < len(card.labels), "labels names a class twice."),
        (not card.counts, "counts names nothing."),
        (
            not card.counts <= set(card.labels),
            f"counts names {', '.join(sorted(card.counts - set(card.labels)))}, which labels does not.",
        ),
    ):
        if wrong:
            raise DetectorError(what, str(path), "Correct the model card.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
