"""What is added to a file is there as a whole, or not at all."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.audit.added_file import add_whole
from monitor.audit.proof.checkpoint import sign_checkpoint
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.publishing import append_to_file, newest_in, read_file
from monitor.errors import UsageError


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can be written beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one\n")
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)

    with room_for(10), pytest.raises(OSError, match="too large"):
        add_whole(descriptor, b"two, and more than fits\n")
    assert file.read_bytes() == b"one\n"

    add_whole(descriptor, b"two\n")
    os.close(descriptor)
    assert file.read_bytes() == b"one\ntwo\n"


def test_checkpoints_can_be_read_after_the_disk_was_full(tmp_path: Path) -> None:
    file, key = tmp_path / "checkpoints", SigningKey.generate("example.org/trial")
    append_to_file(file, sign_checkpoint(1, bytes(32), [key]))

    with room_for(file.stat().st_size + 20), pytest.raises(OSError, match="too large"):
        append_to_file(file, sign_checkpoint(2, bytes(32), [key]))
    append_to_file(file, sign_checkpoint(3, bytes(32), [key]))

    assert [signed.size for signed in read_file(file)] == [1, 3]


def test_a_disk_of_checkpoints_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: OSError"):
        newest_in(tmp_path / ("x" * 300))  # a name that no disk takes: what a mount that is away says is alike


def test_a_file_of_checkpoints_that_is_not_there_yet_holds_none(tmp_path: Path) -> None:
    assert newest_in(tmp_path / "checkpoints") is None
    assert newest_in(None) is None
