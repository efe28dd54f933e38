"""The store that tests of the duties run on: SQLite, and PostgreSQL where a module asks for both."""

import pytest
from tests.servers import postgres, postgres_model, postgres_tables, postgres_url  # noqa: F401 - fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Let :func:`tests.unit.duties.making.store_in` open each kind of database, one after the other."""
    if request.param == "postgresql":
        (tmp_path / "database").write_text(request.getfixturevalue("postgres_tables"))
    return request.param
