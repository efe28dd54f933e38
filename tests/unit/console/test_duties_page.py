"""A compliance lead sees what is owed to whom, why not, and what was filed; tells what is missing; an auditor looks."""

import re
from datetime import timedelta

import pytest
from tests.unit.console.making import console, full, owing
from tests.unit.console.visiting import working
from tests.unit.duties.making import gb

from lightship.core.duties import Clock, Duty
from lightship.duties import clocks, intimate


@pytest.fixture
def made(tmp_path):
    return owing(full(console(tmp_path)))


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_lead_sees_each_duty_its_reason_its_clock_and_the_oldest(made):
    page = text(working(made, "lee").get("/duties").text)
    assert "Owed to: National Crime Agency" in page
    assert "A UK provider reports all that it detects" in page
    assert "“csea” must be told" in page
    assert "aware for 2 h" in page
    assert "late since 24 Nov 2026 07:15:00 UTC" in page
    assert "Which port?" in page
    assert "Nobody is replacement." in page
    assert "Lee (administrator): No training for the post is on record." in page
    for state, said in (("not-owed", "Not owed, because: It is no child"), ("filed", "reference NCA-2026-1")):
        assert said in text(working(made, "lee").get(f"/duties?state={state}").text)


def test_in_live_danger_the_page_says_whom_to_call_and_the_call_goes_on_record(made):
    lee, owed = working(made, "lee"), made.duties["owed"]
    assert "Call 999" in lee.get(f"/duties/{owed}").text
    made.clock.on(hours=9)  # half past six: the office is closed
    lee = working(made, "lee")
    assert "confirm by telephone" in lee.get(f"/duties/{owed}").text
    assert lee.post(f"/duties/{owed}/call", whom="999", reference="A12", words="told").status_code == 303
    (call,) = made.ledger.of("duty-call")
    assert (call["whom"], call["reference"], call["by"]) == ("999", "A12", "lee")
    assert lee.post(f"/duties/{owed}/call", whom=" ").status_code == 422


def test_a_fact_that_was_missing_decides_it(made):
    lee, open_ = working(made, "lee"), made.duties["open"]
    lee.get(f"/duties/{open_}")
    assert lee.post(f"/duties/{open_}/facts", fact="csea", value="yes").status_code == 303
    assert "“reported-to” must be told" in lee.get(f"/duties/{open_}").text
    assert lee.post(f"/duties/{open_}/facts", fact="reported-to", value="nobody").status_code == 303
    duty = made.one(Duty, open_)
    assert (duty.state, duty.authority, duty.decided_by) == ("owed", "nca", "lee")
    for fact, value in (("csea", "nobody"), ("place", "x"), ("group-company", "x")):
        assert lee.post(f"/duties/{open_}/facts", fact=fact, value=value).status_code == 422
    filed = lee.post(f"/duties/{made.duties['filed']}/facts", fact="csea", value="no")
    assert filed.status_code == 403
    assert made.one(Duty, made.duties["filed"]).state == "filed"


def test_a_clock_is_ended_with_its_outcome(made):
    lee, path = working(made, "lee"), f"/duties/clocks/{made.duties['clock']}/end"
    assert lee.post(path, outcome="").status_code == 422
    assert lee.post(path, outcome="answered; late, the port was looked for").status_code == 303
    assert made.one(Clock, made.duties["clock"]).ended_by == "lee"
    assert lee.post(path, outcome="again").status_code == 403
    assert lee.post("/duties/clocks/nobody/end", outcome="x").status_code == 422


def test_an_intimate_images_clock_ends_by_its_sweep_or_an_exception_and_by_nobodys_word(made):
    now = made.clock()
    with made.store.begin() as work:
        one, other = (
            clocks.begin(work, gb(), clocks.SWEPT, about=about, began_at=now, by="lee").id
            for about in ("c0", "c1")
        )
    lee = working(made, "lee")
    assert "Nothing was swept for copies yet." in text(lee.get("/duties").text)
    said = lee.post(f"/duties/clocks/{one}/end", outcome="it is down, I promise", ends="swept")
    assert said.status_code == 403
    assert lee.post(f"/duties/clocks/{one}/end", outcome="", ends="exception").status_code == 422
    with made.store.begin() as work:
        up = [intimate.Looked("a.mp4", ((1.0, 2.0),), 9)]
        intimate.swept(work, one, up, 3, by="lee", now=now)
        intimate.swept(work, other, [intimate.Looked("a.mp4", (), 9)], 3, by="lee", now=now)
    assert "Copies are still up in 1: a.mp4." in text(lee.get("/duties").text)
    assert lee.post(f"/duties/clocks/{one}/end", ends="swept").status_code == 403
    assert (
        lee.post(f"/duties/clocks/{one}/end", outcome="It shows a statue.", ends="exception").status_code
        == 303
    )
    assert lee.post(f"/duties/clocks/{other}/end", ends="swept").status_code == 303
    assert made.one(Clock, one).outcome == "An exception: It shows a statue."
    assert "No copy is up." in made.one(Clock, other).outcome


def test_an_auditor_and_an_administrator_look_and_change_nothing(made):
    for name in ("ada", "root"):
        who = working(made, name)
        page = who.get(f"/duties/{made.duties['owed']}").text
        assert "Tell a fact" not in page
        assert "Outcome" not in who.get("/duties").text
    assert 'href="/items/' not in working(made, "root").get(f"/duties/{made.duties['owed']}").text
    looks = {one["what"] for one in made.ledger.of("look")}
    assert {"duties", f"duty {made.duties['owed']}"} <= looks


def test_a_lead_whose_training_ran_out_decides_nothing(made):
    lee = working(made, "lee")
    lee.get("/duties")
    made.clock.on(days=201)
    lee = working(made, "lee")
    done = lee.post(f"/duties/{made.duties['open']}/facts", fact="csea", value="yes")
    assert done.status_code == 403
    assert "training ran out" in done.text


def test_what_is_not_there_is_not_found_and_addresses_that_lie_harm_nothing(made):
    lee = working(made, "lee")
    assert lee.get("/duties/nobody").status_code == 404
    assert lee.get("/duties/" + "x" * 300).status_code == 404
    assert lee.get("/duties?state=filed&after=nobody").status_code == 200
    assert lee.get("/duties?state=%3Cscript%3E").status_code == 200


def test_where_no_law_is_in_force_the_page_says_so(tmp_path):
    made = full(console(tmp_path, provider=None))
    done = working(made, "lee").get("/duties")
    assert done.status_code == 404
    assert "No jurisdiction" in done.text


def test_more_than_a_page_of_filed_ones_is_paged(made):
    with made.store.begin() as work:
        first = work.get(Duty, made.duties["filed"])
        from dataclasses import replace

        work.save(
            *(
                replace(first, id=f"{n:032x}", aware_at=first.aware_at - timedelta(minutes=n))
                for n in range(60)
            )
        )
    lee = working(made, "lee")
    page = lee.get("/duties?state=filed").text
    following = re.search(r'href="(/duties\?state=filed&amp;after=[^"]+)"', page)[1].replace("&amp;", "&")
    rest = lee.get(following).text
    assert page.count("NCA-2026-1") == 50
    assert rest.count("NCA-2026-1") == 11
