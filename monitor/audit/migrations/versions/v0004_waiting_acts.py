"""Where an inspector's role, which may write nothing else, leaves word that it reads; a worker takes it to the log.

On SQLite nothing is put here: there it is a file beside the log (monitor/audit/spool.py), for the log has one writer.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = "kind IN ('safety.log.read.v1', 'safety.export.made.v1')"


def upgrade() -> None:
    """Make the table. Who is logged in is the database's own word, not the writer's."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "waiting_acts",
        sa.Column("dedupe_key", sa.Text, sa.CheckConstraint("length(dedupe_key) <= 100"), primary_key=True),
        sa.Column("kind", sa.Text, sa.CheckConstraint(KINDS), nullable=False),
        sa.Column("payload", sa.Text, sa.CheckConstraint("length(payload) <= 10000"), nullable=False),
        sa.Column("actor", sa.Text, sa.CheckConstraint("length(actor) <= 200"), nullable=False),
        sa.Column("known_at", sa.Text, sa.CheckConstraint("length(known_at) <= 40"), nullable=False),
        sa.Column("login", sa.Text, server_default=sa.text("session_user" if postgresql else "''"), nullable=False),
        sqlite_strict=True,
    )
