"""Asking another machine's matcher service; see ``docs/guides/matcher-service.md``. Only hashes leave this machine."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from lightship.core.errors import InputError, SourceLost

_TRIES = 5
_PATIENCE_S = 120.0


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises
    ------
    InputError
        If it cannot be read or holds none.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InputError(f"The token cannot be read: {error}.", str(path), "Check the path.") from error
    if not token or not token.isprintable() or " " in token:
        raise InputError("The file holds no token.", str(path), "Put the token alone on its one line.")
    return token


class MatcherClient:
    """A matcher service, by its address.

    Parameters
    ----------
    address
        Such as ``https://matcher.example.org``. Without TLS only this machine's own is asked.
    token
        Made for this client by the service's operator.
    transport
        Another way to reach it, for tests.

    Raises
    ------
    InputError
        If the address cannot be used.
    """

    def __init__(self, address: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self.address = address.rstrip("/")
        try:
            url = httpx.URL(self.address)
        except httpx.InvalidURL as error:
            raise InputError(f"This is no address: {error}.", address, "Give https://HOST.") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise InputError("This is no address of a matcher.", address, "Give https://HOST.")
        if url.scheme == "http" and not _here(url.host):
            what = "The token and the hashes would cross the network unencrypted."
            raise InputError(what, address, "Give an https:// address.")
        self._http = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
            follow_redirects=False,
            transport=transport,
        )

    def lists(self) -> list[dict[str, Any]]:
        """Return which lists the service searches for this token.

        Raises
        ------
        LightshipError
            If it cannot be reached, refuses, or answers something else.
        """
        found = self._ask("GET", "/v1/lists", None).get("lists")
        if not isinstance(found, list):
            raise InputError("The answer is not one of a matcher.", self.address, "Check the address.")
        return found

    def ask(self, questions: dict[str, Any]) -> dict[str, Any]:
        """Return what the lists say of hashes, digests and addresses.

        Raises
        ------
        LightshipError
            If it cannot be reached, refuses, or answers something else.
        """
        return self._ask("POST", "/v1/match", questions)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        waited_s, tried = 0.0, 0
        while True:
            tried += 1
            try:
                response = self._http.request(method, path, json=body)
            except httpx.HTTPError as error:
                if tried == _TRIES:
                    what = f"The matcher cannot be reached: {error or type(error).__name__}."
                    raise SourceLost(what, self.address, "Check the address and the network.") from error
                wait_s = 0.2 * 2**tried
            else:
                if response.status_code not in {429, 503}:
                    return self._read(response)
                wait_s = _retry_after_s(response)
                if waited_s + wait_s > _PATIENCE_S or (response.status_code == 503 and tried == _TRIES):
                    raise SourceLost(
                        f"The matcher does not answer now: {_reason(response)}",
                        self.address,
                        f"Come again in {wait_s:.0f} s, or ask its operator for a larger quota.",
                    )
            waited_s += wait_s
            time.sleep(wait_s)

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code != 200:
            what = f"The matcher refuses ({response.status_code}): {_reason(response)}"
            raise InputError(what, self.address, "Ask its operator.")
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InputError("The answer is not one of a matcher.", self.address, "Check the address.")
        return value

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 9 else 1.0


def _reason(response: httpx.Response) -> str:
    """Return the service's own words, printable and of bounded length."""
    try:
        value = response.json()
        said = f"{value['title']} {value.get('detail', '')}".strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        said = "it does not say why."
    return "".join(one if one.isprintable() else "?" for one in said)[:300]
