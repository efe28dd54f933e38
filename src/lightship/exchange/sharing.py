"""Hash-sharing exchanges: what is new since a checkpoint, by the clients of ``threatexchange`` (extra ``sharing``).

NCMEC, StopNCII and Tech Against Terrorism. Deletes are honoured, pages are bounded, and a server that is busy or breaks
off is asked again with growing pauses before it is given up. Credentials come from the environment or a file, never
from a command line, and are never repeated in an error.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lightship.core.changes import Changes
from lightship.core.entries import value_of
from lightship.core.errors import InputError, LightshipError, ListError
from lightship.core.known import DIGEST_BYTES, PDQ_BYTES, BadLine, Entry, Kind
from lightship.core.terms import Source
from lightship.exchange.addresses import normalise
from lightship.exchange.hash_lists import hex_bytes, words

MAX_PAGES = 20_000
"""Pages of one refresh; NCMEC sends a thousand records a page."""

RETRIES = 4
_FIRST_PAUSE_S = 1.0


class EndlessPaging(ListError):
    """A server that goes on sending pages."""


def fetch(
    source: Source,
    facts: Mapping[str, Any],
    *,
    max_pages: int = MAX_PAGES,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Changes, Mapping[str, Any]]:
    """Return what is new of an exchange's list, and what to hand in the next time.

    Parameters
    ----------
    facts
        What the last call returned with the version; empty fetches all.
    max_pages
        More than so many are not taken from one refresh.
    pause
        Waits some seconds.

    Raises
    ------
    InputError
        If the credentials cannot be read, or the extra is not installed.
    EndlessPaging
        If the server repeats a page, or sends more than are taken.
    ListError
        If it refuses, breaks off or stays busy; what it said is said.
    """
    run, failures = _Run(_exchange(source), source.api, max_pages, int(facts.get("number", 0))), 0
    run.start(facts.get("checkpoint"))
    while True:
        pages = run.pages
        try:
            run.drain()
            break
        except LightshipError:
            raise
        except Exception as error:
            failures = 1 if run.pages > pages else failures + 1
            if failures > RETRIES or not _passing(error):
                raise ListError(
                    f"The exchange cannot be used: {_said(error)}.",
                    source.api,
                    "Nothing of it was taken; try again later, or check address and credentials.",
                ) from error
            pause(_FIRST_PAUSE_S * 2 ** (failures - 1))
    told = dataclasses.asdict(run.checkpoint) if run.checkpoint is not None else {}
    return run.changes, {"checkpoint": told, "number": run.number}


@dataclasses.dataclass
class _Run:
    """What came of one refresh so far."""

    exchange: _Exchange
    name: str
    max_pages: int
    number: int
    pages: int = 0
    checkpoint: Any = None
    changes: Changes = dataclasses.field(default_factory=Changes)

    def start(self, saved: Mapping[str, Any] | None) -> None:
        """Go on from a checkpoint, or from the beginning where it is too old to learn of deletes since."""
        self.checkpoint = self.exchange.checkpoint(saved) if saved else None
        if self.checkpoint is None or self.checkpoint.is_stale():
            self.checkpoint, self.changes.whole = None, True

    def drain(self) -> None:
        """Take in every page from the checkpoint on.

        Raises
        ------
        EndlessPaging
            If a page comes again, or too many do.
        """
        seen: set[str] = set()
        for delta in self.exchange.deltas(self.checkpoint):
            self.pages += 1
            mark = repr((self.exchange.mark(delta.checkpoint), sorted(map(str, delta.updates))[:3]))
            if self.pages > self.max_pages or (delta.updates and mark in seen):
                raise EndlessPaging(
                    f"The server pages forever: stopped at page {self.pages}.",
                    self.name,
                    "Tell its operator; nothing of it was taken.",
                )
            seen.add(mark)
            for key, record in delta.updates.items():
                self.number += 1
                self.exchange.take(self.changes, key, record, self.number)
            self.checkpoint = delta.checkpoint


def _passing(error: Exception) -> bool:
    """Return whether trying again may help: a reset, a time-out, a busy server."""
    import requests

    if isinstance(error, requests.HTTPError):
        return error.response is None or error.response.status_code in {429, 500, 502, 503, 504}
    return isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.RetryError)


def _said(error: Exception) -> str:
    """Return what went wrong in words: no address with its parameters, no body."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.RetryError):
        return "the server stayed busy (429 or 5xx)"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the connection broke off, or there was none"
    return f"its answer is not understood ({type(error).__name__})"


@dataclasses.dataclass(frozen=True)
class _Exchange:
    """One exchange's ways.

    Parameters
    ----------
    deltas
        Yields pages since a checkpoint.
    checkpoint
        Makes a checkpoint from what was saved.
    mark
        What tells one page's checkpoint from another's.
    take
        Takes a record in.
    """

    deltas: Callable[[Any], Iterator[Any]]
    checkpoint: Callable[[Mapping[str, Any]], Any]
    mark: Callable[[Any], object]
    take: Callable[[Changes, Any, Any, int], None]


def _exchange(source: Source) -> _Exchange:
    try:
        import dacite
        import threatexchange.exchanges  # noqa: F401
    except ImportError as error:
        raise InputError(
            "The exchange clients are not installed.", source.api, "Run: pip install 'lightship[sharing]'."
        ) from error
    made: Mapping[str, Callable[[Source], tuple[Any, type, Callable[[Changes, Any, Any, int], None]]]] = {
        "ncmec": _ncmec,
        "stopncii": _stopncii,
        "tat": _tat,
    }
    if source.api not in made:
        raise InputError("The list comes from no exchange.", "", "Name one in its terms, or import a file.")
    api, kind, take = made[source.api](source)

    def mark(checkpoint: Any) -> object:
        paging = getattr(checkpoint, "paging_info", None)
        return paging.paging_url if paging is not None else checkpoint.get_progress_timestamp()

    return _Exchange(
        lambda checkpoint: api.fetch_iter([], checkpoint),
        lambda saved: dacite.from_dict(kind, dict(saved)),
        mark,
        take,
    )


def secret(source: Source) -> str:
    """Return the credentials that a source refers to.

    Raises
    ------
    InputError
        If there are none there, or others can read the file.
    """
    form, _, place = source.credentials.partition(":")
    if form == "env":
        found = os.environ.get(place, "")
    elif form == "file":
        path = Path(place).expanduser()
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise InputError("Others can read the credentials.", str(path), f"Run: chmod 600 {path}.")
            found = path.read_text("utf-8")
        except OSError as error:
            raise InputError(
                f"The credentials cannot be read: {error.strerror}.", str(path), "Check the path."
            ) from error
    else:
        found = ""
    if not found.strip():
        raise InputError(
            "There are no credentials for the exchange.",
            source.credentials or source.api,
            'Name them in the list\'s terms: credentials = "env:NAME" or "file:PATH".',
        )
    return found.strip()


# NCMEC ------------------------------------------------------------------------------------------------


def _ncmec(source: Source) -> tuple[Any, type, Callable[[Changes, Any, Any, int], None]]:
    from threatexchange.exchanges.impl.ncmec_api import (
        NCMECCheckpoint,
        NCMECCollabConfig,
        NCMECSignalExchangeAPI,
    )

    client = ncmec_client(source)

    class Exchange(NCMECSignalExchangeAPI):
        def get_client(self, _environment: Any) -> Any:
            return client

    config = NCMECCollabConfig(name="lightship", environment=_environment(source))
    return Exchange(config, client.username, client.password), NCMECCheckpoint, _take_ncmec


def ncmec_client(source: Source) -> Any:
    """Return ``threatexchange``'s client for NCMEC, asking in UTC wherever this machine stands.

    Raises
    ------
    InputError
        If the credentials or the environment are none.
    """
    from threatexchange.exchanges.clients.ncmec.hash_api import NCMECHashAPI

    class Client(NCMECHashAPI):
        def __init__(self, user: str, password: str, environment: Any) -> None:
            super().__init__(user, password, environment)
            self._base_url = source.address.rstrip("/") or self._base_url

        def get_entries(self, *, start_timestamp: int = 0, end_timestamp: int = 0, next_: str = "") -> Any:
            # The client writes local time and calls it UTC: east of Greenwich that would skip entries.
            return super().get_entries(
                start_timestamp=_as_if_local(start_timestamp),
                end_timestamp=_as_if_local(end_timestamp or int(time.time())),
                next_=next_,
            )

    user, _, password = secret(source).partition(":")
    if not user or not password:
        raise InputError("NCMEC's credentials are USER:PASSWORD.", source.credentials, "Write them so.")
    return Client(user, password, _environment(source))


def _as_if_local(at_s: int) -> int:
    """Return the time whose local writing is the UTC writing of ``at_s``."""
    return at_s - time.localtime(at_s).tm_gmtoff


def _environment(source: Source) -> Any:
    from threatexchange.exchanges.clients.ncmec.hash_api import NCMECEnvironment

    try:
        return NCMECEnvironment[source.environment or "Industry"]
    except KeyError:
        known = ", ".join(one.name for one in NCMECEnvironment)
        raise InputError(
            f"NCMEC has no environment “{source.environment}”.", "the list's terms", f"There are: {known}."
        ) from None


def _take_ncmec(changes: Changes, key: str, record: Any, _number: int) -> None:
    reference = words(key)
    if record.deleted:
        changes.drop(reference)
        return
    changes.drop(reference)  # a changed record replaces all it said before
    for name, text in record.fingerprints.items():
        kind = next((kind for kind in ("pdq", *DIGEST_BYTES) if kind == name.lower()), None)
        if kind is not None:
            _take(changes, kind, text, reference)


# StopNCII and Tech Against Terrorism: records are known by their hash, so references are numbers of our own --------


def _stopncii(source: Source) -> tuple[Any, type, Callable[[Changes, Any, Any, int], None]]:
    from threatexchange.exchanges.clients.stopncii.api import StopNCIIAPI, StopNCIICaseStatus
    from threatexchange.exchanges.fetch_state import FetchDelta
    from threatexchange.exchanges.impl.stop_ncii_api import StopNCIICheckpoint

    subscription, _, function = secret(source).partition(":")
    client = StopNCIIAPI(subscription, function, base_url_override=source.address.rstrip("/") or None)
    gone = (StopNCIICaseStatus.Withdrawn, StopNCIICaseStatus.Deleted)

    class Exchange:
        """As threatexchange's, but that withdrawn and deleted cases are: it compares their hash, not their state."""

        def fetch_iter(self, _kinds: Any, checkpoint: Any) -> Iterator[Any]:
            since = checkpoint.update_time if checkpoint is not None else StopNCIIAPI.DEFAULT_START_TIME
            for page in client.fetch_hashes_iter(start_timestamp=since):
                updates = {
                    (one.signalType.value, one.hashValue): None if one.hashStatus in gone else one
                    for one in page.hashRecords
                }
                yield FetchDelta(updates, StopNCIICheckpoint.from_stopncii_fetch(page))

    kinds: Mapping[str, Kind] = {"ImagePDQ": "pdq", "VideoMD5": "md5", "URL": "url"}
    return Exchange(), StopNCIICheckpoint, lambda *record: _take_valued("stopncii", kinds, *record)


def _tat(source: Source) -> tuple[Any, type, Callable[[Changes, Any, Any, int], None]]:
    from threatexchange.exchanges.clients.techagainstterrorism.api import TATHashListAPI
    from threatexchange.exchanges.impl.techagainstterrorism_api import TATCheckpoint, TATSignalExchangeAPI

    class Client(TATHashListAPI):
        BASE_URL = f"{source.address.rstrip('/')}/" if source.address else TATHashListAPI.BASE_URL

    class Exchange(TATSignalExchangeAPI):
        def get_client(self) -> Any:
            return Client(username=self.username, password=self.password)

    user, _, password = secret(source).partition(":")
    kinds: Mapping[str, Kind] = {"pdq": "pdq", "video_md5": "md5"}
    return Exchange(user, password), TATCheckpoint, lambda *record: _take_valued("tat", kinds, *record)


def _take_valued(
    api: str, kinds: Mapping[str, Kind], changes: Changes, key: tuple[str, str], record: Any, number: int
) -> None:
    kind = kinds.get(key[0])
    if kind is None:
        return
    if record is not None:
        _take(changes, kind, key[1], f"{api} {number}")
        return
    try:
        changes.drop_value(kind, value_of(Entry(kind, _value(kind, key[1]))))
    except ValueError as error:
        changes.bad.append(BadLine(f"record {number}", str(error)))


def _take(changes: Changes, kind: Kind, text: str, reference: str) -> None:
    try:
        changes.add(Entry(kind, _value(kind, text), reference=reference))
    except ValueError as error:
        changes.bad.append(BadLine(reference, str(error)))


def _value(kind: Kind, text: str) -> bytes:
    if kind == "url":
        return normalise(text).encode()
    size = PDQ_BYTES if kind == "pdq" else DIGEST_BYTES[kind]
    return hex_bytes(text.strip(), size, f"a value of kind {kind}")


def send_feedback(source: Source, reference: str, kind: Kind, verdict: str) -> bool:
    """Tell an exchange that an entry was confirmed, or matches what it should not; returns whether it can be told.

    Only NCMEC's interface knows an entry by its reference; of the others the owner is told by the exported file.

    Raises
    ------
    ListError
        If the exchange cannot be used.
    """
    if source.api != "ncmec" or kind not in ("pdq", "md5", "sha1"):
        return False
    from threatexchange.exchanges.clients.ncmec.hash_api import FeedbackType, FingerprintType

    member, _, entry = reference.partition("-")
    votes = {"confirmed": FeedbackType.upvote, "false-positive": FeedbackType.downvote}
    try:
        ncmec_client(source).submit_feedback(int(member), entry, FingerprintType[kind], votes[verdict])
    except LightshipError:
        raise
    except Exception as error:
        raise ListError(
            f"The exchange did not take the feedback: {_said(error)}.", source.api, "Try again later."
        ) from error
    return True
