"""A moderator's, a lead's, an auditor's and an administrator's day at the console, in a real browser."""

import json
import socket
import threading
import time
from pathlib import Path

import axe_playwright_python
import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from lightship.console.logs import quiet_server
from lightship.core.cases import Case
from lightship.core.people import Look, Shift
from tests.unit.console.making import PASSWORD, case_like, console, exhibit, full, still

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PAGES = {
    "mo": (
        "/queue",
        "/wall",
        "/subjects/host-s0",
        "/health",
        "/shift",
        "/keys",
        "/items/c0",
        "/items/c0/machine",
    ),
    "lee": ("/queue", "/items/c1", "/audit", "/wall", "/health", "/shift"),
    "ada": ("/audit", "/items/c0", "/subjects/host-s0", "/health", "/shift"),
    "root": ("/people", "/health", "/shift"),
}

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")


class Server:
    """A console on loopback in a thread."""

    def __init__(self, made):
        self.made = made
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        config = uvicorn.Config(
            made.app, port=self.port, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        quiet_server()
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(10)

    def at(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield one
        one.close()


@pytest.fixture
def served(tmp_path):
    with Server(full(console(tmp_path))) as one:
        yield one


class Person:
    """Somebody with a browser; a broken content policy or a page's error fails the test."""

    def __init__(self, browser, served, name, **context):
        self.served, self.made, self.faults = served, served.made, []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.page = self.context.new_page()
        self.page.set_default_timeout(5000)
        self.page.on("console", lambda one: self.faults.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda one: self.faults.append(str(one)))
        self.go("/sign-in")
        self.made.clock.on(seconds=30)
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.fill("#code", self.made.codes[name].at(self.made.clock()))
        self.page.click("text=Sign in >> nth=-1")
        self.page.wait_for_selector("text=Sign out")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert self.faults == []

    def go(self, path):
        return self.page.goto(self.served.at(path))

    def axe(self, rules="{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"):
        """Return what axe finds on this page; it runs in a world of its own, which the content policy does not bind."""
        session = self.context.new_cdp_session(self.page)
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
        session.send("Runtime.evaluate", {"expression": AXE + ";0", "contextId": world})
        asked = {
            "expression": f"axe.run(document, {{runOnly: {rules}}}).then(r => JSON.stringify(r.violations))",
            "contextId": world,
        }
        done = session.send("Runtime.evaluate", {**asked, "awaitPromise": True, "returnByValue": True})
        found = json.loads(done["result"]["value"])
        return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]


def begin_shift(who):
    who.go("/shift")
    who.page.click("text=Begin your shift")


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
        page.screenshot(path=tmp_path / "item-held.png", full_page=True)
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
        page.screenshot(path=tmp_path / "break.png", full_page=True)
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
        assert "lee was the second person of case c1." in ada.page.text_content("main")
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


DARK = {"mo": PAGES["mo"], "lee": ("/audit",), "root": ("/people",)}


@pytest.mark.parametrize(("scheme", "pages"), [("light", PAGES), ("dark", DARK)])
def test_axe_finds_nothing_on_any_page(browser, served, tmp_path, scheme, pages):
    asked = {"dark": "{type: 'rule', values: ['color-contrast']}"}  # what else it finds has no colour
    served.made.stale = True
    served.made.desk.claim("c0", "mo", served.made.clock())
    found = {}
    for name, own in pages.items():
        with Person(browser, served, name, color_scheme=scheme) as who:
            begin_shift(who)
            served.made.desk.claim("c0", "mo", served.made.clock(), take_over=True)
            for path in own:
                assert who.go(path).status == 200, path
                assert "example-known is stale" in who.page.text_content(".ls-alarm")
                found[name, path] = who.axe(*[asked[scheme]] if scheme in asked else [])
                shot = f"{scheme}-{name}-{path.strip('/').replace('/', '-')}.png"
                who.page.screenshot(path=tmp_path / shot, full_page=True)
    assert {where: what for where, what in found.items() if what} == {}


def test_axe_would_find_something(browser, served):
    with Person(browser, served, "ada") as ada:
        ada.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [name for name, _ in ada.axe()] == ["image-alt"]


def test_at_200_percent_nothing_is_cut_off(browser, served, tmp_path):
    with Person(browser, served, "mo", viewport={"width": 640, "height": 450}, device_scale_factor=2) as mo:
        begin_shift(mo)
        served.made.desk.claim("c0", "mo", served.made.clock())
        for path in PAGES["mo"]:
            mo.go(path)
            wide = mo.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            mo.page.screenshot(
                path=tmp_path / f"zoom-{path.strip('/').replace('/', '-')}.png", full_page=True
            )
            assert wide <= 0, path


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


def test_a_viewer_reports_in_two_steps(browser, served):
    made = served.made
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(5000)
    sent = []

    def platform(route):
        if route.request.method == "POST":  # the platform's own path, which adds its token
            sent.append((route.request.post_data_json, route.request.headers["idempotency-key"]))
            route.continue_(
                url=served.at("/v1/reports"),
                headers={**route.request.headers, "authorization": f"Bearer {made.tokens['reports']}"},
            )
        else:
            src = served.at("/static/report-button.js")
            body = f'<!doctype html><html lang="en"><title>Live</title><main><h1>Live</h1><script type="module" src="{src}"></script><lightship-report stream="s2" endpoint="/report"></lightship-report></main></html>'
            route.fulfill(body=body, content_type="text/html", headers={"access-control-allow-origin": "*"})

    page.route(served.at("/platform"), platform)
    page.route(served.at("/report"), platform)
    page.goto(served.at("/platform"))
    page.wait_for_selector("lightship-report")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # step one; the grave choice has the focus
    page.keyboard.press("Enter")  # step two
    page.get_by_text("A trained person looks at this next").wait_for()
    assert sent[0][0] == {"stream_id": "s2", "kind": "child-at-risk-now", "text": ""}
    context.close()
    [case] = [one for one in made.all(Case) if one.id.startswith("r-")]
    assert case.danger_now
    with made.store.begin():
        assert made.desk.queue({"state": "open"}, limit=1)[0].danger_now


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
