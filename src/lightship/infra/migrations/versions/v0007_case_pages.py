"""What the pages of cases ask for: the queue in its order, markings, a referral by its reference, open tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the indexes."""
    op.drop_index("ix_inquiries_state_urgency_due_at", "inquiries")
    op.create_index(
        "ix_inquiries_urgency_urgency_db_due_at_state",
        "inquiries",
        ["urgency", sa.text("urgency_db DESC"), "due_at", "state"],
    )
    op.drop_index("ix_referrals_inquiry_id", "referrals")
    op.create_index("ix_referrals_inquiry_id_marking", "referrals", ["inquiry_id", "marking"])
    op.create_index("ix_referrals_reference", "referrals", ["reference"])
    op.drop_index("ix_tasks_inquiry_id", "tasks")
    op.create_index("ix_tasks_inquiry_id_state", "tasks", ["inquiry_id", "state"])


def downgrade() -> None:
    """Put back those that were there."""
    op.drop_index("ix_tasks_inquiry_id_state", "tasks")
    op.create_index("ix_tasks_inquiry_id", "tasks", ["inquiry_id"])
    op.drop_index("ix_referrals_reference", "referrals")
    op.drop_index("ix_referrals_inquiry_id_marking", "referrals")
    op.create_index("ix_referrals_inquiry_id", "referrals", ["inquiry_id"])
    op.drop_index("ix_inquiries_urgency_urgency_db_due_at_state", "inquiries")
    op.create_index("ix_inquiries_state_urgency_due_at", "inquiries", ["state", "urgency", "due_at"])
