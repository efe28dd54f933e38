"""A lead keeps a case's evidence beyond its day; an auditor sees it; a moderator sees that it is so."""

import re
from datetime import timedelta

import pytest
from tests.unit.console.making import console, full
from tests.unit.console.visiting import working

from lightship.core.cases import Exhibit
from lightship.core.duties import Hold


@pytest.fixture
def made(tmp_path):
    return full(console(tmp_path))


def place(who, case="c0", basis="court order 7", reason="proceedings began"):
    who.get("/holds")
    return who.post("/holds", case=case, basis=basis, reason=reason)


def test_a_lead_places_and_lifts_a_hold_and_all_of_it_is_on_record(made):
    lee, mo, ada = (working(made, name) for name in ("lee", "mo", "ada"))
    assert place(lee).headers["location"] == "/holds?case=c0"
    assert made.one(Exhibit, made.exhibits["c0"].id).hold == "court order 7"
    page = lee.get("/holds?case=c0").text
    assert "court order 7" in page
    assert "proceedings began" in page
    assert "court order 7" in mo.get("/items/c0").text
    assert 'href="/holds' not in mo.get("/items/c0").text
    seen = ada.get("/holds").text
    assert "court order 7" in seen
    assert "Place a hold" not in seen
    assert len(made.all(Hold)) == 1
    lifting = {"case": "c0", "basis": "court order 7"}
    assert lee.post("/holds/lift", **lifting, reason="").status_code == 422
    assert lee.post("/holds/lift", **lifting, reason="they ended").status_code == 303
    assert made.one(Exhibit, made.exhibits["c0"].id).hold == ""
    assert lee.post("/holds/lift", **lifting, reason="they ended").status_code == 409
    assert "they ended" in ada.get("/holds?case=c0").text
    assert [one["by"] for one in made.ledger.of("hold-placed") + made.ledger.of("hold-lifted")] == [
        "lee",
        "lee",
    ]


def test_what_cannot_be_held_is_said(made):
    lee = working(made, "lee")
    assert place(lee, case="nobody").status_code == 404
    assert place(lee, basis=" ").status_code == 422
    assert place(lee, reason="").status_code == 422
    assert "no such case" in lee.get("/holds?case=nobody").text
    with made.store.begin() as work:
        work.change(Exhibit, made.exhibits["c2"].id, {}, destroyed_at=made.clock() + timedelta(days=1))
    assert place(lee, case="c2").status_code == 409
    hostile = '<script>alert(1)</script>"'
    place(lee, basis=hostile)
    page = lee.get("/holds").text
    assert "<script>alert" not in page
    assert re.search(r"&lt;script&gt;alert\(1\)", page)
