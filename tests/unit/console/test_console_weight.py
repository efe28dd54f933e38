"""What a first visit costs over the wire, and how long the server takes with many cases in its store."""

import re
import time
from statistics import median

import pytest
from tests.unit.console.making import case_like, console, full
from tests.unit.console.visiting import Visitor, working

WIRE_BYTES = 120_000
PAGES = ("/queue", "/wall", "/items/c0", "/subjects/host-s0", "/health", "/shift")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return full(console(tmp_path_factory.mktemp("weight")))


@pytest.mark.parametrize("page", PAGES)
def test_a_first_paint_is_light(made, page):
    who = working(made, "mo")
    done = who.get(page)
    assert done.headers["content-encoding"] == "gzip"
    total = done.num_bytes_downloaded
    assets = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', done.text))
    assert len(assets) >= 4
    for address in assets:
        one = who.get(address)
        assert one.headers["cache-control"].endswith("immutable")
        assert one.headers["content-encoding"] == "gzip"
        total += one.num_bytes_downloaded
    assert total <= WIRE_BYTES


def test_who_asks_for_no_compression_gets_the_same(made):
    who = Visitor(made)
    address = made.room.assets.address("console.css")
    packed = who.get(address)
    plain = who.get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == packed.text


def test_pages_are_quick_with_10_000_cases(tmp_path):
    """A tenth of them, and half of the requests, as other tests run beside; ``bench/console.py`` asks p95 of all."""
    made = full(console(tmp_path))
    with made.store.begin() as work:
        work.save(
            *(
                case_like(f"n{number}", "s3", severity=number % 9973 / 9973, live=False)
                for number in range(10_000)
            )
        )
    who = working(made, "mo")
    for page in ("/queue", "/shift"):
        took_s = []
        for _ in range(20):
            began_s = time.perf_counter()
            assert who.get(page).status_code == 200
            took_s.append(time.perf_counter() - began_s)
        assert median(took_s) <= 0.150
