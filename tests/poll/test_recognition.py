"""Articles that come under new ids, through the command: nothing is republished."""

import datetime
from collections.abc import Callable, Iterator

import pytest
from conftest import Site
from upstream import Upstream

FETCH = """\
fetch:
  timeout: 3s
  allow_private_addresses: [127.0.0.0/8]
  per_host: {concurrency: 8, delay: 0s}
"""
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
Entry = Callable[[int], str]


@pytest.fixture
def other() -> Iterator[Upstream]:
    server = Upstream("127.0.0.3")
    yield server
    server.close()


def entry(
    number: int,
    *,
    guid: str | None = "urn:x:",
    link: str | None = "http://a.example/2026/",
    text: str = "全文",
    age: int = 0,
    title: str = "",
) -> str:
    date = NOW - datetime.timedelta(hours=number, days=age)
    return (
        f"<item><title>{title or f'第{number}条'}</title>"
        + (f"<guid isPermaLink='false'>{guid}{number}</guid>" if guid else "")
        + (f"<link>{link}{number}</link>" if link else "")
        + f"<pubDate>{date:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        f"<description>{text}{number}</description></item>"
    )


def publish(upstream: Upstream, path: str, *entries: str) -> str:
    text = f"<rss version='2.0'><channel><title>甲报</title>{''.join(entries)}</channel></rss>"
    return upstream.document(path, text, "application/rss+xml")


def subscribe(site: Site, *urls: str) -> None:
    lines = "".join(f"  - {{url: '{url}', source: jia}}\n" for url in urls)
    site.configure(lambda text: f"{text.partition('fetch:')[0]}{FETCH}subscriptions:\n{lines}")


def poll(site: Site) -> dict[str, int]:
    """Poll and build; how often each kind of change happened."""
    result = site.run("poll", "--all", "--json")
    assert result.code == 0, (result.out, result.err)
    site.build()
    (origin, *_) = [
        origin for origin in result.json["origins"] if origin["origin"].startswith("subscr")
    ]
    kinds = ("new", "revised", "metadata_changed")
    return {kind: count for kind in kinds if (count := origin[kind])}


def shown(site: Site) -> dict[str, str]:
    """The title of each entry by its id."""
    return {item.id: item.title for item in site.entries()}


MOVES = {
    "url": ("", {}),
    "guids": ("", {"guid": "urn:new:"}),
    "no guids": ("", {"guid": None}),
    "scheme": ("", {"link": "https://a.example/2026/"}),
    "scheme, host and guids": ("", {"link": "https://www.b.example/2026/", "guid": "urn:new:"}),
    "a host that its texts name": ("", {"link": "https://b.example/2026/", "text": "改址"}),
    "without links": (None, {"link": None}),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_subscription_that_moves_republishes_nothing_and_says_so_once(
    site: Site, upstream: Upstream, other: Upstream, name: str
) -> None:
    has_links, options = MOVES[name]
    before = {} if has_links is not None else {"link": None}
    subscribe(site, publish(upstream, "/a", *(entry(n, **before) for n in range(1, 6))))
    assert poll(site) == {"new": 5}
    ids = shown(site)
    new_url = publish(other, "/b", *(entry(n, **options) for n in range(1, 6)))
    subscribe(site, new_url)
    assert "new" not in poll(site)
    assert shown(site) == ids
    if name != "no guids":
        (problem,) = site.problems()
        assert problem["reason"].startswith("5 entries had new ids")
    # From then on they are known by their new ids: a corrected title is a revision.
    changed = [entry(n, **options) for n in range(2, 7)]
    publish(other, "/b", entry(1, **options, title="改题"), *changed)
    assert poll(site)["new"] == 1
    assert len(shown(site)) == 6
    assert "改题" in shown(site).values()
    assert site.problems() == []


def test_a_builds_own_look_at_the_posts_forgets_no_article_of_a_removed_subscription(
    site: Site, upstream: Upstream
) -> None:
    subscribe(site, publish(upstream, "/a", entry(1), entry(2)))
    poll(site)
    ids = shown(site)
    site.configure(lambda text: text.partition("subscriptions:")[0])
    site.build()
    subscribe(site, publish(upstream, "/b", entry(1, guid="urn:n:"), entry(2, guid="urn:n:")))
    assert "new" not in poll(site)
    assert shown(site) == ids


def test_entries_that_only_look_alike_stay_apart(site: Site, upstream: Upstream) -> None:
    """The same title at another path, on another day, or beside its double in one feed."""
    subscribe(site, publish(upstream, "/a", entry(1, title="周报")))
    assert poll(site) == {"new": 1}
    publish(
        upstream,
        "/a",
        entry(1, title="周报"),
        entry(2, title="周报"),
        entry(1, guid="urn:y:", title="周报"),
    )
    assert poll(site) == {"new": 2}
    subscribe(
        site,
        f"{upstream.url}/a",
        publish(
            upstream, "/b", entry(1, link="http://c.example/2026/", title="周报", text="乙", age=9)
        ),
    )
    poll(site)
    assert len(shown(site)) == 4
