"""Inquiries that became one, with all that it takes to part them again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mergers",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("link_id", _TEXT, nullable=False),
        sa.Column("kept", _TEXT, nullable=False),
        sa.Column("gone", _TEXT, nullable=False),
        sa.Column("referrals", sa.JSON(), nullable=False),
        sa.Column("changes", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("made_by", _TEXT, nullable=False),
        sa.Column("undone_at", _TIME, nullable=True),
        sa.Column("undone_by", _TEXT, nullable=False),
    )
    for field in ("link_id", "kept", "gone"):
        op.create_index(f"ix_mergers_{field}", "mergers", [field])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("mergers")
