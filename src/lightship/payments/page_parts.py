"""Pages of one file: everything inside, nothing fetched, no script or style but those that their hashes name."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

DRAFT = "Draft for a trained person. A pattern is no proof; nothing here has been reported to anybody."
_CYTOSCAPE_STYLE = ".__________cytoscape_container { position: relative; }"


def part(name: str) -> str:
    """Return a file of the room that goes into pages."""
    return files("lightship.payments").joinpath(name).read_text(encoding="utf-8")


def page(title: str, body: str, scripts: Sequence[str] = (), data: Any = None) -> bytes:
    """Return a whole page.

    Parameters
    ----------
    body
        Markup, escaped where it holds data.
    scripts
        Their text; each runs once the page is there.
    data
        What the scripts read, as JSON.
    """
    css = part("page/page.css")
    styles = [f"<style>{css}</style>"]
    hashes = [_hash(css)]
    if scripts:  # the library would write this style itself, which the content policy forbids
        styles.append(f'<style id="__________cytoscape_stylesheet">{_CYTOSCAPE_STYLE}</style>')
        hashes.append(_hash(_CYTOSCAPE_STYLE))
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    policy = (
        f"default-src 'none'; style-src {' '.join(hashes)}; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    run = "".join(f"<script>{script}</script>\n" for script in scripts)
    listed = "" if data is None else f'<script type="application/json" id="data">{_inert(data)}</script>\n'
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n{''.join(styles)}\n</head>\n<body>\n{body}\n{listed}{run}</body>\n</html>\n"
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


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _inert(data: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    return (
        json.dumps(data, ensure_ascii=False, sort_keys=True)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
    )
