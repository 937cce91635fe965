"""The process's small window: /metrics, /livez and /readyz, on loopback unless configured otherwise.

It holds no patient data and answers nothing else. Where a token is set, whoever asks must show it (`Authorization:
Bearer ...`); a probe that cannot is told yes or no, and nothing about the house.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from monitor.health import HealthReport
from monitor.metrics import CONTENT_TYPE, Metrics

OPEN: Final = ("/livez", "/readyz")  # a supervisor's probes carry no token


class HttpSite:
    """An aiohttp site, started and stopped by the composition root on its own event loop."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        readiness: Callable[[], HealthReport],
        host: str = "127.0.0.1",
        port: int = 9464,
        token: str | None = None,
    ) -> None:
        """`port` 0 takes any free one (see `port`); `token` is what callers must show, None: nobody is asked."""
        self._metrics = metrics
        self._readiness = readiness
        self._host = host
        self._wanted_port = port
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind and serve. Raises OSError if the port is taken."""
        application = web.Application(middlewares=[self._admit])
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

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self._knows(request) or request.path in OPEN:
            return await handler(request)
        return web.Response(status=401, text="a token is needed\n", headers={"WWW-Authenticate": "Bearer"})

    def _knows(self, request: web.Request) -> bool:
        """Whether the caller may see it all; compared in a time that tells nothing about the token."""
        if self._expected is None:
            return True
        shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        return hmac.compare_digest(shown, self._expected)

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        self._metrics.readiness_is(self._readiness().ready)  # judged now: nobody else need ever have asked
        # aiohttp's content_type takes no parameters, and Prometheus' has its version there.
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def _serve_livez(self, _request: web.Request) -> web.Response:
        # That the event loop turns is all a supervisor's restart can mend; the rest is readiness.
        return web.Response(text="alive\n")

    async def _serve_readyz(self, request: web.Request) -> web.Response:
        report = self._readiness()
        told = report.to_json() if self._knows(request) else {"ready": report.ready}
        return web.json_response(told, status=200 if report.ready else 503)
