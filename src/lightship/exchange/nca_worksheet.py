"""The worksheet that a person enters in the NCA's portal: every field in its order, to read, copy and print.

The NCA takes reports by its portal or its API and by nothing else (SI 2026/268, reg 6(2)). No specification of the API
is public, so there is a slot for it and no guess: :class:`lightship.duties.filing.Carrier` is its port, ``"nca-api"``
its name. One page of HTML with nothing from elsewhere, that prints as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

from lightship.core.duties import Fields, Held, NotHeld
from lightship.exchange.schedule1 import FieldList

API_SLOT = "nca-api"
"""The adapter's name for when the NCA publishes its API."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the fields.

    Parameters
    ----------
    filing
        Our own name of the report.
    supplement_of
        The reference of the report that this one supplements; empty for a first one.
    files
        What is to be uploaded in the portal: name and SHA-256 of each.
    prompts
        What a person must know before they begin, such as to call 999 first.
    """

    filing: str
    made_at: str
    supplement_of: str = ""
    files: tuple[tuple[str, str], ...] = ()
    prompts: tuple[str, ...] = ()


_STYLE = """
:root { color-scheme: light; }
body { font: 1rem/1.5 Arial, Helvetica, sans-serif; color: #0b0c0c; background: #fff; margin: 2rem auto;
  max-width: 54rem; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
th, td { border-bottom: 1px solid #505a5f; padding: 0.4rem 0.6rem 0.4rem 0; text-align: left; vertical-align: top; }
th { width: 38%; font-weight: 700; }
td { white-space: pre-wrap; overflow-wrap: anywhere; }
td ul { margin: 0; padding-left: 1.2rem; }
.none { color: #383f43; font-style: italic; }
.first { border-left: 0.4rem solid #d4351c; padding: 0.3rem 1rem; margin: 1rem 0; }
.line { border-bottom: 2px solid #0b0c0c; display: block; min-height: 2.2rem; }
code { font: 0.85rem/1.4 "Courier New", monospace; overflow-wrap: anywhere; }
@page { size: A4; margin: 18mm 15mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; }
  tr, h2, .first { break-inside: avoid; } h2 { break-after: avoid; } }
"""


def worksheet(fields: Fields, form: FieldList, heading: Heading, day: date) -> str:
    """Return the worksheet as a page of HTML.

    Parameters
    ----------
    fields
        All of the list's, as :func:`lightship.exchange.schedule1.complete` returns them.
    """
    supplement = heading.supplement_of
    title = f"Supplement to {supplement}" if supplement else form.title
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en-GB"><head><meta charset="utf-8"><title>{escape(title)}: {escape(heading.filing)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        f"<p>Enter it in: {escape(form.where)}.</p>",
        *(f'<p class="first"><strong>{escape(one)}</strong></p>' for one in heading.prompts),
        '<p class="first">If this report has been entered already, do not enter it again: record its reference.</p>',
        _table(
            "This report",
            {
                "Our name of it": heading.filing,
                "Made": heading.made_at,
                "Supplements": supplement or "nothing: it is the first",
            },
        ),
    ]
    for group, said in form.groups.items():
        rows = [
            f'<tr><th scope="row">{escape(one.says)}</th><td>{_value(fields[one.id])}</td></tr>'
            for one in form.on(day)
            if one.group == group
        ]
        if rows:
            parts.append(f"<h2>{escape(said)}</h2><table><tbody>{''.join(rows)}</tbody></table>")
    if heading.files:
        items = "".join(
            f"<li>{_bdi(name)}<br><code>SHA-256 {escape(sha)}</code></li>" for name, sha in heading.files
        )
        parts.append(f"<h2>Files to upload</h2><ol>{items}</ol>")
    parts += [
        "<h2>Declaration</h2>",
        f"<p>{escape(form.declaration)}</p>",
        "<h2>The reference that came back</h2>",
        '<p>Write it here, and record it: <code>lightship duties report reference</code>.</p><p class="line"></p>',
        f"<p>Fields: {escape(form.name)}, {escape(form.version)}. Source: {escape(form.source)}.</p>",
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(said: str, rows: Mapping[str, str]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_bdi(value)}</td></tr>' for name, value in rows.items()
    )
    return f"<h2>{escape(said)}</h2><table><tbody>{cells}</tbody></table>"


def _value(one: Held | NotHeld) -> str:
    if isinstance(one, NotHeld):
        return f'<span class="none">Not held: {escape(one.because)}</span>'
    if isinstance(one.value, tuple):
        return f"<ul>{''.join(f'<li>{_bdi(each)}</li>' for each in one.value)}</ul>"
    return _bdi(one.value)


def _bdi(text: str) -> str:
    """Return a text that cannot turn round what stands beside it, whichever way its script runs."""
    return f"<bdi>{escape(text)}</bdi>"
