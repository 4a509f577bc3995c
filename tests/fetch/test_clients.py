"""What an origin's requests have of their own: User-Agent, headers, a proxy, a pace."""

import datetime
from collections.abc import Iterator

import pytest
from conftest import Site
from upstream import Upstream, send

from aggregator.config.load import load_settings
from aggregator.config.schema import Fetch
from aggregator.fetch.fetcher import Fetcher
from aggregator.model.errors import ConfigError, FetchError
from aggregator.model.polls import Client, Request, Response

FETCH = "fetch: {timeout: 3s, allow_private_addresses: [127.0.0.2/31], per_host: {delay: 0s}}\n"
FEED = (
    "<rss version='2.0'><channel><title>甲报</title><item><title>第1条</title>"
    "<link>http://a.example/1</link><description>文</description></item></channel></rss>"
)


@pytest.fixture
def other() -> Iterator[Upstream]:
    server = Upstream("127.0.0.3")
    yield server
    server.close()


@pytest.fixture
def proxy() -> Iterator[Upstream]:
    """A proxy: what is asked of it has the whole URL as its path."""
    server = Upstream("127.0.0.4")
    yield server
    server.close()


def fetch(url: str, client: Client, networks: tuple[str, ...] = ()) -> Response:
    limits = {"timeout": "3s", "allow_private_addresses": list(networks)}
    with Fetcher(Fetch.model_validate(limits), "test/1") as fetcher:
        return fetcher.fetch(Request(url, obey_robots=False, client=client))


def subscribe(site: Site, url: str, more: str) -> None:
    site.configure(lambda text: f"{text}{FETCH}subscriptions:\n  - {{url: '{url}', {more}}}\n")


def test_headers_and_user_agent_of_a_subscription(site: Site, upstream: Upstream) -> None:
    url = upstream.document("/feed", FEED, "application/rss+xml")
    subscribe(site, url, "user_agent: MyBot/1.0, headers: {Authorization: Bearer x, X-A: b}")
    assert site.run("poll", "--all").code == 0
    (path, headers) = upstream.asked[-1]
    assert (path, headers["user-agent"]) == ("/feed", "MyBot/1.0")
    assert (headers["authorization"], headers["x-a"]) == ("Bearer x", "b")


def test_headers_stay_with_their_host(upstream: Upstream, other: Upstream) -> None:
    other.document("/b", "gut")
    upstream.answers["/here"] = lambda handler: send(handler, 302, headers={"Location": "/a"})
    upstream.answers["/a"] = lambda handler: send(
        handler, 302, headers={"Location": other.url + "/b"}
    )
    client = Client("MyBot/1.0", (("Authorization", "Bearer x"),), url=upstream.url)
    assert fetch(upstream.url + "/here", client, ("127.0.0.0/8",)).body == b"gut"
    assert ["authorization" in headers for _, headers in upstream.asked] == [True, True]
    assert ["authorization" in headers for _, headers in other.asked] == [False]
    assert other.asked[0][1]["user-agent"] == "MyBot/1.0"


def test_headers_stay_with_their_host_when_a_feed_has_moved(
    site: Site, upstream: Upstream, other: Upstream
) -> None:
    target = other.document("/feed", FEED, "application/rss+xml")
    upstream.answers["/feed"] = lambda handler: send(handler, 301, headers={"Location": target})
    subscribe(site, upstream.url + "/feed", "headers: {Authorization: Bearer x}")
    for _ in range(4):
        site.run("poll", "--all")
    # From the third poll on, the move is believed.
    assert len(upstream.asked) == 2 < len(other.asked)
    assert not any("authorization" in headers for _, headers in other.asked)


def test_headers_of_a_list_do_not_go_where_its_next_page_is(
    site: Site, upstream: Upstream, other: Upstream
) -> None:
    page = {"records": [{"title": "T", "url_w": "http://a.example/1"}], "more": other.url + "/2"}
    url = upstream.document("/1", page)
    other.document("/2", {"records": []})
    item = f"{{url: '{url}', shape: records, next: more, headers: {{X-Token: secret}}}}"
    site.configure(lambda text: f"{text}{FETCH}lists:\n  - {item}\n")
    site.run("poll", "--all")
    assert "x-token" in dict(upstream.asked)["/1"]
    assert "x-token" not in dict(other.asked)["/2"]


def test_no_command_prints_headers_and_passwords(site: Site, proxy: Upstream) -> None:
    keys = f"headers: {{X-Token: secret1}}, proxy: 'http://u:secret2@{proxy.host}'"
    subscribe(site, "https://a.example/feed", keys)
    for arguments in (["check", "-v"], ["poll", "--all"], ["status"], ["problems"]):
        result = site.run(*arguments)
        assert "secret" not in result.out + result.err, arguments
    assert f"through the proxy http://{proxy.host}" in result.out


def test_a_proxy_may_be_private_and_resolves_names(site: Site, proxy: Upstream) -> None:
    target = "http://feeds.example/feed?x=1"
    proxy.documents[target] = ("application/rss+xml", FEED.encode())
    subscribe(site, target, f"proxy: 'http://user:pw@{proxy.host}'")
    result = site.run("poll", "--all")
    assert result.code == 0, result.err
    site.build()
    assert [item.title for item in site.entries()] == ["第1条"]
    assert proxy.asked[0][0] == target
    assert proxy.asked[0][1]["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/x", "http://localhost/"]
)
def test_a_proxy_is_no_way_to_private_addresses(proxy: Upstream, url: str) -> None:
    with pytest.raises(FetchError, match="is not a public address"):
        fetch(url, Client(proxy=proxy.url))
    proxy.answers["http://a.example/"] = lambda handler: send(
        handler, 302, headers={"Location": url}
    )
    with pytest.raises(FetchError, match="is not a public address"):
        fetch("http://a.example/", Client(proxy=proxy.url))
    assert [path for path, _ in proxy.asked] == ["http://a.example/"]


def test_https_goes_through_a_tunnel_of_the_proxy(proxy: Upstream) -> None:
    with pytest.raises(FetchError) as raised:
        fetch("https://a.example/", Client(proxy=proxy.url))
    # This one knows no CONNECT.
    assert "501" in raised.value.reason
    with pytest.raises(FetchError, match="connection refused"):
        fetch("http://a.example/", Client(proxy="http://127.0.0.5:9"))


def test_every_is_the_pace_of_one_subscription(site: Site, upstream: Upstream) -> None:
    """Whatever the feed itself says."""
    ttl = FEED.replace("<item>", "<ttl>1200</ttl><item>")
    url = upstream.document("/feed", ttl, "application/rss+xml")
    subscribe(site, url, "every: 6h")
    assert site.run("poll").code == 0
    (origin,) = [
        origin
        for origin in site.run("status", "--json").json["origins"]
        if origin["origin"].startswith("subscriptions")
    ]
    hours = (
        datetime.datetime.fromisoformat(origin["next_at"]) - datetime.datetime.now(datetime.UTC)
    ).total_seconds() / 3600
    assert 5 < hours < 6
    settings = load_settings(site.config)
    assert settings.shortest_interval("subscriptions") == datetime.timedelta(minutes=30)
    site.configure(lambda text: text.replace("every: 6h", "every: 5m"))
    settings = load_settings(site.config)
    assert settings.shortest_interval("subscriptions") == datetime.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("headers: {Host: x}", "a header that the program sets itself"),
        ("headers: {'a b': x}", "must be the name of a header"),
        ("proxy: 'socks5://a.example:1'", "must be a full URL that starts with http"),
        ("proxy: 'http://a.example/x'", "a host and a port"),
        ("proxy: 'http://a.example:99999'", "port out of range"),
    ],
)
def test_what_no_request_can_have_is_an_error_of_the_configuration(
    site: Site, more: str, message: str
) -> None:
    subscribe(site, "http://a.example/feed", more)
    with pytest.raises(ConfigError, match=message):
        load_settings(site.config)
