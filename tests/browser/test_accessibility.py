"""What axe, a narrow screen, zoom and the dark find on every page."""

import pytest

from tests.browser.desk import Person, begin_shift, shot

DUTIES = ("/duties", "/duties?state=filed", f"/duties/{'d1' * 16}")
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
    "lee": (
        "/queue",
        "/items/c1",
        "/holds?case=c1",
        "/audit",
        "/audit?kind=Looks&by=lee",
        "/wall",
        "/health",
        "/shift",
        *DUTIES,
    ),
    "ada": ("/regulator", "/audit", "/items/c0", "/subjects/host-s0", "/health", "/shift", "/duties"),
    "root": ("/people", "/health", "/shift", "/duties"),
}


DARK = {"mo": PAGES["mo"], "lee": ("/audit", *DUTIES), "root": ("/people",)}


@pytest.mark.parametrize(("scheme", "pages"), [("light", PAGES), ("dark", DARK)])
def test_axe_finds_nothing_on_any_page(browser, served, scheme, pages):
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
                shot(who.page, f"{scheme}-{name}-{path.strip('/').replace('/', '-')}")
    assert {where: what for where, what in found.items() if what} == {}


def test_axe_would_find_something(browser, served):
    with Person(browser, served, "ada") as ada:
        ada.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [name for name, _ in ada.axe()] == ["image-alt"]


def test_on_a_narrow_screen_nothing_is_cut_off(browser, served):
    served.made.desk.claim("c0", "mo", served.made.clock())
    for name, pages in PAGES.items():
        with Person(browser, served, name, viewport={"width": 400, "height": 800}) as who:
            begin_shift(who)
            served.made.desk.claim("c0", "mo", served.made.clock(), take_over=True)
            for path in pages:
                who.go(path)
                wide = who.page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                shot(who.page, f"narrow-{name}-{path.strip('/').replace('/', '-')[:30]}")
                assert wide <= 0, path


def test_at_200_percent_nothing_is_cut_off(browser, served):
    with Person(browser, served, "mo", viewport={"width": 640, "height": 450}, device_scale_factor=2) as mo:
        begin_shift(mo)
        served.made.desk.claim("c0", "mo", served.made.clock())
        for path in PAGES["mo"]:
            mo.go(path)
            wide = mo.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            shot(mo.page, f"zoom-{path.strip('/').replace('/', '-')}")
            assert wide <= 0, path
