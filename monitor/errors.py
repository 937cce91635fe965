# ruff: noqa: N818 - the names are words of the working vocabulary; a suffix would say nothing more
"""The failures that cross a package's border: each says what stopped, and what the reader can do."""


class MonitorError(Exception):
    """Root of the daemon's own failures; its text is one clear line for an operator."""


class UsageError(MonitorError):
    """A command was given arguments, files or settings it cannot work with (exit code 2)."""


class DatabaseUnavailable(MonitorError):
    """The database did not answer, or refused the connection: trying again later may help."""


class SchemaMissing(MonitorError):
    """The database holds no schema, or an older one: `safety-monitor database upgrade` makes it."""


class VersionConflict(MonitorError):
    """Another writer appended to a stream since it was read: read it again, decide again."""

    def __init__(self, stream: str, expected: int, found: int) -> None:
        super().__init__(f"stream changed since it was read: expected version {expected}, found {found}")
        self.stream = stream
        self.expected = expected
        self.found = found


class Fenced(MonitorError):
    """A newer owner holds this partition or lease: this process is a zombie and must end."""


class Superseded(Fenced):
    """A newer start of the same instance is at work: this one must end, and not be started again."""


class PositionMismatch(MonitorError):
    """What the broker holds is not what the log recorded of it (a topic recreated, truncated or rewritten)."""


class TopicsMissing(MonitorError):
    """A topic went from the broker under a worker at work: its next start says what is there instead."""


class MessageTooLarge(MonitorError):
    """The broker will never take this message: to send it again does not help."""


class ProtocolInvalid(UsageError):
    """A protocol file that cannot be read or holds what the model does not know; nothing is assessed with it."""


class ProtocolRefused(UsageError):
    """The settings' protocol file is not the one in force on this log: nothing is assessed until somebody approves."""


class ProtocolChanged(Fenced):
    """Another protocol file was activated while this process worked with the one before it: it must end."""


class DatabaseInUse(MonitorError):
    """Another process writes to this SQLite log: it takes one writer, and waiting does not help."""


class RecordUnreadable(MonitorError):
    """The bytes of a record are not even text: somebody wrote into the file."""

    def __init__(self, sequence: int) -> None:
        super().__init__(f"record {sequence} of the log cannot be read")
        self.sequence = sequence


class ProofInvalid(MonitorError):
    """A note, a checkpoint or a proof that does not show what it is meant to show."""
