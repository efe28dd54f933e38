"""What holds of the provider itself, as its operators state it once: jurisdiction, registration, facts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from lightship.core.errors import PolicyError
from lightship.duties.chooser import facts_of
from lightship.duties.law import Law, load


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider.

    Parameters
    ----------
    law
        The rules of its jurisdiction.
    facts
        Such as ``"provider=uk"``; what is not stated is told of each detection by a person.
    registered
        Whether it is registered with the authority.
    """

    law: Law
    facts: tuple[str, ...] = ()
    registered: bool = False


def read_provider(path: Path) -> Provider:
    """Return what a file states; without the file, a provider under the rules of ``gb`` of which nothing is stated.

    Raises
    ------
    PolicyError
        If it cannot be read, or states what is unknown.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(
            f"The provider's file cannot be read: {error}.", str(path), "Correct it."
        ) from error
    for wrong in sorted(set(table) - {"jurisdiction", "registered", "facts"}):
        raise PolicyError(
            f"The key {wrong!r} is unknown.", str(path), "Known: jurisdiction, registered, facts."
        )
    law, facts = load(str(table.get("jurisdiction", "gb"))), table.get("facts", {})
    if not isinstance(facts, dict) or type(table.get("registered", False)) is not bool:
        raise PolicyError(
            "The facts are no table, or registered is not true or false.", str(path), "Correct it."
        )
    told = tuple(f"{name}={value}" for name, value in facts.items())
    facts_of(told, law)
    return Provider(law, told, table.get("registered", False))
