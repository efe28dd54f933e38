"""Nothing leaves the device: no socket, no program, no file but the sink and the log, and no difference that an outsider sees."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.scenes import write_video

RUN = """
import json, os, sys
from pathlib import Path
source, sink, log, audit = sys.argv[1:5]
from lightship import app, cli           # everything a run needs is loaded before the watch begins
from lightship.core.errors import LightshipError
import lightship.detect.test_card, lightship.detect.known_media, lightship.infra.ledger_file, cv2, av
from lightship.guard import Guard
Guard("test")                            # reads its policy and help lines
seen = []
WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "urllib.", "ftplib.",
           "smtplib.", "http.", "ssl.", "syslog.")
def hook(event, args):
    if event.startswith(WATCHED):
        seen.append([event, ""])
    elif event == "open":
        path, mode, flags = args
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and isinstance(path, (str, bytes)):
            seen.append(["write", os.fsdecode(path)])
    elif event in ("sqlite3.connect", "os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "shutil.copyfile"):
        seen.append([event, os.fsdecode(args[0]) if isinstance(args[0], (str, bytes, os.PathLike)) else ""])
sys.addaudithook(hook)
app.protect(source, sink, "test", log=Path(log))
Path(audit).write_text(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run the guard on a benign and on a positive file, under an audit hook, and list what was seen from outside."""
    results = {}
    for name, card_s in (("benign", None), ("positive", (2.0, 4.0))):
        folder = tmp_path_factory.mktemp(name)
        source = folder / "in.mp4"
        write_video(source, seconds=6.0, card_s=card_s)
        before = {path.name for path in folder.iterdir()}
        audit = folder / "audit.json"
        command = [
            sys.executable,
            "-c",
            RUN,
            str(source),
            str(folder / "out.mp4"),
            str(folder / "guard.ledger"),
            str(audit),
        ]
        prefix = ["unshare", "--net", "--map-root-user"] if _namespaces() else []
        done = subprocess.run(
            [*prefix, *command],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(folder)},
        )
        assert done.returncode == 0, done.stderr
        after = {path.name for path in folder.iterdir()} - before - {"audit.json"}
        results[name] = (folder, json.loads(audit.read_text()), after)
    return results


def _namespaces():
    """Whether this machine can put a program into a network namespace without interfaces."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(
            ["unshare", "--net", "--map-root-user", "true"], capture_output=True, check=False
        ).returncode
        == 0
    )


def test_the_guard_opens_no_socket_and_starts_no_program(runs):
    for _, seen, _ in runs.values():
        assert [
            event
            for event, _ in seen
            if not event.startswith(("write", "sqlite3", "os.re", "os.mkdir", "os.link"))
        ] == []


def test_it_writes_nothing_but_the_sink_and_the_log(runs):
    for folder, seen, after in runs.values():
        for _, path in seen:
            assert not path or Path(path) == folder or Path(path).parent == folder or path == ":memory:", path
        assert after == {"out.mp4", "guard.ledger", "guard.key", "guard.pub"}


def test_an_outsider_cannot_tell_a_positive_run_from_a_benign_one(runs):
    def operations(name):
        folder, seen, after = runs[name]
        # Names of temporary files carry a process number or a random part, which say nothing of the picture.
        plain = {
            (event, re.sub(r"[0-9a-f]{5,}|\d{3,}", "N", path.replace(str(folder), "")))
            for event, path in seen
        }
        return sorted(plain), after

    assert operations("benign") == operations("positive")


def test_the_positive_run_did_act(runs):
    from lightship.infra.ledger_file import read_entries

    kinds = {name: [entry.get("rung") for entry in read_entries(folder / "guard.ledger") if entry["kind"] == "decision"]
             for name, (folder, _, _) in runs.items()}  # fmt: skip
    assert kinds["benign"] == []
    assert "blur" in kinds["positive"]


def test_importing_the_guard_loads_no_heavy_library():
    code = "import lightship.guard, sys; print([m for m in ('sqlalchemy','fastapi','duckdb','pydantic','matplotlib','rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
