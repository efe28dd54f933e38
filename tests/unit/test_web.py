"""The browser guard's own tests, where node and its packages are there."""

import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


def test_the_browser_guard_passes_the_shared_vectors_and_its_bundle_is_fresh():
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip(
            "node is not installed (on Debian: apt install nodejs npm), so the browser guard's tests do not run"
        )
    if not (WEB / "node_modules" / ".bin" / "vitest").exists():
        pytest.skip("the browser guard's packages are not here (cd web && npm ci), so its tests do not run")
    done = subprocess.run(
        [npx, "--no-install", "vitest", "run"],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_lock_names_no_registry():
    assert '"resolved"' not in (WEB / "package-lock.json").read_text()
    assert "://" not in (WEB / ".npmrc").read_text()
