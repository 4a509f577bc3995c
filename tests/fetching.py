"""Fetchers that may reach this machine, and what they make of some URLs."""

from collections.abc import Iterable
from typing import Any

from aggregator.config.schema import Fetch
from aggregator.fetch.fetcher import Fetcher
from aggregator.model.polls import Request, Response, RobotsFile


def limited(
    per_host: int = 4, delay: str = "0s", robots: Iterable[RobotsFile] = (), **values: Any
) -> Fetcher:
    """A fetcher that may reach this machine, with limits of each host and of all."""
    limits = {
        "timeout": "3s",
        "per_host": {"concurrency": per_host, "delay": delay},
        "allow_private_addresses": ["127.0.0.0/8"],
        **values,
    }
    return Fetcher(Fetch.model_validate(limits), "test/1", robots)


def answers(fetcher: Fetcher, *urls: str, robots: bool = False) -> dict[str, Any]:
    requests = [Request(url, obey_robots=robots) for url in urls]
    return {
        request.url: answer
        for request, answer in fetcher.fetch_all(requests, lambda _, found: found)
    }


def fetch(url: str, **options: Any) -> Response:
    limits = {"timeout": "3s", "allow_private_addresses": ["127.0.0.0/8"], **options}
    with Fetcher(Fetch.model_validate(limits), "test/1") as fetcher:
        return fetcher.fetch(Request(url, obey_robots=False))
