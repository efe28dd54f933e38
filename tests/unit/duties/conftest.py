"""The store that tests of the duties run on: SQLite, and PostgreSQL where a module asks for both."""

import pytest
from tests.servers import postgres, postgres_url  # noqa: F401 - fixtures

from lightship.infra.migrate import upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Let :func:`tests.unit.duties.making.store_in` open each kind of database, one after the other."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        upgrade(url)
        (tmp_path / "database").write_text(url)
    return request.param
