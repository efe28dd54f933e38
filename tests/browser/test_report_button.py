"""The report button on a platform's page: two steps, by keyboard, and the item is first in the queue."""

from lightship.core.cases import Case, Report


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
    [report] = made.all(Report, stream_id="s2")
    assert made.one(Case, report.case_id).danger_now
