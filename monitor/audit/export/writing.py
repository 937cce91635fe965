"""The files of an export: private to their owner, hashed as they are written, the same bytes for the same content."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from monitor.errors import UsageError

PRIVATE: Final = 0o600
NO_TIME: Final = (1980, 1, 1, 0, 0, 0)  # a zip must give a time to each file; the manifest has the true one
BUFFER: Final = 1 << 20


class HashedFile:
    """A file that knows its own hash."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        self._file = os.fdopen(descriptor, "wb", buffering=BUFFER)
        self._digest = sha256()
        self._size = 0

    def write(self, text: str) -> None:
        """Add text, as UTF-8."""
        content = text.encode()
        self._file.write(content)
        self._digest.update(content)
        self._size += len(content)

    def close(self) -> dict[str, str | int]:
        """Put it on the disk: its size and hash, as the manifest has them."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {"bytes": self._size, "sha256": self._digest.hexdigest()}


def write_file(path: Path, text: str) -> dict[str, str | int]:
    """Write one file at once."""
    file = HashedFile(path)
    file.write(text)
    return file.close()


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write in; gone afterwards, unless `hand_over` has moved it. Raises UsageError."""
    if out.exists():
        raise UsageError(f"{out} is there already: an export is never written over")
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}")
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def hand_over(made: Path, out: Path) -> None:
    """Put the finished folder where it was asked for, as a zip if that is its name. Raises UsageError, OSError."""
    finished = made
    if out.suffix == ".zip":
        finished = made / out.name
        _zip(made, finished)
    if out.exists():
        raise UsageError(f"{out} is there already: an export is never written over")
    finished.rename(out)


def _zip(folder: Path, target: Path) -> None:
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for path in names:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | PRIVATE) << 16  # a plain file
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink, BUFFER)
