"""Checkpoints go out of the house: a file that is only added to, and a topic. Who holds an old one can catch a rewrite.

A checkpoint that could not be published is made up for by the next, which commits to all that it did.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from monitor.audit.added_file import add_whole
from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint
from monitor.audit.proof.note import split
from monitor.errors import UsageError
from monitor.events.catalogue import CHECKPOINT_TOPIC

READABLE: Final = 0o644
"""A checkpoint is meant to be read by others."""


class Topic(Protocol):
    """Where messages go (TopicPublisher)."""

    async def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Send one message and wait for the broker's word. Raises MonitorError."""


def append_to_file(path: Path, signed: SignedCheckpoint) -> None:
    """Add a note, and an empty line behind it, to the end of the file: on the disk on return.

    Raises OSError, with nothing added: half a note would make all of the file unreadable.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, READABLE)
    try:
        add_whole(descriptor, f"{signed.note}\n".encode())
    finally:
        os.close(descriptor)


def read_file(path: Path) -> list[SignedCheckpoint]:
    """The checkpoints of a file, in their order. Raises UsageError if it cannot be read, ProofInvalid."""
    with _readable(path):
        text = path.read_text(encoding="utf-8")
    return [read_checkpoint(note) for note in split(text)]


def newest_in(path: Path | None) -> SignedCheckpoint | None:
    """The checkpoint of the most records in a file that may not be there yet. Raises UsageError, ProofInvalid."""
    with _readable(path):
        there = path is not None and path.exists()
    return max(read_file(path), key=lambda each: each.size, default=None) if path and there else None


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:  # the disk may be another machine's, and away
        raise UsageError(f"the checkpoints in {path} cannot be read: {type(error).__name__}") from None


async def send_to_topic(topic: Topic, signed: SignedCheckpoint) -> None:
    """Put it on the compacted topic, under the origin: a reader finds the newest of each log. Raises MonitorError."""
    await topic.send(CHECKPOINT_TOPIC, signed.checkpoint.origin.encode(), str(signed.note).encode())
