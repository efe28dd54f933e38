"""Addresses as lists of them compare: written one way, whatever way they were typed (RFC 3986, 6.2.2 and 6.2.3).

The scheme and a leading ``www.`` are left out, as the same page answers under each; the host is lower-case and IDNA;
the default port, dot segments, an empty query, the fragment, and escapes of characters that need none go. The order of
a query's parts is kept: it can matter to the server.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import quote, unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_PATH_SAFE = "/:@!$&'()*+,;=-._~"


def normalise(address: str) -> str:
    """Return the address in its one form, such as ``example.org/a/b?c=d``.

    Raises
    ------
    ValueError
        If it is not the address of a host.

    Examples
    --------
    >>> normalise("HTTPS://www.Example.org:443/a/./b/../%7Ec?#top")
    'example.org/a/~c'
    """
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"https://{text}")
    host = parts.hostname
    if not host or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError("an address has a host and no spaces")
    try:
        host = host.rstrip(".").encode("idna").decode("ascii").removeprefix("www.")
        port = parts.port
    except (UnicodeError, ValueError):
        raise ValueError("the address's host or port is none") from None
    shown_port = "" if port in {None, _PORTS.get(parts.scheme)} else f":{port}"
    path = posixpath.normpath(unquote(parts.path)) if parts.path else "/"
    path = re.sub("/+", "/", path if path.startswith("/") else f"/{path}")
    if parts.path.endswith("/") and path != "/":
        path += "/"
    query = f"?{quote(unquote(parts.query), safe=_PATH_SAFE + '?&=')}" if parts.query else ""
    return f"{host}{shown_port}{quote(path, safe=_PATH_SAFE) if path != '/' else ''}{query}"


def prefixes(address: str) -> tuple[str, ...]:
    """Return the forms under which a list may hold an address: itself, its folders, its host and parent domains.

    Examples
    --------
    >>> prefixes("https://a.example.org/x/y?z=1")[:3]
    ('a.example.org/x/y?z=1', 'a.example.org/x/y', 'a.example.org/x/')
    """
    whole = normalise(address)
    bare = whole.partition("?")[0]
    host, _, path = bare.partition("/")
    folders = path.split("/")[:-1] if path else []
    found = [whole, bare]
    found += [f"{host}/{'/'.join(folders[: count + 1])}/" for count in reversed(range(len(folders)))]
    labels = host.split(".")
    found += [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return tuple(dict.fromkeys(found))
