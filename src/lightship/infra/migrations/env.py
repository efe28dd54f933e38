"""What alembic runs before the steps: it is given a connection within a transaction, and ends none itself."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
