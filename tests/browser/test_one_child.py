"""A stop, an alert and a tip have come in: an analyst makes one case of them at the console, and sends it, child first."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from lightship.cli import typed
from lightship.core.casework import Dissemination, Inquiry, Marking, Use
from lightship.core.release import Partner
from lightship.demo.casework import COVERT, HOST, Day
from tests.browser.desk import Person, Server
from tests.unit.console.casework import body
from tests.unit.console.making import Clock

GRADE = Marking(tlp="amber", pap="amber")


@pytest.fixture
def day(tmp_path):
    """Four houses after a day: what came in is linked as far as a machine may, and the covert unit has a notice."""
    one = Day(tmp_path, tmp_path / "kept", Console(file=io.StringIO()), typed)
    (tmp_path / "kept").mkdir()
    assert [claim for claim, held, _ in (*one.come(), one.asked()) if not held] == []
    one.mark()
    one.typed(one.body, "cases", "link")
    one.age = one.typed(one.partner, "share", "identity", str(one.partner / "pack.key")).strip()
    one.typed(one.body, "share", "signing-key", str(one.body / "house.key"), "--name", "body.example/sharing")
    return one


def test_three_become_one_with_the_child_first_and_go_to_the_partner(browser, day, tmp_path):
    partners = {
        way: Partner(way, f"A unit abroad by {way}", GRADE, language="fil", age=day.age)
        for way in ("abroad", "online")
    }
    made = body(day.body / "cases", Clock(datetime.now(UTC)), partners=partners, key=day.body / "house.key")
    with Server(made) as running, Person(browser, running, "ben") as ben:
        page = ben.page
        ben.go("/cases")
        assert "3 open" in page.content()
        for _ in range(2):
            ben.go("/links")
            page.focus("main a[data-first]")
            page.keyboard.press("Enter")
            page.wait_for_selector("text=What else would explain it")
            page.check("#said-yes")
            page.fill("#why", "The same account; the partner names both.")
            page.keyboard.press("Enter")
            page.wait_for_selector("text=Their cases are one by it")
        assert ben.axe() == []
        ben.go("/links")
        page.wait_for_selector("text=No link waits for review.")
        ben.go("/cases")
        top = page.locator("main section").first.inner_text()
        assert f"handle {HOST}" in top, "which child"
        assert "A live stream is running" in top, "why we think so"
        assert "Call the on-call safeguarding lead" in top, "what to do next"
        page.focus("main a[data-first]")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Take it from intake desk")
        case = page.url.rpartition("/")[2]
        for source in ("Example Live", "Example Bank", "A unit abroad"):
            assert source in page.content()
        assert not any(one in page.content() for one in COVERT.split(","))
        assert ben.axe() == []
        for to, way in (("abroad", "pack"), ("online", "taxii")):
            ben.go(f"/cases/{case}/preview?to={to}")
            page.click("text=Send it…")
            page.check(f"input[value={way}]")
            page.fill("#s-why", "The payer lives there.")
            page.check("#s-sure")
            if way == "pack":
                with page.expect_download() as got:
                    page.click("main button:has-text('Send it')")
                got.value.save_as(tmp_path / "case.pack")
            else:
                page.click("main button:has-text('Send it')")
                page.wait_for_selector("text=not acknowledged yet")
        assert ben.go("/unit").status == 404
        ben.faults.clear()  # the browser's own line of the 404
    (one,) = [each for each in made.all(Inquiry) if not each.merged_into]
    assert one.urgency == 1
    assert {each.way for each in made.all(Dissemination)} == {"pack", "taxii"}
    assert all(HOST in each.content for each in made.all(Dissemination))
    assert len(made.all(Use, verb="disclosure", by="ben")) == 2
    opening = ("--identity", str(day.partner / "pack.key"), "--sender", str(day.body / "house.pub"))
    day.typed(
        day.partner, "share", "open", str(tmp_path / "case.pack"), *opening, "--out", str(tmp_path / "opened")
    )
    assert HOST in (tmp_path / "opened" / "read.html").read_text("utf-8")
    assert json.loads(day.typed(day.unit, "deconflict", "desk", "--by", "Fir"))["asker"] == "body.example"
