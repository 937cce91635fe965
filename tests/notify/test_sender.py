"""The contract of the Sender port, on the fake and on Apprise with real receivers; then Apprise's own traps."""

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from monitor.errors import UsageError
from monitor.notify.catcher import MailCatcher
from monitor.notify.ports import Notice, SendOutcome
from monitor.notify.ports import Sender as SenderPort
from monitor.notify.recipients import Recipient
from monitor.notify.sender import MESSAGE_ID_HEADER, AppriseSender
from tests.support.postbox import Postbox, http_postbox

from .fakes import FAILED, REFUSED, UNSURE, FakeSender

NOTICE = Notice("[HIGH] Stop criterion: low donor chimerism", "What happened\n  Donor chimerism is 85 %.\n")


def at(url: str, **settings: object) -> Recipient:
    return Recipient.model_validate({"url": SecretStr(url), "timeout_seconds": 0.4, "per_minute": 60_000, **settings})


@pytest.fixture(scope="module")
def web() -> Iterator[Postbox]:
    with http_postbox() as box:
        yield box


@pytest.fixture
async def mail() -> AsyncIterator[MailCatcher]:
    async with MailCatcher() as catcher:
        yield catcher


def fake(_web: Postbox) -> FakeSender:
    sender = FakeSender("good", "failing", "refusing", "silent")
    sender.answers("failing", FAILED)
    sender.answers("refusing", REFUSED)
    sender.answers("silent", UNSURE)
    return sender


def real(web: Postbox) -> AppriseSender:
    paths = {"good": "ok", "failing": "status-503", "refusing": "status-403", "silent": "slow"}
    return AppriseSender({name: at(web.url(path)) for name, path in paths.items()})


@pytest.fixture(params=[fake, real], ids=["fake", "apprise"])
async def sender(request: pytest.FixtureRequest, web: Postbox) -> AsyncIterator[SenderPort]:
    made = request.param(web)
    yield made
    await made.close()


class TestContract:
    async def test_a_notice_that_is_taken_is_delivered(self, sender: SenderPort) -> None:
        receipt = await sender.send("good", NOTICE, "m-1")
        assert receipt.outcome is SendOutcome.DELIVERED
        assert receipt.attempts == 1

    async def test_a_busy_service_is_worth_another_try(self, sender: SenderPort) -> None:
        receipt = await sender.send("failing", NOTICE, "m-1")
        assert (receipt.outcome, receipt.retryable, receipt.detail) == (SendOutcome.FAILED, True, "HTTP 503")

    async def test_a_refusal_is_not_worth_another_try(self, sender: SenderPort) -> None:
        receipt = await sender.send("refusing", NOTICE, "m-1")
        assert (receipt.outcome, receipt.retryable, receipt.detail) == (SendOutcome.FAILED, False, "HTTP 403")

    async def test_no_answer_is_ambiguous(self, sender: SenderPort) -> None:
        receipt = await sender.send("silent", NOTICE, "m-1")
        assert (receipt.outcome, receipt.retryable) == (SendOutcome.TIMEOUT, True)

    async def test_a_recipient_nobody_knows_is_a_failure(self, sender: SenderPort) -> None:
        receipt = await sender.send("someone-else", NOTICE, "m-1")
        assert (receipt.outcome, receipt.retryable) == (SendOutcome.FAILED, False)


async def test_the_message_id_goes_along_over_http(web: Postbox) -> None:
    web.messages.clear()
    web.headers.clear()
    async with AppriseSender({"hook": at(web.url())}) as sender:
        await sender.send("hook", NOTICE, "m-77")
    assert web.messages[0]["title"] == NOTICE.title
    assert web.messages[0]["message"] == NOTICE.body.rstrip()
    assert web.headers[0][MESSAGE_ID_HEADER] == "m-77"


async def test_mail_is_plain_text_with_the_message_id(mail: MailCatcher) -> None:
    async with AppriseSender({"officer": at(mail.url("officer@example.org"))}) as sender:
        assert (await sender.send("officer", NOTICE, "m-78")).outcome is SendOutcome.DELIVERED
    message = mail.messages[0]
    assert message["Subject"] == NOTICE.title
    assert message[MESSAGE_ID_HEADER] == "m-78"
    assert message.get_content_type() == "text/plain"
    assert "Donor chimerism is 85 %." in message.get_content()


async def test_a_refused_mail_address_names_the_code_and_not_the_address(mail: MailCatcher) -> None:
    recipients = {"gone": at(mail.url("nobody@example.org")), "greylisted": at(mail.url("later@example.org"))}
    async with AppriseSender(recipients) as sender:
        gone = await sender.send("gone", NOTICE, "m-1")
        later = await sender.send("greylisted", NOTICE, "m-1")
    assert (gone.detail, gone.retryable) == ("refused by the mail server (550)", False)
    assert (later.detail, later.retryable) == ("refused by the mail server (451)", True)


async def test_a_lost_connection_is_ambiguous_and_a_refused_one_is_not(web: Postbox) -> None:
    async with AppriseSender({"dropping": at(web.url("drop")), "closed": at("json://127.0.0.1:1/")}) as sender:
        dropped = await sender.send("dropping", NOTICE, "m-1")
        closed = await sender.send("closed", NOTICE, "m-1")
    assert (dropped.outcome, dropped.detail) == (SendOutcome.TIMEOUT, "connection lost")
    assert (closed.outcome, closed.detail) == (SendOutcome.FAILED, "connection refused")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that reaches the process's log, at every level."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


async def test_receipts_and_logs_show_no_address_and_no_secret(web: Postbox, log: io.StringIO) -> None:
    secret = "t0psecret"
    url = f"json://user:{secret}@127.0.0.1:{web.port}/status-503/{secret}?+X-Key={secret}"
    async with AppriseSender({"hook": at(url)}) as sender:
        receipt = await sender.send("hook", NOTICE, "m-1")
        assert secret not in repr(receipt) + repr(sender._recipients) + log.getvalue()
    assert "127.0.0.1" not in receipt.detail


async def test_a_dead_channel_does_not_delay_a_good_one(web: Postbox) -> None:
    recipients = {"dead": at(web.url("slow"), at_once=1), "good": at(web.url())}
    async with AppriseSender(recipients) as sender:
        stuck = [asyncio.create_task(sender.send("dead", NOTICE, f"m-{n}")) for n in range(4)]
        await asyncio.sleep(0)
        began = time.monotonic()
        receipt = await sender.send("good", NOTICE, "m-9")
        assert receipt.outcome is SendOutcome.DELIVERED
        assert time.monotonic() - began < 0.3
        await asyncio.gather(*stuck)


async def test_a_second_message_does_not_wait_for_the_library_s_own_throttle(mail: MailCatcher) -> None:
    async with AppriseSender({"officer": at(mail.url("officer@example.org"))}) as sender:
        began = time.monotonic()
        for number in range(3):
            await sender.send("officer", NOTICE, f"m-{number}")
        assert time.monotonic() - began < 2
    assert len(mail.messages) == 3


async def test_a_channel_keeps_to_its_rate(web: Postbox) -> None:
    async with AppriseSender({"hook": at(web.url(), per_minute=600, at_once=1)}) as sender:
        began = time.monotonic()
        for number in range(4):
            await sender.send("hook", NOTICE, f"m-{number}")
        assert time.monotonic() - began >= 0.25


@pytest.mark.parametrize("url", ["nope://somewhere", "mailto://", "json://"])
async def test_a_url_that_apprise_does_not_understand_stops_the_start(url: str) -> None:
    with pytest.raises(UsageError, match="recipient officer: Apprise does not understand its URL"):
        AppriseSender({"officer": at(url)})


async def test_two_targets_in_one_url_stop_the_start(mail: MailCatcher) -> None:
    with pytest.raises(UsageError, match="several targets"):
        AppriseSender({"officers": at(mail.url("a@example.org,b@example.org"))})


@pytest.mark.parametrize(("option", "parts"), [("", 1), ("?overflow=split", 14)])
def test_a_telephone_gets_the_beginning_of_a_notice_unless_all_of_it_is_wanted(option: str, parts: int) -> None:
    url = f"twilio://AC{'a' * 32}:{'b' * 32}@12025550123/12025550199{option}"
    phone = Recipient(url=SecretStr(url))
    plugin = AppriseSender({"phone": phone})._plugin(phone, "")
    assert plugin is not None
    sent = plugin._apply_overflow(title="[HIGH] Stop criterion: acute GVHD (a1b2c3d4)", body="what happened\n" * 150)
    assert len(sent) == parts
    assert len(sent[0]["body"]) <= 160
    assert sent[0]["body"].startswith("[HIGH] Stop criterion: acute GVHD (a1b2c3d4)")
