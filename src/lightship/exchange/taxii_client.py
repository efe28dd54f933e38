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
    token
        A bearer token, or ``name:password``.
    """

    def __init__(self, address: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._address = address
        name, colon, password = token.partition(":")
        headers = {"Accept": MEDIA, **({} if colon else {"Authorization": f"Bearer {token}"})}
        auth = httpx.BasicAuth(name, password) if colon else None
        self._http = httpx.Client(headers=headers, auth=auth, timeout=30.0, transport=transport)

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
        for page, _ in self.pages(collection, added_after):
            yield from page

    def pages(
        self, collection: str, added_after: str = ""
    ) -> Iterator[tuple[Sequence[Mapping[str, Any]], str]]:
        """Yield a collection's pages: the objects, and when the last of them was added, empty where it is not said.

        Raises
        ------
        InputError, SourceLost
            As :meth:`collections`.
        """
        asked = {"added_after": added_after} if added_after else {}
        for _ in range(_MOST_PAGES):
            answer = self._answer("GET", urljoin(collection, "objects/"), params=asked)
            page = _table(answer)
            found = page.get("objects", [])
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise InputError("The server's objects are none.", collection, "Ask the partner.")
            yield found, answer.headers.get("X-TAXII-Date-Added-Last", "")
            if not page.get("more"):
                return
            asked = {**asked, "next": str(page.get("next", ""))}
        raise InputError("The server's pages do not end.", collection, "Ask the partner.")

    def put(self, collection: str, objects: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Put objects into a collection; returns the server's status.

        Raises
        ------
        InputError, SourceLost
            As :meth:`collections`.
        """
        data = json.dumps({"objects": list(objects)}).encode()
        return _table(
            self._answer(
                "POST", urljoin(collection, "objects/"), content=data, headers={"Content-Type": MEDIA}
            )
        )

    def _get(self, address: str) -> Mapping[str, Any]:
        return _table(self._answer("GET", address))

    def _answer(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, address, **more)
        except httpx.HTTPError as error:
            raise SourceLost(
                f"The TAXII server cannot be reached: {error}.", address, "Try again."
            ) from error
        if answer.status_code >= 400:
            raise InputError(f"The TAXII server refused: {answer.status_code}.", address, answer.text[:200])
        return answer


def _table(answer: httpx.Response) -> Mapping[str, Any]:
    where = str(answer.url)
    try:
        table = answer.json()
    except ValueError as error:
        raise InputError("The TAXII server's answer is no JSON.", where, "Check the address.") from error
    if not isinstance(table, dict):
        raise InputError("The TAXII server's answer is no TAXII.", where, "Check the address.")
    return table
