"""What each source sent, and when: the read model that a broken or a silent feed is told by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, empty: it fills as sources send, and `database rebuild` makes it from the log."""
    op.create_table(
        "sources",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("last_at", sa.Text, nullable=False),
        sa.Column("read_ever", _int, nullable=False),
        sa.Column("hour", sa.Text, nullable=False),
        sa.Column("read", _int, nullable=False),
        sa.Column("refused", _int, nullable=False),
        sa.Column("read_before", _int, nullable=False),
        sa.Column("refused_before", _int, nullable=False),
        sqlite_strict=True,
    )
