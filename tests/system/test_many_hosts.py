"""One poll over all origins and hosts: no host waits for another, and none is pressed."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Site
from upstream import Upstream, send

RSS = (
    "<rss version='2.0'><channel><title>F</title><item><title>{0}</title><guid>{0}</guid>"
    "<link>http://x.example/{0}</link><description>{0}</description></item></channel></rss>"
)


@pytest.fixture
def hosts() -> Iterator[list[Upstream]]:
    with contextlib.ExitStack() as stack:
        servers = [Upstream(f"127.0.0.{number}") for number in range(2, 7)]
        for server in servers:
            stack.callback(server.close)
        yield servers


def feed(server: Upstream, path: str) -> str:
    """Publish a feed; return its URL."""
    name = server.host + path
    return server.document(path, RSS.format(name.replace(":", "-")), "application/rss+xml")


def poll(site: Site, urls: list[str], *, concurrency: int = 2, delay: str = "0s") -> dict[str, Any]:
    """Poll subscriptions; return the summary of each by its URL."""
    site.configure(
        lambda text: (
            text
            + "fetch:\n  timeout: 20s\n  allow_private_addresses: [127.0.0.0/8]\n"
            + f"  per_host: {{concurrency: {concurrency}, delay: {delay}}}\n"
            + "subscriptions:\n"
            + "".join(f"  - {{url: '{url}'}}\n" for url in urls)
        )
    )
    found = site.run("poll", "--only", "subscriptions", "--json").json["origins"]
    return {origin["origin"].partition(":")[2]: origin for origin in found}


def test_subscriptions_on_several_hosts_are_requested_at_the_same_time(
    site: Site, hosts: list[Upstream]
) -> None:
    urls = [feed(server, "/feed") for server in hosts]
    everybody = threading.Barrier(len(hosts))

    def answer(handler: Any) -> None:
        everybody.wait(15)
        send(handler, 200, RSS.format(handler.headers["Host"]).encode(), "application/rss+xml")

    for server in hosts:
        server.answers["/feed"] = answer
    found = poll(site, urls)
    assert [found[url]["new"] for url in urls] == [1] * len(hosts)


def test_a_host_that_hangs_keeps_no_other_waiting(site: Site, hosts: list[Upstream]) -> None:
    hanging, good = hosts[:2]
    was_requested = threading.Event()
    urls = [feed(hanging, f"/{number}") for number in range(4)] + [feed(good, "/feed")]
    for number in range(4):
        hanging.answers[f"/{number}"] = lambda handler: send(
            handler, 200 if was_requested.wait(15) else 500
        )

    def answer(handler: Any) -> None:
        was_requested.set()
        send(handler, 200, RSS.format("good").encode(), "application/rss+xml")

    good.answers["/feed"] = answer
    assert poll(site, urls)[urls[-1]]["new"] == 1
    assert was_requested.is_set()


def test_a_pause_that_one_feed_is_asked_for_is_kept_for_all_of_its_host(
    site: Site, hosts: list[Upstream]
) -> None:
    server = hosts[0]
    urls = [feed(server, f"/{number}") for number in range(4)]
    for number in range(4):
        server.answers[f"/{number}"] = lambda handler: send(
            handler, 429, headers={"Retry-After": "3600"}
        )
    found = poll(site, urls, concurrency=1)
    assert server.count("/") == 1
    assert sum(origin["requested"] for origin in found.values()) == 1
    (reason,) = {reason for origin in found.values() for reason in origin["skipped"]}
    assert reason == f"{server.host} asks for a pause of 3600 s"


def test_a_host_gets_its_delay_whatever_the_number_of_origins(
    site: Site, hosts: list[Upstream]
) -> None:
    server = hosts[0]
    urls = [feed(server, f"/{number}") for number in range(4)]
    poll(site, urls, delay="0.4s")
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.25
