"""A moderator's, a lead's, an auditor's and an administrator's day at the console, in a real browser."""

import json
import socket
import time
from pathlib import Path

from lightship.console.oidc import Oidc
from lightship.core.cases import Case
from lightship.core.people import Look, Shift
from tests.browser.desk import Person, Server, axe, begin_shift, shot, until
from tests.unit.console.making import case_like, console, exhibit, full, still
from tests.unit.console.provider import CLIENT, SECRET, provider


def test_a_moderators_day(browser, served, tmp_path):
    made = served.made
    with Person(browser, served, "mo") as mo:
        page = mo.page
        assert "Begin your shift first" in page.text_content("main")
        begin_shift(mo)
        mo.go("/queue")
        first = page.locator(".ls-item").first
        assert "Child in danger now" in first.text_content()
        page.click("text=Give me the next item")
        assert page.url.endswith("/items/c1")
        assert made.all(Look)
        assert not page.query_selector(".ls-still__clear")

        with page.expect_response("**/blurred") as blur:
            page.click("text=Show blurred")
        assert blur.value.headers["content-type"] == "image/png"
        hold = page.get_by_text("Hold to see clearly")
        box = hold.bounding_box()
        page.mouse.move(box["x"] + 10, box["y"] + 10)
        page.mouse.down()
        page.wait_for_selector(".ls-still__clear")
        shot(page, "item-held")
        made.clock.on(seconds=3)
        page.mouse.up()
        page.wait_for_selector("text=Covered again after 3 s")
        assert not page.query_selector(".ls-still__clear")
        shift = next(one for one in made.all(Shift) if one.account == "mo")
        assert (shift.items, shift.seconds) == (1, 3.0)

        page.focus('[data-do="hold"]')
        page.keyboard.down(" ")
        page.wait_for_selector(".ls-still__clear")
        page.keyboard.up(" ")
        page.wait_for_selector(".ls-still__clear", state="detached")
        page.click('[data-do="timed"]')
        page.wait_for_selector(".ls-still__clear")
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        page.wait_for_selector(".ls-still__clear", state="detached")

        page.check('[data-choice="1"]')
        page.select_option("#judge-clause", "abuse-live")
        page.select_option("#judge-reason", "seen")
        page.click("text=Decide, and give me the next")
        page.wait_for_url("**/items/c0?decided=c1")
        assert made.one(Case, "c1").state == "decided"

        page.check('[data-choice="2"]')
        page.select_option("#judge-clause", "none")
        page.select_option("#judge-reason", "known-hash")
        page.click("text=Decide >> nth=-1")
        page.wait_for_url("**/queue?decided=c0")
        page.click("button >> text=Undo")
        page.wait_for_url("**/items/c0")
        assert made.one(Case, "c0").state == "open"
        mo.go("/shift")
        assert "1 of them unseen" in page.text_content("main")
        page.click("text=Take a break now")
        page.wait_for_selector("text=You are on a break")
        shot(page, "break")
        mo.faults.clear()
        assert mo.go("/items/c0").status == 403
        mo.faults.clear()  # the browser's own word on the 403


def test_a_leads_and_an_auditors_day(browser, served, tmp_path):
    made = served.made
    judged = made.desk.claim("c1", "mo", made.clock())
    made.desk.judge(judged.id, "mo", made.clock(), verdict="abuse", clause="abuse-live", reason="seen")
    with Person(browser, served, "lee") as lee:
        page = lee.page
        begin_shift(lee)
        lee.go("/items/c1")
        assert "Waits for a second person" in page.text_content("main")
        page.click("text=I agree")
        page.wait_for_selector("text=Second person: lee")
        assert "stop-stream" in page.text_content("main")
        page.click("text=Take in an appeal")
        page.fill("#appeal-words", "It was a film.")
        page.click("text=Take in the appeal")
        page.wait_for_selector("text=Appealed")
        assert not page.query_selector("text=Answer the appeal")  # lee had a part in it
    with Person(browser, served, "ada") as ada:
        ada.go("/audit")
        assert "lee agreed as the second person to an effect of case c1." in ada.page.text_content("main")
        ada.page.click("text=Verify the whole record")
        ada.page.wait_for_selector("text=Verified:")
        with ada.page.expect_download() as copy:
            ada.page.click("text=Take a copy")
        lines = Path(copy.value.path()).read_text().splitlines()
        assert json.loads(lines[0])["entry"] == 0
        ada.go("/items/c1")
        assert not ada.page.query_selector("figure")


def test_a_day_by_keyboard_alone(browser, served):
    with Person(browser, served, "nia") as nia:
        page = nia.page
        begin_shift(nia)
        nia.go("/queue")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "/items/c0"
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/c0")
        page.focus("text=Claim this item")
        page.keyboard.press("Enter")
        page.wait_for_selector('[data-choice="1"]')
        for letter in "jkl;":
            page.keyboard.press(letter)
        assert page.locator("input[name=verdict]:checked").count() == 0
        page.keyboard.press("2")
        assert page.locator("input[name=verdict]:checked").get_attribute("value") == "not-abuse"
        page.keyboard.press("e")
        assert page.locator("input[name=verdict]:checked").get_attribute("value") == "unsure"
        page.keyboard.press("2")
        page.keyboard.press("Tab")
        page.keyboard.type("No")
        page.keyboard.press("Tab")
        page.keyboard.type("It")
        page.keyboard.press("Tab")
        page.keyboard.type("u e 1")  # letters are text where text is written
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/queue?decided=c0")
        page.keyboard.press("u")
        page.wait_for_url("**/items/c0")
        nia.go("/keys")
        page.check("#on-2")
        page.click("text=Keep these keys")
        nia.go("/queue")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_a_new_item_comes_by_itself(browser, served):
    made = served.made
    with Person(browser, served, "mo") as mo:
        begin_shift(mo)
        with mo.page.expect_response("**/events"):
            mo.go("/queue")
        mo.page.wait_for_timeout(300)
        with made.store.begin() as work:
            work.save(case_like("c9", "s2", danger_now=True, severity=1.0, words="A new item"))
        pressed_s = time.monotonic()
        made.bus.publish("cases", {"id": "c9"})
        mo.page.wait_for_selector("text=A new item")
        assert time.monotonic() - pressed_s < 2.0


def test_a_near_duplicate_is_decided_unseen(browser, served):
    made = served.made
    now = made.clock()
    made.desk.claim("c0", "mo", now)
    made.desk.judge("c0", "mo", now, verdict="not-abuse", clause="none", reason="false-match")
    exhibit(made, "c3", still(5))
    with Person(browser, served, "nia") as nia:
        begin_shift(nia)
        nia.go("/items/c3")
        nia.page.click("text=Claim this item")
        nia.page.click("text=Decide this one the same, unseen")
        nia.page.wait_for_url("**/queue?decided=c3")
    assert made.one(Case, "c3").state == "decided"
    assert not made.one(Case, "c3").seen


def test_commands_by_keyboard(browser, served):
    with Person(browser, served, "lee") as lee:
        page = lee.page
        begin_shift(lee)
        lee.go("/queue")
        page.keyboard.press("Control+k")
        page.wait_for_selector("#palette[open]")
        assert page.evaluate("document.activeElement.id") == "palette-words"
        assert lee.axe() == []
        page.keyboard.type("wal")
        assert page.locator("#palette [role=option]").all_text_contents() == ["Wall"]
        page.keyboard.press("Enter")
        page.wait_for_url("**/wall")
        page.keyboard.press("Control+k")
        page.keyboard.press("ArrowUp")  # from the first to the last
        chosen = page.get_attribute("#palette-words", "aria-activedescendant")
        assert page.get_attribute(f"#{chosen}", "aria-selected") == "true"
        page.keyboard.press("Escape")
        page.wait_for_selector("#palette[open]", state="detached")
        page.click("#commands")
        page.keyboard.type("items nobody has")
        assert (
            page.locator("#palette [role=option]").all_text_contents()[-1].startswith("Search the record for")
        )
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/**")
        assert "There is no such item" in page.text_content("main")
        lee.faults.clear()  # the browser's own word on the 404
        page.keyboard.press("Control+k")
        page.keyboard.type("audit")
        page.keyboard.press("Enter")
        page.wait_for_url("**/audit")
        lee.faults.clear()


def test_pages_have_their_commands_without_scripts(browser, served):
    with Person(browser, served, "mo") as mo:
        begin_shift(mo)
        plain = browser.new_context(java_script_enabled=False, storage_state=mo.context.storage_state())
        page = plain.new_page()
        page.goto(served.at("/queue"))
        assert not page.is_visible("#commands")
        page.click("text=Give me the next item")
        page.check('[data-choice="1"]')
        page.select_option("#judge-clause", "abuse-live")
        page.select_option("#judge-reason", "words")
        page.click("text=Decide, and give me the next")
        assert "decided=c1" in page.url
        plain.close()
    assert served.made.one(Case, "c1").state == "decided"


def test_a_part_before_the_whole_and_sound_apart(browser, served):
    made = served.made
    with Person(browser, served, "mo") as mo:
        page = mo.page
        begin_shift(mo)
        made.desk.claim("c0", "mo", made.clock())
        mo.go("/items/c0")
        assert not page.query_selector("img.ls-still__clear, audio, video")
        page.focus("text=Show blurred")
        page.keyboard.press("Enter")
        part = page.locator('[data-part="5"]')
        part.wait_for()
        part.focus()
        with page.expect_response("**/reveal") as told:
            page.keyboard.press("Enter")
        assert told.value.headers["content-type"] == "image/png"
        page.wait_for_selector("text=One part is clear for at most 10 s")
        page.keyboard.press("Enter")  # the same key covers it again
        page.wait_for_selector(".ls-still__clear", state="detached")

        page.click("text=Show how loud it is")
        until(page, "document.querySelector('.ls-sound img').naturalWidth > 0")
        assert not page.query_selector("audio")
        page.click("text=Listen for 10 s")
        page.wait_for_selector("audio")
        state = page.evaluate("(one => [one.autoplay, one.volume])(document.querySelector('audio'))")
        assert state == [False, 0.3]
        until(page, "document.querySelector('audio').currentTime > 0")
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        page.wait_for_selector("audio", state="detached")

        page.click("text=Play for 10 s")
        page.wait_for_selector("video")
        assert page.evaluate("document.querySelector('video').muted")
        assert not page.evaluate("document.querySelector('video').autoplay")
        until(page, "document.querySelector('video').currentTime > 0")
    shown = {one.shown for one in made.all(Look, account="mo") if one.granted_s}
    assert shown == {"still", "sound", "motion"}


def test_an_auditor_searches_the_record(browser, served):
    made = served.made
    made.desk.claim("c1", "mo", made.clock())
    made.desk.judge("c1", "mo", made.clock(), verdict="abuse", clause="abuse-live", reason="seen")
    with Person(browser, served, "ada") as ada:
        page = ada.page
        ada.go("/audit")
        page.select_option("#f-kind", "Decisions")
        page.fill("#f-by", "mo")
        page.click("text=Search >> nth=-1")
        page.wait_for_url("**/audit?kind=Decisions&about=&by=mo&since=&until=")
        [line] = page.locator(".ls-entries > li").all()
        assert "mo decided case c1: abuse, on abuse-live, because: seen" in line.text_content()
        page.fill("#f-since", "2030-01-01T00:00")
        page.click("text=Search >> nth=-1")
        page.wait_for_selector("text=Nothing fits.")


def test_an_administrators_day(browser, served):
    with Person(browser, served, "root") as root:
        page = root.page
        root.go("/people")
        page.fill("#name", "kim")
        page.fill("#shown_as", "Kim")
        page.select_option("#role", "moderator")
        page.fill("#trained_until", "2027-03-31")
        page.fill("#password", "a long enough password")
        page.click("text=Make the account")
        page.wait_for_selector("text=kim was made")
        assert page.locator(".ls-code").text_content().isalnum()
        assert root.go("/queue").status == 403
        root.faults.clear()


def test_somebody_comes_in_through_the_provider(browser, tmp_path):
    with provider() as idp, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = Oidc(
            idp.issuer, CLIENT, SECRET, f"http://127.0.0.1:{port}", {"desk-moderators": "moderator"}
        )
        with Server(full(console(tmp_path, oidc=settings)), port) as served:
            context = browser.new_context()
            page = context.new_page()
            page.set_default_timeout(5000)
            page.goto(served.at("/sign-in?then=/health"))
            assert axe(context, page) == []
            shot(page, "sign-in")
            page.click("text=Sign in with")
            page.wait_for_url("**/health")
            assert "Oda, moderator" in page.text_content("header")
            context.close()
