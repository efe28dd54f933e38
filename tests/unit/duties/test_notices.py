"""An answer to a notice can be made again to the byte, and holds nothing that anybody wrote or saw."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.duties.book_making import LONDON, SECRET_WORDS, filled, papered

from lightship import app_regulator, packs
from lightship.core.cases import Judgement
from lightship.core.errors import InputError
from lightship.duties.measures_period import period_of
from lightship.duties.notices import check_period

OCTOBER = period_of("2026-10", LONDON)


@pytest.fixture
def made(tmp_path):
    one = papered(filled(tmp_path / "kept", count=60))
    yield one
    one.store.close()


def answer(made, out):
    with app_regulator.open_desk(made.deployment) as desk:
        paper, changed = app_regulator.write_answer(desk, OCTOBER, out, "nia")
    return paper, changed, {path.name: path.read_bytes() for path in out.iterdir()}


def test_made_again_it_is_the_same_byte_for_byte(made, tmp_path):
    paper, changed, files = answer(made, tmp_path / "one")
    again, same, more = answer(made, tmp_path / "two")
    assert files == more
    assert (paper, changed) == (again, same) == (paper, [])


def test_a_number_that_changed_is_named_and_is_another_version(made, tmp_path):
    answer(made, tmp_path / "one")
    with made.store.begin() as work:
        work.save(Judgement("late", "c1", "lee", OCTOBER.begins + timedelta(days=3), "unsure", "none", "x"))
    paper, changed, _ = answer(made, tmp_path / "two")
    assert paper.version == 2
    assert changed == ["figures.verdicts.of_each.unsure", "figures.verdicts.total"]


def test_it_names_code_policies_definitions_and_the_configurations_that_ran(made, tmp_path):
    import json

    _, _, files = answer(made, tmp_path / "one")
    digests = json.loads(files["answer.json"])["digests"]
    assert digests["code"] == app_regulator.code()["digest"]
    assert digests["policies"] == [packs.policy("public-live").digest]
    assert digests["labels"] == app_regulator.crosswalk().mapping
    assert len(digests["configurations"]) == 1


def test_nothing_that_anybody_wrote_and_nobody_is_in_it(made, tmp_path):
    _, _, files = answer(made, tmp_path / "one")
    text = b"".join(files.values()).decode()
    for word in (
        SECRET_WORDS,
        "host-1",
        "rtmp://",
        "A Person",
        "NCA-1",
        '"c1"',
        '"s1"',
        "A-3",
        "uk=yes",
        "0" * 64,
    ):
        assert word not in text


def test_a_period_that_is_not_over_is_refused():
    with pytest.raises(InputError, match="is not over"):
        check_period(OCTOBER, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    check_period(OCTOBER, datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "name", ["2026-13", "26-10", "2026-Q5", "2026-H3", "", "0000", "2026-10-01", "октябрь", "9999-12", "1969"]
)
def test_what_is_no_period_is_refused(name):
    with pytest.raises(InputError, match="period"):
        period_of(name, LONDON)
