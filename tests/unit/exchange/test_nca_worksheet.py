"""The worksheet as a PDF: in order, on as many pages as it takes, and no character left out."""

import re
import zlib

from tests.unit.duties.reports import T0

from lightship import packs
from lightship.core.duties import Held
from lightship.exchange.nca_worksheet import Heading
from lightship.exchange.nca_worksheet_pdf import _characters, _font, worksheet_pdf
from lightship.exchange.schedule1 import complete, parse_fields

FORM = parse_fields(*packs.report_text("gb-schedule-1"))


def pdf(**held):
    fields = complete({name.replace("_", "-"): Held(value) for name, value in held.items()}, FORM, T0.date())
    return worksheet_pdf(
        fields, FORM, Heading("d1.1", T0.isoformat(), files=(("a.png", "0" * 64),)), T0.date()
    )


def test_the_same_report_is_the_same_file_and_long_values_take_further_pages():
    assert pdf(user_name="host7") == pdf(user_name="host7")
    pages = re.compile(rb"/Type /Page\b")
    assert len(pages.findall(pdf(connections=("x" * 900,) * 40))) > len(pages.findall(pdf())) >= 1


def test_what_the_font_has_is_written_and_what_it_lacks_is_numbered():
    known = _characters(_font())
    assert all(ord(c) in known for c in "Zoë Нина Ελένη")
    assert ord("孙") not in known
    drawn = b"".join(
        zlib.decompress(one)
        for one in re.findall(rb"stream\r?\n(x\x9c.*?)endstream", pdf(user_name="孙"), re.DOTALL)
    )
    assert drawn, "it is a page with something on it"
    assert pdf(user_name="孙") == pdf(user_name="[U+5B59]")
