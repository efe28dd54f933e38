"""A page that shows what was shared: one file, no script, nothing fetched, readable in any browser from a disk.

Narratives are closed until the reader opens them. All text from outside is escaped and isolated, so that neither markup
nor the direction of its script changes the page around it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from lightship.core.release import Released, Thing
from lightship.exchange.labels import Labels

_CSS = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#0b0c0c;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-block-start:2rem}
table{border-collapse:collapse;width:100%}
th,td{border-block-end:1px solid #b1b4b6;padding:.4rem .6rem;text-align:start;vertical-align:top}
td,dd,pre{overflow-wrap:anywhere}pre{white-space:pre-wrap;font:inherit;margin:.3rem 0}
dt{font-weight:700}dd{margin:0 0 .5rem}
summary{cursor:pointer;text-decoration:underline}
.scroll{overflow-x:auto}
"""


def page(released: Released, sender: str, at: str, words: Labels) -> bytes:
    """Return what was released as one HTML file.

    Parameters
    ----------
    at
        When it was sent, as it is to be shown.
    words
        The labels, in the reader's language.
    """
    style = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    inquiry = released.of("inquiry")
    body = [
        f"<h1>{escape(words['title'])}</h1>",
        _facts(
            (words["sender"], sender),
            (words["recipient"], released.recipient.title),
            (words["date"], at),
            *(
                (words[label], one.values.get(name, ""))
                for one in inquiry
                for label, name in (("kind", "title"), ("urgency", "urgency"), ("reasons", "reasons"))
            ),
            *((words["handling"], _marking(one)) for one in inquiry),
        ),
        _section(words, "referrals", (_told(one, words, "narrative") for one in released.of("referral"))),
        f"<h2>{escape(words['identifiers'])}</h2>",
        _identifiers(released.of("identifier"), words),
        _section(words, "links", (_link(one, words) for one in released.of("link"))),
        _section(words, "reports", (_told(one, words, "text") for one in released.of("report"))),
    ]
    return (
        f'<!doctype html>\n<html lang="{escape(words.code)}" dir="{words.direction}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(words['title'])}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    ).encode()


def _own(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"


def _marking(thing: Thing) -> str:
    one = thing.marking
    parts = (one.gsc, f"TLP:{one.tlp.upper()}", f"PAP:{one.pap.upper()}", one.handling, one.conditions)
    return ", ".join(filter(None, parts))


def _facts(*pairs: tuple[str, str]) -> str:
    rows = (f"<dt>{escape(label)}</dt><dd><pre>{_own(text)}</pre></dd>" for label, text in pairs if text)
    return f"<dl>{''.join(rows)}</dl>"


def _section(words: Labels, title: str, parts: Iterable[str]) -> str:
    inside = "".join(f"<section>{part}</section>" for part in parts) or f"<p>{escape(words['none'])}</p>"
    return f"<h2>{escape(words[title])}</h2>{inside}"


def _told(thing: Thing, words: Labels, closed: str) -> str:
    values = thing.values
    grade = "".join(values.get(name, "") for name in ("source_grade", "assessment"))
    shown = _facts(
        (words["source"], values.get("source", "") or values.get("source_reference", "")),
        (words["kind"], values.get("kind", "") or (f"3x5x2: {grade}" if grade else "")),
        (words["date"], values.get("happened_at", "") or values.get("made_at", "")),
        (words["reasons"], values.get("facts", "")),
        (words["handling"], _marking(thing)),
    )
    if not values.get(closed):
        return shown
    return f"{shown}<details><summary>{escape(words['show'])}</summary><pre>{_own(values[closed])}</pre></details>"


def _identifiers(things: tuple[Thing, ...], words: Labels) -> str:
    if not things:
        return f"<p>{escape(words['none'])}</p>"
    columns = (
        ("kind", "kind"),
        ("value", "value"),
        ("platform", "platform"),
        ("role", "role"),
        ("first", "first_at"),
        ("last", "last_at"),
    )
    head = "".join(f'<th scope="col">{escape(words[label])}</th>' for label, _ in columns)
    head += f'<th scope="col">{escape(words["marking"])}</th>'
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{_own(one.values.get(name, ''))}</td>" for _, name in columns)
        + f"<td>{_own(_marking(one))}</td></tr>"
        for one in things
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(words["identifiers"])}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _link(thing: Thing, words: Labels) -> str:
    values = thing.values
    return _facts(
        (words["kind"], f"{values.get('state', '')} {values.get('weight_db', '')} dB"),
        (words["reasons"], values.get("reasons", "")),
        (words["rival"], values.get("rival", "")),
        (words["handling"], _marking(thing)),
    )
