"""Live updates as server-sent events: that something changed, and of what kind; never what, so that nothing leaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from lightship.console.room import WatchRoom
from lightship.console.visits import Visit
from lightship.core.ports import Bus

_ENDS_S = 25.0
"""A stream of events ends before the gate would end it; browsers come again by themselves."""
_BEAT_S = 10.0


class Live:
    """Passes on the bus's topics to whoever has a page open; one thread listens for all.

    Parameters
    ----------
    topics
        Those that pages are told of.
    """

    def __init__(self, bus: Bus, topics: tuple[str, ...]) -> None:
        self._bus, self._topics = bus, topics
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[str]]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[str]]:
        """Listen for the topics that change."""
        one = (asyncio.get_running_loop(), asyncio.Queue[str](100))
        with self._lock:
            self._listeners.add(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        try:
            yield one[1]
        finally:
            with self._lock:
                self._listeners.discard(one)

    def _run(self) -> None:
        """Listen for as long as anybody has a page open."""
        with self._bus.subscribe(*self._topics) as messages:
            for message in messages:
                with self._lock:
                    listeners = tuple(self._listeners)
                    if not listeners:
                        self._thread = None
                        return
                if message is not None:
                    topic = str(message.get("topic", ""))
                    told = topic if topic in self._topics else "all"
                    for loop, queue in listeners:
                        _tell(loop, queue, told)


def _tell(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[str], topic: str) -> None:
    def put() -> None:
        if not queue.full():  # a page that many changes wait for loads itself anew anyway
            queue.put_nowait(topic)

    if not loop.is_closed():
        loop.call_soon_threadsafe(put)


def routes(room: WatchRoom) -> APIRouter:
    """Return the stream of events."""
    router = APIRouter()
    own = room.visitor("own-shift", "own-shift")
    live = Live(room.bus, room.settings.topics)

    @router.get("/events", include_in_schema=False)
    async def events(_visit: Visit = own) -> StreamingResponse:
        return StreamingResponse(_events(live), media_type="text/event-stream")

    return router


async def _events(live: Live) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + _ENDS_S
    with live.listening() as queue:
        yield b"retry: 1000\n\n"
        while (left_s := ends - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left_s, _BEAT_S)):
                    topic = await queue.get()
                yield f"event: changed\ndata: {topic}\n\n".encode()
            except TimeoutError:
                yield b": still here\n\n"
