"""The daemon's metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from aggregator.model.summaries import OriginSummary, PollSummary

# No `_created` series: the creation time of a counter is of no interest.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters and gauges of one daemon, in a registry of their own."""

    def __init__(self, stages: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        gauge = partial(Gauge, namespace="aggregator", registry=self.registry)
        counter = partial(Counter, namespace="aggregator", registry=self.registry)
        self.articles = gauge("articles", "Articles that can be published")
        self.feeds = gauge("feeds", "Feeds")
        self.problems = gauge("problems", "Open problems")
        self.open_failures = gauge("open_failures", "Current failures")
        self.healthy = gauge("healthy", "1 if healthy")
        gauge("start_time_seconds", "When the daemon started").set_to_current_time()
        self.feeds_written = counter("feeds_written", "Feeds written")
        self.changes = counter("changes", "Articles changed, by kind", ["kind"])
        self.requests = counter("requests", "Requests, by origin and result", ["origin", "result"])
        self.jobs = counter("jobs", "Jobs done by this machine")
        self.jobs_waiting = gauge("jobs_waiting", "Jobs that no machine has begun")
        self.hosts = gauge("hosts", "Hosts that this machine is polling")
        self.runs = counter("runs", "Runs, by stage", ["stage"])
        self.failed_runs = counter("failed_runs", "Runs with a failure, by stage", ["stage"])
        self.work_seconds = counter("work_seconds", "Seconds of work, by stage", ["stage"])
        self.last_run_age = gauge("last_run_age_seconds", "Seconds since the last run", ["stage"])
        for stage in stages:
            for counts in (self.runs, self.failed_runs, self.work_seconds):
                counts.labels(stage)

    def count_run(self, stage: str, *, has_failed: bool) -> None:
        """Add a run of a stage."""
        self.runs.labels(stage).inc()
        self.failed_runs.labels(stage).inc(has_failed)

    def record_jobs(self, done: int, waiting: int, hosts: int) -> None:
        """Add jobs that are done, and set how many wait and how many hosts are polled."""
        self.jobs.inc(done)
        self.jobs_waiting.set(waiting)
        self.hosts.set(hosts)

    def count_changes(self, summary: PollSummary | OriginSummary) -> None:
        """Add the articles that a poll changed."""
        for kind, count in summary.by_kind().items():
            self.changes.labels(kind).inc(count)

    def count_requests(self, origin: OriginSummary) -> None:
        """Add the requests of a poll to an origin."""
        for result in ("read", "not_modified", "failed"):
            self.requests.labels(origin.name, result).inc(getattr(origin, result))
