"""A made model in this browser, run by the app's own onnxruntime-web: it looks, or is named as blocked."""

import json
from pathlib import Path

import pytest
from starlette.staticfiles import StaticFiles

from lightship.console.call import call_app
from tests.browser.call import browser, film, policy, serving
from tests.vectors import FOLDER

pytestmark = pytest.mark.skipif(
    not (Path(__file__).parents[2] / "web" / "node_modules" / "onnxruntime-web").is_dir(),
    reason="onnxruntime-web is not here (cd web && npm ci)",
)
RUNTIME = Path(__file__).parents[2] / "web" / "node_modules" / "onnxruntime-web" / "dist"

LOOK = """async ({ policy, files, model }) => {
  const { Guard } = await import('/guard.js');
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 30 } });
  const events = [], models = { tiny: Uint8Array.from(atob(model), (c) => c.charCodeAt(0)) };
  const guard = new Guard('/worker.js');
  try {
    const safe = await guard.protect(camera.getVideoTracks()[0],
      { policy, files, models, runtime: '/ort/ort.wasm.min.mjs', onEvent: (event) => events.push(event) });
    const video = document.getElementById('mine');
    video.srcObject = new MediaStream([safe]);
    await new Promise((done) => setTimeout(done, 1500));
    return { events, counts: await safe.guard.counts() };
  } catch (error) { return { refused: error.name }; }
}"""


@pytest.fixture(scope="module")
def opened(engine, tmp_path_factory):
    with browser(engine, film(tmp_path_factory.mktemp("model") / "camera.y4m", 1)) as made:
        yield made


def look(opened, more):
    """Protect a benign stream by a policy that needs the model, on a page with more or less leave."""
    app = call_app(policy(), ())
    app.mount("/ort", StaticFiles(directory=RUNTIME))

    @app.middleware("http")
    async def leave(request, follow):
        answer = await follow(request)
        rules = answer.headers.get("content-security-policy", "")
        if rules:
            answer.headers["content-security-policy"] = rules.replace("script-src", f"script-src {more}")
        elif request.url.path == "/worker.js" and not more:
            answer.headers["content-security-policy"] = "script-src 'self'"
        return answer

    made = json.loads((FOLDER / "detectors.json").read_text("utf-8"))["models"][0]
    sha = made["card"].partition('sha256 = "')[2][:64]
    stream = {"name": "made", "digest": "made", "maxima": [0.1] * 200, "lengths_s": [2.0] * 200}
    calibration = {
        "format": "lightship.calibration/1",
        "detector": "exposure",
        "detector_version": f"sha256:{sha}",
        "sample_fps": 30,
        "streams": [stream],
    }
    text = policy().replace(
        'name = "test-card"\nlabels = ["test-card"]', 'name = "exposure"\nlabels = ["exposed"]'
    )
    text = text.replace(
        'labels = ["exposed"]', 'labels = ["exposed"]\ncalibration = "made"\noptions = {card = "tiny"}'
    )
    files = {"cards/tiny.toml": made["card"], "calibrations/made.json": json.dumps(calibration)}
    with serving(app) as address:
        context = opened.new_context()  # whose connections end before the server does
        page = context.new_page()
        page.goto(address)
        seen = page.evaluate(LOOK, {"policy": text, "files": files, "model": made["model"]})
        context.close()
        return seen


def test_a_model_looks_beside_the_stream_and_the_picture_is_covered_until_it_has_spoken(opened):
    seen = look(opened, "'wasm-unsafe-eval'")
    assert "refused" not in seen, seen
    started = next(event for event in seen["events"] if event["kind"] == "started")
    assert "exposure" not in [one["detector"] for one in started["absent"]]
    assert not [event for event in seen["events"] if event["kind"] in {"blind", "failed"}]
    assert 0 < seen["counts"]["covered"] < seen["counts"]["in"]


def test_a_page_that_forbids_webassembly_is_told_so_and_sends_nothing(opened):
    assert look(opened, "") == {"refused": "ModelBlocked"}
