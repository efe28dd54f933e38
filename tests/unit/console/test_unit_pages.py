"""The undercover register at the console: from outside it is not there; inside, every authority has its clock and its law."""

import asyncio
import random
import re
from contextlib import nullcontext
from statistics import median
from time import perf_counter

import pyotp
import pytest
from tests.unit.casework.undercover_cases import FULL
from tests.unit.console.casework import STAFF, body
from tests.unit.console.test_console_routes import routes_of
from tests.unit.console.unit_people import MEMBERS, Insider, acts, at_work, found, register
from tests.unit.console.visiting import Visitor

from lightship.casework.authorisation import TEXTS
from lightship.casework.compartment import Compartment
from lightship.console.door import COOKIE, DESK, Keeper, opens
from lightship.console.unit_app import create_unit
from lightship.core.casework import Use
from lightship.infra.compartment import CompartmentFile

UNIT = {"fir", "gale", "ula", "dora"}
COVERT = {"fir", "gale", "dora"}
PAGES = {
    ("GET", "/unit"): UNIT,
    ("GET", "/unit/why"): UNIT,
    ("POST", "/unit/why"): UNIT,
    ("GET", "/unit/apply"): UNIT,
    ("GET", "/unit/sources/{source_id}"): UNIT,
    ("GET", "/unit/authorisations/{id_}"): UNIT,
    ("GET", "/unit/two"): UNIT,
    ("POST", "/unit/operations"): UNIT,
    ("POST", "/unit/operations/{id_}/close"): UNIT,
    ("POST", "/unit/sources"): UNIT,
    ("POST", "/unit/authorisations"): UNIT,
    ("POST", "/unit/authorisations/{id_}/{act}"): UNIT,
    ("POST", "/unit/two"): UNIT,
    ("POST", "/unit/sources/{source_id}/identity"): UNIT,
    ("POST", "/unit/errors/{error_id}/decide"): UNIT,
    ("GET", "/unit/desk"): COVERT,
    ("POST", "/unit/desk/read"): COVERT,
    ("POST", "/unit/desk/keep"): COVERT,
    ("POST", "/unit/desk/round"): COVERT,
    ("POST", "/unit/desk/back"): COVERT,
    ("POST", "/unit/sign-out"): UNIT,
}
FILLED = {"{source_id}": "S-17", "{id_}": "A-1", "{act}": "review", "{error_id}": "e1"}
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT")


@pytest.fixture
def made(tmp_path):
    return at_work(found(body(tmp_path)))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return at_work(found(body(tmp_path_factory.mktemp("full"))))


@pytest.fixture(scope="module")
def none(tmp_path_factory):
    return body(tmp_path_factory.mktemp("none"))


def filled(path):
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def beside(path):
    """Return an address of the same length and shape that nobody has."""
    return path.replace("/unit", "/tinu")


def seen(who, method, path, **headers):
    """Return all that somebody gets back, without what is never twice the same."""
    who.made.room.settings.log.lines.clear()
    done = who.send(
        method,
        path,
        headers={"x-request-id": "one", "accept-encoding": "identity", **headers},
        data={"csrf": who.csrf} if method == "POST" else None,
    )
    text = done.content.decode()
    for nonce in re.findall(r"nonce-([^']+)'", done.headers.get("content-security-policy", "")):
        text = text.replace(nonce, "NONCE")
    text = re.sub(r'name="csrf" value="[^"]+"', "", text)
    policy = re.sub(r"nonce-[^']+'", "", done.headers.get("content-security-policy", ""))
    heads = sorted((name, value) for name, value in done.headers.items() if name != "content-security-policy")
    lines = [{k: v for k, v in one.items() if k != "took_ms"} for one in who.made.room.settings.log.lines]
    return done.status_code, heads, policy, text, lines


def outsiders(made):
    """Return everybody who is outside, and how they stand there."""
    yield "nobody", Visitor(made)
    forged = Visitor(made)
    forged.cookies[COOKIE] = "x" * 43
    yield "a forged cookie", forged
    for name, role in STAFF:
        who = Visitor(made)
        assert who.sign_in(name).status_code == 303
        who.get("/keys")
        yield role, who


def test_the_table_has_every_route_and_the_console_itself_none_of_them(full):
    keeper = Keeper(nullcontext, full.clock, print)
    inner = create_unit(full.room, keeper, full.bureau).app
    assert routes_of(inner) == set(PAGES)
    assert not any("unit" in path for _, path in routes_of(full.app))


def asks(role):
    """Return how somebody asks for every route; who is nobody tries all methods, and programs too."""
    for method, path in sorted(PAGES):
        yield method, filled(path), "text/html"
    if role == "nobody":
        for path in sorted({filled(path) for _, path in PAGES}):
            yield from (
                (method, path, accept) for method in METHODS for accept in ("text/html", "application/json")
            )


def test_from_outside_every_route_is_byte_for_byte_a_page_that_is_not_there_and_one_of_a_full_compartment_one_of_none(
    full, none
):
    for (role, who), (_, other) in zip(outsiders(full), outsiders(none), strict=True):
        for method, path, accept in asks(role):
            got = seen(who, method, path, accept=accept)
            assert got[0] == 404, (role, method, path)
            assert got == seen(who, method, beside(path), accept=accept), (role, method, path)
            assert got == seen(other, method, path, accept=accept), (role, method, path)
    assert b"unit" not in full.room.settings.metrics.text()
    inside = seen(Insider(full, "fir"), "GET", "/unit")
    assert inside[0] == 200
    assert inside[4] == []


def test_who_is_inside_without_the_role_is_outside_of_the_rest(full):
    ula = Insider(full, "ula")
    for (method, path), allowed in PAGES.items():
        reaches = opens(MEMBERS["ula"], filled(path))
        assert reaches is ("ula" in allowed)
        if not reaches:
            assert seen(ula, method, filled(path)) == seen(ula, method, beside(filled(path)))
    assert DESK not in ula.get("/unit").text
    assert DESK in Insider(full, "dora").get("/unit").text


@pytest.mark.parametrize("name", sorted(UNIT))
def test_each_role_inside_reaches_what_it_may(full, name):
    who = Insider(full, name)
    for (method, path), allowed in sorted(PAGES.items(), key=lambda one: "sign-out" in one[0][1]):
        done = who.get(filled(path)) if method == "GET" else who.post(filled(path))
        assert done.status_code < 500, (path, done.text)
        shut = "There is no such thing here." in done.text and "Sign out" not in done.text
        assert shut is (name not in allowed), (method, path, done.text)


def test_nobody_outside_can_come_in(full):
    full.inside["ann"] = ("x" * 20, full.codes["ann"])
    for name, passphrase, code in (
        ("fir", "wrong", None),
        ("stranger", "wrong", None),
        ("fir", full.inside["gale"][0], None),
        ("fir", None, "000000"),
        ("otto", None, None),
        ("ann", None, None),
        ("", "", ""),
    ):
        who = Visitor(full)
        done = Insider.enter(who, name, passphrase, code)
        assert done.status_code == 401, name
        assert COOKIE not in who.cookies
        assert "These do not belong together" in done.text
        assert seen(who, "GET", "/unit") == seen(who, "GET", "/tinu")


def test_a_name_inside_and_a_strangers_are_refused_alike(full):
    views, size = [], full.ledger.size
    for name in ("fir", "a-stranger", "otto", "ula"):
        who = Visitor(full)
        who.get("/sign-in")
        full.room.settings.log.lines.clear()
        page = Insider.enter(who, name, "a wrong passphrase", "123456")
        lines = [
            {k: v for k, v in one.items() if k not in {"took_ms", "request_id", "bytes_in"}}
            for one in full.room.settings.log.lines
        ]
        text = re.sub(r"nonce[-=][^'\s>]+|value=\"[^\"]*\"", "", page.text)
        views.append((page.status_code, text, lines))
    assert all(one == views[0] for one in views)
    assert full.ledger.size == size


def test_a_code_is_good_once_and_five_tries_are_all_in_ten_minutes(made):
    fir = Visitor(made)
    assert Insider.enter(fir, "fir").status_code == 303
    again = made.inside["fir"][1].at(made.clock())
    assert Insider.enter(Visitor(made), "fir", None, again).status_code == 401
    for _ in range(5):
        assert Insider.enter(Visitor(made), "fir", None, "000000").status_code == 401
    assert Insider.enter(Visitor(made), "fir").status_code == 401
    made.clock.on(minutes=11)
    assert Insider.enter(Visitor(made), "fir").status_code == 303


def test_another_sites_form_or_an_old_one_lets_nobody_in(full):
    who = Visitor(full)
    who.get("/sign-in")
    passphrase, codes = full.inside["fir"]
    sent = {"form": "x", "name": "fir", "password": passphrase, "code": codes.at(full.clock())}
    assert who.send("POST", "/sign-in", data=sent).status_code == 403
    form = re.search(r'name="form" value="([^"]+)"', who.get("/sign-in").text)[1]
    evil = {"origin": "https://evil.example"}
    done = who.send("POST", "/sign-in", data={**sent, "form": form}, headers=evil)
    assert done.status_code == 403
    assert COOKIE not in who.cookies


def test_what_is_done_inside_leaves_nothing_outside(made):
    log, metrics = made.room.settings.log, made.room.settings.metrics
    who = Visitor(made)
    who.get("/sign-in")
    log.lines.clear()
    size, figures, uses = made.ledger.size, metrics.text(), len(made.all(Use))
    form = re.search(r'name="form" value="([^"]+)"', who.get("/sign-in").text)[1]
    first = who.get("/sign-in").headers["x-request-id"]
    log.lines.clear()
    figures = metrics.text()
    passphrase, codes = made.inside["fir"]
    made.clock.on(seconds=30)
    sent = {"form": form, "name": "fir", "password": passphrase, "code": codes.at(made.clock())}
    assert who.send("POST", "/sign-in", data=sent).status_code == 303
    who.get("/unit/why")
    who.post("/unit/why", why="a check")
    assert "Undercover register" in who.get("/unit").text
    who.get("/unit/authorisations/A-1")
    who.get("/unit/nothing-of-the-kind")
    assert log.lines == []
    assert metrics.text() == figures
    assert (made.ledger.size, len(made.all(Use))) == (size, uses)
    following = Visitor(made).get("/sign-in").headers["x-request-id"]
    assert int(following[8:], 16) - int(first[8:], 16) == 1, "the console's count of requests has no gap"
    looks = [one for one in acts(made) if one.get("why") == "a check"]
    assert {"consulted"} == {one["kind"] for one in looks}
    assert {"register/", "authorisation/A-1"} & {one["about"] for one in looks}


def test_nothing_is_shown_before_somebody_says_what_for_and_a_session_ends_by_itself(made):
    fir = Insider(made, "fir", why="")
    assert fir.get("/unit").headers["location"] == "/unit/why"
    assert fir.get("/unit/authorisations/A-1").status_code == 303
    assert "A-1" not in fir.get("/unit/authorisations/A-1").text
    fir.get("/unit/why")
    fir.post("/unit/why", why="reviews")
    assert "A-1" in fir.get("/unit").text
    made.clock.on(minutes=15)
    assert fir.get("/unit").status_code == 404
    gale = Insider(made, "gale")
    assert gale.post("/unit/sign-out").headers["location"] == "/sign-in"
    assert gale.get("/unit").status_code == 404


def test_every_form_inside_needs_its_token(full):
    fir = Insider(full, "fir")
    for method, path in PAGES:
        if method == "POST":
            assert "not of this session" in fir.post(filled(path), csrf="x").text, path
    evil = fir.send("POST", "/unit/two", data={"csrf": fir.csrf}, headers={"origin": "https://evil.example"})
    assert evil.status_code == 403


def equally_long(asks, name):
    """Return whether a kind of request takes as long as each of the others, to a tenth, in one of four series.

    A machine that does other things shakes single series; what really takes longer, takes longer in all of them.
    """
    for _ in range(4):
        times = timed(asks)
        if all(0.9 < times[name] / one < 1.1 for one in times.values()):
            return True
        print(times)
    return False


def timed(asks):
    """Return how long each kind of request takes in the middle, seconds, asked by turns in no order."""

    async def one(made, method, path, body):
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"console"), (b"content-type", b"application/x-www-form-urlencoded")],
            "client": ("10.0.0.1", 1), "scheme": "http", "http_version": "1.1", "server": ("console", 80),
        }  # fmt: skip
        begun = perf_counter()

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(_message):
            pass

        await made.app(scope, receive, send)
        return perf_counter() - begun

    async def all_of_them():
        for ask in asks.values():
            await one(*ask)
        times = {name: [] for name in asks}
        for _ in range(300):
            for name in random.sample(sorted(asks), len(asks)):
                times[name].append(await one(*asks[name]))
        return {name: median(each) for name, each in times.items()}

    return asyncio.run(all_of_them())


def test_a_page_inside_takes_those_outside_no_longer_than_one_that_is_not_there(full, none):
    asks = {
        "inside": (full, "GET", "/unit", b""),
        "nowhere": (full, "GET", "/tinu", b""),
        "of none": (none, "GET", "/unit", b""),
    }
    assert equally_long(asks, "inside")


def test_a_name_inside_takes_no_longer_to_be_refused_than_a_strangers_and_a_compartment_no_longer_than_none(
    full, none
):
    def tried(made, name):
        form = made.room.accounts.form_token("")
        return made, "POST", "/sign-in", f"form={form}&name={name}&password=wrong&code=123456".encode()

    asks = {"inside": tried(full, "gale"), "stranger": tried(full, "zeno"), "of none": tried(none, "gale")}
    assert equally_long(asks, "inside")


# Inside ----------------------------------------------------------------------------------------


APPLICATION = {
    "operation_id": "OP-1", "investigation": "INV-1", "source": "S-17", "source_kind": "officer",
    "handler": "Birch", "controller": "Dale", "cover": "Cedar", "record_keeper": "Elm",
    "ground": "prevent-or-detect-crime-or-disorder", "conduct": "Watch one seller’s room.",
    "necessity": "No other enquiry reaches her.", "proportionality": "Banks and platforms were asked first.",
    "collateral": "Others are not recorded.", "confidential": "None is likely.",
}  # fmt: skip


def test_one_applies_and_another_authorises_and_nobody_decides_on_their_own(made):
    ula, fir = Insider(made, "ula"), Insider(made, "fir")
    assert ula.post("/unit/authorisations", id="A-2", **APPLICATION).headers["location"].endswith("/A-2")
    assert register(made).authorisation("A-2").application.applicant == "ula"
    grant = {"rank": FULL, "review_due": "2026-12-20"}
    refused = ula.post("/unit/authorisations/A-2/grant", **grant)
    assert refused.status_code == 404
    assert "There is nothing here for you." in refused.text
    assert fir.post("/unit/authorisations", id="A-3", **APPLICATION).status_code == 303
    own = fir.post("/unit/authorisations/A-3/grant", **grant)
    assert own.status_code == 403
    assert "cannot decide on it" in own.text
    assert "Authorise it" not in fir.get("/unit/authorisations/A-3").text
    assert "Authorise it" in fir.get("/unit/authorisations/A-2").text
    assert fir.post("/unit/authorisations/A-2/grant", **grant).status_code == 303
    page = fir.get("/unit/authorisations/A-2").text
    for said in ("RIPA 2000 s.43(3)(b)", "ends 23 Nov 2027 23:59", "review by 20 Dec 2026", "To be verified"):
        assert said in page, said


def test_reviewed_logged_renewed_and_cancelled(made):
    fir, ula = Insider(made, "fir"), Insider(made, "ula")
    path = "/unit/authorisations/A-1"
    done = ula.post(
        f"{path}/review",
        use="one room watched",
        tasks="none",
        information="a handle",
        review_due="2026-12-22",
    )
    assert done.status_code == 303
    assert "one room watched" in fir.get(path).text
    at = made.clock().isoformat()
    assert ula.post(f"{path}/contact", at=at, means="call", words="weekly call", use="yes").status_code == 303
    assert "weekly call" in fir.get("/unit/sources/S-17").text
    assert "has no offset" in ula.post(f"{path}/contact", at="2026-11-24T09:00", means="m", words="w").text
    renewed = fir.post(f"{path}/renew", rank=FULL, review_due="2026-12-20")
    assert renewed.status_code == 403, "long term is not for this rank"
    assert "cannot grant that" in renewed.text
    assert fir.post(f"{path}/cancel", why="no longer needed").status_code == 303
    assert "cancelled" in fir.get("/unit").text
    assert fir.post("/unit/operations/OP-1/close").status_code == 303
    assert "closed" in fir.get("/unit").text
    assert fir.post(f"{path}/nothing").status_code == 404


def test_the_register_shows_each_clock_and_what_was_blocked_after_the_lapse(made):
    made.clock.on(days=360)
    fir = Insider(made, "fir")
    page = fir.get("/unit").text
    assert "Ends within 7 days" in page
    assert "RIPA 2000 s.43(3)(b)" in page
    for word in ("Welfare", "Tenure", "overdue"):
        assert word in page
    made.clock.on(days=10)
    fir = Insider(made, "fir")
    assert "Has lapsed and is not cancelled" in fir.get("/unit").text
    done = fir.post(
        "/unit/authorisations/A-1/contact",
        at=made.clock().isoformat(),
        means="online",
        words="seen",
        use="yes",
    )
    assert done.status_code == 403
    assert "raised as possible error" in done.text
    [error] = register(made).errors()
    for path in ("/unit", "/unit/authorisations/A-1"):
        assert "while the authorisation was lapsed" in fir.get(path).text
    decide = f"/unit/errors/{error.id}/decide"
    assert "0 of two people" in fir.post(decide, decision="report it").text
    for name in ("fir", "gale"):
        Insider(made, name).post("/unit/two", act="decide-error", about=error.id, why="seen", role="unit")
    assert Insider(made, "fir").post(decide, decision="reported").status_code == 303
    assert "reported" in Insider(made, "gale").get("/unit").text


def test_an_identity_opens_for_two_people_once(made):
    fir, gale = Insider(made, "fir"), Insider(made, "gale")
    assert "Jo Example" not in fir.get("/unit/sources/S-17").text
    opens_it = "/unit/sources/S-17/identity"
    assert "0 of two people" in fir.post(opens_it).text
    for who in (fir, gale):
        assert (
            who.post("/unit/two", act="see-identity", about="S-17", why="a threat", role="unit").status_code
            == 200
        )
    assert "see-identity" in gale.get("/unit/two").text
    assert "Jo Example" in fir.post(opens_it).text
    assert "0 of two people" in fir.post(opens_it).text


def test_two_people_let_a_third_in_whose_key_is_shown_once(made):
    fir, gale = Insider(made, "fir"), Insider(made, "gale")
    sent = {"act": "admit", "about": "ivy", "why": "joins", "role": "covert-desk"}
    assert "1 of two people" in fir.post("/unit/two", **sent).text
    other = gale.post("/unit/two", **{**sent, "role": "authorising-officer"}).text
    assert "1 of two people have agreed to admit, about ivy, as authorising-officer" in other
    assert "admit, as covert-desk" in gale.get("/unit/two").text
    page = gale.post("/unit/two", **sent).text
    passphrase, secret = re.findall(r'<code class="ls-code">([^<]+)</code>', page)
    made.inside["ivy"] = (passphrase, pyotp.TOTP(secret))
    made.app.state.keeper.refresh()
    assert "Covert desk" in Insider(made, "ivy").get("/unit").text
    assert passphrase not in gale.get("/unit/two").text


def test_two_of_the_unit_let_nobody_in_and_nobody_inside_is_given_a_new_key(made):
    ula, dora, fir, gale = (Insider(made, name) for name in ("ula", "dora", "fir", "gale"))
    sock = {"act": "admit", "about": "sock", "why": "joins", "role": "authorising-officer"}
    assert "1 of two people" in ula.post("/unit/two", **sock).text
    done = dora.post("/unit/two", **sock)
    assert done.status_code == 403
    assert "No authorising officer" in done.text
    for who in (fir, gale):
        done = who.post("/unit/two", **{**sock, "about": "ula"})
        assert "They are inside already." in done.text
        assert "passphrase" not in done.text
    made.app.state.keeper.refresh()
    assert "Undercover register" in Insider(made, "ula").get("/unit").text


def test_by_mouth_and_then_in_writing(made):
    ula, fir = Insider(made, "ula"), Insider(made, "fir")
    assert ula.post("/unit/operations", id="OP-2", name="Another", investigation="INV-2").status_code == 303
    about = {**APPLICATION, "operation_id": "OP-2", "investigation": "INV-2"}
    texts = {name: about.pop(name) for name in TEXTS}
    assert ula.post("/unit/authorisations", id="A-4", **about, oral="yes").status_code == 303
    path = "/unit/authorisations/A-4"
    granted = {"rank": FULL, "review_due": "2026-11-26", "oral": "yes"}
    assert "Why it is urgent" in fir.post(f"{path}/grant", **granted).text
    assert fir.post(f"{path}/grant", **granted, urgent="a child is expected tonight").status_code == 303
    page = fir.get(path).text
    assert "an oral grant has no record" in page
    assert "ends within 72 hours" in page
    assert ula.post(f"{path}/write-down", **texts).status_code == 303
    page = fir.get(path).text
    assert "an oral grant has no record" not in page
    assert "Watch one seller’s room." in page


def test_what_outsiders_have_and_the_register_share_no_store(made):
    assert made.compartment.is_dir()
    assert (made.compartment / "store").stat().st_mode & 0o077 == 0
    with CompartmentFile(made.compartment) as store:
        assert Compartment(store, "fir", made.clock()).member.role == "authorising-officer"
    raw = (made.folder / "casework.db").read_bytes()
    for word in (b"S-17", b"INV-1", b"A-1", b"gale"):
        assert word not in raw
