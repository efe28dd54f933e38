"""A console on loopback, and people with real browsers at it."""

import json
import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import uvicorn

from lightship.console.logs import quiet_server
from tests.unit.console.making import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--autoplay-policy=user-gesture-required",
]  # fmt: skip
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
CONTRAST = "{type: 'rule', values: ['color-contrast']}"  # what else axe finds has no colour
WCAG = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"


class Server:
    """A console on loopback in a thread."""

    def __init__(self, made, port=0):
        self.made = made
        with socket.create_server(("127.0.0.1", port)) as one:
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

    def axe(self, rules=WCAG):
        return axe(self.context, self.page, rules)


def axe(context, page, rules=WCAG):
    """Return what axe finds on a page; it runs in a world of its own, which the content policy does not bind."""
    session = context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": AXE + ";0", "contextId": world})
    asked = {
        "expression": f"axe.run(document, {{runOnly: {rules}, resultTypes: ['violations']}})"
        ".then(r => JSON.stringify(r.violations))",
        "contextId": world,
    }
    done = session.send("Runtime.evaluate", {**asked, "awaitPromise": True, "returnByValue": True})
    found = json.loads(done["result"]["value"])
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]


def wide(page):
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@contextmanager
def seen_as(page, *, scheme="light", width=1280, height=900):
    """See a page that is open in the dark, or on another screen: it is not loaded again."""
    before = page.viewport_size
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    yield
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)


def begin_shift(who):
    who.go("/shift")
    with who.page.expect_navigation():  # a key that is pressed before would go to the page that ends
        who.page.click("text=Begin your shift")


def until(page, said, most_s=5.0):
    """Wait for something of the page; the page itself may evaluate nothing."""
    end_s = time.monotonic() + most_s
    while not page.evaluate(said):
        assert time.monotonic() < end_s, said
        page.wait_for_timeout(50)


def shot(page, name):
    """Keep a picture of a page in the folder that ``LIGHTSHIP_SHOTS`` names, where somebody wants to look at it."""
    if folder := os.environ.get("LIGHTSHIP_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
