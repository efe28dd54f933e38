"""What the room's pages of one file share: their style, and that they are drafts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from lightship.exchange import one_page

DRAFT = "Draft for a trained person. A pattern is no proof; nothing here has been reported to anybody."
_CYTOSCAPE = (".__________cytoscape_container { position: relative; }", "__________cytoscape_stylesheet")


def part(name: str) -> str:
    """Return a file of the room that goes into pages."""
    return files("lightship.payments").joinpath(name).read_text(encoding="utf-8")


def page(title: str, body: str, scripts: Sequence[str] = (), data: Any = None) -> bytes:
    """Return a whole page in the room's style; see :func:`lightship.exchange.one_page.page`."""
    # the library would write its style itself, which the content policy forbids
    styles = [(part("page/page.css"), ""), *([_CYTOSCAPE] if scripts else [])]
    return one_page.page(title, body, styles, scripts, data)
