"""The steps from one version of the store's tables to the next; alembic runs them in order."""
