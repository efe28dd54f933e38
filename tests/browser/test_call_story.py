"""Two people call each other, end to end encrypted; one shows the test card; it is covered on both sides; they go on."""

import pytest

from tests.browser.call import browser, edges, enter, film, meet, served, until
from tests.browser.desk import shot

WATCH = """() => {
  // Every frame the receiver shows: when, and whether the card can be seen in it.
  const video = document.getElementById('theirs'), canvas = document.createElement('canvas');
  canvas.width = 160; canvas.height = 90;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.seen = [];
  const each = () => {
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(56, 20, 48, 50);
    let edges = 0;
    for (let i = 4; i < data.length; i += 4) edges += Math.abs(data[i] - data[i - 4]) > 60 && Math.max(data[i] - data[i + 2], data[i - 4] - data[i - 2]) > 30;
    window.seen.push([Date.now(), edges]);
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
}"""


@pytest.fixture(scope="module")
def two(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("call")
    camera = film(folder / "camera.y4m", 16, card_from_s=8, card_to_s=13)
    with served() as address, browser(engine, camera) as made:
        one, other = made.new_page(), made.new_page()
        problems = []
        for page in (one, other):
            page.on(
                "console", lambda message: problems.append(message.text) if message.type == "error" else None
            )
            page.on("pageerror", lambda error: problems.append(str(error)))
        meet(one, other, address)
        yield one, other, problems


def picture(two, name):
    for page, side in zip(two[:2], ("one", "other"), strict=True):
        shot(page, f"call-{name}-{side}")


def test_a_call_with_the_card_is_covered_on_both_sides_and_goes_on(two):
    one, other, problems = two
    for page in (one, other):
        page.evaluate(WATCH)
    code = one.inner_text("#code")
    assert len(code) == 6
    assert code == other.inner_text("#code")
    for page in (one, other):
        until(page, "call.events.some(e => e.kind === 'decision' && e.rung === 'blur')", 25)
    one.wait_for_timeout(700)
    assert edges(one, "mine") < 30
    assert edges(other, "theirs") < 30
    assert one.is_visible("#help")
    assert "999" in one.inner_text("#help-lines")
    assert one.locator("#badge").inner_text() == "Picture covered"
    picture(two, "covered")
    for page in (one, other):
        until(page, "call.events.some(e => e.rung === 'pause')", 10)
    one.wait_for_timeout(700)
    picture(two, "paused")
    paused_at = one.evaluate("call.events.find(e => e.rung === 'pause').at")
    shown_after = [edges_ for at, edges_ in other.evaluate("seen") if at > paused_at]
    assert shown_after, "the still card is shown on"
    assert max(shown_after) < 30
    # From the card's first frame at the receiver to the last that shows it: covered well within 0.8 s.
    visible = [at for at, edges_ in other.evaluate("seen") if edges_ > 100]
    assert visible == [] or visible[-1] - visible[0] < 800
    assert one.is_visible("#resume")
    assert one.evaluate("call.events.every(e => e.kind !== 'blind')")
    assert problems == []


def test_after_the_card_a_person_goes_on(two):
    one = two[0]
    one.wait_for_timeout(6_000)  # the card has gone
    one.click("#resume")
    until(one, "call.events.some(e => e.kind === 'decision' && e.by === 'person')", 5)
    assert not one.is_visible("#help")
    one.wait_for_timeout(1500)
    picture(two, "resumed")


def test_a_wrong_key_shows_nothing(two):
    one, other, _ = two
    before = other.evaluate("call.dropped")
    one.evaluate("call.out.keys([{suite: 4, base: new Uint8Array(16), generation: 9}])")
    until(other, f"call.dropped > {before} + 5", 8)
    assert other.evaluate("call.reasons['unknown key']") > 5


def test_no_camera_and_no_permission_are_named(engine, tmp_path):
    with served() as address, browser(engine, film(tmp_path / "camera.y4m", 1)) as made:
        for name, words in (("NotAllowedError", "PermissionDenied"), ("NotFoundError", "NoCamera")):
            page = made.new_page()
            page.add_init_script(
                "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '"
                + name
                + "'))"
            )
            enter(page, address)
            until(page, "document.getElementById('state').textContent.includes('" + words + "')", 5)
            assert page.locator("#badge").inner_text() == "Not guarded"


def test_what_is_asked_of_the_network_does_not_depend_on_the_picture(engine, tmp_path):
    asked = {}
    for name, start_s in (("benign", None), ("positive", 0)):
        with (
            served() as address,
            browser(engine, film(tmp_path / f"{name}.y4m", 3, card_from_s=start_s)) as made,
        ):
            page = made.new_page()
            link = page.context.new_cdp_session(page)
            link.send("Network.enable")
            rows = asked[name] = []
            link.on(
                "Network.requestWillBeSent",
                lambda event, rows=rows, address=address: rows.append(
                    (
                        event["request"]["method"],
                        event["request"]["url"].replace(address, ""),
                        len(event["request"].get("postData", "")),
                    )
                ),
            )
            link.on(
                "Network.webSocketFrameSent",
                lambda event, rows=rows: rows.append(("frame", "", len(event["response"]["payloadData"]))),
            )
            enter(page, address)
            until(page, "window.call.safe", 15)
            page.wait_for_timeout(4_000)
            covered = page.evaluate("call.events.some(e => e.rung === 'blur')")
            assert covered == (name == "positive")
    assert sorted(asked["benign"]) == sorted(asked["positive"])
    assert asked["benign"]


def test_the_page_is_accessible_and_works_by_keyboard(engine, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with served() as address, browser(engine, film(tmp_path / "camera.y4m", 2)) as made:
        page = made.new_page(bypass_csp=True)
        page.goto(address)
        until(page, "!document.querySelector('#enter button').disabled")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "room"
        page.keyboard.press("Enter")
        until(page, "window.call.safe", 15)
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()
