"""`aggregator check --upstream`: what every list and subscription answers."""

from conftest import Site
from upstream import Upstream

FEED = "<rss version='2.0'><channel><title>甲</title>{}</channel></rss>"
ITEM = "<item><guid>1</guid><title>T</title><pubDate>{}</pubDate></item>"
PAGE = "<!DOCTYPE html><link rel=alternate type='{}' href='{}'><p>A blog"


def configure(site: Site, upstream: Upstream, *paths: str, rest: str = "") -> None:
    urls = "".join(f"  - url: {upstream.url}{path}\n" for path in paths)
    fetch = "fetch: {allow_private_addresses: [127.0.0.2/32], per_host: {delay: 0s}}\n"
    site.configure(lambda text: text + f"subscriptions:\n{urls}{rest}{fetch}")


def test_a_page_in_place_of_a_feed_is_found_and_its_feeds_are_named(
    site: Site, upstream: Upstream
) -> None:
    upstream.document("/feed", FEED.format(ITEM.format("")), "application/rss+xml")
    upstream.document("/", PAGE.format("application/feed+json", "/f.json"), "text/html")
    configure(site, upstream, "/feed", "/", "/none")
    result = site.run("check", "--upstream")
    assert result.code == 1
    assert f"subscriptions:{upstream.url}/feed: 1 entry\n" in result.out
    assert sorted(result.err.splitlines()) == [
        f"aggregator: subscriptions:{upstream.url}/: a web page, not a feed: subscribe to "
        f"{upstream.url}/f.json",
        f"aggregator: subscriptions:{upstream.url}/none: status 404",
    ]
    assert not (site.root / "var").exists()
    assert site.run("check", "--upstream", "-q").out == ""


def test_what_is_found_as_json(site: Site, upstream: Upstream) -> None:
    upstream.document("/feed", FEED.format(ITEM.format("昨天")), "application/rss+xml")
    configure(site, upstream, "/feed")
    result = site.run("check", "--upstream", "--json")
    assert result.code == 0
    (found,) = result.json["upstream"]
    assert (found["entries"], found["problem"]) == (1, None)
    assert "昨天" in found["notes"][0]


def test_the_limits_of_polls_hold(site: Site, upstream: Upstream) -> None:
    upstream.document("/robots.txt", "User-agent: *\nDisallow: /", "text/plain")
    private = "  - url: http://127.0.0.3/\n"
    configure(site, upstream, rest=f"  - {{url: {upstream.url}/feed, robots: true}}\n{private}")
    result = site.run("check", "--upstream")
    assert result.code == 1
    assert "robots.txt" in result.err
    assert "not a public address" in result.err
    assert upstream.counts() == {"/robots.txt": 1}


def test_a_list_of_feeds_is_checked_and_not_kept(site: Site, upstream: Upstream) -> None:
    outlines = "<outline xmlUrl='http://a.example/1'/><outline xmlUrl='http://a.example/2'/>"
    upstream.document("/list", f"<opml>{outlines}</opml>", "text/x-opml")
    lists = f"  - opml: {upstream.url}/list\n  - opml: {upstream.url}/none\n"
    configure(site, upstream, rest=lists)
    result = site.run("check", "--upstream")
    assert result.code == 1
    assert f"subscriptions:{upstream.url}/list: 2 feeds\n" in result.out
    assert f"subscriptions:{upstream.url}/none: status 404" in result.err
    assert not (site.root / "var").exists()


def test_nothing_to_check_is_said(site: Site) -> None:
    assert site.run("check", "--upstream").out == "no lists or subscriptions to check\n"
