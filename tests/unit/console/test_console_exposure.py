"""Pictures: who gets one, for how long, and that no address opens one past the budget."""

import cv2
import numpy as np
import pytest
from tests.unit.console.making import console, exhibit, full, still
from tests.unit.console.visiting import working
from tests.unit.media.making import make

from lightship.console.pictures import blurred
from lightship.core.access import Budget
from lightship.core.cases import Case, Exhibit
from lightship.core.people import Look, Shift

SMALL = Budget(seconds=25.0, items=2, severity=3.0, stretch_s=1000.0, grant_s=10.0)


@pytest.fixture
def made(tmp_path):
    return full(console(tmp_path, budget=SMALL))


def shift_of(made, name):
    return next(one for one in made.all(Shift) if one.account == name and one.ended_at is None)


def open_one(made, who, case_id, shown="still", exhibit_id=None):
    exhibit_id = exhibit_id or made.exhibits[case_id].id
    return who.post(f"/items/{case_id}/reveal", exhibit=exhibit_id, shown=shown)


def test_a_clear_picture_is_only_given_to_who_holds_the_case(made):
    who = working(made, "mo")
    assert open_one(made, who, "c0").status_code == 403
    who.post("/items/c0/claim")
    done = open_one(made, who, "c0")
    assert done.status_code == 200
    assert done.content == still(0)
    assert done.headers["cache-control"] == "no-store"
    assert made.one(Case, "c0").seen
    assert made.vault.log == [(made.exhibits["c0"].id, "mo", "review")]
    [entry] = made.ledger.of("reveal")
    assert (entry["by"], entry["case"], entry["purpose"], entry["granted_s"]) == ("mo", "c0", "review", 10.0)
    other = working(made, "nia")
    assert open_one(made, other, "c0").status_code == 403
    assert other.get(f"/items/c0/stills/{made.exhibits['c0'].id}/blurred").status_code == 403


def test_the_server_measures_what_was_seen(made):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    look = open_one(made, who, "c0").headers["x-look"]
    assert shift_of(made, "mo").seconds == 10.0
    made.clock.on(seconds=4)
    assert who.post("/items/c0/cover", look=look).json() == {"seconds": 4.0}
    assert who.post("/items/c0/cover", look=look).json() == {"seconds": 4.0}
    assert shift_of(made, "mo").seconds == 4.0
    late = open_one(made, who, "c0").headers["x-look"]
    made.clock.on(seconds=55)
    assert who.post("/items/c0/cover", look=late).json() == {"seconds": 10.0}
    assert shift_of(made, "mo").seconds == 14.0
    assert shift_of(made, "mo").items == 1
    nia = working(made, "nia")
    assert nia.post("/items/c0/cover", look=late).status_code == 404


def test_over_budget_no_item_opens_by_any_address(made):
    who = working(made, "mo")
    for name in ("c0", "c2"):
        who.post(f"/items/{name}/claim")
        assert open_one(made, who, name).status_code == 200
    assert "2 items this shift, which is the limit" in who.get("/items/c0").text
    opened = len(made.vault.log)
    for name in ("c0", "c1", "c2", "c3"):
        assert who.get(f"/items/{name}").status_code == 403
        assert who.post(f"/items/{name}/claim").status_code == 403
        assert open_one(made, who, name).status_code == 403
        assert who.get(f"/items/{name}/stills/{made.exhibits[name].id}/blurred").status_code == 403
    assert who.post("/queue/next").headers["location"] == "/shift"
    assert len(made.vault.log) == opened
    who.post("/shift/end")
    who.post("/shift/begin")
    assert who.get("/items/c1").status_code == 403


def test_what_was_opened_can_still_be_decided_at_the_limit(made):
    who = working(made, "mo")
    for name in ("c0", "c2"):
        who.post(f"/items/{name}/claim")
        open_one(made, who, name)
    done = who.post("/items/c2/judge", verdict="not-abuse", clause="none", reason="seen", then="next")
    assert done.headers["location"] == "/queue?decided=c2"


@pytest.mark.parametrize("way", ["opt-out", "break", "end"])
def test_nothing_opens_after(made, way):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    who.post(f"/shift/{way}")
    assert who.get("/items/c0").status_code == 403
    assert open_one(made, who, "c0").status_code == 403
    if way == "break":
        made.clock.on(seconds=SMALL.break_s)
        assert who.get("/items/c0").status_code == 200


def test_stills_come_before_motion_and_sound(made, tmp_path):
    film = exhibit(made, "c0", make(tmp_path / "film.mp4").read_bytes(), "video/mp4")
    who = working(made, "mo")
    who.post("/items/c0/claim")
    assert "Stills come before" in open_one(made, who, "c0", "motion", film.id).text
    assert open_one(made, who, "c0").status_code == 200
    assert open_one(made, who, "c0", "motion", film.id).headers["content-type"] == "video/mp4"
    assert open_one(made, who, "c0", "still", film.id).status_code == 422
    assert open_one(made, who, "c0", "whole", film.id).status_code == 422
    assert {one.shown for one in made.all(Look)} >= {"still", "motion"}


def test_an_exhibit_of_another_case_or_destroyed_is_not_given(made):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    assert open_one(made, who, "c0", exhibit_id=made.exhibits["c1"].id).status_code == 404
    assert open_one(made, who, "c0", exhibit_id="../../etc/passwd").status_code == 404
    with made.store.begin() as work:
        work.change(Exhibit, made.exhibits["c0"].id, {}, destroyed_at=made.clock())
    assert open_one(made, who, "c0").status_code == 404
    with made.store.begin() as work:
        work.change(Exhibit, made.exhibits["c0"].id, {}, destroyed_at=None)
    made.vault.kept.clear()
    assert open_one(made, who, "c0").status_code == 503


def test_the_second_person_may_look_and_the_first_may_not_again(made):
    mo, nia = working(made, "mo"), working(made, "nia")
    mo.post("/items/c0/claim")
    mo.post("/items/c0/judge", verdict="abuse", clause="abuse-live", reason="words")
    assert open_one(made, mo, "c0").status_code == 403
    assert open_one(made, nia, "c0").status_code == 200
    assert made.vault.log[-1][2] == "second-opinion"
    nia.post("/items/c0/second", agrees="yes")
    assert open_one(made, nia, "c0").status_code == 403


def test_an_appeal_is_looked_at_by_a_lead_who_had_no_part_in_it(made):
    mo, lee = working(made, "mo"), working(made, "lee")
    mo.post("/items/c0/claim")
    mo.post("/items/c0/judge", verdict="not-abuse", clause="none", reason="words")
    assert open_one(made, lee, "c0").status_code == 403
    mo.post("/items/c0/appeal", words="It was.")
    assert open_one(made, lee, "c0").status_code == 200
    assert made.vault.log[-1][2] == "appeal"
    assert open_one(made, mo, "c0").status_code == 403
    done = lee.post("/items/c0/reverse", outcome="reverse", clause="abuse-live", reason="seen")
    assert done.status_code == 303
    assert made.one(Case, "c0").state == "reversed"


def test_a_blurred_still_cannot_be_sharpened(made):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    done = who.get(f"/items/c0/stills/{made.exhibits['c0'].id}/blurred")
    assert done.headers["content-type"] == "image/png"
    picture = cv2.imdecode(np.frombuffer(done.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 320
    assert np.ptp(picture.astype(int), axis=2).max() == 0  # grey
    assert shift_of(made, "mo").seconds == 0.0
    text = np.zeros((720, 1280, 3), np.uint8)
    cv2.putText(text, "SECRET", (200, 400), cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 3)
    fine = text.copy()
    fine[::2] = 0
    soft = blurred(cv2.imencode(".png", fine)[1].tobytes())
    seen = cv2.imdecode(np.frombuffer(soft, np.uint8), cv2.IMREAD_GRAYSCALE)
    edges = [float(cv2.Laplacian(one.astype(np.float32), cv2.CV_32F).max()) for one in (seen, fine[:, :, 0])]
    assert edges[0] < 5.0 < 200.0 < edges[1]  # no edge is left


def test_what_is_no_picture_is_said_so(made):
    bad = exhibit(made, "c0", b"not a picture")
    who = working(made, "mo")
    who.post("/items/c0/claim")
    assert who.get(f"/items/c0/stills/{bad.id}/blurred").status_code == 404


def test_a_lapsed_claim_gives_nothing(made):
    who = working(made, "mo")
    who.post("/items/c0/claim")
    made.clock.on(seconds=61)
    assert open_one(made, who, "c0").status_code == 403
    assert who.post("/items/c0/beat").status_code == 409
    assert who.post("/items/c0/judge", verdict="abuse", clause="abuse-live", reason="seen").status_code == 403


def test_a_take_over_is_a_leads_and_on_record(made):
    mo, nia, lee = working(made, "mo"), working(made, "nia"), working(made, "lee")
    mo.post("/items/c0/claim")
    assert nia.post("/items/c0/claim").status_code == 403
    assert lee.post("/items/c0/claim").status_code == 403
    assert "mo</strong> has this item" in lee.get("/items/c0").text
    assert lee.post("/items/c0/take-over").status_code == 303
    assert made.ledger.of("take-over")[0]["by"] == "lee"
    assert mo.post("/items/c0/beat").status_code == 409


def test_every_look_is_on_record(made):
    who = working(made, "mo")
    before = len(made.ledger.of("look"))
    for path in ("/queue", "/wall", "/health", "/subjects/host-s0", "/items/c0", "/items/c0/machine"):
        assert who.get(path).status_code == 200
    looks = made.ledger.of("look")[before:]
    assert [one["what"] for one in looks] == [
        "queue", "wall", "health", "subject host-s0", "case c0", "machine use of case c0",
    ]  # fmt: skip
    assert {one["by"] for one in looks} == {"mo"}
    assert all(one["purpose"] == "review" for one in looks)


def test_training_that_ran_out_closes_everything(made):
    who = working(made, "mo")
    made.clock.on(days=199, hours=23)
    who = working(made, "mo")
    assert who.get("/items/c0").status_code == 200
    made.clock.on(hours=1)
    who = working(made, "mo")
    assert "training ran out" in who.get("/items/c0").text


def test_the_share_closed_unseen_is_a_headline(made):
    who = working(made, "mo")
    for name, look in (("c0", True), ("c2", False)):
        who.post(f"/items/{name}/claim")
        if look:
            open_one(made, who, name)
        who.post(f"/items/{name}/judge", verdict="not-abuse", clause="none", reason="words")
    assert "50 %" in who.get("/health").text
    assert shift_of(made, "mo").unseen == 1
