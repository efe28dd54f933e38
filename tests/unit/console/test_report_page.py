"""A lead builds a report with every field, stands for it, prints the worksheet and records the reference."""

import html
import re

import pytest
from tests.unit.console.making import console, full, owing, trained
from tests.unit.console.visiting import working

from lightship import packs
from lightship.core.duties import Duty, Filing
from lightship.exchange.schedule1 import parse_fields

FORM = parse_fields(*packs.report_text("gb-schedule-1"))


@pytest.fixture
def made(tmp_path):
    return trained(owing(full(console(tmp_path))))


def text(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_from_the_press_to_the_reference(made):
    lee, owed = working(made, "lee"), made.duties["owed"]
    assert "Build the report" in lee.get(f"/duties/{owed}").text
    built = lee.post(f"/duties/{owed}/report")
    assert built.status_code == 200
    for one in FORM.fields:
        assert one.says in text(built.text)
    assert "Example Live" in built.text
    assert "Not held: A livestream carries no EXIF data." in text(built.text)
    assert "Child sexual abuse shown in a live stream" in built.text
    assert "A child is in danger now, or abuse is going on." in text(built.text)
    assert "Call 999" in built.text
    assert "Nothing keeps it back" in built.text

    wrong = lee.post(f"/duties/{owed}/report/file", **{"held-upload-ip": "[192.0.2.7]:1"})
    assert wrong.status_code == 422
    assert "upload-ip: 192.0.2.7 is IPv4" in wrong.text
    assert 'value="[192.0.2.7]:1"' in wrong.text or ">[192.0.2.7]:1<" in wrong.text, "what was typed stays"
    assert made.one(Duty, owed).state == "owed"

    lines = "[2001:db8::7]:4431 at 2026-11-24T07:01:00Z"
    told = {
        "held-user-name": "host7",
        "held-upload-ip": lines,
        "unheld-identity-documents": "None is asked for.",
    }
    assert lee.post(f"/duties/{owed}/report/file", **told).status_code == 303
    page = lee.get(f"/duties/{owed}").text
    assert "The worksheet waits" in page
    assert "Decide anew" not in page, "it may be in the portal already"
    assert lee.post(f"/duties/{owed}/facts", fact="csea", value="no").status_code == 403
    assert "Build the report" not in page
    sheet = lee.get(f"/duties/{owed}/worksheet")
    assert "<bdi>host7</bdi>" in sheet.text
    assert "Call 999" in sheet.text
    assert "sandbox" in sheet.headers["content-security-policy"]
    assert "unsafe" not in sheet.headers["content-security-policy"]
    assert lee.post(f"/duties/{owed}/reference", reference=" ").status_code == 422
    assert lee.post(f"/duties/{owed}/reference", reference="NCA-2026-7").status_code == 303
    assert "reference NCA-2026-7" in text(lee.get(f"/duties/{owed}").text)
    assert lee.post(f"/duties/{owed}/reference", reference="NCA-2026-8").status_code == 404
    duty = made.one(Duty, owed)
    assert (duty.state, duty.reference) == ("filed", "NCA-2026-7")
    assert lee.post(f"/duties/{owed}/report").status_code == 403
    assert [one["by"] for one in made.ledger.of("duty-filed") if one["duty"] == owed] == ["lee"]
    (declared,) = made.ledger.of("report-declared")
    assert declared["declared_by"] == "lee"
    assert "host7" not in str(list(made.ledger.entries()))


def test_whoever_holds_no_trained_post_sees_it_and_cannot_file_it(tmp_path):
    made = owing(full(console(tmp_path)))
    lee, owed = working(made, "lee"), made.duties["owed"]
    lee.get(f"/duties/{owed}")
    page = lee.post(f"/duties/{owed}/report")
    assert "No training for the post is on record." in page.text
    assert "I stand for it" not in page.text
    assert lee.post(f"/duties/{owed}/report/file").status_code == 403
    assert made.all(Filing)[0].state == "building"


def test_what_is_not_owed_has_no_report_and_an_unconfigured_service_says_what_to_write(made):
    lee = working(made, "lee")
    lee.get("/duties")
    assert lee.post(f"/duties/{made.duties['not-owed']}/report").status_code == 403
    assert lee.post("/duties/nobody/report").status_code == 422
    assert lee.get("/duties/nobody/worksheet").status_code == 404
    (made.folder / "reports.toml").unlink()
    said = lee.post(f"/duties/{made.duties['owed']}/report")
    assert said.status_code == 422
    assert "docs/guides/reports.md" in said.text
