"""The web server's protocol with what it lacks: bounds on the time a request's head may take, and on its length."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lightship.core.errors import InputError

MOST_HEAD = 16_384
"""Bytes that a request's head may have, or anything else that the parser must hold until it is whole."""
MOST_WAITING = 8
"""Requests of one connection that may wait for those before them."""


class Hurried(HttpToolsProtocol):
    """Hangs up on who has not sent a request's whole head within :attr:`arrive_s` seconds, or makes it too long."""

    arrive_s = 10.0
    _waiting: asyncio.TimerHandle | None = None
    _held = 0
    _told = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest, if this is not all; of what is too long no more is kept."""
        self._held += len(data)
        super().data_received(data)
        if self._held > MOST_HEAD:
            self.transport.close()
        self._watch()

    def on_message_begin(self) -> None:
        """Begin to count, unless too many wait already."""
        if len(self.pipeline) >= MOST_WAITING:
            raise ValueError("too many requests wait")
        super().on_message_begin()
        self._told = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse a head that is too long although it came at once."""
        super().on_header(name, value)
        self._told += len(name) + len(value)
        if self._told + len(self.url) > MOST_HEAD:
            raise ValueError("the head is too long")

    def on_headers_complete(self) -> None:
        """Hold nothing of a head that is whole."""
        self._held = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on, and hold nothing of it."""
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Hold nothing of a request that is whole."""
        self._held = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._under_way() or self.transport.get_protocol() is not self:
            self._calm()  # its head is here: the gate bounds what follows, or it has become a WebSocket
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.arrive_s, self._hang_up)

    def _calm(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _hang_up(self) -> None:
        self._waiting = None
        if not self._under_way():
            self.transport.close()

    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def hurried(arrive_s: float) -> type[HttpToolsProtocol]:
    """Return a protocol that waits so many seconds."""
    return type("Hurried", (Hurried,), {"arrive_s": arrive_s})


def config_of(
    app: Any, host: str, port: int, *, arrive_s: float, end_s: float, **more: Any
) -> uvicorn.Config:
    """Return the settings of a server of ours: no WebSocket unless asked for, no log and no header of its own.

    Parameters
    ----------
    arrive_s
        Seconds that a request's head may take.
    end_s
        Seconds that requests under way have left when it ends.
    more
        As for ``uvicorn.Config``: the TLS files, the kind of WebSocket.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=hurried(arrive_s),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(end_s),
        **{"ws": "none", **more},
    )


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it (uvicorn would die of them) and says where it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.servers = []  # uvicorn names it only once it listens
        self._listening = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        """Note that it listens."""
        try:
            await super().startup(sockets)
        finally:
            self._listening.set()

    def stop(self) -> None:
        """Answer what is under way, and end."""
        self.should_exit = True

    def where(self) -> tuple[str, int]:
        """Return the host and port at which it listens."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return str(host), int(port)

    def address(self, wait_s: float) -> str:
        """Return the address once it listens.

        Raises
        ------
        InputError
            If it does not.
        """
        self._listening.wait(wait_s)
        if not self.servers:
            where = f"{self.config.host}:{self.config.port}"
            raise InputError(
                "The address cannot be served.", where, "Is another service there? Choose another port."
            )
        host, port = self.where()
        return f"http://{host}:{port}"


class Announced(Server):
    """Puts where it listens into the log once it does: scripts, tests and people wait for that."""

    def __init__(self, config: uvicorn.Config, log: Any) -> None:
        super().__init__(config)
        self._log = log

    def facts(self) -> dict[str, Any]:
        """Return what else is said then."""
        return {}

    async def startup(self, sockets: Any = None) -> None:
        """Say where it listens."""
        await super().startup(sockets)
        if self.servers:
            host, port = self.where()
            self._log.info("serving", host=host, port=port, **self.facts())
            sys.stderr.flush()
