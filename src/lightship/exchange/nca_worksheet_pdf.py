"""The same worksheet as a PDF, for who must hand over a file; made by fpdf2, with a font that this machine has.

The HTML is the original. A character that the font lacks is written as its number, ``[U+5B59]``, and never left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lightship.core.duties import Fields, NotHeld
from lightship.core.errors import InputError
from lightship.exchange.nca_worksheet import Heading
from lightship.exchange.schedule1 import FieldList

_WIDTHS_MM = (62, 118)
_ROW = 1500  # characters: some 25 lines


def worksheet_pdf(fields: Fields, form: FieldList, heading: Heading, day: date) -> bytes:
    """Return the worksheet as a PDF: A4, in the same order as the page of HTML.

    Raises
    ------
    InputError
        If no font is found.
    """
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime.fromisoformat(heading.made_at))
    pdf.set_lang("en-GB")
    title = f"Supplement to {heading.supplement_of}" if heading.supplement_of else form.title
    pdf.set_title(f"{title}: {heading.filing}")
    font = _font()
    pdf.add_font("sheet", fname=str(font))
    known = _characters(font)

    def shown(text: str) -> str:
        return "".join(c if ord(c) in known or c in "\n\t" else f"[U+{ord(c):04X}]" for c in text)

    def lines(text: str, size: float, gap: float) -> None:
        pdf.set_font("sheet", size=size)
        pdf.multi_cell(0, size * 0.5, shown(text), new_x="LMARGIN", new_y="NEXT")
        pdf.ln(gap)

    pdf.add_page()
    lines(title, 15, 2)
    lines(f"Enter it in: {form.where}.", 9.5, 1)
    for one in heading.prompts:
        lines(f"! {one}", 10.5, 1)
    lines("If this report has been entered already, do not enter it again: record its reference.", 9.5, 1)
    supplements = heading.supplement_of or "nothing: it is the first"
    _table(
        pdf,
        "This report",
        {"Our name of it": heading.filing, "Made": heading.made_at, "Supplements": supplements},
        shown,
    )
    for group, said in form.groups.items():
        rows = {one.says: _value(fields, one.id) for one in form.on(day) if one.group == group}
        if rows:
            _table(pdf, said, rows, shown)
    if heading.files:
        _table(pdf, "Files to upload", {name: f"SHA-256 {sha}" for name, sha in heading.files}, shown)
    _table(
        pdf,
        "Declaration",
        {"What the person who sends it says": form.declaration, "Reference that came back": ""},
        shown,
    )
    lines(
        f"Fields: {form.name}, {form.version}. [U+…]: a character that this font lacks; the HTML holds it.",
        8,
        0,
    )
    return bytes(pdf.output())


def _table(pdf: Any, said: str, rows: Mapping[str, str], shown: Any) -> None:
    pdf.set_font("sheet", size=12)
    pdf.ln(2)
    pdf.cell(0, 7, shown(said), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("sheet", size=9.5)
    with pdf.table(
        col_widths=_WIDTHS_MM, text_align="LEFT", first_row_as_headings=False, line_height=5
    ) as table:
        for name, value in rows.items():
            for at, part in enumerate(_parts(shown(value))):  # a row has to fit on a page
                row = table.row()
                row.cell(shown(name) if at == 0 else "")
                row.cell(part)


def _parts(text: str) -> list[str]:
    lines = [line[at : at + _ROW] for line in text.split("\n") for at in range(0, max(len(line), 1), _ROW)]
    return lines or [""]


def _value(fields: Fields, name: str) -> str:
    one = fields[name]
    if isinstance(one, NotHeld):
        return f"Not held: {one.because}"
    return "\n".join(one.value) if isinstance(one.value, tuple) else one.value


def _font() -> Path:
    """Return DejaVu Sans: matplotlib, which this package needs anyway, brings it."""
    found = importlib.util.find_spec("matplotlib")
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.exists():
            return path
    raise InputError("No font for a PDF was found.", "matplotlib", "Use the worksheet's HTML.")


def _characters(font: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(str(font)) as opened:
        return frozenset(opened.getBestCmap())
