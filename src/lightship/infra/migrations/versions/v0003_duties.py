"""What the law is owed: detections, duties, filings, holds, clocks, posts and papers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "detections",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("stream_id", _TEXT, nullable=False),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("found_by", _TEXT, nullable=False),
        sa.Column("basis", _TEXT, nullable=False),
        sa.Column("aware_at", _TIME, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("live_danger", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_detections_aware_at", "detections", ["aware_at"])
    op.create_index("ix_detections_case_id", "detections", ["case_id"])
    op.create_table(
        "duties",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("aware_at", _TIME, nullable=False),
        sa.Column("authority", _TEXT, nullable=False),
        sa.Column("priority", _TEXT, nullable=False),
        sa.Column("rule", _TEXT, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("decided_by", _TEXT, nullable=False),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("filed_at", _TIME, nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
    )
    op.create_index("ix_duties_case_id", "duties", ["case_id"])
    op.create_index("ix_duties_state_aware_at", "duties", ["state", "aware_at"])
    op.create_index("ix_duties_state_due_at", "duties", ["state", "due_at"])
    op.create_table(
        "filings",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("duty_id", _TEXT, nullable=False),
        sa.Column("authority", _TEXT, nullable=False),
        sa.Column("adapter", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("step", _TEXT, nullable=False),
        sa.Column("snapshot", _TEXT, nullable=False),
        sa.Column("supplement_of", _TEXT, nullable=False),
        sa.Column("remote", _TEXT, nullable=False),
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("declared_by", _TEXT, nullable=False),
        sa.Column("declared_at", _TIME, nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("filed_at", _TIME, nullable=True),
        sa.Column("problem", _TEXT, nullable=False),
    )
    op.create_index("ix_filings_duty_id", "filings", ["duty_id"])
    op.create_index("ix_filings_state_next_at", "filings", ["state", "next_at"])
    op.create_table(
        "holds",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("exhibit_id", _TEXT, nullable=False),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("basis", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("placed_by", _TEXT, nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("lifted_by", _TEXT, nullable=False),
        sa.Column("lifted_at", _TIME, nullable=True),
        sa.Column("lifted_why", _TEXT, nullable=False),
    )
    op.create_index("ix_holds_case_id", "holds", ["case_id"])
    op.create_index("ix_holds_exhibit_id_lifted_at", "holds", ["exhibit_id", "lifted_at"])
    op.create_table(
        "clocks",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("about", _TEXT, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("words", _TEXT, nullable=False),
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("ended_by", _TEXT, nullable=False),
        sa.Column("outcome", _TEXT, nullable=False),
    )
    op.create_index("ix_clocks_about", "clocks", ["about"])
    op.create_index("ix_clocks_ended_at_due_at", "clocks", ["ended_at", "due_at"])
    op.create_table(
        "seats",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("post", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("begins_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=True),
        sa.Column("trained_until", _TIME, nullable=True),
        sa.Column("registered_as", _TEXT, nullable=False),
    )
    op.create_index("ix_seats_post_begins_at", "seats", ["post", "begins_at"])
    op.create_table(
        "papers",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("body", _TEXT, nullable=False),
        sa.Column("configuration", _TEXT, nullable=False),
        sa.Column("before", _TEXT, nullable=False),
        sa.Column("approved_by", _TEXT, nullable=False),
        sa.Column("approved_at", _TIME, nullable=True),
    )
    op.create_index("ix_papers_kind_subject_version", "papers", ["kind", "subject", "version"])


def downgrade() -> None:
    """Remove them."""
    for name in ("papers", "seats", "clocks", "holds", "filings", "duties", "detections"):
        op.drop_table(name)
