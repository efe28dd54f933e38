"""An analyst at the body's console with a real browser: the first screen, a case, a link, without JavaScript, and axe."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lightship.casework import desk
from lightship.core.casework import Dissemination, Identifier, Inquiry, Link, Marking, Referral
from lightship.core.markings import marking_json
from tests.browser.desk import CONTRAST, Person, Server, seen_as, shot, wide
from tests.unit.console.casework import body, linked, referred, suspects


@pytest.fixture
def served(tmp_path):
    made = referred(body(tmp_path), marking=Marking(tlp="amber", pap="amber", originator="A sender"))
    first, now = made.inquiries[0], made.clock()
    with made.store.begin() as work:
        one = work.find(Referral, {"inquiry_id": first})[0]
        work.change(Referral, one.id, {}, narrative="Three viewers wrote within a minute.")
        # a second referral of the same case, in which one identifier stands again and a third is another's
        again = replace(one, id="again", reference="P-7", sender="A partner", original="1" * 64, narrative="",
                        received_at=now - timedelta(hours=30))  # fmt: skip
        work.save(again)
        for number, each in enumerate(work.find(Identifier, {"referral_id": one.id})[:4]):
            work.save(replace(each, id=f"again{number}", referral_id="again", person=f"again/{each.role}-9"))
        work.save(Dissemination("d1", first, "abroad", "pack", now - timedelta(hours=2), "ben", "", "0" * 64))
        desk.add_task(work, first, "preserve", "Ask the platform to keep the account’s records.",
                      now + timedelta(days=20), "18 U.S.C. 2258A(h)", by="ben", now=now)  # fmt: skip
    made.narrative = f"/cases/{first}/referrals/{one.id}"
    made.persons = suspects(made)
    made.link = linked(made, *made.persons)
    with Server(made) as running:
        yield running


def pages_of(made):
    first = f"/cases/{made.inquiries[0]}"
    preview = f"{first}/preview"
    return (
        "/cases", first, made.narrative, f"{preview}?to=abroad", f"{preview}?to=hotline", "/links", f"/links/{made.link}"
    )  # fmt: skip


def test_axe_finds_nothing_in_the_light_in_the_dark_or_narrow_and_nothing_is_cut_off(browser, served):
    found = {}
    with Person(browser, served, "ann", color_scheme="light") as ann:

        def looked_at(name):
            for one in ann.page.query_selector_all("details > summary"):
                one.click()
            found[name] = ann.axe()
            shot(ann.page, f"cases-{len(found)}-light-1280")
            assert wide(ann.page) <= 0, name
            with seen_as(ann.page, scheme="dark"):
                found[name] += ann.axe(CONTRAST)
                shot(ann.page, f"cases-{len(found)}-dark-1280")
            with seen_as(ann.page, width=400, height=800):
                found[name] += ann.axe()
                shot(ann.page, f"cases-{len(found)}-light-400")
                assert wide(ann.page) <= 0, name

        ann.go(f"/cases/{served.made.inquiries[0]}")
        ann.page.click("text=Take it >> nth=0")
        ann.page.wait_for_selector("text=Hand it over")
        for path in pages_of(served.made):
            assert ann.go(path).status == 200, path
            looked_at(path)
        sought(ann, "kid_1")
        looked_at("a search")
        with served.made.store.begin() as work:
            for one in work.find(Referral, {"inquiry_id": served.made.inquiries[0]}):
                work.change(Referral, one.id, {}, marking=marking_json(Marking(tlp="red")))
        for path in ("/cases", f"/cases/{served.made.inquiries[0]}"):
            ann.go(path)
            ann.page.wait_for_selector("text=bove your clearance")
            looked_at(f"{path}, above her clearance")
    assert {where: what for where, what in found.items() if what} == {}


def sought(ann, words):
    ann.go("/cases")
    ann.page.focus("#words")
    ann.page.keyboard.type(words)
    ann.page.keyboard.press("Enter")
    ann.page.wait_for_selector("h1:has-text('Find a case')")


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
        page.focus("details.govuk-details > summary")
        page.keyboard.press("Enter")
        page.wait_for_selector("td:has-text('Sent to abroad (pack) by ben')")
        page.focus("text=Open what was written")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Three viewers wrote within a minute.")


def test_ann_finds_a_case_and_decides_a_link_without_javascript_and_by_keyboard_alone(browser, served):
    made = served.made
    with Person(browser, served, "ann", java_script_enabled=False) as ann:
        page = ann.page
        sought(ann, "KID_1")
        page.focus("main a[data-first]")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/cases/{made.inquiries[0]}")
        ann.go("/links")
        page.focus("main a[data-first]")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/links/{made.link}")
        page.focus("#said-yes")
        page.keyboard.press("Space")
        page.focus("#why")
        page.keyboard.type("Same bank card, same device.")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Their cases are one by it")
        assert made.one(Link, made.link).state == "accepted"
        page.focus("#undo-why")
        page.keyboard.type("Two brothers share the card.")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=because: Two brothers share the card.")
        assert "Undo the link" not in page.content()
        assert made.one(Link, made.link).state == "refused", "her own yes is gone"
