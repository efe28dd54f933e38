"""What axe, a narrow screen, zoom and the dark find on every page."""

from tests.browser.desk import CONTRAST, Person, begin_shift, seen_as, shot, wide

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


DARK = {*PAGES["mo"], "/audit", *DUTIES, "/people"}


def test_axe_finds_nothing_on_any_page_nor_in_the_dark_and_on_a_narrow_screen_nothing_is_cut_off(
    browser, served
):
    served.made.stale = True
    served.made.desk.claim("c0", "mo", served.made.clock())
    found = {}
    for name, pages in PAGES.items():
        with Person(browser, served, name, color_scheme="light") as who:
            begin_shift(who)
            served.made.desk.claim("c0", "mo", served.made.clock(), take_over=True)
            for path in pages:
                assert who.go(path).status == 200, path
                assert "example-known is stale" in who.page.text_content(".ls-alarm")
                found[name, path] = who.axe()
                kept = f"{name}-{path.strip('/').replace('/', '-')}"
                shot(who.page, f"light-{kept}")
                if path in DARK:
                    with seen_as(who.page, scheme="dark"):
                        found[name, path] += who.axe(CONTRAST)
                        shot(who.page, f"dark-{kept}")
                with seen_as(who.page, width=400, height=800):
                    shot(who.page, f"narrow-{kept[:30]}")
                    assert wide(who.page) <= 0, path
    assert {where: what for where, what in found.items() if what} == {}


def test_axe_would_find_something(browser, served):
    with Person(browser, served, "ada") as ada:
        ada.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [name for name, _ in ada.axe()] == ["image-alt"]
        ada.go("/regulator")
        with seen_as(ada.page, scheme="dark", width=400):
            assert ada.axe(CONTRAST) == []
            ada.page.evaluate("document.querySelector('h1').style.color = '#2a2a2a'")
            ada.page.evaluate("document.querySelector('h1').style.width = '500px'")
            assert [name for name, _ in ada.axe(CONTRAST)] == ["color-contrast"]
            assert wide(ada.page) > 0


def test_at_200_percent_nothing_is_cut_off(browser, served):
    with Person(browser, served, "mo", viewport={"width": 640, "height": 450}, device_scale_factor=2) as mo:
        begin_shift(mo)
        served.made.desk.claim("c0", "mo", served.made.clock())
        for path in PAGES["mo"]:
            mo.go(path)
            shot(mo.page, f"zoom-{path.strip('/').replace('/', '-')}")
            assert wide(mo.page) <= 0, path
