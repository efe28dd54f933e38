"""Lists of known media: what an entry is, and the terms under which a list is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["pdq", "md5", "sha1", "sha256", "url"]
"""What an entry's value is: a perceptual hash, a file's digest, or an address."""

DIGEST_BYTES: dict[Kind, int] = {"md5": 16, "sha1": 20, "sha256": 32}
PDQ_BYTES = 32

Role = Literal["known", "negative"]
"""Known abuse material, or material that a person has found lawful and that must not match again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list.

    Parameters
    ----------
    kind
        What ``value`` is.
    value
        32 bytes of a PDQ hash, a digest's bytes, or a normalised address in UTF-8.
    quality
        Of a PDQ hash, 0 to 100.
    reference
        The owner's reference: what a match is called, and what an entry is disabled by. Never the hash.
    video, at_s
        The video that a frame's hash belongs to, and its second in it; empty and NaN for a picture.
    """

    kind: Kind
    value: bytes
    quality: int = 100
    reference: str = ""
    video: str = ""
    at_s: float = float("nan")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line or record that is no entry.

    Parameters
    ----------
    where
        Such as ``line 7``.
    what
        What is wrong with it, never repeating a hash.
    """

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms under which a list is used.

    Parameters
    ----------
    name
        What it is called here.
    role
        Known material, or lawful material that overrides.
    owner
        Whose it is: IWF, NCMEC, or one's own.
    distance
        Largest PDQ distance at which it matches, bits.
    max_age_days
        Older than this it is stale, and says so; None never is.
    tenants
        Who may be told of matches on it; empty means everyone who may ask at all.
    tell_reference
        Whether the owner's reference may be told to tenants.
    signers
        Public keys, of whom two must have signed a version; empty takes versions as they come, and says so.
    basis
        The agreement or duty that it is used under.
    canaries
        Entries of our own making among the list's: nobody who asks honestly ever looks one up.
    """

    name: str
    role: Role = "known"
    owner: str = ""
    distance: int = 31
    max_age_days: float | None = None
    tenants: tuple[str, ...] = ()
    tell_reference: bool = True
    signers: tuple[str, ...] = ()
    basis: str = ""
    canaries: int = 3
