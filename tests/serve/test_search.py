"""Searches over HTTP, at a server as `aggregator serve` starts it."""

import contextlib
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import feedparser
import pytest
import requests
from bs4 import BeautifulSoup
from conftest import Clock, Site, article
from waiting import wait_for

from aggregator import processes
from aggregator.config.load import load_settings
from aggregator.serve import search as search_module
from aggregator.serve.app import FeedFolder
from aggregator.serve.rate_limit import BURST
from aggregator.serve.search import FRESH, Search
from aggregator.serve.server import listen, make_server, url_of


@contextlib.contextmanager
def serving(site: Site, clock: Clock) -> Iterator[str]:
    settings = load_settings(site.config)
    server = make_server(Search(settings, FeedFolder(site.feeds), clock))
    with listen("127.0.0.1:0", "--listen") as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield url_of(listener).rstrip("/")
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def searched(site: Site) -> Site:
    for number in range(3):
        date = f"2022-01-0{number + 1}"
        site.post(f"{date}-a.md", article(f"港口{number}", f"<p>Rate {number}</p>", date=date))
    site.build()
    return site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(searched: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # As `serve` and `run --listen` do: the server of this test has a thread.
    monkeypatch.setattr(processes, "PROCESSES", 1)
    with serving(searched, clock) as found:
        yield found


def get(url: str, query: str, **headers: str) -> requests.Response:
    return requests.get(f"{url}/search.atom?q={quote(query)}", headers=headers, timeout=10)


def titles(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    return [entry.title for entry in feed.entries]


def test_a_search_can_be_subscribed_to(searched: Site, url: str, clock: Clock) -> None:
    first = get(url, "港口 -2")
    assert titles(first) == ["港口1", "港口0"]
    assert first.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    again = {"If-None-Match": first.headers["ETag"]}
    assert get(url, " -２ 港口", **again).status_code == 304
    searched.post("2022-01-05-b.md", article("港口五", date="2022-01-05"))
    searched.build()
    # What was found lately is served until it is a minute old.
    assert get(url, "港口 -2", **again).status_code == 304
    clock.now += FRESH + 1
    assert titles(get(url, "港口 -2", **again)) == ["港口五", "港口1", "港口0"]


def test_codings_and_methods(url: str) -> None:
    address = f"{url}/search.atom?q=rate"
    zipped = requests.get(address, headers={"Accept-Encoding": "gzip"}, timeout=10)
    plain = requests.get(address, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.content == plain.content
    head = requests.head(address, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(plain.content)))
    assert requests.post(address, timeout=10).status_code == 405
    assert requests.options(address, timeout=10).status_code == 204


def test_a_page_for_people(url: str) -> None:
    found = requests.get(f"{url}/search?q=港口", headers={"Accept": "text/html"}, timeout=10)
    assert (found.status_code, found.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "form-action 'self'" in found.headers["Content-Security-Policy"]
    assert "港口2" in found.text
    # As it was written, though a feed of the same words is one.
    for written in ("Rate 港口 -１", "港口 rate -1"):
        page = BeautifulSoup(
            requests.get(f"{url}/search?q={quote(written)}", timeout=10).text, "lxml"
        )
        assert page.select_one("input")["value"] == written  # type: ignore[index]
    assert "search.atom?q=%E6%B8%AF%E5%8F%A3" in found.text
    assert requests.get(f"{url}/search", timeout=10).status_code == 200
    wrong = requests.get(f"{url}/search?q=-<script>", timeout=10)
    assert (wrong.status_code, wrong.headers["Cache-Control"]) == (400, "no-store")
    assert "请写要找的词" in wrong.text
    assert "<script>" not in wrong.text


def test_how_to_search_and_everything_else(searched: Site, url: str) -> None:
    described = requests.get(f"{url}/opensearch.xml", timeout=10)
    assert described.headers["Content-Type"] == "application/opensearchdescription+xml"
    assert ET.fromstring(described.content).tag.endswith("OpenSearchDescription")
    feed = requests.get(f"{url}/all.atom", timeout=10)
    assert feed.content == (searched.feeds / "all.atom").read_bytes()
    assert requests.get(f"{url}/search.rss?q=a", timeout=10).status_code == 404


def test_a_client_that_asks_too_often_must_wait(url: str, clock: Clock) -> None:
    for number in range(BURST):
        assert get(url, f"rate {number}").status_code == 200
    refused = get(url, "rate new")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert refused.headers["Cache-Control"] == "no-store"
    # What is known already costs nothing, and others are not concerned.
    assert get(url, "rate 1").status_code == 200
    assert get(url, "rate new", **{"X-Forwarded-For": "203.0.113.7"}).status_code == 200
    clock.now += 2
    assert get(url, "rate newer").status_code == 200


@pytest.mark.parametrize("query", ["", "   ", "-a", "a" * 201, "\x00", "a" * 10_000, "b " * 25])
def test_a_query_with_nothing_in_it_or_too_much(url: str, query: str) -> None:
    response = get(url, query)
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("target", ["", "?", "?q", "?x=1&q="])
def test_a_feed_without_a_query_is_refused(url: str, target: str) -> None:
    assert requests.get(f"{url}/search.atom{target}", timeout=10).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "q=NEAR(a%20b)", "q=a*", "q=%22a%22%20OR", "q=tokens:a", "q=%00a", "q=%ff%fe", "q='--",
        "q=%ed%a0%80", "q=a&q=b", "q=" + "%22" * 100, "q=%EF%B7%90", "q=^a%20AND", "q=\\",
        "&".join(["x=1"] * 50), "q=%3Cscript%3E",
    ],
)  # fmt: skip
def test_hostile_queries(url: str, target: str) -> None:
    assert requests.get(f"{url}/search?{target}", timeout=10).status_code in (200, 400)
    response = requests.get(f"{url}/search.atom?{target}", timeout=10)
    assert response.status_code in (200, 400), response.text
    if response.status_code == 200:
        titles(response)


def test_files_are_served_while_a_search_takes_long(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing real is slow enough: the search waits here until a file was served."""
    was_served, is_searching = threading.Event(), threading.Event()
    real = search_module._representation

    def slow(*arguments: object) -> object:
        is_searching.set()
        assert was_served.wait(10)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(search_module, "_representation", slow)
    found: list[requests.Response] = []
    searching = threading.Thread(target=lambda: found.append(get(url, "rate")))
    searching.start()
    assert is_searching.wait(10)
    assert requests.get(f"{url}/all.atom", timeout=10).status_code == 200
    was_served.set()
    searching.join()
    assert len(titles(found[0])) == 3


@pytest.mark.sqlite
def test_without_a_store_search_is_not_available(searched: Site, url: str, tmp_path: Path) -> None:
    searched.store.rename(tmp_path / "elsewhere.db")
    response = get(url, "rate")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert str(tmp_path) not in response.text
    (tmp_path / "elsewhere.db").rename(searched.store)
    assert len(titles(get(url, "rate"))) == 3
