"""What a case's page asks for: a place in the queue, how referrals are marked, and one by its reference."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the indexes."""
    op.drop_index("ix_inquiries_state_urgency_due_at", "inquiries")
    op.create_index("ix_inquiries_state_urgency_urgency_db", "inquiries", ["state", "urgency", "urgency_db"])
    op.drop_index("ix_referrals_inquiry_id", "referrals")
    op.create_index("ix_referrals_inquiry_id_marking", "referrals", ["inquiry_id", "marking"])
    op.create_index("ix_referrals_reference", "referrals", ["reference"])


def downgrade() -> None:
    """Put back those that were there."""
    op.drop_index("ix_referrals_reference", "referrals")
    op.drop_index("ix_referrals_inquiry_id_marking", "referrals")
    op.create_index("ix_referrals_inquiry_id", "referrals", ["inquiry_id"])
    op.drop_index("ix_inquiries_state_urgency_urgency_db", "inquiries")
    op.create_index("ix_inquiries_state_urgency_due_at", "inquiries", ["state", "urgency", "due_at"])
