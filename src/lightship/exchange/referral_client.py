"""Sends a referral to an investigating body's ``POST /v1/referrals``."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import httpx

from lightship.core.errors import InputError, SinkError

_SAID = 200
"""Bytes of a refusal that are read."""
_LOCAL = ("127.0.0.1", "localhost", "::1")


class ReferralClient:
    """One body's server, by its address and the token that the body gave.

    Parameters
    ----------
    address
        Such as ``https://body.example``; https, or this machine.
    total_s
        Within which it must have answered; reaching it, and each wait for it, has a share of that.

    Raises
    ------
    InputError
        If the token would cross the network in the open.
    """

    def __init__(
        self,
        address: str,
        token: str,
        form: str,
        total_s: float = 5.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise InputError("A body is told by https alone.", address, "Use its https address.")
        self._url, self._form = f"{address.rstrip('/')}/v1/referrals", form
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
        self._total_s, waits = total_s, httpx.Timeout(total_s / 4, read=total_s / 2)
        self._http = httpx.Client(headers=headers, timeout=waits, transport=transport, trust_env=False)

    def __call__(self, key: str, data: bytes) -> None:
        """Send a referral under its key; when this returns the body has kept it.

        Raises
        ------
        SinkError
            If the body did not say so; what is sent again is the same referral.
        """
        until_s = time.monotonic() + self._total_s
        params, headers = {"form": self._form}, {"X-Request-Id": key}
        try:
            with self._http.stream("POST", self._url, params=params, content=data, headers=headers) as answer:
                if answer.status_code == 202:  # what else it says changes nothing, and is not waited for
                    return
                said = _began(answer, until_s) if answer.status_code < 500 else ""
        except httpx.HTTPError as error:
            what = f"The body cannot be reached ({type(error).__name__})."
            raise SinkError(what, self._url, "It is tried again.") from error
        raise SinkError(f"The body answered {answer.status_code}. {said}".strip(), self._url, "")


def _began(answer: httpx.Response, until_s: float) -> str:
    """Return how an answer begins, as far as it came by then."""
    found = bytearray()
    pieces = answer.iter_raw()
    while len(found) < _SAID and time.monotonic() < until_s and (piece := next(pieces, b"")):
        found += piece
    return found[:_SAID].decode(errors="replace")
