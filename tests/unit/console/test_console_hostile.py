"""Texts that platforms and reporters send, addresses and headers that are made up."""

import html
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from tests.unit.console.making import NOW, case_like, console, full, stream_like
from tests.unit.console.serving import ask
from tests.unit.console.visiting import Visitor, working

from lightship.console.prose import told
from lightship.console.timeline import LANES, Mark, drawn
from lightship.core.cases import Judgement, Report
from lightship.core.people import Account

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}</title></svg>"


def evil(mark):
    return f"{EVIL}{mark}"


class Strays(HTMLParser):
    """Finds what a page of ours never has: handlers in attributes, and scripts that it did not name."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        handlers = [name for name in names if name.startswith("on") or name == "style"]
        own = names.get("src", "").startswith("/static/") or "nonce" in names
        if handlers or (tag == "script" and not own) or tag in {"iframe", "object", "base", "style"}:
            self.found.append((tag, attrs))


def strays(text):
    parser = Strays()
    parser.feed(text)
    return parser.found


@pytest.fixture
def made(tmp_path):
    return full(console(tmp_path))


def test_no_text_becomes_markup_on_any_page(made):
    now = made.clock()
    with made.store.begin() as work:
        work.save(
            stream_like(
                "evil", title=evil("title"), basis=evil("basis"), policy=evil("policy"), host="evil-host"
            ),
            case_like("e1", "evil", words=evil("words"), rung=evil("rung"), severity=1.0),
            case_like("e2", "evil", near_of="e1", words=evil("near"), state="decided"),
            Report("rp", "evil", "other", evil("report"), now, "e1"),
            Judgement(
                "j2", "e2", evil("by"), now, "abuse", evil("clause"), evil("reason"), evil("second"), now
            ),
        )
        work.change(Account, "nia", {}, shown_as=evil("shown"))
        work.record(
            {
                "kind": "verdict",
                "at": now.isoformat(),
                "seen": False,
                "by": EVIL,
                "case": EVIL,
                "verdict": EVIL,
                "clause": EVIL,
                "reason": EVIL,
            }
        )
        work.record({"kind": "refused", "stream": "evil", "reason": evil("trace")})
        work.record({"kind": EVIL, EVIL: EVIL})
    made.room.desk.claim("e1", "lee", made.clock())
    seen = ""
    for name, pages in (
        (
            "lee",
            (
                "/queue",
                "/queue?decided=e2",
                "/items/e1",
                "/items/e2",
                "/items/e1/machine",
                "/items/e2/machine",
                "/wall",
                "/subjects/evil-host",
                "/audit",
            ),
        ),
        ("nia", ("/queue", "/shift")),
        ("root", ("/people",)),
    ):
        who = working(made, name)
        made.room.desk.claim("e1", "lee", made.clock())
        for page in pages:
            done = who.get(page)
            assert done.status_code == 200, page
            assert "<script>alert" not in done.text, page
            assert "<img src=x" not in done.text, page
            assert "49</title>" not in done.text, page
            assert strays(done.text) == [], page
            seen += done.text
    for mark in (
        "title",
        "basis",
        "policy",
        "words",
        "rung",
        "near",
        "report",
        "by",
        "clause",
        "reason",
        "second",
        "shown",
        "trace",
    ):
        assert html.unescape(seen).count(evil(mark)), mark


def test_what_people_write_at_the_console_is_text_too(made):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    who.post("/items/c0/judge", verdict="not-abuse", clause="none", reason="words", words=EVIL)
    who.post("/shift/end", handover=EVIL)
    other = working(made, "lee")
    for page in ("/items/c0", "/shift", "/audit"):
        text = other.get(page).text
        assert "<script>alert" not in text
        assert EVIL in html.unescape(text)


@pytest.mark.parametrize(
    "query",
    [
        f"?then={EVIL}",
        f"?state={EVIL}",
        f"?after={EVIL}",
        f"?decided={EVIL}",
        f"?before={EVIL}",
        f"?kind={EVIL}&about={EVIL}&by={EVIL}&since={EVIL}",
    ],
)
def test_addresses_are_not_repeated_as_markup(made, query):
    who = working(made, "lee")
    for path in ("/sign-in", "/queue", "/audit", f"/items/{EVIL}", f"/subjects/{EVIL}"):
        done = who.get(path + query)
        assert done.status_code in {200, 404, 422}
        assert "<script>alert" not in done.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../../accounts.py", "/static/..%2f..%2faccounts.py", "/static/0/%2e%2e/console.css", "/static/console.css",
        "/items/..%2fpeople", "/items/%00", "/subjects/%0d%0aX-Evil:%201", "/static/report-button.js%00",
        "/items/" + "a" * 5000, "/queue/", "/QUEUE",
    ],
)  # fmt: skip
def test_no_path_leads_elsewhere(made, path):
    done = working(made, "lee").get(path)
    assert done.status_code in {404, 403}
    assert "x-evil" not in done.headers
    assert "def " not in done.text


def test_headers_cannot_be_injected(made):
    who = Visitor(made)
    done = who.get("/sign-in?then=/a%0d%0aSet-Cookie:%20x=1")
    assert "x" not in done.cookies
    lee = working(made, "lee")
    done = lee.post("/queue/next", state="open\r\nX-Evil: 1")
    assert "x-evil" not in done.headers
    assert lee.get("/queue", headers={"x-request-id": "a b"}).headers["x-request-id"] != "a b"


@pytest.mark.parametrize("value", ["x" * 3000, "a\x00b", "a\x1b[31m", "a\u202eb"])
def test_forms_take_text_of_bounded_length(made, value):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    form = {"verdict": "not-abuse", "clause": "none", "reason": "words"}
    assert who.post("/items/c0/judge", **form, words=value).status_code == 422
    for name in form:
        assert who.post("/items/c0/judge", **{**form, name: value}).status_code == 422
    assert who.post("/items/c0/judge", **{**form, "verdict": "guilty"}).status_code == 422


def test_a_form_with_a_field_twice_or_a_file_is_refused(made):
    who = working(made, "mo")
    body = f"csrf={who.csrf}&csrf={who.csrf}"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert who.send("POST", "/shift/break", content=body, headers=kind).status_code == 422
    files = {"file": ("a.txt", b"x", "text/plain")}
    assert who.send("POST", "/shift/break", data={"csrf": who.csrf}, files=files).status_code in {400, 422}


def test_nothing_of_it_is_in_the_log(made):
    who = working(made, "mo")
    who.get(f"/subjects/{EVIL}")
    ask(made, "POST", "/v1/reports", "reports", json={"stream_id": "s0", "kind": "other", "text": EVIL})
    said = str(made.log.lines)
    assert "script" not in said
    assert "mo" not in {str(value) for line in made.log.lines for value in line.values()}


def test_prose_has_no_holes():
    assert told({"kind": "claim", "by": "mo"}) == "mo claimed case [no case]."
    assert (
        told({"kind": "claim", "by": "{case.__class__}", "case": "{0}"})
        == "{case.__class__} claimed case {0}."
    )
    assert told({"kind": "new-kind", "a": 1}) == "New kind: a: 1."
    assert told({}) == "Entry: ."


def test_the_timeline_draws_every_lane_and_escapes():
    marks = [Mark(NOW + timedelta(seconds=number), lane, EVIL) for number, lane in enumerate(LANES)]
    marks.append(Mark(NOW, "gap", "gap", NOW + timedelta(days=3000)))
    picture = str(drawn(marks, NOW + timedelta(seconds=60)))
    assert "<script>" not in picture
    assert all(f'class="tl-{lane}"' in picture for lane in LANES)
    assert str(drawn([], NOW)) == ""
    assert "NaN" not in str(drawn(marks[:1], NOW))
