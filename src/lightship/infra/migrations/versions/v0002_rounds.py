"""What each worker found on its latest round: when each stream was looked at last, and what does not work there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rounds",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("streams", sa.JSON(), nullable=False),
        sa.Column("unseen_s", sa.JSON(), nullable=False),
        sa.Column("late_s", sa.Double(), nullable=False),
        sa.Column("troubles", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("rounds")
