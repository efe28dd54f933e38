"""The plug-in under threatexchange's own classes."""

import io
import pickle

import numpy as np
import pytest
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.pdq.pdq_index import PDQIndex
from threatexchange.signal_type.pdq.signal import PdqSignal

from lightship.core.errors import InputError
from lightship.detect import threatexchange_plugin
from lightship.detect.pdq import to_hex
from lightship.detect.threatexchange_plugin import LightshipPDQIndex, LightshipPdqSignal

EXAMPLES = [(one, {"number": number}) for number, one in enumerate(PdqSignal.get_examples())]


def found(index, text):
    return sorted((match.similarity_info.distance, str(match.metadata)) for match in index.query(text))


def test_its_loader_takes_the_manifest():
    manifest = ThreatExchangeExtensionManifest.load_from_module_name(threatexchange_plugin.__name__)
    (signal,) = manifest.signal_types
    assert signal.get_index_cls() is LightshipPDQIndex
    assert signal.get_name() != PdqSignal.get_name()
    assert signal.get_examples() == PdqSignal.get_examples()


def test_it_finds_what_theirs_finds():
    rng = np.random.default_rng(4)
    hashes = rng.integers(0, 2**64, (300, 4), dtype=np.uint64)
    entries = [*EXAMPLES, *((to_hex(row), number) for number, row in enumerate(hashes))]
    ours, theirs = LightshipPDQIndex.build(entries), PDQIndex.build(entries)
    near = hashes.copy()
    near[:, 0] ^= rng.integers(0, 2**40, 300, dtype=np.uint64)
    for text in [*(one for one, _ in EXAMPLES), *map(to_hex, near)]:
        assert found(ours, text) == found(theirs, text)


def test_matches_come_nearest_first_and_duplicates_all():
    index = LightshipPDQIndex.build([*EXAMPLES, EXAMPLES[0]])
    distances = [match.similarity_info.distance for match in index.query(EXAMPLES[0][0])]
    assert distances == sorted(distances)
    assert distances[:2] == [0, 0]


def test_what_is_added_is_found_at_once_and_the_index_is_built_anew_in_time():
    rng = np.random.default_rng(5)
    hashes = [to_hex(row) for row in rng.integers(0, 2**64, (9_500, 4), dtype=np.uint64)]
    index = LightshipPDQIndex(zip(hashes[:10], range(10), strict=True))
    for number, text in enumerate(hashes[10:20], 10):
        index.add(text, number)
        assert found(index, text) == [(0, str(number))]
    index.add_all(zip(hashes[20:], range(20, len(hashes)), strict=True))
    assert len(index) == len(hashes)
    for number in (0, 15, 9_499):
        assert found(index, hashes[number]) == [(0, str(number))]


def test_it_is_stored_without_pickle():
    index, file = LightshipPDQIndex.build(EXAMPLES), io.BytesIO()
    index.serialize(file)
    back = LightshipPDQIndex.deserialize(io.BytesIO(file.getvalue()))
    assert len(back) == len(index)
    assert found(back, EXAMPLES[3][0]) == found(index, EXAMPLES[3][0])
    empty = io.BytesIO()
    LightshipPDQIndex().serialize(empty)
    assert LightshipPDQIndex.deserialize(io.BytesIO(empty.getvalue())).query("0" * 64) == []


def test_a_pickle_or_a_damaged_index_is_refused():
    whole = io.BytesIO()
    LightshipPDQIndex.build(EXAMPLES).serialize(whole)
    for data in (b"", pickle.dumps(EXAMPLES), whole.getvalue()[:-40], whole.getvalue()[:40]):
        with pytest.raises(InputError):
            LightshipPDQIndex.deserialize(io.BytesIO(data))
    with pytest.raises(InputError, match="not a JSON value"):
        LightshipPDQIndex.build([("0" * 64, object())]).serialize(io.BytesIO())


def test_a_hash_that_is_none_is_refused_as_theirs_refuses_it():
    with pytest.raises(ValueError, match="64 hexadecimal"):
        LightshipPDQIndex.build(EXAMPLES).query("xyz")
    assert LightshipPdqSignal.validate_signal_str("0" * 64) == "0" * 64
