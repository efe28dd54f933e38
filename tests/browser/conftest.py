import pytest
from playwright.sync_api import sync_playwright

from tests.browser.call import CHROMIUM


@pytest.fixture(scope="module")
def engine():
    """Playwright, once for a module's tests."""
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as made:
        yield made
