"""A disk of a storm's own, small enough to be filled: a file system in memory, which only root may mount."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SIZE = 64  # MiB: a storm's log takes some ten
PIECE = b"\0" * 65_536


@dataclass(frozen=True)
class SmallDisk:
    """`folder` lies on it; `mounted` is False where nobody may mount, and then it cannot be filled."""

    folder: Path
    mounted: bool

    def fill(self) -> None:
        """Leave not a byte free."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(PIECE)

    def clear(self) -> None:
        """Give the space back."""
        (self.folder / "ballast").unlink()


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A disk that does not outlive the block."""
    with tempfile.TemporaryDirectory(prefix="safety-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", folder]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
        try:
            yield SmallDisk(Path(folder), mounted)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", folder], check=True)
