"""Responses of one subscription, and what the commands say of them."""

import re
from typing import Any

from conftest import Site
from upstream import Upstream, send

FETCH = """\
fetch:
  timeout: 3s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""
FEED = (
    "<rss version='2.0'><channel><title>甲报</title><item><title>第1条</title>"
    "<link>http://a.example/1</link><description>文</description></item></channel></rss>"
)


def subscribe(site: Site, *urls: str) -> None:
    feeds = "".join(f"  - {{url: '{url}'}}\n" for url in urls)
    site.configure(lambda text: f"{text}{FETCH}subscriptions:\n{feeds}")


def poll(site: Site, *arguments: str, expect: int = 0):
    result = site.run("poll", "--json", *arguments)
    assert result.code == expect, (result.out, result.err)
    return next(
        origin for origin in result.json["origins"] if origin["origin"].startswith("subscriptions")
    )


def test_an_address_that_was_gone_is_found_back_when_it_is_named(
    site: Site, upstream: Upstream
) -> None:
    url = upstream.url + "/feed"
    subscribe(site, url)
    upstream.answers["/feed"] = lambda handler: send(handler, 410)
    poll(site, "--all", expect=1)
    assert poll(site, "--all")["skipped"] == {
        "status 410 (gone): aggregator poll URL tries one again": 1
    }
    revive = f"aggregator poll {url}"
    assert revive in site.run("status").out
    assert revive in site.run("problems").out
    del upstream.answers["/feed"]
    upstream.document("/feed", FEED, "application/rss+xml")
    assert poll(site, url)["read"] == 1
    assert poll(site, "--all")["not_modified"] == 1
    assert site.problems() == []


def test_a_feed_behind_a_temporary_redirect_is_requested_conditionally(
    site: Site, upstream: Upstream
) -> None:
    subscribe(site, upstream.url + "/a")
    upstream.answers["/a"] = lambda handler: send(handler, 302, headers={"Location": "/feed"})
    upstream.document("/feed", FEED, "application/rss+xml")
    assert poll(site, "--all")["read"] == 1
    for _ in range(2):
        upstream.asked.clear()
        assert poll(site, "--all")["not_modified"] == 1
        conditions = [(path, "if-none-match" in headers) for path, headers in upstream.asked]
        assert conditions == [("/a", False), ("/feed", True)]


def test_robots_txt_is_kept_between_polls_and_matched_by_the_configured_product(
    site: Site, upstream: Upstream
) -> None:
    subscribe(site, f"{upstream.url}/feed', robots: true, source: 'a")
    upstream.document("/feed", FEED, "application/rss+xml")
    rules = b"User-agent: MyBot\nDisallow: /\n\nUser-agent: *\nDisallow:\n"
    upstream.document("/robots.txt", rules, "text/plain")
    assert poll(site, "--all")["read"] == 1
    assert poll(site, "--all")["not_modified"] == 1
    assert upstream.count("/robots.txt") == 1
    site.configure(lambda text: text.replace("fetch:", "fetch:\n  user_agent: MyBot/1.0"))
    assert poll(site, "--all")["skipped"] == {"disallowed by robots.txt": 1}
    assert (upstream.count("/robots.txt"), upstream.count("/feed")) == (1, 2)


def test_credentials_in_links_are_not_published(site: Site, upstream: Upstream) -> None:
    site.configure(lambda text: text.replace("feeds:", "feeds:\n  formats: [atom, rss, json]"))
    item = FEED.replace("http://a.example/1", "http://user:secret@a.example/1").replace(
        "</link>", "</link><enclosure url='http://user:secret@a.example/a.mp3' type='audio/mpeg'/>"
    )
    subscribe(site, upstream.document("/feed", item, "application/rss+xml"))
    assert poll(site, "--all")["read"] == 1
    site.build()
    (entry,) = site.entries()
    assert entry.link == "http://a.example/1"
    for path in site.feeds.rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes(), path


def test_a_server_writes_no_escape_sequences_to_the_terminal(
    site: Site, upstream: Upstream
) -> None:
    def hostile(handler: Any) -> None:
        handler.wfile.write(b"\x1b]0;pwned\x07\x1b[31mEVIL\r\n\r\n")
        handler.close_connection = True

    subscribe(site, upstream.url + "/feed")
    upstream.answers["/feed"] = hostile
    result = site.run("poll", "--all")
    for text in (result.out, result.err, site.run("status").out, site.run("problems").out):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), text
    assert "EVIL" in result.err


def test_check_warns_of_a_url_that_every_poll_refuses(site: Site) -> None:
    subscribe(site, "http://user:secret@a.example/feed")
    result = site.run("check")
    assert "http://…@a.example/feed has a user name or password" in result.err
    assert "secret" not in result.out + result.err
    assert "OK" not in result.out


def test_a_poll_of_one_url_says_nothing_of_other_origins(site: Site, upstream: Upstream) -> None:
    urls = [upstream.document(path, FEED, "application/rss+xml") for path in ("/a", "/b")]
    subscribe(site, *urls)
    result = site.run("poll", urls[0])
    assert result.code == 0
    assert urls[0] in result.out
    assert urls[1] not in result.out
    assert upstream.counts() == {"/a": 1}


def test_links_with_spaces_are_published_as_urls(site: Site, upstream: Upstream) -> None:
    item = (
        "<item><guid>1</guid><title>T</title><link>http://a.example/x y z</link>"
        "<enclosure url='http://a.example/a b.mp3' type='audio/mpeg' length='1'/>"
        "<description>&lt;img src='p q.png'&gt; text</description></item>"
    )
    document = f"<rss version='2.0'><channel><title>T</title>{item}</channel></rss>"
    subscribe(site, upstream.document("/a", document, "application/rss+xml"))
    assert site.run("poll").code == 0
    site.build()
    assert "http://a.example/x%20y%20z" in (site.feeds / "all.atom").read_text("utf-8")
    assert site.run("check", "--feeds").out.endswith("0 problems\n")
