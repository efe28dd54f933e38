"""The yearly report, and the statements of reasons."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.duties.book_making import BEGAN, LONDON, SECRET_WORDS, filled

from lightship import app_regulator
from lightship.core.cases import Effect
from lightship.core.errors import InputError
from lightship.duties.measures_period import period_of
from lightship.duties.transparency_reasons import reasons, statement
from lightship.duties.transparency_suppression import LEAST
from lightship.exchange.dsa_statement import CLOSED, FIELDS, checked, problems

YEAR = period_of("2026", LONDON)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    folder = tmp_path_factory.mktemp("year")
    made = filled(folder / "kept", count=70)
    with app_regulator.open_desk(made.deployment) as desk:
        app_regulator.write_transparency(desk, YEAR, folder / "out", ("DE", "FR"), "nia")
    made.store.close()
    return folder / "out", made


def test_no_small_count_is_in_the_report(year):
    report = json.loads((year[0] / "report.json").read_text())
    assert sum(one["withheld_small"] for one in report["tables"].values()) > 0
    for name, table in report["tables"].items():
        for line in table["cells"]:
            assert all(cell is None or cell == 0 or cell >= LEAST for cell in line), name
    totals = {
        table["cells"][-1][-1]
        for name, table in report["tables"].items()
        if name in {"found", "months", "owed"}
    }
    assert len(totals) == 1


def test_the_report_names_the_mapping_and_is_the_same_again(year, tmp_path):
    out, made = year
    assert app_regulator.crosswalk().mapping in (out / "report.html").read_text()
    with app_regulator.open_desk(made.deployment) as desk:
        app_regulator.write_transparency(desk, YEAR, tmp_path, ("DE", "FR"), "nia")
    for name in ("report.html", "report.json", "reasons.jsonl"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def test_each_statement_of_reasons_is_whole_and_names_nobody(year):
    text = (year[0] / "reasons.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    assert len(found) == 60
    assert len({one["puid"] for one in found}) == 60
    assert {"DECISION_VISIBILITY_CONTENT_REMOVED"} == {
        name for one in found for name in one["decision_visibility"]
    }
    for word in (SECRET_WORDS, "host-", '"e1"', '"s1"', "rtmp"):
        assert word not in text
    by_report = [one for one in found if one["source_type"] == "SOURCE_TYPE_OTHER_NOTIFICATION"]
    assert {one["automated_detection"] for one in by_report} == {"No"}


def test_an_act_that_was_taken_back_and_a_reversal_have_no_statement(tmp_path):
    made = filled(tmp_path / "kept", count=10)
    with made.store.begin() as work:
        work.save(
            Effect("u1", "c1", "s1", "restore", "lee", BEGAN + timedelta(days=20), BEGAN + timedelta(days=20), "done",
                   done_at=BEGAN + timedelta(days=20), undoes="e1")
        )  # fmt: skip
    with app_regulator.open_desk(made.deployment) as desk:
        found = list(reasons(desk.source, period_of("2026-10", LONDON), desk.labels, ["DE"], b"k"))
    made.store.close()
    assert len(found) == 7


GOOD = statement(
    "e1", "stop-stream", "csea-livestream", app_regulator.crosswalk(), ["DE"], b"k",
    by_machine=True, confirmed=True, reported=False, content_at=BEGAN, done_at=BEGAN,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"puid": "a b"}, "puid"),
        ({"puid": None}, "puid"),
        ({"territorial_scope": ["GB"]}, "territorial_scope"),
        ({"territorial_scope": "DE"}, "territorial_scope"),
        ({"content_date": "30-11-2026"}, "content_date"),
        ({"decision_facts": "x" * 5001}, "decision_facts"),
        ({"decision_visibility": []}, "decision_visibility"),
        ({"decision_visibility": ["DECISION_VISIBILITY_GONE"]}, "decision_visibility"),
        ({"category": "KEYWORD_NUDITY"}, "category"),
        ({"source_type": "SOURCE_TRUSTED_FLAGGER"}, "source_identity"),
        ({"decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT"}, "incompatible_content_ground"),
        ({"decision_ground_reference_url": "javascript:1"}, "decision_ground_reference_url"),
        ({"host": "h1"}, "host"),
    ],
)
def test_a_statement_that_is_not_right_names_the_field(change, field):
    assert list(problems(GOOD)) == []
    with pytest.raises(InputError, match=field):
        checked({**GOOD, **change})


WORD = st.sampled_from(
    ["", "x", "DE", "Yes", "2026-11-30", "KEYWORD_OTHER", "DECISION_VISIBILITY_OTHER", "é\n"]
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)),
        st.one_of(WORD, st.lists(WORD, max_size=2), st.none()),
    )
)
def test_a_statement_is_right_or_refused_and_never_fails_otherwise(own):
    found = {**GOOD, **own}
    wrong = list(problems(found))
    for name, closed in CLOSED.items():
        values = found.get(name) or []
        bad = set(values if isinstance(values, list) else [values]) - closed
        assert not bad or wrong


def test_every_label_that_is_illegal_in_the_eu_can_be_stated():
    walk = app_regulator.crosswalk()
    for one in walk.labels:
        if "dsa" in one.codes:
            made = statement("e", "cover", one.id, walk, ["FR"], b"k", by_machine=False, confirmed=False, reported=True,
                             content_at=BEGAN, done_at=BEGAN)  # fmt: skip
            assert list(problems(made)) == []
