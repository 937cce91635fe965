import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor.health import Health
from monitor.http import HttpSite
from monitor.metrics import Metrics


class Stopwatch:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def health(watch: Stopwatch) -> Health:
    health = Health(within=30, monotonic=watch)
    health.started()
    health.fetched()
    return health


@pytest.fixture
async def site(health: Health) -> AsyncIterator[HttpSite]:
    site = HttpSite(metrics=Metrics(), readiness=health.report, port=0)
    await site.start()
    yield site
    await site.stop()


async def get(site: HttpSite, path: str, shown: str | None = None) -> tuple[int, str, str]:
    url = f"http://127.0.0.1:{site.port}{path}"
    headers = {} if shown is None else {"Authorization": shown}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def test_metrics_are_served_in_prometheus_format(site: HttpSite) -> None:
    status, text, content_type = await get(site, "/metrics")
    assert status == 200
    assert content_type.startswith("text/plain; version=")
    assert "# HELP safety_duplicates_total" in text


async def test_a_worker_that_reads_and_commits_is_ready(site: HttpSite) -> None:
    status, text, _ = await get(site, "/readyz")
    assert status == 200
    assert '"ready": true' in text


async def test_a_silent_broker_turns_readiness_red_and_says_so(site: HttpSite, watch: Stopwatch) -> None:
    watch.seconds += 31
    status, text, _ = await get(site, "/readyz")
    assert status == 503
    assert "last answer 31.0 s ago (limit 30 s)" in text
    assert (await get(site, "/livez"))[0] == 200


async def test_a_scrape_tells_whether_it_is_ready_though_nobody_asks_readyz(
    site: HttpSite, health: Health, watch: Stopwatch
) -> None:
    assert "safety_ready 1.0" in (await get(site, "/metrics"))[1]
    watch.seconds += 31
    assert "safety_ready 0.0" in (await get(site, "/metrics"))[1]
    health.fetched()
    assert "safety_ready 1.0" in (await get(site, "/metrics"))[1]
    health.stopping()
    assert "safety_ready 0.0" in (await get(site, "/metrics"))[1]


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer wrong", "Basic dG9rZW4=", "Bearer token-of-16-chars\u00e9"]
)
async def test_where_a_token_is_set_nothing_is_told_without_it(health: Health, shown: str | None) -> None:
    site = HttpSite(metrics=Metrics(), readiness=health.report, port=0, token="token-of-16-chars")
    await site.start()
    try:
        for path in ("/metrics", "/", "/nothing"):
            status, text, _ = await get(site, path, shown)
            assert (status, text) == (401, "a token is needed\n")
        assert await get(site, "/livez", shown) == (200, "alive\n", "text/plain; charset=utf-8")
        assert (await get(site, "/readyz", shown))[:2] == (200, '{"ready": true}')
        assert (await get(site, "/metrics", "Bearer token-of-16-chars"))[0] == 200
        assert "checks" in (await get(site, "/readyz", "Bearer token-of-16-chars"))[1]
    finally:
        await site.stop()


async def asked(site: HttpSite, request: bytes) -> bytes:
    """The first line of the answer to these bytes, while more of the request is still awaited."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


async def test_a_body_without_end_is_not_waited_for(site: HttpSite) -> None:
    begun = b"HTTP/1.1\r\nHost: monitor\r\nContent-Length: 1000000000000\r\n\r\n" + bytes(100_000)
    assert await asked(site, b"POST /metrics " + begun) == b"HTTP/1.1 405 Method Not Allowed\r\n"
    assert await asked(site, b"GET /livez " + begun) == b"HTTP/1.1 200 OK\r\n"
    assert (await get(site, "/livez"))[0] == 200


async def test_a_header_beyond_measure_is_refused(site: HttpSite) -> None:
    flood = b"GET /livez HTTP/1.1\r\nHost: monitor\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"
    assert await asked(site, flood) == b"HTTP/1.0 400 Bad Request\r\n"
    assert (await get(site, "/livez"))[0] == 200


async def test_a_taken_port_is_an_error_at_the_start(site: HttpSite, health: Health) -> None:
    second = HttpSite(metrics=Metrics(), readiness=health.report, port=site.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


def test_a_batch_that_is_not_committed_in_time_turns_readiness_red(health: Health, watch: Stopwatch) -> None:
    health.batch_begun()
    watch.seconds += 20
    health.fetched()
    assert health.report().ready
    watch.seconds += 11
    health.fetched()
    assert not health.report().checks["commit"].ok
    health.committed()
    assert health.report().ready


def test_an_idle_worker_stays_ready_however_old_its_last_commit(health: Health, watch: Stopwatch) -> None:
    health.committed()
    watch.seconds += 86_400
    health.fetched()
    assert health.report().ready


def test_a_database_that_is_down_is_named_until_it_answers(health: Health) -> None:
    health.database_failed("connection refused")
    assert health.report().checks["database"].reason == "connection refused"
    assert not health.report().ready
    health.database_answered()
    assert health.report().ready


def test_a_worker_that_starts_or_drains_is_not_ready(health: Health) -> None:
    assert not Health(within=30).report().ready
    health.stopping()
    assert not health.report().ready
