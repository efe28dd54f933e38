"""A browser that lacks something, or is kept from something: a named error or the slower way, never an unguarded picture."""

import json

import pytest

from tests.browser.call import browser, edges, enter, film, policy, served, until
from tests.vectors import FOLDER


@pytest.fixture(scope="module")
def card(engine, tmp_path_factory):
    """A browser that sees the test card from its second second on, and the call's address."""
    camera = film(tmp_path_factory.mktemp("fallback") / "camera.y4m", 6, card_from_s=2)
    with served(policy()) as address, browser(engine, camera) as made:
        yield made, address


def lacking(made, *names):
    page = made.new_page()
    page.add_init_script("".join(f"delete window.{name};" for name in names))
    return page


def test_where_tracks_cannot_be_taken_apart_pictures_go_over_a_canvas_and_are_covered(card):
    made, address = card
    page = lacking(made, "MediaStreamTrackProcessor", "MediaStreamTrackGenerator")
    enter(page, address)
    until(page, "window.call.safe && document.getElementById('mine').videoWidth > 0", 10)
    assert "slower way over a canvas" in page.inner_text("#notes")
    until(page, "call.events.some(e => e.rung === 'pause')", 15)
    page.wait_for_timeout(300)
    assert edges(page, "mine") < 30
    assert page.locator("#badge").inner_text() == "Picture covered"


def test_where_frames_cannot_be_encrypted_the_call_is_not_made_and_the_picture_is_covered(card):
    made, address = card
    page = lacking(made, "RTCRtpScriptTransform")
    enter(page, address)
    until(page, "document.getElementById('state').textContent.includes('TransformUnsupported')", 10)
    until(page, "call.events.some(e => e.kind === 'decision' && e.by === 'blind')", 5)
    assert page.evaluate("call.connection?.localDescription ?? null") is None


def test_where_the_worker_is_forbidden_nothing_is_guarded_and_nothing_is_sent(card):
    made, address = card
    page = made.new_page()

    def forbid(route):
        answer = route.fetch()
        rules = answer.headers["content-security-policy"].replace("worker-src 'self'", "worker-src 'none'")
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": rules})

    page.route(f"{address}/", forbid)
    enter(page, address)
    until(page, "document.getElementById('state').textContent.includes('GuardError')", 10)
    assert page.locator("#badge").inner_text() == "Not guarded"
    assert page.evaluate("[call.safe ?? null, call.connection ?? null]") == [None, None]


OPEN = """async ({ root, now, files, names }) => {
  const { Packs } = await import('/guard.js');
  const said = [];
  for (const name of names) {
    const read = async (path) => files[name][path] ? Uint8Array.from(atob(files[name][path]), (c) => c.charCodeAt(0)) : null;
    const packs = new Packs({ read, root, now: () => now });
    said.push(await packs.open('device').then((pack) => pack.version, (error) => error.name + packs.refused().length));
  }
  return said;
}"""


def test_signed_packs_are_opened_and_a_fork_is_refused_and_kept_in_this_browser(card):
    made, address = card
    vectors = json.loads((FOLDER / "packs.json").read_text("utf-8"))
    blobs, cases = dict(vectors["blobs"]), {case["name"]: case for case in vectors["cases"]}
    names = ["first", "second", "forked", "rolled back", "second"]
    files = {name: {path: blobs[blob] for path, blob in cases[name]["files"].items()} for name in names}
    page = made.new_page()
    page.goto(address)
    given = {"root": vectors["root"], "now": 1_795_521_600_000, "files": files, "names": names}
    assert page.evaluate(OPEN, given) == [1, 2, "LogForked1", "PackRolledBack1", 2]
    page.reload()  # what was seen outlives the page
    assert page.evaluate(OPEN, {**given, "names": ["first"]}) == ["PackRolledBack1"]
