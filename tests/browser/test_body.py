"""The body's console with a real browser: the register, the two desks, knowledge and sending; what axe finds; keys alone."""

from datetime import timedelta

import pytest

from lightship.core.casework import Dissemination, Marking
from lightship.core.errors import AccessDenied
from tests.browser.desk import Person, Server, axe, seen_as, shot, wide
from tests.unit.casework.undercover_cases import FULL
from tests.unit.console.casework import referred
from tests.unit.console.unit_people import BASIS, at_work, found, register, two_bodies

VIEWS = [
    ("light", (400, 800)),
    pytest.param("light", (1280, 900), marks=pytest.mark.slow),
    pytest.param("light", (640, 450), marks=pytest.mark.slow),
]
ENTRIES = (
    "kind,identifier,value,platform,reference,contact,urgency,until\n"
    "persona,handle,@Otter,Chat,C-4,desk@there.example,1,2027-02-20\n"
)


@pytest.fixture
def served(tmp_path):
    made, made.other = two_bodies(tmp_path)
    at_work(found(referred(made, marking=Marking(tlp="amber", pap="amber", originator="A sender"))))
    with Server(made) as running:
        yield running


class Insider(Person):
    """Somebody inside, who comes in by the form that everybody has."""

    def __init__(self, browser, served, name, **context):
        self.served, self.made, self.faults = served, served.made, []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.page = self.context.new_page()
        self.page.set_default_timeout(5000)
        self.page.on("console", lambda one: self.faults.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda one: self.faults.append(str(one)))
        self.go("/sign-in")
        self.made.clock.on(seconds=30)
        passphrase, codes = self.made.inside[name]
        self.page.fill("#name", name)
        self.page.fill("#password", passphrase)
        self.page.fill("#code", codes.at(self.made.clock()))
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("text=What are you here for?")
        self.page.fill("#why", "the day’s reviews")
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("h1:has-text('Undercover register')")


def looked_at(person, paths, name):
    """Open pages with all that can be opened; return what axe finds, in the dark too, and see that nothing is cut off."""
    wrong = {}
    for number, path in enumerate(paths):
        assert person.go(path).status == 200, path
        for one in person.page.query_selector_all("details > summary"):
            one.click()
        wrong[path] = axe(person.context, person.page)
        shot(person.page, f"{name}-{number}")
        assert wide(person.page) <= 0, path
        with seen_as(person.page, scheme="dark"):
            wrong[path] += axe(person.context, person.page)
            shot(person.page, f"{name}-{number}-dark")
            assert wide(person.page) <= 0, path
    return {where: what for where, what in wrong.items() if what}


def view(scheme, viewport):
    return {"color_scheme": scheme, "viewport": {"width": viewport[0], "height": viewport[1]}}


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_axe_finds_nothing_inside_and_nothing_is_cut_off(browser, served, tmp_path, scheme, viewport):
    made = served.made
    one = register(made)
    early = made.clock() - timedelta(days=1)
    with pytest.raises(AccessDenied, match="possible error"):
        one.contact("A-1", early, "online", "seen in the room", use=True)
    paths = (
        "/unit",
        "/unit/apply",
        "/unit/authorisations/A-1",
        "/unit/sources/S-17",
        "/unit/two",
        "/unit/desk",
        "/unit/why",
    )
    with Insider(browser, served, "fir", **view(scheme, viewport)) as fir:
        assert looked_at(fir, paths, f"unit-{scheme}-{viewport[0]}") == {}


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_axe_finds_nothing_outside_and_nothing_is_cut_off(browser, served, tmp_path, scheme, viewport):
    case = f"/cases/{served.made.inquiries[0]}"
    paths = (
        "/deconfliction", f"/deconfliction/there?case={case[7:]}", "/knowledge", "/knowledge?words=livestream&language=fr",
        "/knowledge/country-ph?language=th", f"{case}/preview?to=abroad", f"{case}/send?to=abroad", f"{case}/sent",
    )  # fmt: skip
    with Person(browser, served, "ann", **view(scheme, viewport)) as ann:
        ann.go(f"{case}/send?to=abroad")
        ann.page.check("input[value=taxii]")
        ann.page.fill("#s-why", "The payer lives there.")
        ann.page.check("#s-sure")
        ann.page.click("main button:has-text('Send it')")
        ann.page.wait_for_selector("text=not acknowledged yet")
        [sent] = served.made.all(Dissemination)
        assert looked_at(ann, (*paths, f"{case}/sent/{sent.id}"), f"body-{scheme}-{viewport[0]}") == {}


def test_an_authority_is_applied_for_and_granted_and_cancelled_by_keyboard_alone_without_javascript(
    browser, served
):
    made = served.made
    with Insider(browser, served, "ula", java_script_enabled=False) as ula:
        page = ula.page
        page.focus("nav a:has-text('Apply')")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Apply for an authorisation')")
        for name, value in (
            ("id", "A-9"), ("handler", "Birch"), ("controller", "Dale"), ("cover", "Cedar"), ("record_keeper", "Elm"),
            ("conduct", "Watch one room."), ("necessity", "No other enquiry reaches her."),
            ("proportionality", "Banks were asked first."), ("collateral", "Others are not recorded."),
            ("confidential", "None is likely."),
        ):  # fmt: skip
            page.focus(f"#a-{name}")
            page.keyboard.type(value)
        page.focus("main button:has-text('Apply')")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=It waits for an authorising officer")
        assert register(made).authorisation("A-9").application.applicant == "ula"
    with Insider(browser, served, "gale", java_script_enabled=False) as gale:
        page = gale.page
        gale.go("/unit/authorisations/A-9")
        page.focus("summary:has-text('Authorise it')")
        page.keyboard.press("Enter")
        page.focus("#g-rank")
        page.keyboard.type(FULL)
        page.focus("#g-review_due")
        page.keyboard.type((made.clock() + timedelta(days=20)).date().isoformat())
        page.keyboard.press("Enter")
        page.wait_for_selector("text=RIPA 2000 s.43(3)(b)")
        page.focus("summary:has-text('Cancel it')")
        page.keyboard.press("Enter")
        page.focus("#c-why")
        page.keyboard.type("Not needed after all.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("strong:has-text('cancelled')")
    assert register(made).authorisation("A-9").state == "cancelled"


def test_ann_asks_the_other_body_by_files_and_the_covert_desk_there_learns_of_it(browser, served, tmp_path):
    made, other = served.made, found(served.made.other)
    with Server(other) as there, Insider(browser, there, "dora") as dora:
        dora.go("/unit/desk")
        dora.page.fill("#e-entries", ENTRIES)
        dora.page.click("text=Keep them")
        with dora.page.expect_download() as got:
            dora.page.click("text=Make a round, as a file")
        got.value.save_as(tmp_path / "round")
        with Person(browser, served, "ann") as ann:
            ann.go("/deconfliction/there")
            ann.page.set_input_files("#file", tmp_path / "round")
            with ann.page.expect_download() as got:
                ann.page.click("text=Open it")
            got.value.save_as(tmp_path / "round-back")
            ann.page.fill(
                "#a-identifiers",
                "identifier,value,platform\nhandle,otter,chat\nemail,a@b.org,\nemail,c@d.org,\n",
            )
            ann.page.select_option("#a-basis", BASIS)
            ann.page.fill("#a-reference", "REF-7")
            ann.page.fill("#a-contact", "desk@here.example")
            with ann.page.expect_download() as got:
                ann.page.click("text=Make the question, as a signed file")
            got.value.save_as(tmp_path / "question")
        dora.page.set_input_files("#b-file", tmp_path / "round-back")
        dora.page.click("text=Take it")
        with Person(browser, there, "ben") as ben:
            ben.go("/deconfliction/here")
            ben.page.set_input_files("#file", tmp_path / "question")
            with ben.page.expect_download():
                ben.page.click("text=Open it")
            assert ben.go("/unit/desk").status == 404
            assert "REF-7" in (ben.go("/deconfliction") and ben.page.content())
            ben.faults.clear()  # the browser's own line of the 404
        dora.page.click("text=Read the kept questions")
        dora.page.wait_for_selector("text=1 new notice.")
        assert "REF-7" in dora.page.content()
        assert axe(dora.context, dora.page) == []
    assert "otter" not in str(list(made.ledger.entries())).casefold()


def test_ann_sends_a_file_by_keyboard_alone_without_javascript_and_says_what_became_of_it(
    browser, served, tmp_path
):
    made = served.made
    case = f"/cases/{made.inquiries[0]}"
    with Person(browser, served, "ann", java_script_enabled=False) as ann:
        page = ann.page
        ann.go(f"{case}/preview?to=abroad")
        page.focus("text=Send it…")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Send to A unit abroad')")
        page.focus("input[value=case]")
        page.keyboard.press("Space")
        page.focus("#s-why")
        page.keyboard.type("The payer lives there.")
        page.focus("#s-sure")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        with page.expect_download() as got:
            page.keyboard.press("Enter")
        got.value.save_as(tmp_path / "sent")
        assert got.value.suggested_filename.endswith(".case.jsonld")
        [sent] = made.all(Dissemination)
        assert (tmp_path / "sent").read_text() == sent.content
        ann.go(f"{case}/sent")
        page.focus("summary:has-text('Say what became of it')")
        page.keyboard.press("Enter")
        page.focus("#o1-acknowledged")
        page.keyboard.press("Space")
        page.focus("#o1-outcome")
        page.keyboard.type("The child was found safe.")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=The child was found safe.")
    assert made.one(Dissemination, sent.id).acknowledged_at is not None
