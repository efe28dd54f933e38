"""The public statement is the running configuration, and changes with it."""

import hashlib
import html
import re
from datetime import timedelta

import pytest
from tests.unit.duties.book_making import BEGAN, configuration, filled, note

from lightship import app_regulator, packs
from lightship.core.canonical import digest
from lightship.core.errors import InputError
from lightship.core.known import Terms
from lightship.duties.statement import statement_of, statement_page, statement_text


def test_anybody_can_work_out_the_digest_from_the_page():
    page = statement_page(statement_of(configuration(), "Example")).decode()
    told = re.search(r"<code>(sha256:[0-9a-f]{64})</code>", page)[1]
    text = html.unescape(re.search(r"<pre>(.*?)</pre>", page, re.DOTALL)[1])
    assert told == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" == digest(configuration())


CHANGES = [
    ({"policies": [packs.policy("broadcast")]}, "exposed skin"),
    ({"private_bases": ["a court order of 3 May"]}, "a court order of 3 May"),
    (
        {"lists": [Terms("own", owner="Us", distance=20)]},
        "“own” of Us: known material, which is acted on; pictures within 20",
    ),
    ({"lists": []}, "No list is matched against."),
    ({"release": "2.0"}, "sha256:"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_a_changed_configuration_is_another_statement(change, said):
    before, after = statement_of(configuration()), statement_of(configuration(**change))
    assert before["digest"] != after["digest"]
    assert statement_text(before) != statement_text(after)
    assert said in statement_text(after)


def test_a_new_version_of_a_list_changes_nothing():
    assert configuration() == configuration()
    assert "version" not in configuration()["lists"][0]


def test_the_written_statement_is_of_what_ran_last(tmp_path):
    made = filled(tmp_path / "kept", count=1)
    with app_regulator.open_desk(made.deployment) as desk:
        first = app_regulator.write_statement(desk, tmp_path / "out", "Example", "nia")
        same = app_regulator.write_statement(desk, tmp_path / "out", "Example", "nia")
        note(made.store, BEGAN + timedelta(days=1), private_bases=["a court order"])
        second = app_regulator.write_statement(desk, tmp_path / "out", "Example", "nia")
        running = desk.running()
    made.store.close()
    assert first == same
    assert second.version == 2
    assert second.configuration == running.configuration != first.configuration
    assert "a court order" in (tmp_path / "out" / "statement.html").read_text()


def test_without_a_configuration_there_is_nothing_to_state(tmp_path):
    made = filled(tmp_path / "kept", count=1, noted=False)
    with (
        app_regulator.open_desk(made.deployment) as desk,
        pytest.raises(InputError, match="No configuration is on record"),
    ):
        app_regulator.write_statement(desk, tmp_path / "out", "", "nia")
    made.store.close()
