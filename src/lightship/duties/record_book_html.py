"""Documents of one file that can be read, printed and listened to: no script, nothing fetched, everything escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files


def document(title: str, body: str) -> bytes:
    """Return a whole document.

    Parameters
    ----------
    body
        Markup, escaped where it holds data.
    """
    css = files("lightship.duties").joinpath("record_book_page.css").read_text(encoding="utf-8")
    style = f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
    policy = f"default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Iterable[int] = (),
    wide: Iterable[int] = (),
) -> str:
    """Return a table whose cells are markup; the first cell of each row names it.

    Parameters
    ----------
    numbers, wide
        Columns set to the right, and columns of running text.
    """
    kinds = dict.fromkeys(numbers, ' class="n"') | dict.fromkeys(wide, ' class="wide"')

    def cells(row: Sequence[str]) -> str:
        first = f'<th scope="row"{kinds.get(0, "")}>{row[0]}</th>'
        return first + "".join(f"<td{kinds.get(n, '')}>{cell}</td>" for n, cell in enumerate(row[1:], 1))

    head = "".join(f'<th scope="col"{kinds.get(n, "")}>{escape(one)}</th>' for n, one in enumerate(heads))
    body = "".join(f"<tr>{cells(row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a list; the values are markup."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs) + "</dl>\n"


def listed(items: Iterable[str], kind: str = "ul") -> str:
    """Return texts as a list; empty for none."""
    found = "".join(f"<li>{escape(one)}</li>" for one in items)
    return f"<{kind}>{found}</{kind}>\n" if found else ""


def note(words: str, items: Iterable[str] = ()) -> str:
    """Return what must not be overlooked."""
    return f'<div class="note" role="note"><p>{escape(words)}</p>{listed(items)}</div>\n'


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
