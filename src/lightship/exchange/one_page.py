"""Pages of one file: everything inside, nothing fetched, no script or style but those that their hashes name."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def page(
    title: str, body: str, styles: Sequence[tuple[str, str]], scripts: Sequence[str] = (), data: Any = None
) -> bytes:
    """Return a whole page.

    Parameters
    ----------
    body
        Markup, escaped where it holds data.
    styles
        The text of each, and its element's id; empty for none.
    scripts
        Their text; each runs once the page is there.
    data
        What the scripts read, as JSON.
    """
    named = "".join(_style(css, id_) for css, id_ in styles)
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    worn = " ".join(_hash(css) for css, _ in styles)
    policy = (
        f"default-src 'none'; style-src {worn}; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    run = "".join(f"<script>{script}</script>\n" for script in scripts)
    listed = "" if data is None else f'<script type="application/json" id="data">{_inert(data)}</script>\n'
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n{named}\n</head>\n<body>\n{body}\n{listed}{run}</body>\n</html>\n"
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
    numbers
        Columns set to the right.
    wide
        Columns of running text.
    """
    kinds = dict.fromkeys(numbers, ' class="n"') | dict.fromkeys(wide, ' class="wide"')
    head = "".join(
        f'<th scope="col"{kinds.get(index, "")}>{escape(one)}</th>' for index, one in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{kinds.get(index, "")}>{cell}</th>'
            if index == 0
            else f"<td{kinds.get(index, '')}>{cell}</td>"
            for index, cell in enumerate(row)
        )
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a list; the values are markup."""
    return (
        '<dl class="facts">'
        + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs)
        + "</dl>\n"
    )


def _style(css: str, id_: str) -> str:
    return f'<style id="{id_}">{css}</style>' if id_ else f"<style>{css}</style>"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _inert(data: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    return (
        json.dumps(data, ensure_ascii=False, sort_keys=True)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
    )
