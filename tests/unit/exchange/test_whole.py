"""Files that belong together: all of them take their places, or none does."""

import errno

import pytest

from lightship.core.errors import SinkError
from lightship.exchange import whole


def test_a_disk_that_fills_up_between_two_files_leaves_the_old_ones(tmp_path, monkeypatch):
    whole.write_each(tmp_path / "out", {"alerts.jsonl": b"old", "baseline/a.json": b"old"})
    write, written = whole._write, []

    def full(path, data):
        written.append(path)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(whole, "_write", full)
    with pytest.raises(SinkError, match=r"No space left on device.*a\.json.*nothing half-written"):
        whole.write_each(tmp_path / "out", {"alerts.jsonl": b"new", "baseline/a.json": b"new"})
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"alerts.jsonl": b"old", "a.json": b"old"}


def test_a_file_where_a_folder_is_to_be_is_one_clear_error(tmp_path):
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(SinkError, match="cannot be written"):
        whole.write_whole(tmp_path / "out" / "alerts.jsonl", b"new")
    assert (tmp_path / "out").read_bytes() == b"mine"
