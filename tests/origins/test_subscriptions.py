"""Upstream feeds of every format, and what becomes of their entries."""

import datetime
import json
from pathlib import Path

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


def atom(site: Site, name: str = "sources/jia.atom") -> list[tuple[str, str]]:
    return [(item.title, item.published) for item in site.entries(name)]


def test_an_update_moves_the_publication_of_no_entry(subscribed: Subscribed) -> None:
    def updated(date: str, text: str = "全文") -> str:
        first = f"<entry><id>urn:1</id><title>第1条</title><updated>{date}</updated>"
        return f"{first}<link href='http://a.example/1'/><content>{text}</content></entry>"

    subscribed.publish(updated("2026-01-01T00:00:00Z"))
    before = subscribed.site.feed_bytes()
    assert atom(subscribed.site) == [("第1条", "2026-01-01T08:00:00+08:00")]
    subscribed.publish(updated("2026-03-01T00:00:00Z"))
    assert subscribed.site.feed_bytes() == before
    subscribed.publish(updated("2026-04-01T00:00:00Z", "改正"))
    assert atom(subscribed.site) == [("第1条", "2026-01-01T08:00:00+08:00")]
    edited = updated("2026-04-01T00:00:00Z", "改正").replace(
        "<updated>", "<published>2025-12-31T00:00:00Z</published><updated>"
    )
    subscribed.publish(edited)
    assert atom(subscribed.site) == [("第1条", "2025-12-31T08:00:00+08:00")]


def test_relative_urls_start_from_xml_base_else_from_the_entrys_page(
    subscribed: Subscribed,
) -> None:
    image = "<p><img src='pic.jpg' alt=''></p>"
    based = entry(1, text=image).replace("<content", "<content xml:base='http://b.example/uke/'")
    subscribed.publish(based, entry(2, text=image).replace("a.example/2", "a.example/deep/2"))
    assert subscribed.shown() == {
        "第1条": '<p><img src="http://b.example/uke/pic.jpg" alt=""></p>',
        "第2条": '<p><img src="http://a.example/deep/pic.jpg" alt=""></p>',
    }


def test_an_entry_keeps_its_own_author_in_every_format(subscribed: Subscribed) -> None:
    site = subscribed.site
    site.configure(lambda text: text.replace("feeds:\n", "feeds:\n  formats: [atom, rss, json]\n"))
    subscribed.publish(entry(1, extra="<author><name>Jane &amp; Joe</name></author>"), entry(2))
    authors = {"第1条": "Jane & Joe", "第2条": "甲报"}
    for name in ("sources/jia.atom", "all.atom"):
        assert {item.title: item.author for item in site.entries(name)} == authors
    document = json.loads((site.feeds / "all.json").read_text("utf-8"))
    assert {item["title"]: item["authors"][0]["name"] for item in document["items"]} == authors
    assert "url" not in next(
        item["authors"][0] for item in document["items"] if item["title"] == "第1条"
    )
    assert "<dc:creator>Jane &amp; Joe<" in (site.feeds / "all.rss").read_text("utf-8")
    assert site.run("check", "--feeds").code == 0
    subscribed.publish(entry(1, extra="<author><name>Joe</name></author>"), entry(2))
    shown = {item.title: item for item in site.entries()}
    assert shown["第1条"].author == "Joe"
    assert shown["第1条"].updated == shown["第1条"].published


SAMPLES = Path(__file__).parents[1] / "data" / "feeds"


@pytest.mark.parametrize("name", [path.name for path in SAMPLES.glob("*[0-9].*")])
def test_the_same_feed_in_every_format_has_the_same_entries(
    subscribed: Subscribed, name: str
) -> None:
    site, data = subscribed.site, (SAMPLES / name).read_bytes()
    site.configure(lambda text: text.replace("feeds:\n", "feeds:\n  formats: [atom, json]\n"))
    subscribed.upstream.document("/feed", data, "application/octet-stream")
    assert site.run("poll", "--all").code == 0
    site.build()
    assert site.problems() == []
    document = json.loads((site.feeds / "all.json").read_text("utf-8"))
    expected = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
    found = [
        {
            **{key: item.get(key, []) for key in expected[0]},
            "authors": [author["name"] for author in item["authors"]],
        }
        for item in document["items"]
    ]
    assert found == expected
    assert [item["id"].partition(":url/")[2] for item in document["items"]] == [
        "news.example/reports/1", "news.example/reports/2",
    ]  # fmt: skip


def status_page(*items: str) -> str:
    inside = "".join(f"<item><link>http://a.example/status</link>{item}</item>" for item in items)
    return f"<rss version='2.0'><channel><title>甲报</title>{inside}</channel></rss>"


def test_entries_that_share_a_link_and_nothing_else_are_different(subscribed: Subscribed) -> None:
    def publish(*numbers: int) -> list[str]:
        items = [f"<title>T{number}</title><description>D{number}</description>"
                 for number in numbers]  # fmt: skip
        subscribed.upstream.document("/feed", status_page(*items, items[0]), "application/rss+xml")
        assert subscribed.site.run("poll", "--all").code == 0
        subscribed.site.build()
        return sorted(subscribed.shown())

    assert publish(1) == ["T1"]
    assert publish(2, 1) == ["T1", "T2"]
    assert publish(4, 3, 2) == ["T1", "T2", "T3", "T4"]
    before = subscribed.site.feed_bytes()
    assert publish(4, 3, 2, 1) == ["T1", "T2", "T3", "T4"]
    assert subscribed.site.feed_bytes() == before


def test_a_feed_is_not_fetched_sooner_than_it_says(subscribed: Subscribed) -> None:
    def next_at(head: str, conditional: bool = False) -> datetime.datetime:
        if not conditional:
            document = f"<rss version='2.0'><channel><title>甲报</title>{head}</channel></rss>"
            subscribed.upstream.document("/feed", document, "application/rss+xml")
        assert subscribed.site.run("poll", "--all").code == 0
        (origin,) = [
            origin
            for origin in subscribed.site.run("status", "--json").json["origins"]
            if origin["origin"].startswith("subscriptions")
        ]
        return datetime.datetime.fromisoformat(origin["next_at"])

    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    assert next_at("") - now < hour
    assert 20 * hour <= next_at("<ttl>1200</ttl>") - now < 21 * hour
    assert 20 * hour <= next_at("", conditional=True) - now < 21 * hour
    assert 2 * hour <= next_at("<ttl>120</ttl>") - now < 3 * hour
    skipped = {(now + number * hour).hour for number in range(3)}
    hours = "".join(f"<hour>{number}</hour>" for number in skipped)
    assert next_at(f"<skipHours>{hours}</skipHours>").hour not in skipped
    assert next_at("<ttl>1</ttl>") - now < hour


def test_a_web_page_in_place_of_a_feed_names_its_feed(subscribed: Subscribed) -> None:
    page = "<!DOCTYPE html><link rel=alternate type='application/atom+xml' href='/a.xml'><p>甲报"
    subscribed.upstream.document("/feed", page, "text/html")
    assert subscribed.site.run("poll", "--all").code == 1
    (problem,) = subscribed.site.problems()
    assert problem["reason"] == (
        f"a web page, not a feed: subscribe to {subscribed.upstream.url}/a.xml"
    )
