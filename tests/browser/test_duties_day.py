"""A lead's night with a duty in live danger: by keyboard alone, and in a browser that runs no scripts."""

from lightship.core.duties import Clock, Duty
from lightship.duties import clocks, intimate
from tests.browser.desk import Person, begin_shift, shot
from tests.unit.console.making import trained
from tests.unit.duties.making import gb


def test_a_lead_finds_a_duty_tells_a_fact_and_writes_down_the_call_by_keyboard(browser, served):
    open_, owed = served.made.duties["open"], served.made.duties["owed"]
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        page = lee.page
        page.keyboard.press("Control+k")
        page.wait_for_selector("#palette[open]")
        page.keyboard.type("Duties")
        page.keyboard.press("Enter")
        page.wait_for_url("**/duties")
        reach(page, f'a[href="/duties/{owed}"]')
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/duties/{owed}")
        assert "Call 999" in page.text_content("main")
        reach(page, "#whom")
        page.keyboard.type("999")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert [one["whom"] for one in served.made.ledger.of("duty-call")] == ["999"]
        lee.go(f"/duties/{open_}")
        reach(page, "text=Decide anew")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=“reported-to” must be told")
        assert "csea=yes" in page.text_content("main")


def test_without_scripts_a_fact_is_told_and_a_clock_ended(browser, served):
    open_ = served.made.duties["open"]
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        plain = browser.new_context(java_script_enabled=False, storage_state=lee.context.storage_state())
        page = plain.new_page()
        page.goto(served.at(f"/duties/{open_}"))
        for fact, value in (("csea", "yes"), ("reported-to", "nobody")):
            page.select_option("#fact", fact)
            page.select_option("#value", value)
            page.click("text=Decide anew")
        assert "Owed to: National Crime Agency" in page.text_content("main")
        page.click("text=All duties")
        page.fill("#o-1", "answered; late, the port was looked for")
        page.click("button:has-text('End')")
        assert "Clocks that run" in page.text_content("main")
        assert not page.query_selector("#o-1")
        plain.close()
    assert served.made.one(Duty, open_).state == "owed"


def test_one_press_builds_the_report_and_the_reference_that_comes_back_files_it(browser, served):
    """With scripts and by keyboard: axe finds nothing on the report, and the worksheet prints alone."""
    owed = trained(served.made).duties["owed"]
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        lee.go(f"/duties/{owed}")
        page = lee.page
        with page.expect_navigation():
            page.click("text=Build the report")
        main = page.text_content("main")
        assert "Call 999" in main
        assert "Nothing keeps it back" in main
        assert page.locator("tbody tr").count() == 27
        assert page.locator("tbody tr", has_text="Not held:").count() >= 10
        assert lee.axe() == []
        shot(page, "report")
        page.click("summary:has-text('User name')")
        page.fill("#h-user-name", "host7")
        reach(page, "button:has-text('make the worksheet')", 200)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "The worksheet waits" in page.text_content("main")
        assert lee.axe() == []
        shot(page, "waits")
        with lee.context.expect_page() as opened:
            page.click("text=Open the worksheet")
        sheet = opened.value
        sheet.wait_for_load_state()
        assert "host7" in sheet.text_content("main")
        assert sheet.evaluate("getComputedStyle(document.body).maxWidth") != "none", "its own style is let in"
        shot(sheet, "sheet")
        sheet.close()
        page.fill("#came-back", "NCA-2026-0007")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "reference NCA-2026-0007" in page.text_content("main")
        lee.go("/duties?state=filed")
        assert "reference NCA-2026-0007" in page.text_content("main")
        shot(page, "filed")
    duty = served.made.one(Duty, owed)
    assert (duty.state, duty.reference) == ("filed", "NCA-2026-0007")


def test_without_scripts_and_on_a_telephone_a_report_that_is_wrong_names_its_field_and_is_mended(
    browser, served
):
    owed = trained(served.made).duties["owed"]
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        plain = browser.new_context(
            java_script_enabled=False,
            storage_state=lee.context.storage_state(),
            viewport={"width": 400, "height": 800},
        )
        page = plain.new_page()
        page.goto(served.at(f"/duties/{owed}"))
        page.click("text=Build the report")
        page.click("summary:has-text('IP address and port')")
        page.fill("#h-upload-ip", "[192.0.2.7]:1")
        page.click("text=make the worksheet")
        assert "upload-ip: 192.0.2.7 is IPv4" in page.text_content("main")
        shot(page, "wrong")
        page.fill("#h-upload-ip", "192.0.2.7:4431 at 2026-11-24T07:01:00Z")
        page.click("text=make the worksheet")
        page.fill("#came-back", "NCA-8")
        page.click("button:has-text('Record the reference')")
        assert "reference NCA-8" in page.text_content("main")
        plain.close()
    assert served.made.one(Duty, owed).reference == "NCA-8"


def test_an_intimate_images_clock_shows_its_sweep_and_ends_by_an_exception_without_scripts(browser, served):
    now = served.made.clock()
    with served.made.store.begin() as work:
        clock = clocks.begin(work, gb(), clocks.SWEPT, about="c0", began_at=now, by="lee").id
        intimate.swept(work, clock, [intimate.Looked("a.mp4", ((1.0, 2.0),), 9)], 3, by="lee", now=now)
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        lee.go("/duties")
        assert "Copies are still up in 1: a.mp4." in lee.page.text_content("main")
        assert lee.axe() == []
        shot(lee.page, "intimate")
        plain = browser.new_context(java_script_enabled=False, storage_state=lee.context.storage_state())
        page = plain.new_page()
        page.goto(served.at("/duties"))
        row = page.locator("tr", has_text="a.mp4")
        row.locator("button").click()
        assert "It is not done before a sweep says so." in page.text_content("main")
        page.goto(served.at("/duties"))
        row = page.locator("tr", has_text="a.mp4")
        row.get_by_label("An exception, for the reason below").check()
        row.get_by_label("What was done").fill("It shows a statue.")
        row.locator("button").click()
        assert "a.mp4" not in page.text_content("main")
        plain.close()
    assert served.made.one(Clock, clock).outcome == "An exception: It shows a statue."


def reach(page, selector, most=80):
    """Press Tab until something has the focus."""
    wanted = page.locator(selector).first
    for _ in range(most):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {selector}")
