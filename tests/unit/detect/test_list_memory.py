"""Long files of lists take memory in proportion to what is kept of them, never to what is in them."""

import subprocess
import sys
import tracemalloc

import pytest

from lightship.core.entries import collect
from lightship.exchange.hash_lists import read

ROOM = 300  # bytes an entry while it is gathered, of which it keeps some 80; 243 when this was written


def test_what_is_gathered_takes_little_more_than_its_columns(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{n:064x},100,case-{n}\n" for n in range(60_000))
    tracemalloc.start()
    collected = collect(read(path, "pdq"), "long")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(collected) == 60_000
    assert most < 60_000 * ROOM


CHILD = """
import resource, sys
from lightship.core.entries import collect
from lightship.exchange.hash_lists import read
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, (400 << 20, 400 << 20))
found = collect(read(Path(sys.argv[1]), "pdq"), "stream", skip_bad=True)
print(len(found), found.skipped, found.quarantined)
"""

GENERATE = """
import sys
bad = ("z" * 64 + "\\n") * 1000 + ("f" * 64 + ",10\\n") * 1000 + "x" * 200_000 + "\\n"
good = "".join(f"{n:064x}\\n" for n in range(1000))
out = sys.stdout
for _ in range(int(sys.argv[1])):
    out.write(bad)
out.write(good)
"""


@pytest.mark.slow
def test_hundreds_of_megabytes_of_rubbish_are_read_in_bounded_memory(tmp_path):
    """400 MB through a pipe, into a process that may not have that much memory."""
    pipe = tmp_path / "stream.csv"
    subprocess.run(["mkfifo", str(pipe)], check=True)
    rounds = 1200  # about 340 kB each
    with (
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(pipe)], stdout=subprocess.PIPE, text=True
        ) as reader,
        pipe.open("wb") as out,
    ):
        subprocess.run([sys.executable, "-c", GENERATE, str(rounds)], stdout=out, check=True, timeout=600)
        out.close()
        told, _ = reader.communicate(timeout=600)
    assert reader.returncode == 0
    assert told.split() == ["1000", str(rounds * 1001), str(rounds * 1000)]
