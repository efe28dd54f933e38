"""A matcher service in the test's own process, and ways to ask it."""

import asyncio
from datetime import date
from types import SimpleNamespace

import httpx
import numpy as np

from lightship import app_matcher
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.entries import collect
from lightship.core.errors import LedgerError
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.matcher import Matcher


class Record:
    """A ledger in memory, which may break."""

    def __init__(self):
        self.entries, self.broken = [], False

    def append(self, entry):
        self.append_all([entry])
        return len(self.entries) - 1

    def append_all(self, entries):
        if self.broken:
            raise LedgerError("The disk is full.")
        self.entries += entries
        return len(self.entries)


class Lines:
    """A logger that keeps its lines."""

    def __init__(self):
        self.lines = []

    def _say(self, event, **fields):
        self.lines.append({"event": event, **fields})

    info = warning = error = _say


def pictures(rng, count):
    """Return hashes as pictures have them: 128 bits set, `(count, 4) uint64`."""
    order = np.argsort(rng.random((count, 256)), axis=1)
    bits = (order < 128).astype(np.uint8)
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(">u8").astype(np.uint64)


def hexed(row):
    return "".join(f"{int(word):016x}" for word in row)


def bank(name, hashes=(), exact=(), as_of=date(2026, 11, 1), **terms):
    entries = [Entry("pdq", bytes.fromhex(hexed(row)), 100, f"{name}-{n}") for n, row in enumerate(hashes)]
    entries += [Entry(kind, value, 100, f"{name}-{kind}") for kind, value in exact]
    return build(Terms(name, **terms), collect(entries, name), as_of)


def service(folder, banks, *, tenants=(), canaries=None, limits=None, **more):
    """Return a service with tokens for its tenants, by name."""
    path = folder / "tenants.json"
    tokens = {}
    usual = {"scopes": ("match", "lists"), "lists": ("*",), "per_minute": 100_000, "per_day": 1_000_000}
    for name, own in {"acme": {}, **dict(tenants)}.items():
        tokens[name] = add(path, Tenant(name, "", **{**usual, **own}))
    record, log = Record(), Lines()
    app, made = app_matcher.build(
        Matcher(tuple(banks)), Tenants(path), record, canaries=canaries, limits=limits, log=log, **more
    )
    return SimpleNamespace(app=app, service=made, tokens=tokens, record=record, log=log, path=path)


def ask(served, method, path, tenant="acme", token=None, **more):
    """Send one request."""
    token = served.tokens.get(tenant) if token is None else token
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}

    async def send():
        transport = httpx.ASGITransport(served.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://matcher") as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(send())


def match(served, hashes, quality=100, tenant="acme", **more):
    """Ask about PDQ hashes."""
    body = {"pdq": [{"hash": hexed(row), "quality": quality} for row in hashes], **more}
    return ask(served, "POST", "/v1/match", tenant, json=body)
