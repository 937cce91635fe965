import asyncio
import mailbox
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from monitor.notify.catcher import MailCatcher


def mail(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "monitor@example.org", to, "[HIGH] Stop"
    message.set_content("Donor chimerism 85 %\nFrom here on a line that an mbox must quote\n")
    return message


async def send(port: int, to: str) -> None:
    def blocking() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(mail(to))

    await asyncio.to_thread(blocking)


async def test_what_is_caught_is_counted_by_recipient_and_kept_in_a_mailbox(tmp_path: Path) -> None:
    file = tmp_path / "mails.mbox"
    async with MailCatcher(file) as catcher:
        for to in ("officer@example.org", "officer@example.org", "pi@example.org"):
            await send(catcher.port, to)
        assert catcher.by_recipient == {"officer@example.org": 2, "pi@example.org": 1}
    kept = mailbox.mbox(file)
    assert [message["To"] for message in kept] == ["officer@example.org", "officer@example.org", "pi@example.org"]
    kept.close()


async def test_it_can_play_an_address_that_is_gone() -> None:
    async with MailCatcher() as catcher:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await send(catcher.port, "nobody@example.org")
        assert catcher.messages == []


def test_it_has_no_port_before_it_starts() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = MailCatcher().port
