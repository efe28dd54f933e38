"""Sends a referral to an investigating body's ``POST /v1/referrals``."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from lightship.core.errors import InputError, SinkError

_LOCAL = ("127.0.0.1", "localhost", "::1")


class ReferralClient:
    """One body's server, by its address and the token that the body gave.

    Parameters
    ----------
    address
        Such as ``https://body.example``; https, or this machine.
    total_s
        Within which it must have answered.

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
        self._http = httpx.Client(headers=headers, timeout=total_s, transport=transport, trust_env=False)

    def __call__(self, key: str, data: bytes) -> None:
        """Send a referral under its key; when this returns the body has kept it.

        Raises
        ------
        SinkError
            If the body did not say so; what is sent again is the same referral.
        """
        try:
            answer = self._http.post(
                self._url, params={"form": self._form}, content=data, headers={"X-Request-Id": key}
            )
        except httpx.HTTPError as error:
            what = f"The body cannot be reached ({type(error).__name__})."
            raise SinkError(what, self._url, "It is tried again.") from error
        if answer.status_code != 202:
            said = answer.text[:200] if answer.status_code < 500 else ""
            raise SinkError(f"The body answered {answer.status_code}. {said}".strip(), self._url, "")
