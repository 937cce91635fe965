"""Signed checkpoints of the log's tree, and the cache its proofs are made from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables; the checkpoints are append-only."""
    op.create_table(
        "checkpoints",
        sa.Column("size", _int, sa.CheckConstraint("size >= 0"), primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "tree_tiles",
        sa.Column("number", _int, sa.CheckConstraint("number >= 0"), primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    for statement in POSTGRESQL_GUARDS if op.get_bind().dialect.name == "postgresql" else SQLITE_GUARDS:
        op.execute(sa.text(statement))


POSTGRESQL_GUARDS = (
    r"""
    CREATE FUNCTION checkpoints_refuse() RETURNS trigger LANGUAGE plpgsql AS $guard$
    BEGIN
        RAISE EXCEPTION 'checkpoints is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END
    $guard$
    """,
    """
    CREATE TRIGGER checkpoints_no_change BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION checkpoints_refuse()
    """,
    """
    CREATE TRIGGER checkpoints_no_truncate BEFORE TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_refuse()
    """,
    "ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER checkpoints_no_change",
    "ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER checkpoints_no_truncate",
)

SQLITE_GUARDS = (
    """
    CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: UPDATE is refused'); END
    """,
    """
    CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: DELETE is refused'); END
    """,
    """
    CREATE TRIGGER checkpoints_no_replace BEFORE INSERT ON checkpoints
    WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)
    BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: REPLACE of a checkpoint is refused'); END
    """,
)
