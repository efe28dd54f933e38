"""An analyst at the body's console with a real browser: the first screen, a case without JavaScript, what axe finds."""

import pytest

from lightship.core.casework import Inquiry, Marking, Referral
from tests.browser.desk import Person, Server
from tests.unit.console.casework import body, referred


@pytest.fixture
def served(tmp_path):
    made = referred(body(tmp_path), marking=Marking(tlp="amber", pap="amber", originator="A sender"))
    with made.store.begin() as work:
        one = work.find(Referral, {"inquiry_id": made.inquiries[0]})[0]
        work.change(Referral, one.id, {}, narrative="Three viewers wrote within a minute.")
    made.narrative = f"/cases/{one.inquiry_id}/referrals/{one.id}"
    with Server(made) as running:
        yield running


def pages_of(made):
    first = f"/cases/{made.inquiries[0]}"
    preview = f"{first}/preview"
    return ("/cases", first, made.narrative, f"{preview}?to=abroad", f"{preview}?to=hotline")


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", (1280, 900)), ("dark", (1280, 900)), ("light", (400, 800)), ("light", (640, 450))],
)
def test_axe_finds_nothing_and_nothing_is_cut_off(browser, served, tmp_path, scheme, viewport):
    found, (width, height) = {}, viewport
    with Person(
        browser, served, "ann", color_scheme=scheme, viewport={"width": width, "height": height}
    ) as ann:
        ann.go(f"/cases/{served.made.inquiries[0]}")
        ann.page.click("text=Take it >> nth=0")
        ann.page.wait_for_selector("text=Hand it over")
        for number, path in enumerate(pages_of(served.made)):
            assert ann.go(path).status == 200, path
            for one in ann.page.query_selector_all("details.ls-fields > summary"):
                one.click()
            found[path] = ann.axe()
            ann.page.screenshot(path=tmp_path / f"cases-{number}-{scheme}-{width}.png", full_page=True)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert ann.page.evaluate(wide) <= 0, path
    assert {where: what for where, what in found.items() if what} == {}


def test_ann_works_the_first_case_without_javascript_and_by_keyboard_alone(browser, served):
    made = served.made
    first = made.inquiries[0]
    with Person(browser, served, "ann", java_script_enabled=False) as ann:
        page = ann.page
        ann.go("/cases")
        page.focus("main a[data-first]")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/cases/{first}")
        assert "Three viewers wrote" not in page.content()
        page.focus("text=Take it from intake desk")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Hand it over")
        assert made.one(Inquiry, first).owner == "ann"
        page.focus("details.ls-fields > summary >> nth=0")
        page.keyboard.press("Enter")
        page.focus("details[open] input[name=outcome]")
        page.keyboard.type("The child was seen and is safe.")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=The child was seen and is safe.")
        page.focus("text=Open what was written")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Three viewers wrote within a minute.")
