"""What a case rests on, as facts of their own: the detectors, and the entries of lists that it matched."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_MATCH = re.compile(r"[Ll]ist ([a-z0-9][a-z0-9._-]{0,63}), entry (.{1,200}?), distance \d+, quality \d+")
_FOUND = re.compile(r"Found by ([a-z][a-z0-9-]*)")
"""How the words of cases named both until now."""


def upgrade() -> None:
    """Add the columns, and fill them from the words of the cases that are there."""
    for name in ("detectors", "matched"):
        op.add_column("cases", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    cases = sa.table(
        "cases",
        sa.column("id", sa.Text()),
        sa.column("words", sa.Text()),
        sa.column("detectors", sa.JSON()),
        sa.column("matched", sa.JSON()),
    )
    db = op.get_bind()
    for id_, words in db.execute(sa.select(cases.c.id, cases.c.words)).fetchall():
        detectors = list(dict.fromkeys(_FOUND.findall(words)))
        matched = list(dict.fromkeys(f"{name}/{reference}" for name, reference in _MATCH.findall(words)))
        if detectors or matched:
            found = {"detectors": detectors, "matched": matched}
            db.execute(sa.update(cases).where(cases.c.id == id_).values(found))
    with op.batch_alter_table("cases") as table:  # whoever writes a case says both
        for name in ("detectors", "matched"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Remove both."""
    for name in ("matched", "detectors"):
        op.drop_column("cases", name)
