"""Copies signed packs and their log from a web server into a folder. Verifies nothing: that is the device's part.

Every device asks for the same files, whatever it has seen, so that a server learns no more than that somebody fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from lightship.core.errors import PackError, SinkError, SourceLost
from lightship.core.notes import parse_note
from lightship.core.pack import MOST_BYTES
from lightship.core.tiles import WIDTH, tile_path, tile_width
from lightship.infra.whole_file import write_whole

WAIT_S = 30.0
_ROOTS = 256  # as many as python-tuf follows
_MOST_ENTRIES = 1 << 24  # tiles of a longer log are more than a device should fetch


def fetch(address: str, folder: Path) -> int:
    """Copy what a device needs; returns how many files came. What never changes and is there is not asked for again.

    Parameters
    ----------
    address
        Such as ``https://packs.example.org``.

    Raises
    ------
    SourceLost
        If the server cannot be reached or lacks a file.
    PackError
        If the address is none, or what the server says of its files cannot be read.
    SinkError
        If they cannot be written.
    """
    if urlsplit(address).scheme not in {"http", "https"}:
        raise PackError("Packs are fetched over HTTP or HTTPS.", address, "Name such an address.")
    get = _getter(address.rstrip("/"))
    count = 0
    try:
        last = {path: get(path) for path in ("log/checkpoint", "metadata/timestamp.json")}
        for path in _wanted(get, last):
            if not (folder / path).exists():
                write_whole(folder / path, get(path))
                count += 1
        for path, data in last.items():  # what names the rest comes last
            write_whole(folder / path, data)
    except OSError as error:
        raise SinkError(
            f"The packs cannot be written: {error}.", str(folder), "Name another folder."
        ) from error
    return count + len(last)


def _getter(address: str) -> Callable[[str], bytes]:
    def get(path: str) -> bytes:
        try:
            with urlopen(f"{address}/{path}", timeout=WAIT_S) as answer:  # noqa: S310 - the scheme was checked
                data: bytes = answer.read(MOST_BYTES + 1)
        except HTTPError as error:
            raise SourceLost(
                f"The server answers {error.code}.", f"{address}/{path}", "Try again later."
            ) from error
        except (URLError, TimeoutError, ConnectionError) as error:
            raise SourceLost(
                f"The server cannot be reached: {error}.", address, "Try again later."
            ) from error
        if len(data) > MOST_BYTES:
            raise PackError("The file is larger than any of a pack.", f"{address}/{path}", "Tell its owner.")
        return data

    return get


def _wanted(get: Callable[[str], bytes], last: dict[str, bytes]) -> Iterator[str]:
    """Yield the paths of what never changes, each known from what was fetched before."""
    try:
        snapshot = json.loads(last["metadata/timestamp.json"])["signed"]["meta"]["snapshot.json"]["version"]
        yield (path := f"metadata/{int(snapshot)}.snapshot.json")
        targets = json.loads(get(path))["signed"]["meta"]["targets.json"]["version"]
        yield (path := f"metadata/{int(targets)}.targets.json")
        for name, target in json.loads(get(path))["signed"]["targets"].items():
            yield f"targets/{bytes.fromhex(target['hashes']['sha256']).hex()}.{Path(name).name}"
        size = int(parse_note(last["log/checkpoint"].decode())[0].split("\n")[1])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PackError(
            f"What the server says of its files cannot be read: {error!r}.", "", "Tell its owner."
        ) from error
    if not 0 < size <= _MOST_ENTRIES:
        raise PackError(f"A log of {size} entries is not fetched.", "log/checkpoint", "Tell its owner.")
    for number in range(1, _ROOTS):
        try:
            get(f"metadata/{number}.root.json")
        except SourceLost:
            break
        yield f"metadata/{number}.root.json"
    level = 0
    while size >> 8 * level:
        for number in range(-(-(size >> 8 * level) // WIDTH)):
            width = tile_width(level, number, size)
            yield f"log/{tile_path(level, number, width)}"
            if level == 0:
                yield f"log/{tile_path('entries', number, width)}"
        level += 1
