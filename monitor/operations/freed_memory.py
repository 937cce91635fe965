"""Memory that was freed, given back to the system: glibc keeps what lies between what is still used.

Without it a worker under load came to hold some 60 MB that nobody used (DECISIONS.md).
"""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Final

from monitor.stopping import Stopping

EVERY: Final = 15.0  # seconds: a look takes some milliseconds, in which nobody else allocates


class FreedMemory:
    """Gives back until it is stopped; where the C library knows no such thing it only waits."""

    def __init__(self, *, every: float = EVERY) -> None:
        self._every = every
        self._stopping = Stopping()

    async def run(self) -> None:
        """Give back now and then until `stop`."""
        trim = trimmer()
        async for _ in self._stopping.rounds(self._every):
            if trim is not None:
                await asyncio.to_thread(trim)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.tell()


def trimmer() -> Callable[[], object] | None:
    """The `malloc_trim(0)` of glibc: whole pages that are free, of all arenas; None with another C library."""
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None if found is None else lambda: found(ctypes.c_size_t(0))
