"""Serves an application until it is interrupted; one way for every server of ours that stands alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from lightship.app import interruptible
from lightship.console.gate import Limits
from lightship.console.server import Server, config_of
from lightship.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Serving:
    """How and where to serve.

    Parameters
    ----------
    host, port
        Where; port 0 takes any that is free.
    certificate, key
        TLS; both or none.
    plain
        Serve without TLS on an address that others can reach, because a proxy before it does TLS.
    limits
        Bounds on a request.
    """

    host: str = "127.0.0.1"
    port: int = 8086
    certificate: Path | None = None
    key: Path | None = None
    plain: bool = False
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """Refuse to carry tokens in the open.

        Raises
        ------
        InputError
            If others could read along.
        """
        if (self.certificate is None) != (self.key is None):
            raise InputError("TLS needs a certificate and its key.", "", "Give both, or neither.")
        try:
            local = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            local = self.host == "localhost"
        if not (local or self.certificate or self.plain):
            what = "Tokens and hashes would cross the network unencrypted."
            todo = "Give --tls-certificate and --tls-key, or --plain behind a proxy that does TLS."
            raise InputError(what, self.host, todo)

    def config(self, app: Any) -> uvicorn.Config:
        """Return the settings of a server for an application."""
        return config_of(
            app,
            self.host,
            self.port,
            arrive_s=self.limits.arrive_s,
            end_s=self.limits.answer_s,
            ssl_certfile=self.certificate,
            ssl_keyfile=self.key,
        )


def run(server: Server) -> None:
    """Serve until interrupted; then answer what is under way.

    Raises
    ------
    InputError
        If the address cannot be served.
    """
    try:
        with interruptible(server.stop):
            server.run()
    except SystemExit as error:  # uvicorn's way of saying that it cannot have the address
        what = f"The address {server.config.host}:{server.config.port} cannot be served."
        raise InputError(what, "", "Is another service there? Choose another --port.") from error
