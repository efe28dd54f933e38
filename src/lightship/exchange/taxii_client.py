"""A TAXII 2.1 client: reads a partner's collection page by page, and puts objects into it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

from lightship.core.errors import InputError, SourceLost

MEDIA = "application/taxii+json;version=2.1"
_MOST_PAGES = 10_000


class TaxiiClient:
    """One server, asked with one token.

    Parameters
    ----------
    address
        Of the discovery, such as ``https://taxii.example.org/taxii2/``.
    """

    def __init__(self, address: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._address = address
        headers = {"Accept": MEDIA, "Authorization": f"Bearer {token}"}
        self._http = httpx.Client(headers=headers, timeout=30.0, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def collections(self) -> tuple[tuple[str, str], ...]:
        """Return the address and title of each collection of the server's default root.

        Raises
        ------
        InputError
            If the server refuses, or answers no TAXII, or names a root on another host.
        SourceLost
            If it cannot be reached.
        """
        root = str(self._get(self._address).get("default", ""))
        if urlsplit(root).netloc != urlsplit(self._address).netloc:
            raise InputError(
                "The server names a root elsewhere; the token is not sent there.", root, "Ask the partner."
            )
        rows = self._get(urljoin(root, "collections/")).get("collections", [])
        return tuple((urljoin(root, f"collections/{one['id']}/"), str(one["title"])) for one in rows)

    def objects(self, collection: str, added_after: str = "") -> Iterator[Mapping[str, Any]]:
        """Yield a collection's objects, page by page.

        Raises
        ------
        InputError, SourceLost
            As :meth:`collections`.
        """
        asked = {"added_after": added_after} if added_after else {}
        for _ in range(_MOST_PAGES):
            page = self._get(urljoin(collection, "objects/"), asked)
            yield from page.get("objects", [])
            if not page.get("more"):
                return
            asked = {**asked, "next": str(page["next"])}
        raise InputError("The server's pages do not end.", collection, "Ask the partner.")

    def put(self, collection: str, objects: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Put objects into a collection; returns the server's status.

        Raises
        ------
        InputError, SourceLost
            As :meth:`collections`.
        """
        data = json.dumps({"objects": list(objects)}).encode()
        return self._asked(
            "POST", urljoin(collection, "objects/"), content=data, headers={"Content-Type": MEDIA}
        )

    def _get(self, address: str, asked: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        return self._asked("GET", address, params=dict(asked or {}))

    def _asked(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        try:
            answer = self._http.request(method, address, **more)
        except httpx.HTTPError as error:
            raise SourceLost(
                f"The TAXII server cannot be reached: {error}.", address, "Try again."
            ) from error
        if answer.status_code >= 400:
            raise InputError(f"The TAXII server refused: {answer.status_code}.", address, answer.text[:200])
        try:
            table = answer.json()
        except ValueError as error:
            raise InputError(
                "The TAXII server's answer is no JSON.", address, "Check the address."
            ) from error
        if not isinstance(table, dict):
            raise InputError("The TAXII server's answer is no TAXII.", address, "Check the address.")
        return table
