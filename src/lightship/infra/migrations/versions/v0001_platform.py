"""A platform's streams and cases with all that belongs to them; who works there; the journal and the leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "streams",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("address", _TEXT, nullable=False),
        sa.Column("host", _TEXT, nullable=False),
        sa.Column("visibility", _TEXT, nullable=False),
        sa.Column("basis", _TEXT, nullable=False),
        sa.Column("policy", _TEXT, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("child_host", sa.Boolean(), nullable=True),
        sa.Column("viewers", sa.BigInteger(), nullable=False),
        sa.Column("title", _TEXT, nullable=False),
    )
    op.create_index("ix_streams_ended_at", "streams", ["ended_at"])
    op.create_table(
        "reports",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("stream_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("seen_at", _TIME, nullable=True),
    )
    op.create_index("ix_reports_case_id", "reports", ["case_id"])
    op.create_index("ix_reports_seen_at_received_at", "reports", ["seen_at", "received_at"])
    op.create_index("ix_reports_stream_id", "reports", ["stream_id"])
    op.create_table(
        "cases",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("stream_id", _TEXT, nullable=False),
        sa.Column("opened_by", _TEXT, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("aware_at", _TIME, nullable=False),
        sa.Column("words", _TEXT, nullable=False),
        sa.Column("weight_db", sa.Double(), nullable=False),
        sa.Column("rung", _TEXT, nullable=False),
        sa.Column("reach", sa.Double(), nullable=False),
        sa.Column("severity", sa.Double(), nullable=False),
        sa.Column("likelihood", sa.Double(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("danger_now", sa.Boolean(), nullable=False),
        sa.Column("stopped_at", _TIME, nullable=True),
        sa.Column("claimed_by", _TEXT, nullable=False),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.Column("near_of", _TEXT, nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("still", _TEXT, nullable=False),
        sa.Column("place", sa.Double(), nullable=False),
    )
    op.create_index("ix_cases_claimed_by", "cases", ["claimed_by"])
    op.create_index("ix_cases_near_of", "cases", ["near_of"])
    op.create_index("ix_cases_opened_at", "cases", ["opened_at"])
    op.create_index(
        "ix_cases_state_live_danger_now_place_opened_at",
        "cases",
        ["state", "live", "danger_now", "place", "opened_at"],
    )
    op.create_index("ix_cases_stream_id", "cases", ["stream_id"])
    op.create_table(
        "judgements",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("verdict", _TEXT, nullable=False),
        sa.Column("clause", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("second_by", _TEXT, nullable=False),
        sa.Column("second_at", _TIME, nullable=True),
        sa.Column("reused_of", _TEXT, nullable=False),
    )
    op.create_index("ix_judgements_case_id", "judgements", ["case_id"])
    op.create_table(
        "effects",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("stream_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("ordered_by", _TEXT, nullable=False),
        sa.Column("ordered_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("undoes", _TEXT, nullable=False),
        sa.Column("detail", _TEXT, nullable=False),
    )
    op.create_index("ix_effects_case_id", "effects", ["case_id"])
    op.create_index("ix_effects_state_due_at", "effects", ["state", "due_at"])
    op.create_index("ix_effects_stream_id", "effects", ["stream_id"])
    op.create_index("ix_effects_undoes", "effects", ["undoes"])
    op.create_table(
        "exhibits",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("stream_id", _TEXT, nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("media", _TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("hold", _TEXT, nullable=False),
        sa.Column("destroyed_at", _TIME, nullable=True),
    )
    op.create_index("ix_exhibits_case_id", "exhibits", ["case_id"])
    op.create_index("ix_exhibits_destroyed_at_expires_at", "exhibits", ["destroyed_at", "expires_at"])
    op.create_table(
        "accounts",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("shown_as", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("password_hash", _TEXT, nullable=False),
        sa.Column("totp_sealed", _TEXT, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("trained_until", _TIME, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("totp_used", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", _TIME, nullable=True),
        sa.Column("keys", _TEXT, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("csrf", _TEXT, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
    )
    op.create_index("ix_sessions_account_ended_at", "sessions", ["account", "ended_at"])
    op.create_table(
        "shifts",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Double(), nullable=False),
        sa.Column("stretch_s", sa.Double(), nullable=False),
        sa.Column("break_until", _TIME, nullable=True),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("unseen", sa.BigInteger(), nullable=False),
        sa.Column("handover", _TEXT, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
    )
    op.create_index("ix_shifts_account_ended_at", "shifts", ["account", "ended_at"])
    op.create_index("ix_shifts_began_at", "shifts", ["began_at"])
    op.create_table(
        "looks",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("shift_id", _TEXT, nullable=False),
        sa.Column("case_id", _TEXT, nullable=False),
        sa.Column("exhibit_id", _TEXT, nullable=False),
        sa.Column("shown", _TEXT, nullable=False),
        sa.Column("purpose", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("granted_s", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("covered_at", _TIME, nullable=True),
    )
    op.create_index("ix_looks_case_id", "looks", ["case_id"])
    op.create_index("ix_looks_shift_id_case_id", "looks", ["shift_id", "case_id"])
    op.create_table(
        "journal",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("entry", sa.Text(), nullable=False),
    )
    op.create_table(
        "sealed",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Remove the tables."""
    for name in (
        "leases",
        "sealed",
        "journal",
        "looks",
        "shifts",
        "sessions",
        "accounts",
        "exhibits",
        "effects",
        "judgements",
        "cases",
        "reports",
        "streams",
    ):
        op.drop_table(name)
