"""Every kind of entry that any code of the platform writes reads as a sentence."""

import ast
from pathlib import Path
from typing import get_args

import pytest

import lightship
from lightship.console.prose import GROUPS, KINDS, label_of, told
from lightship.core.casework import TaskKind

ROOT = Path(lightship.__file__).parent
TASKS = set(get_args(TaskKind))
"""What a store is asked for, and no entry."""
ROOMS = ("watch", "console", "infra", "duties")
NO_ENTRIES = {"hit.kind", "paper.kind", "wanted", "_BOOK", "referral.kind_now", "kinds", "('stop-stream',)"}
"""Dictionaries with a ``kind`` that are answers of an interface, or what a store is asked for."""


def leaves(node):
    """Return the constants that an expression may be; None for what cannot be told."""
    match node:
        case ast.Constant(value=str(value)):
            return {value}
        case ast.IfExp():
            return leaves(node.body) | leaves(node.orelse)
    return set()


def assigned(tree, name):
    """Return what a name of a module is set to, alone or in a row of several."""
    found = set()
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs = zip(target.elts, node.value.elts, strict=True) if several else [(target, node.value)]
            found |= set().union(*(leaves(value) for one, value in pairs if getattr(one, "id", "") == name))
    return found


def imported(tree, name):
    """Return what a name that comes from another module is set to there."""
    froms = [one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
    files = [
        one.module.removeprefix("lightship.").replace(".", "/")
        for one in froms
        if name in {own.name for own in one.names}
    ]
    return set().union(*(assigned(parsed(ROOT / f"{file}.py"), name) for file in files))


def given(tree, name, function):
    """Return what a function's argument is at each call of it."""
    own = [one.arg for one in function.args.args] if function is not None else []
    if name not in own:
        return set()
    place = own.index(name) - (own[0] == "self")
    found = set()
    for caller in [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one is not function]:
        for call in [one for one in ast.walk(caller) if isinstance(one, ast.Call)]:
            called = {getattr(call.func, "attr", ""), getattr(call.func, "id", "")}
            if function.name in called and len(call.args) > place:
                said = call.args[place]
                found |= leaves(said) or (
                    given(tree, said.id, caller) if isinstance(said, ast.Name) else set()
                )
    return found


def of_name(tree, name, function):
    return assigned(tree, name) | imported(tree, name) | given(tree, name, function)


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def kinds_of(path):
    """Return the kinds that a module writes, and the expressions that could not be told."""
    tree, found, unknown = parsed(path), set(), set()
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in [*functions, None]:
        for node in ast.walk(function or tree):
            names = {one.value for one in getattr(node, "keys", ()) if isinstance(one, ast.Constant)}
            if (
                not isinstance(node, ast.Dict) or "stream_id" in names
            ):  # what a store is asked for is no entry
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "kind":
                    said = leaves(value) or (
                        of_name(tree, value.id, function) if isinstance(value, ast.Name) else set()
                    )
                    found |= said
                    if not said and function is not None:
                        unknown.add(ast.unparse(value))
    return found, unknown


def written():
    found, unknown = {}, {}
    apart = {
        ".": ("app_[cdhs][aeu]*.py",),
        "core": ("holds.py", "exhibits.py"),
        # the others have ledgers of their own
        "casework": ("desk.py", "intake.py", "disseminate.py", "links.py", "mergers.py", "bundling.py"),
    }
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for room, names in apart.items():
        files += [path for name in names for path in (ROOT / room).glob(name)]
    for path in files:
        kinds, not_told = kinds_of(path)
        found |= dict.fromkeys(kinds - TASKS, path.name)
        unknown |= dict.fromkeys(not_told - NO_ENTRIES, path.name)
    return found, unknown


def test_every_kind_that_is_written_anywhere_has_its_sentence():
    found, unknown = written()
    assert unknown == {}, "this test cannot tell which kinds these write"
    assert len(found) > 50
    assert {kind: file for kind, file in found.items() if kind not in KINDS} == {}


def test_no_sentence_is_of_a_kind_that_nothing_writes():
    assert set(KINDS) - set(written()[0]) == set()


def test_the_search_for_kinds_finds_what_it_must():
    found, _ = written()
    assert {"watch-began", "effect-failed", "take-over", "stream-updated", "matcher-alarm", "break"} <= set(
        found
    )


def test_an_unknown_kind_is_told_by_its_fields_and_no_key_of_the_journal():
    said = told({"kind": "new-thing", "at": "2026-11-24T12:00:00+00:00", "journal": "0f" * 16, "case": "c1"})
    assert said == "New thing: case: c1."
    assert label_of({"kind": "new-thing"}) == "new-thing"


def test_an_entry_without_what_its_kind_has_is_told_all_the_same():
    assert told({"kind": "coverage", "stream": "s1"}) == "Coverage: stream: s1."
    assert told({"kind": "claim", "case": "c1"}) == "[no by] claimed case c1."


def test_labels_are_unlike_within_their_group():
    for group in GROUPS.values():
        labels = [one.label for one in group.values()]
        assert len(set(labels)) == len(labels)


ENTRIES = [
    (
        {"kind": "decision", "stream": "b", "run": 1, "at_s": 5.02, "rung": "end", "before": None, "by": "evidence",
         "policy_digest": "sha256:84f0" + "0" * 60, "basis": "terms",
         "reasons": [{"detector": "known-media", "label": "known-media", "weight_db": 112.4}]},
        "Stream b, 5.02 s in: the response is now “end”, because: a picture on a list of known abuse material, by known-media, 112 dB. Policy 84f00000, on the basis “terms”.",
    ),
    (
        {"kind": "coverage", "stream": "b", "run": 1, "minute": 0, "pictures": 58, "looks": 55, "model_looks": 0,
         "model_passed_over": 0, "gap_s": 3.5, "late_s": 0.0},
        "Stream b, minute 0: 58 pictures came, 55 were matched and 0 seen by models; 3.5 s were NOT looked at.",
    ),
    (
        {"kind": "effect-ordered", "effect": "e", "case": "c", "stream": "b", "act": "revoke-key", "by": "mo",
         "due_at": "9999-12-31T00:00:00+00:00", "undoes": ""},
        "mo ordered “revoke-key” for the stream b (case c); it waits for a second person.",
    ),
    (
        {"kind": "effect-done", "effect": "e", "case": "c", "act": "stop-stream", "aware_to_stopped_s": 0.314},
        "“stop-stream” of case c is confirmed by the platform. The stream was stopped 0.31 s after awareness.",
    ),
    (
        {"kind": "account-changed", "by": "root", "account": "nia", "role": "lead", "active": "False"},
        "root changed the account nia: role lead; it may not sign in any more.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "said"), ENTRIES, ids=lambda one: one["kind"] if isinstance(one, dict) else ""
)
def test_entries_read_like_this(entry, said):
    assert told(entry) == said
