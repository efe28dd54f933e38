"""A lead's night with a duty in live danger: by keyboard alone, and in a browser that runs no scripts."""

from lightship.core.duties import Duty
from tests.browser.desk import Person, begin_shift


def test_a_lead_finds_a_duty_tells_a_fact_and_writes_down_the_call_by_keyboard(browser, served):
    open_, owed = served.made.duties["open"], served.made.duties["owed"]
    with Person(browser, served, "lee") as lee:
        begin_shift(lee)
        page = lee.page
        page.keyboard.press("Control+k")
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


def reach(page, selector, most=80):
    """Press Tab until something has the focus."""
    wanted = page.locator(selector).first
    for _ in range(most):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {selector}")
