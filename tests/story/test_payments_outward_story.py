"""An analyst reads a case, hunts with a partner's list and drafts a report: at the command line and in a browser."""

import io
import json
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import axe_playwright_python
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import sync_playwright

from lightship.cli import main
from lightship.exchange.alerts_file import write_alerts
from lightship.exchange.referrals import reader_of
from tests.browser.desk import shot
from tests.unit.payments.outward_making import alert, dataset

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
WCAG = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


class Said(NamedTuple):
    stdout: str
    stderr: str


def lightship(*args, cwd, code=0):
    """Run the program in this process; returns what it said on both outputs."""
    out, err, ended = io.StringIO(), io.StringIO(), 0
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lightship", "payments", *args])
        try:
            main()
        except SystemExit as end:
            ended = int(end.code or 0)
    assert ended == code, err.getvalue()
    assert "Traceback" not in err.getvalue()
    return Said(out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What the analyst has: payments, two alerts, a partner's list, and who they are."""
    folder = tmp_path_factory.mktemp("desk")
    dataset(folder / "data")
    second = alert(alert="two", subject="r1", rank=2, typology="livestream-receiver", counter=())
    write_alerts(folder / "alerts.jsonl", [alert(), second])
    (folder / "seeds.txt").write_text("r1  # partner notice 7\n")
    (folder / "filer.toml").write_text(
        'rentity_id = 42\ninstitution = "Example Bank"\ninstitution_code = "EXBK"\nbranch = "Head office"\n'
    )
    lightship("bundle", "alerts.jsonl", "--dataset", "data", "--out", "cases", cwd=folder)
    lightship("hunt", "--seed", "seeds.txt", "--dataset", "data", "--out", "hunt", cwd=folder)
    lightship("receivers", "--dataset", "data", "--out", "receivers", cwd=folder)
    return folder


def test_an_analyst_hunts_from_a_partners_list(desk):
    said = lightship("hunt", "--seed", "seeds.txt", "--dataset", "data", "--out", "again", cwd=desk).stdout
    assert "2 unrelated payers of a seed, 1 more behind" in said
    assert "Paid «r4»" in said
    lightship("key", "bank.key", cwd=desk)
    lightship("pseudonyms", "data", "--key", "bank.key", "--out", "hidden", cwd=desk)
    lightship("pseudonyms", "seeds.txt", "--key", "bank.key", "--out", "hidden.txt", cwd=desk)
    elsewhere = lightship(
        "hunt", "--seed", "hidden.txt", "--dataset", "hidden", "--out", "theirs", cwd=desk
    ).stdout
    assert "«r4»" not in elsewhere
    back = lightship("reveal", "theirs/hunt.csv", "--dataset", "data", "--key", "bank.key", cwd=desk).stdout
    assert {line.split("\t")[1] for line in back.splitlines()} >= {"p1", "p2", "p3", "r4"}


def test_a_list_that_an_editor_marked_as_utf_8_is_hunted_from_its_first_line(desk):
    (desk / "marked.txt").write_bytes(b"\xef\xbb\xbfr1\r\n")
    said = lightship("hunt", "--seed", "marked.txt", "--dataset", "data", "--out", "marked", cwd=desk).stdout
    assert "2 unrelated payers of a seed, 1 more behind" in said


def test_another_dataset_and_no_alert_are_said(desk):
    dataset(desk / "other")
    rows = pq.read_table(desk / "other" / "payments.parquet")
    names = pa.array([f"x{n}" for n in range(len(rows))], rows.schema.field("payment").type)
    pq.write_table(rows.set_column(0, rows.schema.field(0), names), desk / "other" / "payments.parquet")
    wrong = lightship("bundle", "alerts.jsonl", "--dataset", "other", "--out", "no", cwd=desk, code=2)
    assert "holds none of the payments that the alerts cite" in wrong.stderr
    assert not (desk / "no").exists()
    form = ("--dataset", "data", "--form", "uk-sar", "--out", "no.txt")
    assert (
        "No alert is named"
        in lightship("draft", "alerts.jsonl", "--alert", "", *form, cwd=desk, code=2).stderr
    )


def test_a_draft_becomes_final_by_two_people_alone(desk):
    basic = (
        "draft",
        "alerts.jsonl",
        "--alert",
        "ls-0001",
        "--dataset",
        "data",
        "--form",
        "uk-sar",
        "--out",
        "sar.txt",
    )
    said = lightship(*basic, cwd=desk)
    assert "Draft: sar.txt" in said.stdout
    assert "To do: the subject's name" in said.stderr
    assert (
        "Two different people"
        in lightship(*basic, "--final", "--prepared-by", "Ann", cwd=desk, code=12).stderr
    )
    (desk / "agreed.txt").write_text("WHO\nThe customer paid three people whom nothing ties to him.\n")
    people = ("--final", "--prepared-by", "Ann", "--approved-by", "Bea", "--narrative", "agreed.txt")
    lightship(*basic, *people, cwd=desk)
    text = (desk / "sar.txt").read_text()
    assert "FINAL, NOT FILED: prepared by Ann, approved by Bea" in text
    assert "DRAFT" not in text
    goaml = (
        "draft",
        "alerts.jsonl",
        "--alert",
        "ls-0001",
        "--dataset",
        "data",
        "--form",
        "goaml",
        "--out",
        "r.xml",
    )
    assert "names who reports" in lightship(*goaml, cwd=desk, code=2).stderr
    assert "no rate is known" in lightship(*goaml, "--filer", "filer.toml", cwd=desk, code=2).stderr
    (desk / "rates.csv").write_text("# base: EUR\nday,GBP\n2026-03-01,0.80\n")
    said = lightship(*goaml, "--filer", "filer.toml", "--rates", "rates.csv", cwd=desk)
    assert "<amount_local>25.00</amount_local>" in (desk / "r.xml").read_text()  # 20 pounds
    assert "To do: not checked against a schema" in said.stderr
    assert "To do: of customer p1: gender, first_name" in said.stderr
    by_name = (desk / "r.xml").read_bytes()
    (desk / "data" / "rates.csv").write_bytes((desk / "rates.csv").read_bytes())  # as `read --fx` leaves them
    lightship(*goaml, "--filer", "filer.toml", cwd=desk)
    assert (desk / "r.xml").read_bytes() == by_name
    lacking = lightship(
        *goaml, "--filer", "filer.toml", "--rates", "rates.csv", *people, "--out", "no.xml", cwd=desk, code=2
    )
    assert "lacks of customer p1" in lacking.stderr
    assert not (desk / "no.xml").exists()


def test_an_alert_is_referred_once_a_person_has_filed_its_report_and_not_before(desk):
    words = ["refer", "alerts.jsonl", "--alert", "ls-0001", "--by", "kim", "--out", "alert.json"]
    lightship(*words, "--filed-as", " ", cwd=desk, code=2)
    assert not (desk / "alert.json").exists()
    lightship(*words, "--filed-as", "SAR-17", cwd=desk)
    data = (desk / "alert.json").read_bytes()
    assert json.loads(data)["filed"]["by"] == "kim"
    parsed = reader_of("alerts-jsonl")(data, datetime.now(UTC))
    assert parsed.reference == "ls-0001"
    assert "Its report was filed as SAR-17." in parsed.narrative


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("bundle", "absent.jsonl", "--dataset", "data"), 2),
        (("bundle", "alerts.jsonl", "--dataset", "absent"), 2),
        (("bundle", "alerts.jsonl", "--dataset", "data", "--glossary", "xx"), 3),
        (("hunt", "--seed", "alerts.jsonl", "--dataset", "data", "--shape", "absent.toml"), 3),
        (("hunt", "--seed", "absent.txt", "--dataset", "data"), 2),
        (("reveal", "seeds.txt", "--dataset", "data", "--key", "absent.key"), 2),
    ],
)
def test_what_cannot_be_used_is_one_sentence(desk, args, code):
    assert lightship(*args, cwd=desk, code=code).stderr.startswith("lightship: ")


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield one
        one.close()


class Reader:
    """Somebody who opens a page from disk, with the network off; a page's error fails the test."""

    def __init__(self, browser, path, **context):
        self.faults, self.asked = [], []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.page.on(
            "console", lambda one: self.faults.append(one.text) if one.type in {"error", "warning"} else None
        )
        self.page.on("pageerror", lambda one: self.faults.append(str(one)))
        self.page.on("request", lambda one: self.asked.append(one.url))
        self.page.goto(f"file://{path}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert self.faults == []
            assert [url for url in self.asked if not url.startswith(("file://", "data:"))] == []

    def axe(self):
        """Return what axe finds; it runs in a world of its own, which the content policy does not bind."""
        session = self.context.new_cdp_session(self.page)
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
        session.send("Runtime.evaluate", {"expression": AXE + ";0", "contextId": world})
        asked = f"axe.run(document, {{runOnly: {WCAG}}}).then(r => JSON.stringify(r.violations))"
        done = session.send(
            "Runtime.evaluate",
            {"expression": asked, "contextId": world, "awaitPromise": True, "returnByValue": True},
        )
        found = json.loads(done["result"]["value"])
        return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]


def pages(desk):
    case = next(path.parent for path in sorted((desk / "cases").glob("0001-*/index.html")))
    return [desk / "cases/index.html", case / "index.html", case / "network.html", desk / "hunt/network.html",
            desk / "receivers/network.html"]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser, desk, tmp_path, scheme):
    found = {}
    for number, path in enumerate(pages(desk)):
        with Reader(browser, path, color_scheme=scheme) as reader:
            found[str(path.relative_to(desk))] = reader.axe()
            shot(reader.page, f"payments-{scheme}-{number}")
    assert {where: what for where, what in found.items() if what} == {}


def test_axe_would_find_something(browser, desk):
    with Reader(browser, pages(desk)[2]) as reader:
        reader.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert "image-alt" in [name for name, _ in reader.axe()]


def test_the_picture_is_reached_by_keyboard_and_says_what_the_table_says(browser, desk):
    with Reader(browser, desk / "hunt/network.html") as reader:
        page = reader.page
        page.focus("#picture")
        seen = []
        for _ in range(9):
            page.keyboard.press("ArrowRight")
            seen.append(page.text_content("#detail"))
        rows = page.locator("[data-node]")
        words = [
            f"{rows.nth(n).text_content()}: {rows.nth(n).locator('xpath=../../td').nth(1).text_content()}"
            for n in range(rows.count())
        ]
        assert sorted(seen) == sorted(words)
        page.focus("[data-node='payer:p3']")
        page.keyboard.press("Enter")
        assert "who paid the seed «r1»" in page.text_content("#detail")
        assert page.evaluate("document.activeElement.id") == "picture"
        for key in "+-0":
            page.keyboard.press(key)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") != "picture"


def test_no_script_runs_but_its_own(browser, desk, tmp_path):
    html = (
        (desk / "hunt/network.html")
        .read_text()
        .replace("</main>", "<script>window.foreign = 1</script></main>")
    )
    (tmp_path / "page.html").write_text(html)
    reader = Reader(browser, tmp_path / "page.html")
    assert reader.page.evaluate("window.foreign") is None
    assert any("Content Security Policy" in fault for fault in reader.faults)
    reader.context.close()


def test_at_200_percent_nothing_is_cut_off(browser, desk):
    for path in pages(desk):
        with Reader(browser, path, viewport={"width": 640, "height": 450}, device_scale_factor=2) as reader:
            wide = reader.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, path
