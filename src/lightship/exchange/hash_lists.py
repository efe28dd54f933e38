"""Hash lists as files: each format read entry by entry, so that no file takes more memory than what is kept of it.

``pdq``
    One hash a line, or ``hash,quality[,reference]``; ``# as-of: 2026-10-01`` dates the list.
``vpdq``
    A video's frame hashes: JSON as ``threatexchange`` writes it (``["hash,quality,seconds", ...]``, or an object of
    such lists by video), or the lines ``frame,quality,hash,seconds`` of the ``vpdq`` program.
``digests``
    One MD5, SHA-1 or SHA-256 a line, or ``digest,reference``.
``urls``
    One address a line, or ``address reference``; see :mod:`lightship.exchange.addresses`.
*a mapping*
    A CSV, JSON or JSON-lines file whose columns a small TOML file names (``packs/lists/``): for the schemas of VICS and
    of the IWF, which their owners give to those they have agreements with and which are therefore not in this code.

Letters of either case, blank lines and a byte order mark are accepted, and a line has a bound.
"""

from __future__ import annotations

import csv
import io
import json
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from lightship.core.errors import InputError
from lightship.core.known import DIGEST_BYTES, PDQ_BYTES, BadLine, Entry, Kind
from lightship.exchange.addresses import normalise

LINE_BYTES = 4096
_JSON_BYTES = 512 * 1024 * 1024
_REFERENCE_CHARACTERS = 120
_DIGEST_KINDS: dict[int, Kind] = {2 * size: kind for kind, size in DIGEST_BYTES.items()}

Found = Entry | BadLine | date
"""What a file yields: entries, bad lines, and the day it says it is from."""


def read(path: Path, form: str) -> Iterator[Found]:
    """Yield what a file holds.

    Parameters
    ----------
    form
        ``pdq``, ``vpdq``, ``digests``, ``urls``, or the path of a mapping.

    Raises
    ------
    InputError
        If the file or the mapping cannot be read, or there is no such format.
    """
    readers: dict[str, Callable[[BinaryIO, Path], Iterator[Found]]] = {
        "pdq": lambda file, _: _by_line(file, _pdq),
        "vpdq": _vpdq,
        "digests": lambda file, _: _by_line(file, _digest),
        "urls": lambda file, _: _by_line(file, _url),
    }
    reader = readers.get(form)
    if reader is None:
        if not form.endswith(".toml"):
            todo = f"Use {', '.join(readers)}, or the path of a mapping such as packs/lists/vics.toml."
            raise InputError(f"“{form}” is not a format of lists.", str(path), todo)
        mapping = _mapping(Path(form))
        reader = lambda file, where: _mapped(file, where, mapping)  # noqa: E731
    try:
        with path.open("rb") as file:
            yield from reader(file, path)
    except OSError as error:
        raise InputError(
            f"The list cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield each line with its number; of one that is too long only what shows that it is."""
    number = 0
    while raw := file.readline(LINE_BYTES):
        number += 1
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip()
        while len(raw) == LINE_BYTES and not raw.endswith(b"\n"):
            text = "x" * LINE_BYTES
            raw = file.readline(LINE_BYTES)
        yield number, text


def _by_line(file: BinaryIO, entry: Callable[[str, int], Entry]) -> Iterator[Found]:
    for number, line in lines(file):
        try:
            if line.startswith("#"):
                dated = _as_of(line)
                if dated is not None:
                    yield dated
            elif line and not (number == 1 and line.lower().partition(",")[0] in {"hash", "digest", "url"}):
                yield entry(line, number)
        except ValueError as error:
            yield BadLine(f"line {number}", str(error))


def _pdq(line: str, number: int) -> Entry:
    hash_, _, rest = line.partition(",")
    quality, _, reference = (field.strip() for field in rest.partition(","))
    return Entry(
        "pdq",
        hex_bytes(hash_.strip(), PDQ_BYTES, "a PDQ hash"),
        _quality(quality or "100"),
        words(reference.strip('"')) or f"line {number}",
    )


def _digest(line: str, number: int) -> Entry:
    digest, _, reference = line.partition(",")
    digest = digest.strip()
    kind = _DIGEST_KINDS.get(len(digest))
    if kind is None:
        raise ValueError("a digest is 32, 40 or 64 hexadecimal characters")
    data = hex_bytes(digest, DIGEST_BYTES[kind], f"a digest of kind {kind}")
    return Entry(kind, data, reference=words(reference.strip().strip('"')) or f"line {number}")


def _url(line: str, number: int) -> Entry:
    address, _, reference = line.partition(" ")
    return Entry("url", normalise(address).encode(), reference=words(reference) or f"line {number}")


def _vpdq(file: BinaryIO, path: Path) -> Iterator[Found]:
    start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    file.seek(0)
    if not start.startswith((b"[", b"{")):
        yield from _by_line(file, lambda line, _: _frame(line.split(","), path.stem, (2, 1, 3)))
        return
    value = _json(file, path)
    videos = value if isinstance(value, dict) else {path.stem: value}
    for video, frames in videos.items():
        if not isinstance(frames, list):
            yield BadLine(f"video {words(video)}", "its frames are not a list")
            continue
        for number, frame in enumerate(frames, 1):
            try:
                yield _frame(str(frame).split(","), video, (0, 1, 2))
            except ValueError as error:
                yield BadLine(f"video {words(video)}, frame {number}", str(error))


def _frame(fields: list[str], video: str, order: tuple[int, int, int]) -> Entry:
    if len(fields) != max(order) + 1:
        raise ValueError(f"a frame has {max(order) + 1} fields, this one {len(fields)}")
    hash_, quality, seconds = (fields[place].strip() for place in order)
    at_s = float(seconds)
    if not 0.0 <= at_s < math.inf:
        raise ValueError("a frame's time is a number of seconds")
    data = hex_bytes(hash_, PDQ_BYTES, "a PDQ hash")
    return Entry("pdq", data, _quality(quality), f"{words(video)} at {at_s:.3f} s", words(video), at_s)


def vpdq_json(frames: Iterable[Entry]) -> str:
    """Return frames as the JSON that ``threatexchange`` reads, videos by name."""
    videos: dict[str, list[str]] = {}
    for frame in frames:
        videos.setdefault(frame.video, []).append(f"{frame.value.hex()},{frame.quality},{frame.at_s:.3f}")
    return json.dumps(next(iter(videos.values())) if len(videos) == 1 else videos)


def lines_of(entries: Iterable[Entry], form: str) -> Iterator[str]:
    """Yield entries as the lines of a list of format ``pdq`` or ``digests``, as :func:`read` takes them."""
    for entry in entries:
        quality = f"{entry.quality}," if form == "pdq" else ""
        yield f"{entry.value.hex()},{quality}{words(entry.reference)}\n"


def _mapping(path: Path) -> dict[str, Any]:
    """Read a mapping: ``records`` (the key of a JSON file's list), ``[fields]`` and ``[keep]``.

    Raises
    ------
    InputError
        If it cannot be read or names other things.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The mapping cannot be read: {error}.", str(path), "See packs/lists/ for examples."
        ) from error
    known = {"pdq", "quality", "md5", "sha1", "sha256", "url", "reference"}
    unknown = set(value) - {"note", "records", "fields", "keep"} | set(value.get("fields", {})) - known
    if unknown or not set(value.get("fields", {})) & {"pdq", "md5", "sha1", "sha256", "url"}:
        what = (
            f"The mapping is refused: unknown {sorted(unknown)}." if unknown else "The mapping names no hash."
        )
        raise InputError(what, str(path), f"[fields] may name {', '.join(sorted(known))}.")
    return value


def _mapped(file: BinaryIO, path: Path, mapping: dict[str, Any]) -> Iterator[Found]:
    fields, keep = mapping["fields"], mapping.get("keep", {})
    for where, record in _records(file, path, str(mapping.get("records", ""))):
        if not isinstance(record, dict):
            yield BadLine(where, "it is not a record of named fields")
            continue
        if any(str(record.get(name, "")) not in map(str, allowed) for name, allowed in keep.items()):
            continue
        reference = words(str(record.get(fields.get("reference", ""), "") or "")) or where
        present = False
        for kind in ("pdq", *DIGEST_BYTES, "url"):
            text = str(record.get(fields.get(kind, ""), "") or "").strip()
            if not text:
                continue
            present = True
            try:
                yield _of_kind(kind, text, str(record.get(fields.get("quality", ""), "") or "100"), reference)
            except ValueError as error:
                yield BadLine(where, str(error))
        if not present:
            yield BadLine(where, "it has none of the hashes that the mapping names")


def _of_kind(kind: str, text: str, quality: str, reference: str) -> Entry:
    if kind == "url":
        return Entry("url", normalise(text).encode(), reference=reference)
    if kind == "pdq":
        return Entry("pdq", hex_bytes(text, PDQ_BYTES, "a PDQ hash"), _quality(quality), reference)
    (named,) = (one for one in DIGEST_BYTES if one == kind)
    return Entry(named, hex_bytes(text, DIGEST_BYTES[named], f"a digest of kind {kind}"), reference=reference)


def _records(file: BinaryIO, path: Path, key: str) -> Iterator[tuple[str, Any]]:
    if path.suffix.lower() == ".csv":
        # A line of a CSV has a bound too: what is beyond it is a bad record, not memory.
        rows = csv.DictReader(text for _, text in lines(file))
        try:
            for row in rows:
                yield f"line {rows.line_num}", row
        except csv.Error as error:
            raise InputError(
                f"The CSV breaks off: {error}.", str(path), "Ask its owner for it again."
            ) from error
        return
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        for number, text in lines(file):
            value: Any = None
            with suppress(ValueError):
                value = json.loads(text)
            if text:
                yield f"line {number}", value
        return
    whole = _json(file, path)
    found = whole.get(key) if key and isinstance(whole, dict) else whole
    if not isinstance(found, list):
        raise InputError(f"The file has no list “{key}”.", str(path), "Name it in the mapping's `records`.")
    for number, record in enumerate(found, 1):
        yield f"record {number}", record


def _json(file: BinaryIO, path: Path) -> Any:
    data = file.read(_JSON_BYTES + 1)
    if len(data) > _JSON_BYTES:
        raise InputError(
            "JSON of more than 512 MB is not read whole.", str(path), "Convert it to JSON lines."
        )
    try:
        return json.load(io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The file is not JSON: {error}.", str(path), "Ask its owner for it again."
        ) from error


def hex_bytes(text: str, size: int, what: str) -> bytes:
    """Return the bytes of hexadecimal text of either case.

    Raises
    ------
    ValueError
        If it is not exactly that; whoever reads the file knows the line and says so.
    """
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != size or len(text) != 2 * size:
        raise ValueError(f"{what} is {2 * size} hexadecimal characters")
    return data


def _quality(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 3 and int(text) <= 100):
        raise ValueError(f"the quality {text[:20]!r} is not 0 to 100")
    return int(text)


def words(text: str) -> str:
    """Return a reference as it may be shown: printable, and of bounded length."""
    return "".join(one if one.isprintable() else "?" for one in text.strip())[:_REFERENCE_CHARACTERS]


def _as_of(line: str) -> date | None:
    """Return the day that a comment dates the list to, if it does.

    Raises
    ------
    ValueError
        If it means to and the day is none.
    """
    key, _, value = line.lstrip("# \t").partition(":")
    if key.strip().lower() != "as-of":
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"the date {value.strip()[:20]!r} is not YYYY-MM-DD") from None
