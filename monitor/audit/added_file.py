"""Files that are only added to: what is added is on the disk as a whole, or the file is as it was."""

import os


def add_whole(descriptor: int, content: bytes) -> None:
    """Add to the end of an open file: on the disk on return. Raises OSError (a full disk), with nothing added."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise
