"""What an investigating body keeps: referrals, identifiers, links, inquiries, tasks, reports and what was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "originals",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("form", _TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
    )
    op.create_table(
        "referrals",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("kind_now", _TEXT, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("original", _TEXT, nullable=False),
        sa.Column("inquiry_id", _TEXT, nullable=False),
        sa.Column("completeness", sa.Double(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("narrative", _TEXT, nullable=False),
        sa.Column("marking", _TEXT, nullable=False),
        sa.Column("bundle", _TEXT, nullable=False),
        sa.Column("happened_at", _TIME, nullable=True),
    )
    op.create_index("ix_referrals_bundle", "referrals", ["bundle"])
    op.create_index("ix_referrals_inquiry_id", "referrals", ["inquiry_id"])
    op.create_index("ix_referrals_received_at", "referrals", ["received_at"])
    op.create_index("ix_referrals_sender_reference", "referrals", ["sender", "reference"])
    op.create_table(
        "identifiers",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("referral_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("person", _TEXT, nullable=False),
        sa.Column("platform", _TEXT, nullable=False),
        sa.Column("first_at", _TIME, nullable=True),
        sa.Column("last_at", _TIME, nullable=True),
        sa.Column("marking", _TEXT, nullable=False),
    )
    op.create_index("ix_identifiers_kind_value", "identifiers", ["kind", "value"])
    op.create_index("ix_identifiers_person", "identifiers", ["person"])
    op.create_index("ix_identifiers_referral_id", "identifiers", ["referral_id"])
    op.create_table(
        "links",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("one", _TEXT, nullable=False),
        sa.Column("other", _TEXT, nullable=False),
        sa.Column("weight_db", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("rival", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("votes", sa.JSON(), nullable=False),
        sa.Column("decided_at", _TIME, nullable=True),
    )
    op.create_index("ix_links_one", "links", ["one"])
    op.create_index("ix_links_other", "links", ["other"])
    op.create_index("ix_links_state_weight_db", "links", ["state", "weight_db"])
    op.create_table(
        "inquiries",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("urgency", sa.BigInteger(), nullable=False),
        sa.Column("urgency_db", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("handed_to", _TEXT, nullable=False),
        sa.Column("handed_at", _TIME, nullable=True),
        sa.Column("child_first", _TEXT, nullable=False),
        sa.Column("risk", _TEXT, nullable=False),
        sa.Column("escalations", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", _TEXT, nullable=False),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("closed_by", _TEXT, nullable=False),
        sa.Column("closed_why", _TEXT, nullable=False),
    )
    op.create_index("ix_inquiries_due_at", "inquiries", ["due_at"])
    op.create_index("ix_inquiries_owner_due_at", "inquiries", ["owner", "due_at"])
    op.create_index("ix_inquiries_state_urgency_due_at", "inquiries", ["state", "urgency", "due_at"])
    op.create_table(
        "tasks",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("inquiry_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("words", _TEXT, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("rule", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("done_by", _TEXT, nullable=False),
        sa.Column("outcome", _TEXT, nullable=False),
    )
    op.create_index("ix_tasks_inquiry_id", "tasks", ["inquiry_id"])
    op.create_index("ix_tasks_state_due_at", "tasks", ["state", "due_at"])
    op.create_table(
        "bundles",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("undone_at", _TIME, nullable=True),
        sa.Column("undone_by", _TEXT, nullable=False),
    )
    op.create_index("ix_bundles_key", "bundles", ["key"])
    op.create_table(
        "intelligence_reports",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("inquiry_id", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("source_grade", sa.BigInteger(), nullable=False),
        sa.Column("assessment", _TEXT, nullable=False),
        sa.Column("marking", _TEXT, nullable=False),
        sa.Column("source_reference", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("follows", _TEXT, nullable=False),
        sa.Column("review_at", _TIME, nullable=True),
    )
    op.create_index("ix_intelligence_reports_inquiry_id", "intelligence_reports", ["inquiry_id"])
    op.create_index("ix_intelligence_reports_review_at", "intelligence_reports", ["review_at"])
    op.create_table(
        "disseminations",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("inquiry_id", _TEXT, nullable=False),
        sa.Column("recipient", _TEXT, nullable=False),
        sa.Column("way", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("content", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("withheld", sa.JSON(), nullable=False),
        sa.Column("sent_at", _TIME, nullable=True),
        sa.Column("acknowledged_at", _TIME, nullable=True),
        sa.Column("outcome", _TEXT, nullable=False),
    )
    op.create_index("ix_disseminations_inquiry_id", "disseminations", ["inquiry_id"])
    op.create_table(
        "uses",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("verb", _TEXT, nullable=False),
        sa.Column("about", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("recipient", _TEXT, nullable=False),
    )
    op.create_index("ix_uses_about_at", "uses", ["about", "at"])
    op.create_index("ix_uses_by_at", "uses", ["by", "at"])


def downgrade() -> None:
    """Remove them."""
    for name in (
        "uses",
        "disseminations",
        "intelligence_reports",
        "bundles",
        "tasks",
        "inquiries",
        "links",
        "identifiers",
        "referrals",
        "originals",
    ):
        op.drop_table(name)
