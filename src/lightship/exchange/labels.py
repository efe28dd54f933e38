"""Short labels in a partner's language, from ``packs/locales``; what is not translated is English.

The catalogues are TOML, read at run time: a translator edits text, and no compiled file can be older than its source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from lightship import packs
from lightship.core.errors import PolicyError

PSEUDO = "qps-ploc"
"""Not a language: English, accented, stretched, right to left. What stays plain was not put through the catalogue."""

_ACCENTED = str.maketrans("aeiouyAEIOUcnsz", "åéîøüýÅÉÎØÜçñšž")


@dataclass(frozen=True, slots=True)
class Labels:
    """A language's labels.

    Parameters
    ----------
    direction
        ``"ltr"`` or ``"rtl"``.
    english
        Those that are English because nobody translated them.
    language
        Its own name.
    """

    code: str
    direction: str
    words: Mapping[str, str]
    english: frozenset[str] = frozenset()
    language: str = ""

    def __getitem__(self, key: str) -> str:
        return self.words[key]


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that have a catalogue."""
    return tuple(sorted(file.stem for file in (packs.root() / "locales").glob("*.toml")))


def labels(code: str) -> Labels:
    """Return a language's labels.

    Raises
    ------
    PolicyError
        If there is no such catalogue, or it has a label that English has not, or a direction that is none.
    """
    source = _catalogue("en")[1]
    if code == PSEUDO:
        return Labels(
            code, "rtl", {key: f"[{text.translate(_ACCENTED)} ···]" for key, text in source.items()}
        )
    direction, own, language = _catalogue(code)
    if unknown := own.keys() - source.keys():
        raise PolicyError(
            f"These labels have no English: {', '.join(sorted(unknown))}.", code, "Add or remove them."
        )
    return Labels(code, direction, source | own, frozenset(source.keys() - own.keys()), language)


def _catalogue(code: str) -> tuple[str, dict[str, str], str]:
    path, text = packs.read("locales", code, ".toml", "catalogue of labels")
    try:
        table = tomllib.loads(text)
        direction, words = table["direction"], table["labels"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise PolicyError(f"The catalogue cannot be read: {error}.", str(path), "Correct it.") from error
    if direction not in {"ltr", "rtl"} or not all(isinstance(one, str) and one for one in words.values()):
        raise PolicyError("A catalogue has a direction, ltr or rtl, and texts.", str(path), "Correct it.")
    return direction, words, str(table.get("language", code))
