"""The notices of a demonstration: how many wait, by the log, and how many have arrived, by the mail server."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage

from monitor.audit.log import SqlAuditLog
from monitor.notify.catcher import MailCatcher


class CaughtNotices:
    """See `streaming.Notices`."""

    def __init__(self, log: SqlAuditLog, catcher: MailCatcher) -> None:
        self._log = log
        self._catcher = catcher

    async def waiting(self) -> int:
        """How many wait in the outbox."""
        return sum(backlog.pending for backlog in await self._log.outbox_backlog())

    def delivered(self) -> int:
        """How many have arrived."""
        return len(self._catcher.messages)


def mail_of(messages: Sequence[EmailMessage], alert_id: str) -> EmailMessage | None:
    """The first mail that tells of an alert; None if there is none."""
    return next((message for message in messages if f"Reference: {alert_id}" in text_of(message)), None)


def text_of(message: EmailMessage) -> str:
    """A mail's plain text."""
    part = message.get_body(("plain", "html"))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""
