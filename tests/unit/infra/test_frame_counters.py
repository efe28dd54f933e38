"""Counters over restarts and kills: no number comes twice."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lightship.core.errors import FrameError
from lightship.infra.frame_counters import RESERVED, reserved

PROGRAM = """
import sys
from pathlib import Path
from lightship.infra.frame_counters import reserved
for number in reserved(Path(sys.argv[1])):
    print(number, flush=True)
"""


def test_numbers_rise_over_restarts(tmp_path):
    first = list(itertools.islice(reserved(tmp_path / "key.counters"), RESERVED + 3))
    again = list(itertools.islice(reserved(tmp_path / "key.counters"), 3))
    assert first == list(range(RESERVED + 3))
    assert again == [2 * RESERVED, 2 * RESERVED + 1, 2 * RESERVED + 2]
    assert (tmp_path / "key.counters").stat().st_mode & 0o77 == 0


def test_no_number_comes_twice_whenever_the_process_is_killed(tmp_path):
    seen: set[int] = set()
    for lines in (1, RESERVED - 1, RESERVED, RESERVED + 1):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "counters")],
            stdout=subprocess.PIPE,
            env=os.environ,
        )
        assert process.stdout is not None
        numbers = [int(process.stdout.readline()) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        numbers += [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
        process.wait()
        process.stdout.close()
        assert not seen & set(numbers)
        seen.update(numbers)


@pytest.mark.parametrize("damage", [b"00", b"not hexadecimal!", b"0" * 17])
def test_a_damaged_file_is_refused_by_name(tmp_path, damage):
    (tmp_path / "counters").write_bytes(damage)
    with pytest.raises(FrameError, match="cannot be kept"):
        next(reserved(tmp_path / "counters"))
    with pytest.raises(FrameError, match="cannot be kept"):
        next(reserved(Path(tmp_path / "no" / "folder")))
