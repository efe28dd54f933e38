"""Wires the server of signed packs and their log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from lightship.app_serving import run
from lightship.console.logs import quiet_server
from lightship.console.server import Server, config_of
from lightship.console.static_log import static_log
from lightship.core.errors import InputError


def serve(folder: Path, host: str, port: int, listening: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Raises
    ------
    InputError
        If the folder holds no log, or the address cannot be served.
    """
    if not any((folder / name).exists() for name in ("checkpoint", "log", "metadata")):
        raise InputError("There is no log and there are no packs here.", str(folder), "Name their folder.")
    quiet_server()
    server = Server(config_of(static_log(folder), host, port, arrive_s=10.0, end_s=5.0))

    threading.Thread(target=lambda: listening(server.address(10.0)), daemon=True).start()
    run(server)
