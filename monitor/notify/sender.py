"""Notices through Apprise: the only user of that library.

Apprise's traps, and what is done about each: it runs sends in one shared pool of threads, so that a dead webhook delays
a good one (a bounded pool of our own for each channel, and its synchronous door); a plugin object that is used again
sleeps for seconds between sends (a fresh object a message, its own throttle off, our own rate); no services match is
not an error (here it is); a text longer than a service takes goes there whole, and is refused (here it is cut, unless
the URL says `overflow=split`); two targets in one URL fail as one (refused); the reason for a failure is in its log
alone, with secrets in it (captured, and put into a closed set of words by `diagnosis`).
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self
from urllib.parse import urlsplit

from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode
from apprise.plugins.base import NotifyBase
from apprise.result import AppriseResult, AppriseResultStatus

from monitor.errors import UsageError
from monitor.notify.diagnosis import diagnose
from monitor.notify.ports import Notice, Receipt, SendOutcome
from monitor.notify.recipients import Recipient

# Connect, then TLS or a greeting, then the message: each may wait `timeout_seconds`. Then the thread is left alone.
_WAITS_IN_A_SEND = 3
# Plugins that send headers of our own along: the receiver can tell a notice that it has already.
_TAKES_HEADERS = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})
MESSAGE_ID_HEADER = "X-Safety-Message-Id"


class AppriseSender:
    """The Sender port on Apprise. Use it as an async context manager, or call `close`."""

    def __init__(self, recipients: Mapping[str, Recipient]) -> None:
        """Raises UsageError, naming the recipient and never its URL, for a URL that Apprise cannot use."""
        _keep_logs_to_ourselves()
        self._asset = AppriseAsset(
            async_mode=False,
            service_timeout=0,
            storage_mode="memory",
            result_log_disk_size=0,
            app_id="Safety monitor",
            app_desc="Safety monitor",
            app_url="",
        )
        self._recipients = dict(recipients)
        for name, recipient in recipients.items():
            self._check(name, recipient)
        self._lanes: dict[str, _Lane] = {}
        for name, recipient in recipients.items():
            lane = recipient.channel or name
            self._lanes.setdefault(lane, _Lane(lane, recipient.at_once, recipient.per_minute))

    async def send(self, recipient: str, notice: Notice, message_id: str) -> Receipt:
        """Try once. A recipient who is not configured any more is a failure that trying again does not mend."""
        known = self._recipients.get(recipient)
        if known is None:
            return Receipt(SendOutcome.FAILED, False, "no such recipient in the routing file", 0, 0.0)
        lane = self._lanes[known.channel or recipient]
        await lane.turn()
        began = time.monotonic()
        limit = known.timeout_seconds * _WAITS_IN_A_SEND + 1
        future = lane.pool.submit(self._notify, known, notice, message_id)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit)
        except TimeoutError:
            return _given_up(future, time.monotonic() - began)

    async def close(self) -> None:
        """Let the threads end; one that hangs in a send is not waited for."""
        for lane in self._lanes.values():
            lane.pool.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _check(self, name: str, recipient: Recipient) -> None:
        plugin = self._plugin(recipient, message_id="")
        if plugin is None:
            raise UsageError(f"recipient {name}: Apprise does not understand its URL")
        if len(plugin) > 1:
            raise UsageError(f"recipient {name}: several targets in one URL; give each a recipient of its own")

    def _plugin(self, recipient: Recipient, message_id: str) -> NotifyBase | None:
        url = _complete(recipient.url.get_secret_value(), recipient.timeout_seconds, message_id)
        plugin = Apprise.instantiate(url, asset=self._asset, suppress_exceptions=True)
        if plugin is None:
            return None
        plugin.request_rate_per_sec = 0
        if "overflow=" not in url:
            # A telephone takes 160 characters, and its service refuses a whole notice: the beginning says the most.
            plugin.overflow_mode = OverflowMode.TRUNCATE
        return plugin

    def _notify(self, recipient: Recipient, notice: Notice, message_id: str) -> Receipt:
        began = time.monotonic()
        service = Apprise(asset=self._asset)
        plugin = self._plugin(recipient, message_id)
        if plugin is not None:
            service.add(plugin)
        result = service.notify(
            body=notice.body, title=notice.title, body_format=NotifyFormat.TEXT, log_level=logging.DEBUG
        )
        return _receipt(result, time.monotonic() - began)


class _Lane:
    """A channel's bulkhead: its threads and its rate, shared by its recipients alone."""

    def __init__(self, name: str, at_once: int, per_minute: int) -> None:
        self.pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix=f"notify-{name}")
        self._gap = 60.0 / per_minute
        self._burst = at_once
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait until this channel may send again: `per_minute` on average, with a burst of `at_once`."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - self._gap * self._burst) + self._gap
        if (wait := self._free_at - now) > 0:
            await asyncio.sleep(wait)


def _keep_logs_to_ourselves() -> None:
    """Apprise's log names hosts, addresses and tokens: it is captured for each result, and goes nowhere else.

    The HTTP client below it logs each path, where some services have their tokens.
    """
    logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _complete(url: str, timeout_seconds: float, message_id: str) -> str:
    """The URL with socket limits, plain text, and our message id where the plugin can carry it."""
    parts = urlsplit(url)
    extra = [f"cto={timeout_seconds:g}", f"rto={timeout_seconds:g}"]
    if "format=" not in parts.query:
        extra.append("format=text")
    if message_id and parts.scheme.lower() in _TAKES_HEADERS:
        extra.append(f"+{MESSAGE_ID_HEADER}={message_id}")
    return f"{url}{'&' if '?' in url else '?'}{'&'.join(extra)}"


def _receipt(result: AppriseResult, elapsed: float) -> Receipt:
    attempts = sum(len(target.attempts) for target in result)
    if result.status is AppriseResultStatus.SUCCESS:
        return Receipt(SendOutcome.DELIVERED, False, "accepted", attempts, elapsed)
    if result.status is AppriseResultStatus.NOMATCH:
        return Receipt(SendOutcome.FAILED, False, "no service took it", attempts, elapsed)
    if result.status is AppriseResultStatus.TIMEOUT:
        return Receipt(SendOutcome.TIMEOUT, True, "no answer in time", attempts, elapsed)
    found = diagnose(_log_of(result))
    return Receipt(found.outcome, found.retryable, found.detail, attempts, elapsed)


def _log_of(result: AppriseResult) -> str:
    entries: Iterable[str] = (
        entry.message for target in result for attempt in target.attempts for entry in attempt.logs
    )
    # What was sent is in the log too, and could be taken for an answer.
    return "\n".join(line for line in entries if "Payload" not in line and "URL:" not in line)


def _given_up(future: "Future[Receipt]", elapsed: float) -> Receipt:
    if future.cancelled():
        return Receipt(SendOutcome.FAILED, True, "the channel is busy; nothing was sent", 0, elapsed)
    return Receipt(SendOutcome.TIMEOUT, True, "no answer in time; the send was left alone", 1, elapsed)
