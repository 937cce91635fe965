"""The first release: the append-only log, its head, and the tables that live in its transactions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_bool = sa.Boolean(create_constraint=False).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, indexes and guards."""
    _log()
    _head()
    _ownership()
    _outbox()
    _read_models()
    _guards()


def _log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("sequence", _int, sa.CheckConstraint("sequence >= 1"), primary_key=True, autoincrement=False),
        sa.Column("scheme", _int, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", _int, sa.CheckConstraint("version >= 1"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("known_at", sa.Text, nullable=False),
        sa.Column("waited", _bool, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("dedupe_key", sa.Text),
        sa.Column("origin_topic", sa.Text),
        sa.Column("origin_partition", _int),
        sa.Column("origin_offset", _int),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("payload_hash", sa.LargeBinary, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("record_hash", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("stream", "version", name="audit_log_stream_version"),
        sa.UniqueConstraint("dedupe_key", name="audit_log_dedupe_key"),
        sqlite_strict=True,
    )


def _head() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("id", _int, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("sequence", _int, nullable=False),
        sa.Column("running_hash", sa.LargeBinary, nullable=False),
        sa.Column("epoch", _int, nullable=False),
        sqlite_strict=True,
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "running_hash": bytes(32), "epoch": 0}])


def _ownership() -> None:
    op.create_table(
        "instances",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("epoch", _int, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "owners",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", _int, primary_key=True, autoincrement=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("epoch", _int, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", _int, primary_key=True, autoincrement=False),
        sa.Column("next_offset", _int, nullable=False),
        sa.Column("watermark", sa.Text),
        sa.Column("last_digest", sa.Text),
        sqlite_strict=True,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", _int, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("row_id", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text),
        sa.Column("alert_id", sa.Text),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("not_before", sa.Text, nullable=False),
        sa.Column("attempts", _int, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("claimed_until", sa.Text),
        sqlite_strict=True,
    )
    op.create_index("outbox_waiting", "outbox", ["state", "not_before"])


def _read_models() -> None:
    op.create_table(
        "patients",
        sa.Column("patient", sa.Text, primary_key=True),
        sa.Column("partition", _int),
        sa.Column("version", _int, nullable=False),
        sa.Column("enrolled", _bool, nullable=False),
        sa.Column("events", _int, nullable=False),
        sa.Column("due_at", sa.Text),
        sa.Column("protocol_state", sa.Text),
        sa.Column("treatment_state", sa.Text),
        sa.Column("restart_window", sa.Text),
        sqlite_strict=True,
    )
    op.create_index("patients_due_at", "patients", ["due_at"])
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("effective_at", sa.Text, nullable=False),
        sa.Column("raised_at", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Text, nullable=False),
        sa.Column("revision", _int, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("alerts_patient", "alerts", ["patient"])
    op.create_index("alerts_status", "alerts", ["status"])


def _guards() -> None:
    statements = POSTGRESQL_GUARDS if op.get_bind().dialect.name == "postgresql" else SQLITE_GUARDS
    for statement in statements:
        op.execute(sa.text(statement))


# ENABLE ALWAYS: also under session_replication_role = replica. Row triggers fire for logical replication as well.
POSTGRESQL_GUARDS = (
    r"""
    CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $guard$
    BEGIN
        RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END
    $guard$
    """,
    """
    CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()
    """,
    """
    CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()
    """,
    "ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_change",
    "ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_truncate",
)

# REPLACE deletes the row it collides with and fires no DELETE trigger: what it could collide with is refused before.
SQLITE_GUARDS = (
    """
    CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: UPDATE is refused'); END
    """,
    """
    CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: DELETE is refused'); END
    """,
    """
    CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log WHERE sequence = NEW.sequence)
      OR EXISTS (SELECT 1 FROM audit_log WHERE stream = NEW.stream AND version = NEW.version)
      OR EXISTS (SELECT 1 FROM audit_log WHERE dedupe_key = NEW.dedupe_key)
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: REPLACE of a record is refused'); END
    """,
)
