"""A list of feeds at a URL."""

import pytest
from conftest import Site
from upstream import Upstream, send

FETCH = """\
fetch:
  timeout: 3s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""


def feed(name: str) -> str:
    return (
        f"<rss version='2.0'><channel><title>{name}</title><item><title>{name}一</title>"
        f"<link>http://a.example/{name}</link><description>文</description></item></channel></rss>"
    )


def serve_list(upstream: Upstream, *names: str) -> str:
    outlines = "".join(f"<outline xmlUrl='{upstream.url}/{name}'/>" for name in names)
    text = f"<opml version='2.0'><body>{outlines}</body></opml>"
    return upstream.document("/list", text, "text/x-opml")


def subscribe(site: Site, url: str, more: str = "") -> None:
    item = f"  - {{opml: '{url}'{more}}}\n"
    site.configure(lambda text: f"{text}{FETCH}subscriptions:\n{item}")


def titles(site: Site) -> set[str | None]:
    site.build()
    return {entry.title for entry in site.entries()}


def test_the_feeds_of_a_list_are_read_in_the_same_poll_and_follow_it(
    site: Site, upstream: Upstream
) -> None:
    for name in "abc":
        upstream.document(f"/{name}", feed(name), "application/rss+xml")
    url = serve_list(upstream, "a", "b")
    subscribe(site, url)
    assert site.run("check").code == 0
    summary = site.run("poll", "--json").json
    read = {origin["origin"]: origin["read"] for origin in summary["origins"]}
    assert read == {"shares": 0, f"subscriptions:{url}": 1} | {
        f"subscriptions:{upstream.url}/{name}": 1 for name in "ab"
    }
    assert titles(site) == {"a一", "b一"}
    assert site.run("poll").code == 0
    assert (upstream.count("/list"), upstream.count("/a")) == (1, 1)
    serve_list(upstream, "b", "c")
    assert site.run("poll", url).code == 0
    # What was published stays published, whatever becomes of the list.
    assert titles(site) == {"a一", "b一", "c一"}
    assert (upstream.count("/a"), upstream.count("/b"), upstream.count("/c")) == (1, 1, 1)


def test_a_list_that_breaks_keeps_its_feeds_and_is_a_problem(
    site: Site, upstream: Upstream
) -> None:
    upstream.document("/a", feed("a"), "application/rss+xml")
    subscribe(site, serve_list(upstream, "a"))
    assert site.run("poll").code == 0
    for broken in ("<html>Sorry</html>", "<!DOCTYPE x><opml/>", "?"):
        upstream.document("/list", broken, "text/html")
        result = site.run("poll", "--all")
        assert result.code == 1
        assert "/list: " in result.err
        assert f"subscriptions:{upstream.url}/a: 1 request, 1 not modified" in result.out
    upstream.answers["/list"] = lambda handler: send(handler, 404)
    assert site.run("poll", "--all").code == 1
    (problem,) = site.problems()
    assert "404" in str(problem)
    assert titles(site) == {"a一"}


def test_headers_are_for_the_list_alone_and_other_keys_for_its_feeds(
    site: Site, upstream: Upstream
) -> None:
    upstream.document("/a", feed("a"), "application/rss+xml")
    url = serve_list(upstream, "a")
    subscribe(site, url, ", source: ours, user_agent: Own/1.0, headers: {X-Token: secret}")
    assert site.run("poll").code == 0
    sent = {path: headers for path, headers in upstream.asked if path in ("/list", "/a")}
    assert {path: "x-token" in headers for path, headers in sent.items()} == {
        "/list": True, "/a": False
    }  # fmt: skip
    assert {headers["user-agent"] for headers in sent.values()} == {"Own/1.0"}
    site.build()
    assert (site.feeds / "sources" / "ours.atom").exists()


@pytest.mark.sqlite
@pytest.mark.parametrize("damage", ["lost", "damaged", "empty"])
def test_a_lost_copy_of_a_list_is_requested_at_once(
    site: Site, upstream: Upstream, damage: str
) -> None:
    upstream.document("/a", feed("a"), "application/rss+xml")
    url = serve_list(upstream, "a")
    subscribe(site, url)
    assert site.run("poll").code == 0
    (copy,) = (site.root / "var").glob("*.opml")
    copy.unlink()
    if damage != "lost":
        copy.write_bytes(b"garbage" if damage == "damaged" else b"")
    result = site.run("poll")
    assert f"subscriptions:{url}: 1 request, 1 read" in result.out
    assert f"subscriptions:{upstream.url}/a: " in result.out
    assert (upstream.count("/list"), copy.read_bytes()[:5]) == (2, b"<opml")


def test_addresses_that_cannot_be_subscribed_to_are_left_out_and_counted(
    site: Site, upstream: Upstream
) -> None:
    upstream.document("/a", feed("a"), "application/rss+xml")
    bad = ["gopher://x", "http://a b/", "http://u:secret@a.example/", "http://[::1", "javascript:1"]
    outlines = "".join(f"<outline xmlUrl='{url}'/>" for url in [*bad, f"{upstream.url}/a"])
    text = f"<?xml version='1.0' encoding='GBK'?><opml><outline text='订阅'/>{outlines}"
    text += f"<outline xmlUrl='{upstream.url}/list'/></opml>"
    url = upstream.document("/list", text.encode("gbk"), "text/x-opml")
    subscribe(site, url)
    result = site.run("poll")
    assert f"subscriptions:{upstream.url}/a: 1 request, 1 read" in result.out
    assert "secret" not in result.out + result.err
    (problem,) = site.problems()
    assert problem["reason"] == "5 of its 7 feeds were left out: their URLs cannot be requested"
    assert [line for line in result.out.splitlines() if "list: " in line] == [
        f"subscriptions:{url}: 1 request, 1 read"
    ]
