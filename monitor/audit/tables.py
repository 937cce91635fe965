"""The tables as the program sees them. How they are made, with triggers and indexes, is in migrations/."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

# SQLite's STRICT tables know INTEGER, TEXT and BLOB alone.
_Int = BigInteger().with_variant(Integer(), "sqlite")
_Bool = Boolean(create_constraint=False).with_variant(Integer(), "sqlite")

audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", _Int, primary_key=True, autoincrement=False),
    Column("scheme", _Int, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", _Int, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("known_at", Text, nullable=False),
    Column("waited", _Bool, nullable=False),
    Column("actor", Text, nullable=False),
    Column("dedupe_key", Text),
    Column("origin_topic", Text),
    Column("origin_partition", _Int),
    Column("origin_offset", _Int),
    Column("payload", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("key_id", Text),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("record_hash", LargeBinary, nullable=False),
)

# One row: the end of the log, the lock of all appends, and the counter that epochs are drawn from.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", _Int, primary_key=True, autoincrement=False),
    Column("sequence", _Int, nullable=False),
    Column("running_hash", LargeBinary, nullable=False),
    Column("epoch", _Int, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("epoch", _Int, nullable=False),
)

owners = Table(
    "owners",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", _Int, primary_key=True, autoincrement=False),
    Column("instance", Text, nullable=False),
    Column("epoch", _Int, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", _Int, primary_key=True, autoincrement=False),
    Column("next_offset", _Int, nullable=False),
    Column("watermark", Text),
    Column("last_digest", Text),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", _Int, nullable=False),
    Column("expires_at", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("row_id", Text, primary_key=True),
    Column("patient", Text),
    Column("alert_id", Text),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("not_before", Text, nullable=False),
    Column("attempts", _Int, nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_until", Text),
)

patients = Table(
    "patients",
    metadata,
    Column("patient", Text, primary_key=True),
    Column("partition", _Int),
    Column("version", _Int, nullable=False),
    Column("enrolled", _Bool, nullable=False),
    Column("events", _Int, nullable=False),
    Column("due_at", Text),
    Column("protocol_state", Text),
    Column("treatment_state", Text),
    Column("restart_window", Text),
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("patient", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("effective_at", Text, nullable=False),
    Column("raised_at", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("revision", _Int, nullable=False),
    Column("content", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("last_at", Text, nullable=False),
    Column("read_ever", _Int, nullable=False),
    Column("hour", Text, nullable=False),
    Column("read", _Int, nullable=False),
    Column("refused", _Int, nullable=False),
    Column("read_before", _Int, nullable=False),
    Column("refused_before", _Int, nullable=False),
)

# Append-only as the log is: a verifier holds the log against all of them.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", _Int, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Text, nullable=False),
)

# The roots of the complete runs of 256 leaves: a cache that nobody trusts, so that proofs need not read the whole log.
tree_tiles = Table(
    "tree_tiles",
    metadata,
    Column("number", _Int, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
)

# On PostgreSQL: word of reads by a role that may write nothing else, until a worker takes it to the log.
waiting_acts = Table(
    "waiting_acts",
    metadata,
    Column("dedupe_key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("known_at", Text, nullable=False),
    Column("login", Text, server_default="", nullable=False),
)

# The keys of encrypted payloads (scheme 2). Never in the log: what is deleted here is redacted there.
wrapping_keys = Table(
    "wrapping_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("owner", Text, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False),
)

payload_keys = Table(
    "payload_keys",
    metadata,
    Column("sequence", _Int, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
)

# Where the record of a redaction is found; verify believes the records alone.
tombstones = Table(
    "tombstones",
    metadata,
    Column("sequence", _Int, primary_key=True, autoincrement=False),
    Column("act", _Int, nullable=False),
)
