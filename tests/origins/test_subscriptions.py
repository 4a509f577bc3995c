"""Upstream feeds of every format, and what becomes of their entries."""

import datetime

import pytest
from conftest import Site, article
from upstream import Upstream

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
FETCH = """\
fetch:
  timeout: 5s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""


def entry(number: int, guid: str | None = None, text: str = "<p>全文</p>", extra: str = "") -> str:
    escaped = text.replace("<", "&lt;")
    return (
        f"<entry><id>{guid or f'urn:x:{number}'}</id><title>第{number}条</title>"
        f"<link href='http://a.example/{number}'/><updated>{NOW:%Y-%m-%dT%H:%M:%SZ}</updated>"
        f"<content type='html'>{escaped}</content>{extra}</entry>"
    )


class Subscribed:
    """A site that subscribes to one feed."""

    def __init__(self, site: Site, upstream: Upstream) -> None:
        self.site, self.upstream = site, upstream
        self.url = f"{upstream.url}/feed"
        site.configure(
            lambda text: text + FETCH + f"subscriptions:\n  - {{url: '{self.url}', source: jia}}\n"
        )

    def publish(self, *entries: str) -> None:
        self.upstream.document(
            "/feed",
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>甲报</title><id>urn:x</id>"
            f"<updated>2022-01-01T00:00:00Z</updated>{''.join(entries)}</feed>",
            "application/atom+xml",
        )
        result = self.site.run("poll", "--all")
        assert result.code == 0, result.err
        self.site.build()

    def shown(self) -> dict[str, str]:
        return {item.title: item.content[0].value.strip() for item in self.site.entries()}


@pytest.fixture
def subscribed(site: Site, upstream: Upstream) -> Subscribed:
    return Subscribed(site, upstream)


def test_entries_are_published_with_what_they_have(subscribed: Subscribed) -> None:
    enclosure = "<link rel='enclosure' href='/a.mp3' type='audio/mpeg' length='5'/>"
    subscribed.publish(entry(1, text="<p>见<a href='/x'>图</a></p>", extra=enclosure))
    (item,) = subscribed.site.entries("sources/jia.atom")
    assert item.link == "http://a.example/1"
    assert item.author == "甲报"
    assert item.content[0].value.strip() == '<p>见<a href="http://a.example/x">图</a></p>'
    (link,) = [link for link in item.links if link.rel == "enclosure"]
    assert (link.href, link.type, link.length) == (
        f"{subscribed.upstream.url}/a.mp3", "audio/mpeg", "5",
    )  # fmt: skip


def test_83_a_known_entry_with_another_text_is_a_revision(subscribed: Subscribed) -> None:
    subscribed.publish(entry(1), entry(2))
    subscribed.publish(entry(1, text="<p>改正</p>"), entry(2))
    assert subscribed.shown() == {"第1条": "<p>改正</p>", "第2条": "<p>全文</p>"}
    assert [item.updated != item.published for item in subscribed.site.entries()].count(True) == 1


def test_81_all_guids_renamed_republishes_nothing(subscribed: Subscribed) -> None:
    subscribed.publish(*map(entry, range(5)))
    before = subscribed.site.feed_bytes()
    subscribed.publish(*(entry(number, guid=f"urn:new:{number}") for number in range(5)))
    assert subscribed.site.feed_bytes() == before
    (problem,) = subscribed.site.problems()
    assert problem["reason"].startswith("5 entries had new ids")
    subscribed.publish(*(entry(number, guid=f"urn:new:{number}") for number in range(6)))
    assert len(subscribed.shown()) == 6


def test_84_the_first_owner_of_a_code_keeps_it(subscribed: Subscribed, upstream: Upstream) -> None:
    code = "NW202201270000000001"
    text = article("第1条", date="2022-01-27 10:00:00 +0800", share=upstream.share_url(code))
    subscribed.site.post("2022-01-27-x.md", text)
    subscribed.site.build()
    item = entry(1).replace("http://a.example/1", upstream.share_url(code))
    subscribed.publish(item)
    (shown,) = subscribed.site.entries()
    assert shown.author == "华夏时报"
    assert not (subscribed.site.feeds / "sources" / "jia.atom").exists()
    assert len(subscribed.site.run("show", code, "--json").json["copies"]) == 2


def test_entries_that_leave_the_feed_stay(subscribed: Subscribed) -> None:
    subscribed.publish(entry(1), entry(2))
    subscribed.publish(entry(2), entry(3))
    assert set(subscribed.shown()) == {"第1条", "第2条", "第3条"}


def test_a_subscription_that_is_no_longer_configured_is_forgotten_and_its_articles_stay(
    subscribed: Subscribed,
) -> None:
    subscribed.publish(entry(1))
    subscribed.site.configure(lambda text: text.partition("subscriptions:")[0])
    subscribed.site.build()
    assert subscribed.shown() == {"第1条": "<p>全文</p>"}
    names = [origin["origin"] for origin in subscribed.site.run("status", "--json").json["origins"]]
    assert not any(name.startswith("subscriptions") for name in names)
