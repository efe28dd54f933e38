"""The record book: forms that are checked, papers that stay as they were, and a change that nobody assessed."""

import dataclasses
import json
from datetime import date, timedelta

import pytest
from tests.servers import postgres, postgres_url  # noqa: F401 - fixtures
from tests.unit.duties.book_making import BEGAN, LONDON, assessment_text, filled, measures_text, note, papered

from lightship import app_regulator, packs
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.duties import Clock, Detection, Duty, Paper, Seat
from lightship.core.errors import AccessDenied, InputError, PolicyError, StoreError
from lightship.core.people import Shift
from lightship.duties import record_book
from lightship.duties import record_book_papers as papers
from lightship.duties.measures import parse_table
from lightship.duties.measures_figures import FIGURES
from lightship.duties.measures_period import period_of
from lightship.duties.record_book_forms import empty_form, facts_of, read_form
from lightship.duties.record_book_page import book_page
from lightship.duties.record_book_words import in_words
from lightship.infra.migrate import upgrade
from lightship.infra.period import StoredPeriod
from lightship.infra.store import SqlStore

OCTOBER = period_of("2026-10", LONDON)
TABLE = app_regulator.measure_table()


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    made = papered(filled(tmp_path_factory.mktemp("month") / "kept"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def figures(month):
    with app_regulator.open_desk(month.deployment) as desk:
        return desk.figures(OCTOBER)


def book(month, figures, period=OCTOBER):
    with month.store.look() as work:
        kept = work.find(Paper, {}, order=("made_at",))
    return record_book.book_of(TABLE, period, kept, figures, app_regulator.code())


def read(text, assessment=None):
    return read_form(text, "form.toml", TABLE, assessment)


def test_the_table_has_every_row_of_the_codes():
    ids = {one.id for one in TABLE.measures}
    wanted = {f"A{n}" for n in range(1, 8)} | {f"C{n}" for n in (*range(1, 11), 14, 15, 16)}
    wanted |= {f"D{n}" for n in range(1, 14)} | {"E1", "F1", "F2", "G1", "G3", "H1", "J1", "J2"}
    assert ids == wanted
    assert all(one.grade and one.who and one.owes for one in TABLE.measures)
    assert "C14" not in {one.id for one in TABLE.on(date(2026, 9, 29))}
    assert "C14" in {one.id for one in TABLE.on(date(2026, 9, 30))}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('figures = ["posts"]', 'figures = ["nothing"]'), "nothing"),
        (('applies = [["all"]]', 'applies = [["huge"]]'), "huge"),
        (('grade = "S"', 'grade = "S"\nextra = 1'), "extra"),
        (("from = 2025-03-17", 'from = "2025"'), "no days"),
    ],
)
def test_a_table_that_names_what_is_not_known_is_refused(change, said):
    _, text = packs.read("measures", "gb", ".toml", "table")
    with pytest.raises(PolicyError, match=said):
        parse_table(text.replace(*change, 1), "gb.toml", FIGURES)


@pytest.mark.parametrize(
    ("users", "levels", "binds", "free"),
    [
        (7_000_001, {}, {"A1", "A4", "C9", "C10", "D8"}, {"D9"}),
        (7_000_000, {}, {"C9", "D8"}, {"A1", "A4", "D9", "C10"}),
        (700_000, {}, {"D8"}, {"C9"}),
        (10, {"csea-image": "low", "csea-grooming": "high", "csea-url": "high", "fraud": "low"}, {"D9", "C1"}, {"A5", "D8"}),
        (700_001, {"csea-url": "high"}, {"C10"}, set()),
    ],
)  # fmt: skip
def test_which_measures_bind_follows_from_users_and_levels(users, levels, binds, free):
    """The parts of child sexual exploitation and abuse count once: grooming and addresses alone are not multi-risk."""
    body = read(assessment_text(users=users, levels=levels)).body
    bound = {one.id for one in TABLE.measures if one.binds(facts_of(body, TABLE))}
    assert binds <= bound
    assert not free & bound


ASSESSMENTS = [
    (('author = "Nia, trust and safety"', ""), "“author” of the assessment is missing"),
    (('"live", "child-accessed"', '"live", "magic"'), "declares “magic”"),
    (('profiles = ["livestreaming", "child users"]', "profiles = []"), "Risk Profiles"),
    (('understand = "Done as the guidance says."', 'understand = ""'), "step “understand”"),
    (
        ('id = "csea-url"', 'id = "csea-other"'),
        "“csea-url” (Addresses of child sexual abuse material) is not assessed",
    ),
    (('factors = ["live"]', "factors = []"), "does not name the risk factor “live”"),
    (('evidence = ["figures of the last year"]', "evidence = []"), "names no evidence"),
    (('findings = "As the figures say."', 'findings = " "'), "has no findings"),
    (('likelihood = "high"', 'likelihood = "huge"'), "likelihood is none of"),
    (('level = "high"', 'level = "low"'), "below both likelihood and impact"),
    (("users = 900000", "users = true"), "monthly users"),
]


@pytest.mark.parametrize(("change", "said"), ASSESSMENTS)
def test_an_assessment_that_leaves_something_out_says_what(change, said):
    text = assessment_text()
    assert change[0] in text
    found = read(text.replace(*change, 1))
    assert any(said in one for one in found.problems), found.problems


def test_every_measure_is_taken_or_answered_for():
    assessment = read(assessment_text()).body
    assert read(measures_text(), assessment).problems == ()
    assert read(measures_text(stands={"C9": "alternative"}), assessment).problems == ()
    assert any("C9 is missing" in one for one in read(measures_text(leave_out={"C9"}), assessment).problems)
    free = read(measures_text(stands={"C9": "does-not-apply"}), assessment).problems
    assert any(one.startswith("C9 binds this service") for one in free)
    bare = measures_text(stands={"C9": "alternative"}).replace('why = "So nothing is passed over."', "")
    assert any("does not say why" in one for one in read(bare, assessment).problems)
    assert any("Take and approve one first" in one for one in read(measures_text(), None).problems)
    own = read(f'{measures_text()}\n[[targets]]\nfigure = "cases"', assessment).problems
    assert any("“targets” of the statement is not known" in one for one in own), "they are dated rules"


@pytest.mark.parametrize(
    "text", ["not = [toml", "x = 1", 'form = "poem"', 'form = "assessment"\ndate = 2026-10-02\nharms = 3']
)
def test_what_is_no_form_is_refused_by_name(text):
    with pytest.raises(InputError):
        read(text)


def test_the_empty_forms_have_every_row_and_are_not_complete():
    for kind in ("assessment", "measures"):
        found = read(empty_form(kind, TABLE, BEGAN.date()), read(assessment_text()).body)
        assert found.kind == kind
        assert found.problems
        assert not any("is missing:" in one or "not assessed" in one for one in found.problems)


def test_every_figure_that_is_defined_is_worked_out_and_told_in_words(month, figures):
    told = book(month, figures)["figures"]
    assert set(told) == set(FIGURES)
    for name, value in told.items():
        assert in_words(name, value).endswith(".")
        json.dumps(value, allow_nan=False)


def test_the_figures_are_those_of_the_month(month, figures):
    assert figures["cases"]["total"] == 120
    assert figures["cases"]["of_each"] == {"machine": 96, "report": 24}
    assert figures["verdicts"]["of_each"] == {"abuse": 109, "not-abuse": 11}
    assert figures["detections"]["total"] == 109
    assert figures["owed"]["open_at_the_end"] == figures["owed"]["of_each"]["owed / nca"]
    assert figures["aware-to-filed"]["count"] + figures["owed"]["open_at_the_end"] == 109
    assert figures["accuracy"]["of"] == 96
    assert 0.3 <= figures["aware-to-stopped"]["p50_s"] <= 9.0
    assert figures["coverage"]["stream_minutes"] == 40
    assert figures["coverage"]["looked_at"] == pytest.approx(1 - 10 * 1.5 / 2400)
    assert figures["scans"]["private_pictures"] == 0
    assert figures["staffing"]["share"] == pytest.approx(31 * 12 / 745, abs=1e-6), "the clocks went back"
    assert figures["staffing"]["longest_without_h"] == 12.0
    assert figures["clocks"]["of_each"] == {"nca-question / in time": 1}
    assert figures["posts"]["vacant"] == ["replacement"]
    assert figures["appeals"]["received"] == 11


def test_what_comes_after_the_period_changes_none_of_its_figures(month, tmp_path):
    made = filled(tmp_path / "kept")
    with app_regulator.open_desk(made.deployment) as desk:
        before = desk.figures(OCTOBER)
    later = OCTOBER.ends + timedelta(days=2)
    with made.store.begin() as work:
        for one in work.find(Duty, {"state": "owed"}):
            work.change(Duty, one.id, {}, state="filed", reference="X", filed_at=later)
        for one in work.find(Case, {"stopped_at": None}):
            work.change(Case, one.id, {}, stopped_at=later, state="reversed")
        for one in work.find(Report, {}):
            work.change(Report, one.id, {"seen_at": None}, seen_at=later)
        work.save(Judgement("later", "c1", "lee", later, "not-abuse", "none", "x"))
        work.record(
            {
                "kind": "appeal-answered",
                "at": later.isoformat(),
                "case": "c0",
                "by": "lee",
                "overturned": True,
                "reason": "",
            }
        )
    with app_regulator.open_desk(made.deployment) as desk:
        after = desk.figures(OCTOBER)
    made.store.close()
    assert after == before


def test_the_book_says_what_is_taken_what_the_numbers_say_and_what_is_missing(month, figures):
    rows = {one["id"]: one for one in book(month, figures)["measures"]}
    assert rows["C2"]["stands"] == "taken"
    assert rows["C2"]["missing"] == []
    assert rows["A2"]["missing"] == ["Vacant: replacement."]
    assert rows["C4"]["missing"] == [f"Targets missed: {figures['targets']['missed']}."]
    assert "No figure: hash lists." in rows["C9"]["missing"]
    assert rows["D9"]["binds"] is False
    assert rows["D9"]["missing"] == []


def test_without_papers_everything_that_binds_all_is_missing(tmp_path):
    made = filled(tmp_path / "kept", count=5)
    with app_regulator.open_desk(made.deployment) as desk:
        found = record_book.book_of(
            TABLE,
            OCTOBER,
            desk.papers(),
            desk.figures(OCTOBER),
            app_regulator.code(),
        )
    made.store.close()
    assert "No risk assessment is approved." in found["flags"]
    assert all(one["missing"] for one in found["measures"] if one["binds"])
    page = book_page(found, Paper("x", "record-book", "2026-10", 1, BEGAN, "nia", "{}"))
    assert b"Nobody says whether it is taken" in page
    assert b"Not approved yet" in page


def test_a_change_without_a_fresh_assessment_is_flagged_until_there_is_one(tmp_path):
    made = papered(filled(tmp_path / "kept", count=5))

    def said(at):
        with made.store.look() as work:
            kept = work.find(Paper, {}, order=("made_at",))
        return [one for one in record_book.flags(TABLE, kept, at) if "fresh risk assessment" in one]

    first, second = BEGAN + timedelta(days=9), BEGAN + timedelta(days=12)
    assert said(first) == []
    note(
        made.store,
        BEGAN + timedelta(days=10),
        policies=[packs.policy("broadcast")],
        private_bases=["a court order"],
    )
    assert said(first) == []
    (flag,) = said(second)
    assert flag.startswith(
        "The configuration changed on 11 October 2026 (policies, bases for private streams) without a"
    )
    papered(made, second)
    assert said(second + timedelta(hours=2)) == []
    made.store.close()


def test_an_assessment_is_due_anew_after_a_year(month):
    with month.store.look() as work:
        kept = work.find(Paper, {}, order=("made_at",))
    late = list(record_book.flags(TABLE, kept, BEGAN + timedelta(days=2 + 366)))
    assert any("was due anew on 3 October 2027" in one for one in late)


def test_a_paper_is_approved_once_by_somebody_else_and_never_changes(tmp_path):
    made = filled(tmp_path / "kept", count=1)
    body = {"form": "assessment", "n": 1}
    with made.store.begin() as work:
        one = papers.write(work, "assessment", body, subject="s", author="nia", now=BEGAN)
        same = papers.write(
            work, "assessment", body, subject="s", author="nia", now=BEGAN + timedelta(days=1)
        )
        two = papers.write(
            work, "assessment", {**body, "n": 2}, subject="s", author="nia", now=BEGAN + timedelta(days=2)
        )
    assert same == one
    assert (two.version, two.before) == (2, one.id)
    with made.store.begin() as work:
        for by in ("nia", " "):
            with pytest.raises(AccessDenied):
                papers.approve(work, one.id, by=by, now=BEGAN)
        assert papers.approve(work, one.id, by="lee", now=BEGAN).approved_by == "lee"
        with pytest.raises(StoreError, match="approved already"):
            papers.approve(work, one.id, by="kim", now=BEGAN)
        with pytest.raises(StoreError, match="no such paper"):
            papers.approve(work, "sha256:0-v1", by="lee", now=BEGAN)
    with pytest.raises(StoreError, match="not what was written"):
        papers.body(dataclasses.replace(two, body=two.body.replace("2", "3")))
    with app_regulator.open_desk(made.deployment) as desk:
        found = list(
            desk.source.entries(["paper-written", "paper-approved"], BEGAN, BEGAN + timedelta(days=9))
        )
    assert [one["kind"] for one in found] == ["paper-written", "paper-written", "paper-approved"]
    made.store.close()


def test_the_same_book_is_the_same_paper_and_markup_in_a_form_stays_text(tmp_path):
    made = filled(tmp_path / "kept", count=3)
    text = assessment_text().replace('service = "Example Live"', 'service = "<script>alert(1)</script>"')
    file = tmp_path / "assessment.toml"
    file.write_text(text, encoding="utf-8")
    with app_regulator.open_desk(made.deployment) as desk:
        taken = app_regulator.take(desk, file, "nia")
        assert taken.configuration == desk.running().configuration
        with desk.store.begin() as work:
            work.change(Paper, taken.id, {}, made_at=BEGAN, approved_at=BEGAN, approved_by="lee")
        first, _ = app_regulator.write_book(desk, OCTOBER, tmp_path / "one", "nia")
        second, _ = app_regulator.write_book(desk, OCTOBER, tmp_path / "two", "kim")
    made.store.close()
    assert first == second
    page = (tmp_path / "two" / "book.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page == (tmp_path / "one" / "book.html").read_text()


def test_the_figures_of_a_month_are_the_same_on_either_database(month, figures, postgres_url):  # noqa: F811
    upgrade(postgres_url)
    with SqlStore(postgres_url) as store, app_regulator.open_desk(month.deployment) as desk:
        with month.store.look() as here, store.begin() as there:
            for kind in (
                Stream,
                Case,
                Judgement,
                Effect,
                Report,
                Exhibit,
                Shift,
                Detection,
                Duty,
                Clock,
                Seat,
                Paper,
            ):
                there.save(*here.find(kind))
        other = dataclasses.replace(desk, source=StoredPeriod(store, desk.source._ledger, desk.source._lists))
        assert other.figures(OCTOBER) == figures
