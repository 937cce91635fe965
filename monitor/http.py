"""The process's small window: /metrics, /livez and /readyz, on loopback unless configured otherwise.

It holds no patient data, asks for no password, and answers nothing else.
"""

from collections.abc import Callable

from aiohttp import web

from monitor.health import HealthReport
from monitor.metrics import CONTENT_TYPE, Metrics


class HttpSite:
    """An aiohttp site, started and stopped by the composition root on its own event loop."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        readiness: Callable[[], HealthReport],
        host: str = "127.0.0.1",
        port: int = 9464,
        before_scrape: Callable[[], None] | None = None,
    ) -> None:
        """`before_scrape` refreshes gauges that are computed; `port` 0 takes any free one (see `port`)."""
        self._metrics = metrics
        self._readiness = readiness
        self._host = host
        self._wanted_port = port
        self._before_scrape = before_scrape
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind and serve. Raises OSError if the port is taken."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._serve_metrics),
                web.get("/livez", self._serve_livez),
                web.get("/readyz", self._serve_readyz),
            ]
        )
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._wanted_port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Close the site; harmless if it never started."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """The port that is served. Raises RuntimeError before `start`."""
        if self._runner is None:
            raise RuntimeError("the HTTP site is not started")
        return int(self._runner.addresses[0][1])

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        if self._before_scrape is not None:
            self._before_scrape()
        # aiohttp's content_type takes no parameters, and Prometheus' has its version there.
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def _serve_livez(self, _request: web.Request) -> web.Response:
        # That the event loop turns is all a supervisor's restart can mend; the rest is readiness.
        return web.Response(text="alive\n")

    async def _serve_readyz(self, _request: web.Request) -> web.Response:
        report = self._readiness()
        self._metrics.readiness_is(report.ready)
        return web.json_response(report.to_json(), status=200 if report.ready else 503)
