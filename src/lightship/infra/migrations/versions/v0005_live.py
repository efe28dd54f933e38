"""What a livestream may do: how old its host is, and when crisis mode was on."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Add the column and make the table."""
    op.add_column("streams", sa.Column("host_age", sa.BigInteger(), nullable=True))
    op.create_table(
        "surges",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("began_by", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("ended_by", _TEXT, nullable=False),
        sa.Column("ended_why", _TEXT, nullable=False),
    )
    op.create_index("ix_surges_ended_at", "surges", ["ended_at"])
    op.create_index("ix_surges_began_at", "surges", ["began_at"])


def downgrade() -> None:
    """Remove both."""
    op.drop_table("surges")
    op.drop_column("streams", "host_age")
