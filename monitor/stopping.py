"""How a service of the worker ends: it is told once, and no pause of it lasts longer."""

import asyncio
from collections.abc import AsyncIterator


class Stopping:
    """Told by `tell`, from any task of the same loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def told(self) -> bool:
        """Whether it is time to end."""
        return self._event.is_set()

    def tell(self) -> None:
        """It is time to end."""
        self._event.set()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until told."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return

    async def rounds(self, every: float) -> AsyncIterator[None]:
        """A round now, and one whenever the last has been over for `every` seconds, until told."""
        while not self.told:
            yield
            await self.pause(every)
