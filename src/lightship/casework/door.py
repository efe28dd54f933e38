"""The door of intake, the same whichever way something comes: a file, HTTP, the bus, or a partner's server."""

from __future__ import annotations

from datetime import datetime

from lightship.casework.intake import Received
from lightship.core.errors import InputError
from lightship.exchange.referrals import Mapped, reader_of, split
from lightship.exchange.referrals.pictures import carries_picture


def received(
    form: str, sender: str, data: bytes, at: datetime, mapped: Mapped | None = None
) -> list[Received]:
    """Return the referrals in bytes that came, each with what its reader makes of it.

    Raises
    ------
    InputError
        If there is nothing in them, the form is none or its mapping is missing, or they carry a picture.
    """
    reader = reader_of(form, mapped)
    if not data.strip():
        raise InputError("There is nothing in it.", form, "Send the referral.")
    if carries_picture(data):
        raise InputError(
            "It carries a picture, a film or an archive, and none is held here.",
            form,
            "Send words, identifiers and hashes.",
        )
    return [Received(form, sender, one, reader(one, at)) for one in split(form, data, mapped)]
