"""The daemon's own HTTP: the feeds, /metrics for Prometheus, /health for people and balancers."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from aggregator.config.schema import Settings
from aggregator.daemon.health import Health
from aggregator.serve import server

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class _Numbers(Collector):
    """The health's numbers as they are when somebody asks."""

    def __init__(self, health: Health, settings: Settings) -> None:
        self._health = health
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        numbers = self._health.numbers
        for name, value, text in (
            ("articles", numbers.articles, "Articles that can be published"),
            ("feeds", numbers.feeds, "Feeds"),
            ("problems", numbers.problems, "Open problems"),
            ("troubles", len(self._health.open_troubles()), "What is wrong now"),
            ("healthy", not self._health.trouble(self._settings.schedule.posts), "1 if healthy"),
            ("start_time_seconds", self._health.started, "When the daemon started"),
        ):
            yield GaugeMetricFamily(f"aggregator_{name}", text, value=float(value))
        yield CounterMetricFamily(
            "aggregator_feeds_written", "Feed files written", value=numbers.written
        )
        changes = CounterMetricFamily(
            "aggregator_changes", "Articles changed, by kind", labels=["kind"]
        )
        for kind, count in sorted(numbers.changes.items()):
            changes.add_metric([kind], count)
        yield changes
        asked = CounterMetricFamily(
            "aggregator_requests", "URLs asked, by origin and result", labels=["origin", "result"]
        )
        for (origin, result), count in sorted(numbers.asked.items()):
            asked.add_metric([origin, result], count)
        yield asked
        yield from self._stages()

    def _stages(self) -> Iterator[Metric]:
        runs = CounterMetricFamily("aggregator_runs", "Runs, by stage", labels=["stage"])
        failures = CounterMetricFamily(
            "aggregator_failed_runs", "Runs with a failure, by stage", labels=["stage"]
        )
        seconds = CounterMetricFamily(
            "aggregator_work_seconds", "Seconds of work, by stage", labels=["stage"]
        )
        ages = GaugeMetricFamily(
            "aggregator_last_run_age_seconds", "Seconds since the last run", labels=["stage"]
        )
        for name, (ran, failed, worked, age) in self._health.stages().items():
            runs.add_metric([name], ran)
            failures.add_metric([name], failed)
            seconds.add_metric([name], worked)
            if age is not None:
                ages.add_metric([name], age)
        yield from (runs, failures, seconds, ages)


def start(address: str, health: Health, settings: Settings) -> int:
    """Serve at ADDRESS:PORT in a thread; return the port.

    A server that breaks down is started again.  Raises `ConfigError` if the address is
    invalid or in use.
    """
    registry = CollectorRegistry()
    registry.register(_Numbers(health, settings))

    def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=_HEADERS)

    def healthy(request: Request) -> Response:
        troubles = health.trouble(settings.schedule.posts)
        return JSONResponse(
            {"healthy": not troubles, "troubles": troubles},
            status_code=503 if troubles else 200,
            headers=_HEADERS,
        )

    application = Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/health", healthy),
            Mount("/", app=server.FeedFolder(settings.feeds_directory)),
        ]
    )
    listeners = [server.listen(address, "--listen")]
    host, port = address.rpartition(":")[0], int(listeners[0].getsockname()[1])

    def turn() -> None:
        listener = listeners.pop() if listeners else server.listen(f"{host}:{port}", "--listen")
        with listener:
            try:
                server.make_server(application).run(sockets=[listener])
            except SystemExit as error:
                raise OSError("the server broke down") from error
        raise OSError("the server ended")

    threading.Thread(
        target=health.keep, args=("listen", turn, threading.Event()), name="listen", daemon=True
    ).start()
    return port
