"""The door of intake, the same whichever way something comes: a file, HTTP, the bus, or a partner's server."""

from __future__ import annotations

from datetime import datetime

from lightship.casework.intake import Received
from lightship.core.casework import Parsed
from lightship.core.errors import InputError
from lightship.exchange.referrals import Mapped, reader_of, split
from lightship.exchange.referrals.pictures import carries_picture, spells_picture
from lightship.exchange.referrals.xml import reads_as_ascii


def received(
    form: str, sender: str, data: bytes, at: datetime, mapped: Mapped | None = None, most: int | None = None
) -> list[Received]:
    """Return the referrals in bytes that came, each with what its reader makes of it.

    Parameters
    ----------
    most
        How many may come at once.

    Raises
    ------
    InputError
        If there is nothing in them, they are more than ``most``, the form is none or its mapping is missing, or they
        carry a picture or are XML in which one could not be seen.
    """
    reader = reader_of(form, mapped)
    if not data.strip():
        raise InputError("There is nothing in it.", form, "Send the referral.")
    if form.endswith("-xml") and not reads_as_ascii(data):
        raise InputError("It is XML that is not in UTF-8.", form, "Send it in UTF-8.")
    if carries_picture(data):
        raise _picture(form)
    batch = [Received(form, sender, one, reader(one, at)) for one in split(form, data, mapped, most)]
    # Once more as it was read: an escape or an encoding may have hidden it.
    if any(spells_picture(_words(one.parsed)) for one in batch):
        raise _picture(form)
    return batch


def _picture(form: str) -> InputError:
    what = "It carries a picture, a film or an archive, and none is held here."
    return InputError(what, form, "Send words, identifiers and hashes.")


def _words(parsed: Parsed) -> bytes:
    """Return all that a sender wrote, each text apart."""
    texts = (parsed.narrative, parsed.reference, parsed.kind, *(one.value for one in parsed.named))
    return '"'.join(texts).encode(errors="replace")
