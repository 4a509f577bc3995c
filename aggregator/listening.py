"""The daemon's own HTTP: /metrics for Prometheus, /health for people and balancers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aggregator import __version__
from aggregator.errors import ConfigError
from aggregator.health import Health
from aggregator.settings import Settings

MAX_SECONDS = 10.0
Start = Callable[[str, list[tuple[str, str]]], Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False


class _Handler(WSGIRequestHandler):
    timeout = MAX_SECONDS
    server_version = f"aggregator/{__version__}"
    sys_version = ""

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked here every few seconds is no event."""


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
    """Answer at ADDRESS:PORT in a thread; return the port.

    Raises `ConfigError` for an address that is none or that is taken.
    """
    host, _, port = address.rpartition(":")
    registry = CollectorRegistry()
    registry.register(_Numbers(health, settings))
    metrics = make_wsgi_app(registry)

    def application(environment: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path, method = environment.get("PATH_INFO", ""), environment["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return _answer(start_response, "405 Method Not Allowed", "GET or HEAD\n")
        if path == "/metrics":
            found: Iterable[bytes] = metrics(environment, start_response)
            return found
        if path == "/health":
            troubles = health.trouble(settings.schedule.posts)
            body = json.dumps({"healthy": not troubles, "troubles": troubles}, ensure_ascii=False)
            status = "503 Service Unavailable" if troubles else "200 OK"
            return _answer(start_response, status, body + "\n", "application/json")
        return _answer(start_response, "404 Not Found", "/metrics or /health\n")

    try:
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "write ADDRESS:PORT"
        raise ConfigError(f"--listen {address}: {reason}") from error
    server.set_app(application)
    threading.Thread(target=server.serve_forever, name="listen", daemon=True).start()
    return int(server.server_port)


def _answer(
    start_response: Start, status: str, text: str, media_type: str = "text/plain"
) -> list[bytes]:
    body = text.encode()
    start_response(
        status,
        [
            ("Content-Type", f"{media_type}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [body]
