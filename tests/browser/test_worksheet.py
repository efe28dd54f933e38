"""The worksheet in a real browser: what axe finds, that it prints, and that it needs nothing from elsewhere."""

from axe_playwright_python.sync_playwright import Axe

from lightship.duties.filing_report import draft_worksheet
from tests.unit.duties.reports import T0
from tests.unit.duties.test_report import FORM, SERVICE, TOLD, fields_of_case, filing, records


def test_the_worksheet_is_accessible_alone_and_prints_on_a4(browser, tmp_path):
    mine = records()
    fields = fields_of_case(mine, SERVICE, TOLD, FORM)
    draft = draft_worksheet(
        filing(mine), mine, fields, FORM, T0, ("A child is in danger now: call 999 first.",)
    )
    path = tmp_path / "sheet.html"
    path.write_text(draft.snapshot.body, encoding="utf-8")
    asked = []
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.on("request", lambda one: asked.append(one.url))
    page.goto(path.as_uri())
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing is cut off when narrow"
    )
    assert asked == [path.as_uri()]
    page.emulate_media(media="print")
    assert page.pdf(format="A4").startswith(b"%PDF-")
    page.close()
