"""Documents of one file that can be read, printed and listened to: no script, nothing fetched, everything escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files

from lightship.exchange import one_page


def document(title: str, body: str) -> bytes:
    """Return a whole document in the room's style; the body is markup, escaped where it holds data."""
    css = files("lightship.duties").joinpath("record_book_page.css").read_text(encoding="utf-8")
    return one_page.page(title, body, [(css, "")])


def listed(items: Iterable[str], kind: str = "ul") -> str:
    """Return texts as a list; empty for none."""
    found = "".join(f"<li>{escape(one)}</li>" for one in items)
    return f"<{kind}>{found}</{kind}>\n" if found else ""


def note(words: str, items: Iterable[str] = ()) -> str:
    """Return what must not be overlooked."""
    return f'<div class="note" role="note"><p>{escape(words)}</p>{listed(items)}</div>\n'


def days(period: Mapping[str, str]) -> str:
    """Return the days of a period, and of which clock; of a document from before the days were named, those of UTC."""
    if "zone" not in period:
        return f"{period['begins'][:10]} to {period['ends'][:10]}, the latter not included, UTC"
    return f"{period['first_day']} to {period['last_day']}, days of {period['zone']}"


def code(text: str) -> str:
    """Return a digest or an id."""
    return f"<code>{escape(text)}</code>" if text else "–"


def picture(svg: bytes, said: str, caption: str) -> str:
    """Return a picture with what it shows in words."""
    data = base64.b64encode(svg).decode()
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(said)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )
