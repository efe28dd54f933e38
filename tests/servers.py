"""Real servers for the tests: PostgreSQL and NATS in a temporary directory, on the loopback, ended afterwards.

Import the fixtures into a test module, or its conftest. Where a server's program is absent the tests are skipped, and say
which Debian package brings it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

_NAMES = count()


def free_port() -> int:
    """Return a port of the loopback that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("postgres")
    return Path(beside).parent if beside else None


def _account() -> dict[str, object]:
    """Return who runs the server: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            one = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL refuses to be run by root, and there is no other account")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL server; yields the address of its first database."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL on this machine (Debian: apt install postgresql)")
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="ls-pg-"))
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
        data, log, port = folder / "data", folder / "log", free_port()
        run = {
            "cwd": folder,
            "stdin": subprocess.DEVNULL,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        }
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "lightship", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, **run, **account,
        )  # fmt: skip
        settings = [
            f"port={port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            "fsync=off",
        ]
        arguments = [part for one in settings for part in ("-c", one)]
        url = f"postgresql://lightship@127.0.0.1:{port}/postgres"
        with log.open("wb") as file:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *arguments], stdout=file, stderr=file, **run, **account
            )
        try:
            _wait(lambda: psycopg.connect(url, connect_timeout=2).close(), server, log)
            yield url
        finally:
            server.send_signal(2)  # SIGINT: end now, without waiting for those connected
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def nats_server() -> Iterator[str]:
    """Run a NATS server with JetStream; yields its address."""
    program = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no nats-server on this machine (Debian: apt install nats-server)")
    with tempfile.TemporaryDirectory(prefix="ls-nats-") as folder:
        port, log = free_port(), Path(folder) / "log"
        command = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder, "-l", str(log)]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), server, log)
            yield f"nats://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(connect, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            return connect()
        except (OSError, psycopg.OperationalError):
            if server.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One PostgreSQL server for all tests."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def nats() -> Iterator[str]:
    """One NATS server for all tests."""
    with nats_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A new, empty database."""
    name = f"t{next(_NAMES)}"
    with psycopg.connect(postgres, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
    yield postgres.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgres, autocommit=True) as db:
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, one after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")
