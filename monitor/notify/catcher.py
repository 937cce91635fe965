"""A mail server on loopback that keeps what it gets in one mbox file: for the demo and for tests, never for real mail.

It needs aiosmtpd, which comes with the `demo` extra.
"""

import asyncio
import mailbox
from collections import Counter
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_BYTES = 1_048_576


class MailCatcher:
    """Use it as an async context manager; `port` is any free one unless given.

    An address that begins with `nobody` is refused for good, one with `later` for now, so that a demo can show both.
    """

    def __init__(self, file: Path | None = None, *, port: int = 0) -> None:
        self._file = file
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self.messages: list[EmailMessage] = []
        self.by_recipient: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, host="127.0.0.1", port=self._wanted_port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def port(self) -> int:
        """The port that is served. Raises RuntimeError before the start."""
        if self._server is None:
            raise RuntimeError("the mail catcher is not started")
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, address: str) -> str:
        """The Apprise URL that brings mail for `address` here."""
        return f"mailto://127.0.0.1:{self.port}?from=monitor@example.org&to={address}&mode=insecure"

    def _session(self) -> SMTP:
        return SMTP(self, hostname="mail-catcher", data_size_limit=MAX_BYTES, loop=asyncio.get_running_loop())

    # aiosmtpd finds its hooks by these names.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept a recipient, or refuse it as its name asks."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message; it is on disk before it is accepted."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = BytesParser(_class=EmailMessage, policy=modern).parsebytes(content)
        if self._file is not None:
            _append(self._file, content)
        self.messages.append(message)
        self.by_recipient.update(envelope.rcpt_tos)
        return "250 OK"


def _append(file: Path, content: bytes) -> None:
    box = mailbox.mbox(file, create=True)
    try:
        box.add(content)
        box.flush()
    finally:
        box.close()
