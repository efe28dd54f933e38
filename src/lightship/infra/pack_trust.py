"""What a root of signed packs says: who may sign, in which log everything must be, and who must have seen it.

One file is the anchor: the root carries the log's key and the witnesses beside the signers, so that all of them change
only with the signatures of two, and in public.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root

from lightship.core.errors import (
    LedgerError,
    PackChanged,
    PackError,
    PackExpired,
    PackRolledBack,
    PackUnsigned,
)
from lightship.core.notes import SigningKey, VerifierKey
from lightship.core.witnesses import WitnessKey, parse_witnesses

NAME_FIELD = "x-lightship-name"
LOG_FIELD = "x-lightship-log"
SIGNED_BY_SIGNERS = ("root", "targets")
ONLINE = ("snapshot", "timestamp")
LEAST_SIGNERS = 2


@dataclass(frozen=True, slots=True)
class Trust:
    """A root in plain terms.

    Parameters
    ----------
    version, expires
        Of the root.
    signers
        The names of those who may sign, by their TUF key identifier.
    needed
        How many must.
    online
        The name of the key that only says what is newest.
    log
        The log's key.
    witnesses, quorum
        Who may have seen the log, and how many must.
    """

    version: int
    expires: datetime
    signers: dict[str, str]
    needed: int
    online: str
    log: VerifierKey
    witnesses: tuple[WitnessKey, ...]
    quorum: int

    @classmethod
    def of(cls, root: Root, where: str) -> Trust:
        """Read a root.

        Raises
        ------
        PackError
            If fewer than two must sign, or it names no log.
        """
        try:
            found = root.unrecognized_fields[LOG_FIELD]
            trust = cls(
                root.version,
                root.expires,
                {keyid: _name(root.keys[keyid]) for keyid in root.roles["targets"].keyids},
                min(root.roles[role].threshold for role in SIGNED_BY_SIGNERS),
                ", ".join(_name(root.keys[keyid]) for keyid in root.roles["timestamp"].keyids),
                VerifierKey.parse(found["key"]),
                parse_witnesses(found["witnesses"]),
                int(found["quorum"]),
            )
        except (KeyError, TypeError, ValueError, LedgerError) as error:
            raise PackError(
                f"This root names no log and no signers: {error}.", where, "Ask for it again."
            ) from error
        online = {keyid for role in ONLINE for keyid in root.roles[role].keyids}
        signers = {keyid for role in SIGNED_BY_SIGNERS for keyid in root.roles[role].keyids}
        if trust.needed < LEAST_SIGNERS or online & signers or not 0 <= trust.quorum <= len(trust.witnesses):
            raise PackError(
                f"A root must ask for {LEAST_SIGNERS} signers, none of whom holds the online key, and for no more "
                "witnesses than it names.",
                where,
                "Use another root.",
            )
        return trust

    def __str__(self) -> str:
        names = ", ".join(sorted(self.signers.values()))
        seen = (
            f"seen by {self.quorum} of {', '.join(key.name for key in self.witnesses)}"
            if self.quorum
            else "unseen"
        )
        return (
            f"Root {self.version}: {self.needed} of {names} must sign; every version is in the log {self.log.name}, "
            f"{seen}; valid until {self.expires:%Y-%m-%d}."
        )


def _name(key: Any) -> str:
    return str(key.unrecognized_fields[NAME_FIELD])


def tuf_key(key: VerifierKey) -> SSlibKey:
    """Return a public key as TUF writes it, with its name."""
    made = SSlibKey.from_crypto(key.public)
    made.unrecognized_fields[NAME_FIELD] = key.name
    return made


def signer_of(key: SigningKey) -> CryptoSigner:
    """Return what signs metadata with a key."""
    return CryptoSigner(key.private, tuf_key(key.verifier))


def names_of(root: Root, role: str, metadata: Metadata[Any]) -> tuple[str, ...]:
    """Return the names of those whose signature of a role's metadata holds."""
    result = root.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return tuple(sorted(_name(key) for key in result.signed.values()))


def root_fields(log: VerifierKey, witnesses: Sequence[WitnessKey], quorum: int) -> dict[str, Any]:
    """Return what a root says beyond TUF."""
    return {LOG_FIELD: {"key": str(log), "witnesses": [str(key) for key in witnesses], "quorum": quorum}}


@contextmanager
def in_our_words(where: str) -> Iterator[None]:
    """Turn what python-tuf raises into an error of ours, by kind.

    Raises
    ------
    PackError
        Of the kind that fits.
    """
    try:
        yield
    except exceptions.UnsignedMetadataError as error:
        raise PackUnsigned(
            f"Too few of those who must sign have signed: {error}.", where, "Do not use it; tell the signers."
        ) from error
    except exceptions.ExpiredMetadataError as error:
        now = datetime.now().astimezone()
        raise PackExpired(
            f"The signatures are too old ({error}); this device's clock says {now:%Y-%m-%d %H:%M %Z}.",
            where,
            "Fetch the packs again, and check the clock.",
        ) from error
    except exceptions.BadVersionNumberError as error:
        raise PackRolledBack(
            f"An older version was offered than this device has seen: {error}.",
            where,
            "Fetch the packs again from a place that is up to date.",
        ) from error
    except (exceptions.LengthOrHashMismatchError, exceptions.DownloadLengthMismatchError) as error:
        raise PackChanged(
            f"The bytes are not those that were signed: {error}.", where, "Fetch the packs again."
        ) from error
    except exceptions.DownloadError as error:
        raise PackError(f"A file is missing: {error}.", where, "Fetch the packs again, whole.") from error
    except exceptions.RepositoryError as error:
        raise PackChanged(
            f"The metadata cannot be used: {error}.", where, "Fetch the packs again."
        ) from error
