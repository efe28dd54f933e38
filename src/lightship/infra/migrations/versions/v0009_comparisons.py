"""Referrals whose people are to be compared with everybody else's."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table; every referral that names somebody waits once, since what was missed until now is not known."""
    op.create_table(
        "comparisons",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
    )
    op.create_index("ix_comparisons_done_at_asked_at", "comparisons", ["done_at", "asked_at"])
    op.execute(
        "INSERT INTO comparisons (id, asked_at) SELECT id, received_at FROM referrals "
        "WHERE id IN (SELECT referral_id FROM identifiers)"
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("comparisons")
