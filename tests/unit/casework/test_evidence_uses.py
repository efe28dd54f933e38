"""Every data function of casework logs what it does to personal data (DPA 2018 s.62), or says here why not."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.tables import tables

import lightship.casework
from lightship import packs
from lightship.casework import desk, mopi
from lightship.casework.urgency import shipped
from lightship.core.casework import IntelligenceReport, Use
from lightship.core.errors import InputError
from lightship.infra.store import SqlStore

NOW = datetime(2026, 11, 30, 5, 40, tzinfo=UTC)
NOT_LOGGED = {
    "desk.log_use": "it is the log",
    "desk.whole_of": "tells whoever asks for an inquiry which one it is part of, before they look",
    "mergers.meanwhile": "tells the parting what goes back, which logs each",
    "sight.markings_of": "tells the gate how referrals are marked, and nobody what they say",
    "sight.markings_of_persons": "tells the gate how referrals are marked, and nobody what they say",
    "link_queue.queue": "links.waiting logs it (test_links_page.py sees it)",
    "link_queue.review": "links.look logs it (test_links_page.py sees it)",
    "disseminate.gather": "reads for preview and disseminate alone, inside their transaction",
    "disseminate.preview": "is not told who looks: app_share and the console log the consultation (their tests see it)",
}
"""Data functions that log nothing, each with its reason."""


def sources():
    """Return each casework module's name and its text."""
    found = pkgutil.walk_packages(lightship.casework.__path__, "lightship.casework.")
    return {
        one.name.removeprefix("lightship.casework."): Path(
            importlib.util.find_spec(one.name).origin
        ).read_text()
        for one in found
    }


def data_functions(name, text):
    """Yield the public functions that take a Work, and whether each reaches ``log_use`` by the module's own functions."""
    functions = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[node.name] = node

    def calls(node):
        names = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
        return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in names}

    logging = {"log_use", "use_of"}
    while True:
        more = {one for one, node in functions.items() if one not in logging and calls(node) & logging}
        if not more:
            break
        logging |= more
    for one, node in functions.items():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        takes = any(arg.annotation is not None and "Work" in ast.unparse(arg.annotation).split(" | ")
                    for arg in arguments)  # fmt: skip
        if takes and not one.startswith("_"):
            yield f"{name}.{one}", one in logging


def test_every_data_function_logs_its_use_or_is_named_with_a_reason():
    found = dict(pair for name, text in sources().items() for pair in data_functions(name, text))
    assert {"desk.take", "desk.opened", "desk.reassess", "mopi.queue"} <= found.keys()
    silent = {one for one, logs in found.items() if not logs}
    assert silent - NOT_LOGGED.keys() == set(), (
        "log it with desk.log_use, or name it in NOT_LOGGED with its reason"
    )
    assert NOT_LOGGED.keys() - found.keys() - {"desk.log_use"} == set(), "a name that is not there any more"


def test_a_function_that_logs_nothing_is_found():
    text = "def a(work: Work): b(work)\ndef b(work: Work): work.get(X)\ndef c(work: Work): log_use(work)\ndef d(work: Work): c(work)"
    assert dict(data_functions("m", text)) == {"m.a": False, "m.b": False, "m.c": True, "m.d": True}


@pytest.fixture
def store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as opened:
        yield opened


def test_each_act_of_the_desk_leaves_a_use_with_its_verb_who_and_when(store):
    ladder, offices = shipped(), desk.Offices()
    seen = 0

    def logged(work, verb, by):
        nonlocal seen
        uses = work.find(Use, {"about": one.id})
        assert len(uses) > seen, "it left no use"
        seen = len(uses)
        assert any((use.verb, use.by, use.at) == (verb, by, NOW) for use in uses)

    with store.begin() as work:
        one = desk.opened(work, ladder, ("live=day",), key="k", title="t", now=NOW, offices=offices)
        logged(work, "collection", desk.MACHINE)
        desk.take(work, one.id, by="ann", now=NOW)
        logged(work, "alteration", "ann")
        task = desk.add_task(
            work, one.id, "enquire", "Ask.", NOW + timedelta(hours=1), "r", by="ann", now=NOW
        )
        logged(work, "alteration", "ann")
        desk.finish(work, task.id, by="bea", outcome="asked", now=NOW)
        logged(work, "alteration", "bea")
        desk.hand(work, one.id, by="ann", to="ben", now=NOW)
        logged(work, "alteration", "ann")
        desk.acknowledge(work, one.id, by="ben", now=NOW)
        logged(work, "alteration", "ben")
    with store.begin() as work:
        desk.escalate(work, NOW + timedelta(days=9), offices)
        assert work.find(Use, {"about": one.id, "at": NOW + timedelta(days=9)})


def rules():
    where, text = packs.read("evidence", "mopi-gb", ".toml", "review rules")
    return mopi.parse_rules(text, str(where))


def test_every_review_term_has_a_source_a_grade_and_what_is_unverified():
    for one in rules().groups.values():
        assert one.source.startswith("https://")
        assert one.grade in {"P", "S", "choice"}
        assert one.tbv, "the domain's facts leave the periods unverified"


def test_the_review_queue_shows_what_is_due_longest_overdue_first_and_is_logged(store):
    table = rules()
    with store.begin() as work:
        for name, years in (("i1", 11), ("i2", 12), ("i3", 1)):
            work.save(IntelligenceReport(name, "q1", "words", 2, "D", "", "ref", "ann", NOW))
            last = NOW - timedelta(days=366 * years)
            mopi.schedule_review(work, table, name, "1", last, by="ann", now=NOW)
        work.save(IntelligenceReport("i4", "q1", "words", 2, "D", "", "ref", "ann", NOW))
        due = mopi.queue(work, table, by="rae", now=NOW)
        assert [one.report_id for one in due] == ["i2", "i1"]
        assert "under ten" in due[0].care
        assert [one.verb for one in work.find(Use, {"by": "rae"})] == ["consultation"] * 2
        with pytest.raises(InputError, match="rationale"):
            mopi.reviewed(work, table, "i2", "1", rationale=" ", by="rae", now=NOW)
        again = mopi.reviewed(work, table, "i2", "1", rationale="still a risk", by="rae", now=NOW)
        assert again == NOW + timedelta(days=table.groups["1"].then_days)
        assert [one.report_id for one in mopi.queue(work, table, by="rae", now=NOW)] == ["i1"]
        with pytest.raises(InputError, match="no such review group"):
            mopi.schedule_review(work, table, "i2", "9", NOW, by="ann", now=NOW)


def test_the_application_never_changes_or_removes_a_use():
    for name, text in sources().items():
        for line in text.splitlines():
            assert not ("work.change(" in line and "Use" in line), name
    assert "remove" not in dict(inspect.getmembers(SqlStore))
