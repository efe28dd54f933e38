"""python-tuf's client without its network: a device reads packs from files.

The client's package imports an HTTP library, which opens a socket when it is imported, to see whether there is IPv6.
Where packs are verified no socket is opened, so a module that does nothing stands in its place.
"""

from __future__ import annotations

import sys
from types import ModuleType

_NAME = "tuf.ngclient.urllib3_fetcher"


class Urllib3Fetcher:
    """Fetches nothing."""

    def __init__(self, **_options: object) -> None:
        raise NotImplementedError("Packs are read from files; `lightship packs fetch` brings them.")


if _NAME not in sys.modules:
    _stand_in = ModuleType(_NAME)
    vars(_stand_in)["Urllib3Fetcher"] = Urllib3Fetcher
    sys.modules[_NAME] = _stand_in

from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig  # noqa: E402 - after the stand-in

__all__ = ["FetcherInterface", "Updater", "UpdaterConfig"]
