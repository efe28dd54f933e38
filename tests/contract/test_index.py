"""The same suite over our indexes and those that others use, and over broken ones, which it must find out."""

import numpy as np
import pytest

from lightship.checks.check_index import check_index
from lightship.detect.index import ScanIndex, build_index
from lightship.detect.multi_index import MultiIndex
from lightship.detect.pdq import to_hex


class Faiss:
    def __init__(self, hashes, radius, index):
        self.radius, self.nbytes, self._index, self._length = radius, 0, index, len(hashes)
        index.add(hashes.view(np.uint8).reshape(-1, 32))

    def __len__(self):
        return self._length

    def pairs(self, queries):
        asked = np.ascontiguousarray(queries).view(np.uint8).reshape(-1, 32)
        limits, distances, entries = self._index.range_search(asked, self.radius + 1)
        rows = np.repeat(np.arange(len(queries)), np.diff(limits).astype(int))
        return np.stack([rows, entries, distances.astype(np.int64)], axis=1)


def faiss_flat(hashes, radius):
    import faiss

    return Faiss(hashes, radius, faiss.IndexBinaryFlat(256))


def faiss_multi_hash(hashes, radius):
    import faiss

    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    return Faiss(hashes, radius, index)


class ThreatExchange:
    def __init__(self, hashes, radius):
        from threatexchange.signal_type.pdq.pdq_index import PDQIndex

        self.radius, self.nbytes, self._length = radius, 0, len(hashes)
        self._index = PDQIndex.build([(to_hex(one), row) for row, one in enumerate(hashes)])

    def __len__(self):
        return self._length

    def pairs(self, queries):
        rows = [
            (number, match.metadata, match.similarity_info.distance)
            for number, query in enumerate(queries)
            for match in self._index.query(to_hex(query))
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)


@pytest.mark.parametrize("build", [ScanIndex, MultiIndex, build_index, faiss_flat, faiss_multi_hash])
def test_an_index_conforms(build):
    check_index(build, entries=20_000 if build is not faiss_multi_hash else 5_000)


def test_that_of_threatexchange_conforms_at_its_own_radius():
    check_index(ThreatExchange, radii=(31,), entries=3_000)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda rows, radius: rows[rows[:, 2] < radius], "missing"),
        (lambda rows, radius: np.concatenate([rows, rows[:1]]), "twice"),
        (lambda rows, radius: np.concatenate([rows, rows[:1] + np.array([[0, 1, 0]])]), "too much|twice"),
    ],
)
def test_a_broken_index_is_found_out(broken, said):
    class Broken(ScanIndex):
        def pairs(self, queries):
            return broken(super().pairs(queries), self.radius)

    with pytest.raises(AssertionError, match=said):
        check_index(Broken, radii=(31,), entries=500)


def test_one_that_shares_its_memory_between_threads_or_batches_is_found_out():
    class Forgetful(ScanIndex):
        def pairs(self, queries):
            return super().pairs(queries[:1] if len(queries) > 40 else queries)

    with pytest.raises(AssertionError, match=r"missing|batch"):
        check_index(Forgetful, entries=500)
