"""Lists on disk: what was written comes back or is refused, and a kill at any moment leaves a store that opens."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightship.core.errors import ListError
from lightship.infra import array_file
from lightship.infra.list_store import KEEP, ListStore

KEY = bytes(range(32))
ARRAYS = {
    "pdq/values": np.arange(3200, dtype=np.uint8).reshape(100, 32),
    "index/starts": np.arange(70_000, dtype=np.int32).reshape(2, -1),
    "empty": np.empty((0, 4), dtype=np.uint64),
    "at_s": np.array([0.5, np.nan], dtype=np.float32),
}


def written(path, arrays=ARRAYS, key=KEY, facts=None):
    with path.open("wb") as file:
        return array_file.write(file, arrays, facts or {}, key)


def same(one, other):
    return set(one) == set(other) and all(
        one[name].dtype == other[name].dtype
        and np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one
    )


@pytest.mark.parametrize("key", [KEY, None])
def test_what_was_written_comes_back_and_cannot_be_written_to(tmp_path, key):
    digest = written(tmp_path / "a", key=key, facts={"checkpoint": {"at": 7}})
    stored = array_file.read(tmp_path / "a", KEY)
    assert same(ARRAYS, stored.arrays)
    assert (stored.facts, stored.digest, stored.sealed) == (
        {"checkpoint": {"at": 7}},
        digest,
        key is not None,
    )
    with pytest.raises(ValueError, match="read-only"):
        stored.arrays["pdq/values"][0, 0] = 1


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        hnp.arrays(
            st.sampled_from([np.uint8, np.int64, np.float32]), hnp.array_shapes(min_side=0, max_dims=2)
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_any_arrays_come_back(tmp_path_factory, arrays, sealed):
    path = tmp_path_factory.mktemp("arrays") / "a"
    written(path, arrays, KEY if sealed else None)
    assert same(arrays, array_file.read(path, KEY).arrays)


def test_arrays_of_several_chunks_come_back(tmp_path):
    arrays = {
        "big": np.random.default_rng(1).integers(0, 256, 3_500_001, dtype=np.uint8),
        "small": np.arange(3),
    }
    written(tmp_path / "a", arrays)
    assert same(arrays, array_file.read(tmp_path / "a", KEY).arrays)


def test_a_sealed_file_shows_nothing_of_its_entries_and_no_two_are_alike(tmp_path):
    arrays = {"references": np.frombuffer(b"case-7" * 1000, dtype=np.uint8)}
    written(tmp_path / "a", arrays)
    written(tmp_path / "b", arrays)
    one, other = (tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()
    assert b"case-7" not in one
    assert b"references" not in one
    assert one[100:] != other[100:]


@pytest.mark.parametrize("key", [KEY, None])
def test_a_change_anywhere_is_found(tmp_path, key):
    written(tmp_path / "a", key=key)
    whole = (tmp_path / "a").read_bytes()
    rng = random.Random(1)
    padding = 64  # between arrays nothing is kept, and in the plain form nothing is checked
    for _ in range(60):
        place = rng.choice([rng.randrange(200), rng.randrange(len(whole) - padding)])
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.randrange(8)
        (tmp_path / "a").write_bytes(changed)
        try:
            stored = array_file.read(tmp_path / "a", KEY)
        except ListError:
            continue
        assert key is None, f"byte {place} of a sealed file was changed and not noticed"
        assert same(ARRAYS, stored.arrays), f"byte {place} was changed and not noticed"


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("left", [0, 4, 30, 60, 300, 5000, -1])
def test_a_file_that_was_cut_is_refused_in_one_sentence(tmp_path, key, left):
    written(tmp_path / "a", key=key)
    whole = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(whole[: left if left >= 0 else -65])
    with pytest.raises(ListError, match="damaged"):
        array_file.read(tmp_path / "a", KEY)


def test_another_key_opens_nothing(tmp_path):
    written(tmp_path / "a")
    with pytest.raises(ListError, match="another key"):
        array_file.read(tmp_path / "a", bytes(32))


def test_objects_are_not_read(tmp_path):
    header = b'{"arrays":[{"name":"x","dtype":"|O","shape":[1],"offset":0,"sha256":""}],"facts":{}}'
    import hashlib

    data = (
        array_file._HEAD.pack(array_file._PLAIN, len(header), hashlib.sha256(header).digest())
        + header
        + bytes(64)
    )
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ListError, match="not of numbers"):
        array_file.read(tmp_path / "a", KEY)


def put(store, version, name="bank"):
    arrays = {"values": np.full(1000, version, dtype=np.int64)}
    with store.lock(name):
        store.write(name, version, arrays, {}, f"version {version}\n")
        store.publish(name, version)


def test_the_newest_versions_are_kept_and_the_one_in_force_is_named(tmp_path):
    store = ListStore(tmp_path / "lists")
    assert store.names() == ()
    for version in range(1, 7):
        put(store, version)
    assert store.names() == ("bank",)
    assert store.current("bank") == 6
    assert store.versions("bank") == (4, 5, 6)
    assert len(store.versions("bank")) == KEEP
    assert store.read("bank", 6).arrays["values"][0] == 6
    assert store.note("bank", 6) == "version 6\n"
    with pytest.raises(ListError):
        store.note("bank", 1)


def test_the_key_is_the_owners_alone_and_is_kept(tmp_path):
    put(ListStore(tmp_path / "lists"), 1)
    key = tmp_path / "lists.secret"
    assert key.stat().st_mode & 0o777 == 0o600
    assert ListStore(tmp_path / "lists").read("bank", 1).sealed
    key.chmod(0o644)
    with pytest.raises(ListError, match="chmod 600"):
        ListStore(tmp_path / "lists")
    key.chmod(0o600)
    key.write_text("ab")
    with pytest.raises(ListError, match="64 hexadecimal"):
        ListStore(tmp_path / "lists")


def test_a_key_at_another_place(tmp_path):
    store = ListStore(tmp_path / "lists", tmp_path / "safe" / "key")
    put(store, 1)
    assert not (tmp_path / "lists.secret").exists()
    assert ListStore(tmp_path / "lists", tmp_path / "safe" / "key").read("bank", 1).sealed


def test_canaries_are_always_the_same_and_the_keys_own(tmp_path):
    store, other = ListStore(tmp_path / "lists"), ListStore(tmp_path / "other")
    assert store.canary("bank", 1) == ListStore(tmp_path / "lists").canary("bank", 1)
    assert len({store.canary("bank", 1), store.canary("bank", 2), other.canary("bank", 1)}) == 3


CHILD = """
import sys, numpy as np
from pathlib import Path
from lightship.infra.list_store import ListStore
store = ListStore(Path(sys.argv[1]))
version = store.current("bank")
print("ready", flush=True)
while True:
    version += 1
    with store.lock("bank"):
        store.write("bank", version, {"values": np.full(20000, version)}, {}, f"version {version}\\n")
        store.publish("bank", version)
"""


def test_a_kill_at_any_moment_leaves_a_store_that_opens(tmp_path):
    rng, last = random.Random(4), 0
    put(ListStore(tmp_path / "lists"), 1)
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "lists")], stdout=subprocess.PIPE
        )
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.06))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = ListStore(tmp_path / "lists")
        version = store.current("bank")
        assert version >= last
        assert (store.read("bank", version).arrays["values"] == version).all()
        assert store.note("bank", version) == f"version {version}\n"
        last = version
    assert last > 1, "the children published nothing, so nothing was tested"
    put(ListStore(tmp_path / "lists"), last + 1)
    assert not list((tmp_path / "lists" / "bank").glob(".part-*"))
