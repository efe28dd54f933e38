"""The regulator's page and the documents that are kept: axe, a narrow screen, the dark, and what an auditor reads."""

import pytest

from lightship import app_regulator
from lightship.core.duties import Paper
from lightship.duties.measures_period import period_of
from tests.browser.desk import Person, Server, axe, shot
from tests.unit.console.making import console
from tests.unit.duties.book_making import BEGAN, LONDON, filled, note, papered

OCTOBER = period_of("2026-10", LONDON)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Every document that is written, of one month with counts small enough to be withheld."""
    folder = tmp_path_factory.mktemp("documents")
    made = papered(filled(folder / "kept", count=40))
    out = folder / "out"
    with app_regulator.open_desk(made.deployment) as desk:
        app_regulator.write_book(desk, OCTOBER, out, "nia")
        app_regulator.write_statement(desk, out, "Example Live", "nia")
        app_regulator.write_answer(desk, OCTOBER, out, "nia")
        app_regulator.write_transparency(desk, period_of("2026", LONDON), out, (), "nia")
    made.store.close()
    return out


@pytest.fixture
def audited(tmp_path, documents):
    """A console whose store holds the month's papers, and a change of configuration that nobody assessed."""
    made = console(tmp_path, measures=app_regulator.measure_table())
    other = papered(filled(tmp_path / "kept", count=40))
    with app_regulator.open_desk(other.deployment) as desk:
        app_regulator.write_book(desk, OCTOBER, tmp_path / "out", "nia")
    note(other.store, BEGAN.replace(month=11), most_streams=7)
    with other.store.look() as work:
        kept = work.find(Paper, {})
    with made.store.begin() as work:
        work.save(*kept)
    other.store.close()
    with Server(made) as one:
        yield one


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_documents(browser, documents, tmp_path, scheme):
    found = {}
    names = ("book", "statement", "answer", "report")
    for name in names:
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"file://{documents / name}.html")
        found[name] = axe(context, page)
        page.set_viewport_size({"width": 400, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, name
        shot(page, f"{scheme}-{name}")
        context.close()
    assert found == {name: [] for name in names}


def test_a_document_prints_whole(browser, documents):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"file://{documents / 'book.html'}")
    page.emulate_media(media="print")
    hidden = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => getComputedStyle(e).overflowX !== 'visible').length"
    )
    assert hidden == 0
    assert page.pdf().startswith(b"%PDF")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_auditor_sees_what_is_missing_and_that_a_change_was_not_assessed(
    browser, audited, tmp_path, scheme
):
    with Person(browser, audited, "ada", color_scheme=scheme) as ada:
        assert ada.go("/regulator").status == 200
        shot(ada.page, f"{scheme}-regulator")
        said = ada.page.text_content("main")
        assert "2026-10" in said
        assert "without a fresh risk assessment" in said
        assert "streams at once" in said
        assert "Vacant: replacement." in ada.page.text_content("#A2")
        assert ada.axe() == []
        ada.page.click("text=Show only these")
        assert ada.page.locator("#C1").count() == 0
        assert ada.page.locator("#A2").count() == 1
        assert ada.page.locator("form:not(.ls-header__who):not([method=dialog])").count() == 0, (
            "nothing can be changed"
        )
    with Person(browser, audited, "ada", color_scheme=scheme, viewport={"width": 400, "height": 800}) as ada:
        ada.go("/regulator")
        shot(ada.page, f"{scheme}-narrow")
        wide = ada.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0
