"""The browser guard's own tests, where node and its packages are there."""

import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


def test_the_browser_guard_passes_the_shared_vectors_and_its_bundle_is_fresh():
    npx = shutil.which("npx")
    if npx is None or not (WEB / "node_modules").is_dir():
        pytest.skip("there are no node packages here (cd web && npm ci)")
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
