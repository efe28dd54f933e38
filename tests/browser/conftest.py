"""One browser for all tests of a module; a console of its own for each test."""

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.desk import CHROMIUM, FLAGS, Server
from tests.unit.console.making import console, exhibit, full, owing
from tests.unit.media.making import make


def pytest_collection_modifyitems(items):
    if not CHROMIUM.exists():
        for item in items:
            if "/browser/" in item.nodeid or item.nodeid.startswith("tests/browser"):
                item.add_marker(pytest.mark.skip(reason="Debian's chromium is not installed"))


@pytest.fixture(scope="module")
def engine():
    """Playwright, once a module: two of it in one thread would be in each other's way."""
    with sync_playwright() as play:
        yield play


@pytest.fixture(scope="module")
def browser(engine):
    one = engine.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield one
    one.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make(path, seconds=2.0)
    return path.read_bytes()


@pytest.fixture
def served(tmp_path, film):
    made = owing(full(console(tmp_path)))
    exhibit(made, "c0", film, "video/mp4")
    with Server(made) as one:
        yield one
