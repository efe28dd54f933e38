"""Keys on disk: made once, whole, private; loaded with clear errors."""

import os
import threading

import pytest

from lightship.core.errors import LedgerError
from lightship.infra.keys import create_key, load_key, load_or_create_key, load_public_key, public_path


def test_a_key_is_made_and_loaded(tmp_path):
    path = tmp_path / "new" / "ledger.key"
    key = create_key(path, "example.org/guard")
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path).secret_text() == key.secret_text()
    assert str(load_public_key(public_path(path))) == str(key.verifier)
    assert sorted(p.name for p in path.parent.iterdir()) == ["ledger.key", "ledger.pub"]


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "ledger.key"
    key = create_key(path, "a")
    with pytest.raises(LedgerError, match="already"):
        create_key(path, "b")
    assert load_or_create_key(path, "b").secret_text() == key.secret_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ledger.key", "ledger.pub"]


def test_a_lost_public_line_is_written_again(tmp_path):
    key = create_key(tmp_path / "ledger.key", "a")
    (tmp_path / "ledger.pub").unlink()
    load_or_create_key(tmp_path / "ledger.key", "a")
    assert load_public_key(tmp_path / "ledger.pub").key_id == key.verifier.key_id


def test_many_at_once_get_the_same_key(tmp_path):
    keys = []
    threads = [
        threading.Thread(
            target=lambda: keys.append(load_or_create_key(tmp_path / "ledger.key", "a").secret_text())
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "ledger.key"
    create_key(path, "a")
    path.chmod(0o640)
    with pytest.raises(LedgerError, match="chmod 600"):
        load_key(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PRIVATE+KEY+a+00000000+AAAA", b"nonsense"])
def test_a_damaged_key_is_refused(tmp_path, content):
    path = tmp_path / "ledger.key"
    path.write_bytes(content)
    path.chmod(0o600)
    for load in (load_key, load_public_key):
        with pytest.raises(LedgerError) as caught:
            load(path)
        assert caught.value.where == str(path)
        assert caught.value.todo


def test_absent_keys_and_impossible_places_say_so(tmp_path):
    with pytest.raises(LedgerError, match="no key"):
        load_key(tmp_path / "ledger.key")
    with pytest.raises(LedgerError, match="cannot be read"):
        load_public_key(tmp_path / "ledger.pub")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        load_or_create_key(tmp_path / "file" / "ledger.key", "a")
    with pytest.raises(LedgerError, match="key name"):
        create_key(tmp_path / "ledger.key", "a b")
