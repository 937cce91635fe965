"""Keys of encrypted payloads, kept beside the log and never in it, and what stands in the place of a destroyed one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the three tables. They can lose rows: that is what they are for."""
    op.create_table(
        "wrapping_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False, unique=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "payload_keys",
        sa.Column("sequence", _int, sa.CheckConstraint("sequence >= 1"), primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("sequence", _int, sa.CheckConstraint("sequence >= 1"), primary_key=True, autoincrement=False),
        sa.Column("act", _int, nullable=False),
        sqlite_strict=True,
    )
