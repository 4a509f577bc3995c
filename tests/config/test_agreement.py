"""What several machines must have the same in config.yaml."""

from pathlib import Path

from configured import settings_with

from aggregator.config import opml
from aggregator.config.agreement import ORDER, section_digests

URL = "https://lists.example.org/feeds.opml"


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_paths_may_differ() -> None:
    one = settings_with(base=Path("/srv/a"), store="var/a.db")
    other = settings_with(
        base=Path("/srv/b"),
        store="postgresql://db.example.org/feeds",
        feeds={"directory": "/srv/www", "url": "https://finews.example.org/feeds/"},
    )
    assert differences(section_digests(one), section_digests(other)) == set()


def test_origins_and_what_is_published_may_not() -> None:
    plain = section_digests(settings_with())
    feeds = {"url": "https://finews.example.org/feeds/"}
    for name, value in (
        ("lists", [{"url": "https://a.example.org/", "shape": "record"}]),
        ("posts", [{"path": "other"}]),
        ("fetch", {"per_host": {"delay": "2s"}}),
        ("feeds", {**feeds, "entries": 7}),
        ("rules", [{"remove": ["p.advertisement"]}]),
    ):
        assert differences(plain, section_digests(settings_with(**{name: value}))) == {name}
    assert ORDER in plain


def test_the_feeds_of_a_list_at_a_url_follow_from_the_list(tmp_path: Path) -> None:
    def machine(name: str, feeds: list[str]) -> dict[str, bytes]:
        base = tmp_path / name
        settings = settings_with(
            base=base,
            subscriptions=[{"url": url} for url in ["https://own.example.org/f", *feeds]],
            **{"subscriptions.opml": [{"url": URL}]},
        )
        path = opml.kept_list(settings.store_path, URL)
        path.parent.mkdir(parents=True)
        outlines = "".join(f"<outline xmlUrl='{url}'/>" for url in feeds)
        path.write_text(f"<opml><body>{outlines}</body></opml>")
        return section_digests(settings)

    one = machine("one", ["https://a.example.org/f"])
    other = machine("other", ["https://a.example.org/f", "https://b.example.org/f"])
    assert differences(one, other) == set()


def test_headers_are_no_part_of_a_digest_that_others_can_read() -> None:
    def lists(token: str) -> dict[str, bytes]:
        headers = {"Authorization": token}
        return section_digests(
            settings_with(
                lists=[{"url": "https://a.example.org/", "shape": "record", "headers": headers}]
            )
        )

    assert lists("one") == lists("two")
