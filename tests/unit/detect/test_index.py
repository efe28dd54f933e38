"""The index finds exactly what brute force finds, whichever it is and whatever the list."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.checks.check_index import brute_force
from lightship.checks.check_index import flipped as near
from lightship.core.errors import InputError
from lightship.detect.index import ScanIndex, Sections, build_index
from lightship.detect.multi_index import MultiIndex


def found(index, queries):
    rows = index.pairs(queries).tolist()
    assert len(rows) == len(set(map(tuple, rows))), "no entry twice"
    return set(map(tuple, rows))


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from([ScanIndex, MultiIndex]),
    seed=st.integers(0, 2**32 - 1),
    entries=st.integers(1, 400),
    radius=st.integers(0, 31),
    spread=st.integers(0, 40),
)
def test_recall_is_one_and_nothing_else_is_found(kind, seed, entries, radius, spread):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, (entries, 4), dtype=np.uint64)
    for row in range(0, entries, 3):  # a list of near-flat pictures: many within a few bits of one another
        hashes[row] = near(hashes[0], int(rng.integers(0, spread + 1)), rng)
    queries = np.stack(
        [near(hashes[rng.integers(entries)], int(bits), rng) for bits in rng.integers(0, 40, 8)]
    )
    assert found(kind(hashes, radius), queries) == brute_force(hashes, queries, radius)


@pytest.mark.parametrize("kind", [ScanIndex, MultiIndex])
def test_across_block_and_chunk_borders_too(kind):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, (40_000, 4), dtype=np.uint64)
    for entry in (0, 16_383, 16_384, 39_999):
        assert found(kind(hashes), near(hashes[entry], 31, rng)[None]) == {(0, entry, 31)}


def test_thousands_of_alike_entries_are_all_found_once():
    rng = np.random.default_rng(1)
    hashes = np.stack([near(np.zeros(4, np.uint64), int(bits), rng) for bits in rng.integers(0, 9, 12_000)])
    index = MultiIndex(hashes)
    assert found(index, np.zeros((2, 4), np.uint64)) == brute_force(hashes, np.zeros((2, 4), np.uint64), 31)


@pytest.mark.parametrize("kind", [ScanIndex, MultiIndex])
def test_an_empty_index_finds_nothing_and_other_shapes_are_refused(kind):
    empty = kind(np.empty((0, 4), np.uint64))
    assert len(empty) == 0
    assert empty.pairs(np.zeros((2, 4), np.uint64)).shape == (0, 3)
    for wrong in (np.zeros(4, np.uint64), np.zeros((1, 5), np.uint64), np.zeros((1, 4), np.int64)):
        with pytest.raises(InputError, match="uint64"):
            empty.pairs(wrong)
        with pytest.raises(InputError, match="uint64"):
            kind(wrong)


def test_the_longer_list_gets_the_index_and_takes_no_more_than_it_says():
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**64, (20_000, 4), dtype=np.uint64)
    index = build_index(hashes)
    assert isinstance(index, MultiIndex)
    assert index.nbytes == 20_000 * (32 + 80) + 16 * 65_537 * 4 + 64
    assert isinstance(build_index(hashes, scan_up_to=30_000), ScanIndex)
    assert isinstance(build_index(hashes, 40), ScanIndex), "one neighbouring bit a slot does not reach so far"


def test_a_radius_beyond_the_index_is_refused():
    with pytest.raises(InputError, match="31"):
        MultiIndex(np.empty((0, 4), np.uint64), 32)


def test_a_list_longer_than_one_index_takes_is_kept_in_several(monkeypatch):
    monkeypatch.setattr("lightship.detect.index.MOST", 3_000)
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**64, (10_000, 4), dtype=np.uint64)
    index = build_index(hashes, scan_up_to=100)
    assert isinstance(index, Sections)
    assert len(index) == 10_000
    queries = np.stack([near(hashes[row], 31, rng) for row in (0, 2_999, 3_000, 9_999)])
    assert found(index, queries) == brute_force(hashes, queries, 31)
