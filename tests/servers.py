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

from lightship.infra.migrate import upgrade
from tests.tables import tables

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


class PostgresServer:
    """A PostgreSQL server that can be stopped and started again on its data, as an operator would."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._programs, self._account = programs, _account()
        self._data, self._log, self._port = folder / "data", folder / "log", free_port()
        self._folder = folder
        self._run = {
            "cwd": folder,
            "stdin": subprocess.DEVNULL,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        }
        self.url = f"postgresql://lightship@127.0.0.1:{self._port}/postgres"
        if self._account:
            os.chown(folder, self._account["user"], self._account["group"])
        subprocess.run(
            [programs / "initdb", "-D", self._data, "-U", "lightship", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, **self._run, **self._account,
        )  # fmt: skip

    def start(self) -> None:
        """Start it; returns when it answers."""
        settings = [
            f"port={self._port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            "fsync=off",
        ]
        arguments = [part for one in settings for part in ("-c", one)]
        with self._log.open("ab") as file:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *arguments],
                stdout=file, stderr=file, **self._run, **self._account,
            )  # fmt: skip
        _wait(lambda: psycopg.connect(self.url, connect_timeout=2).close(), self._server, self._log)

    def stop(self) -> None:
        """Stop it now, whoever is connected."""
        self._server.send_signal(2)  # SIGINT: end now, without waiting for those connected
        self._server.wait(20)


@contextmanager
def postgres_of_ones_own() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server that may be stopped and started meanwhile."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL on this machine (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="ls-pg-"))
    try:
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL server; yields the address of its first database."""
    with postgres_of_ones_own() as server:
        yield server.url


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


@contextmanager
def _database(postgres: str, *like: str) -> Iterator[str]:
    name = f"t{next(_NAMES)}"
    with psycopg.connect(postgres, autocommit=True) as db:
        db.execute(" ".join((f"CREATE DATABASE {name}", *(f"TEMPLATE {one}" for one in like))))
    yield postgres.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgres, autocommit=True) as db:
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A new, empty database."""
    with _database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_model(postgres: str) -> Iterator[str]:
    """The name of a database with the store's tables, of which others are copies."""
    with _database(postgres) as url:
        upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_tables(postgres: str, postgres_model: str) -> Iterator[str]:
    """A new database with the store's tables."""
    with _database(postgres, postgres_model) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, one after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the store's tables, one after the other."""
    if request.param == "sqlite":
        return tables(tmp_path / "store.db")
    return request.getfixturevalue("postgres_tables")
