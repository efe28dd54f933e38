"""The golden vectors are what this side decides today; whoever changes a decision writes them anew, in public."""

import json
import math

import pytest
from tests.vectors import FOLDER, makers, text


def same(one, other):
    """Whether two values agree: texts and integers to the bit, numbers with a fraction to 1e-9."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("name", sorted(makers()))
def test_the_vectors_are_current(name):
    written = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    now = json.loads(text(makers()[name]()))
    for key in {*written, *now}:
        assert same(written.get(key), now.get(key)), f"{name}.json, {key}: run python -m tests.vectors"


def test_the_vectors_are_small_and_each_has_a_maker():
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.json")}
    assert files.keys() == {*makers(), "rfc9605"}
    assert max(files.values()) < 300_000, files
