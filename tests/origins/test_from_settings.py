"""The origins that the settings name, in their order."""

from configured import settings_with

from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.origins import from_settings
from aggregator.origins.parsers.readers import Readers

LIST = {"url": "http://a.example/list", "shape": "records"}
FEED = {"url": "http://a.example/feed"}


def test_share_pages_come_last_and_other_kinds_only_if_they_are_wanted() -> None:
    settings = settings_with(lists=[LIST], subscriptions=[FEED])
    with Readers() as readers:
        origins = from_settings.upstream_origins(settings, readers, UPSTREAM_KINDS)
        assert [origin.name for origin in origins][-1] == "shares"
        assert {origin.name for origin in origins} == {
            "shares", "lists:http://a.example/list", "subscriptions:http://a.example/feed"
        }  # fmt: skip
        (only,) = from_settings.upstream_origins(settings, readers, {"lists"})
    assert only.named_urls() == ["http://a.example/list"]


def test_folders_of_posts_have_the_rules_of_their_section() -> None:
    posts = [{"path": "a", "glob": "**/*", "max_bytes": "1kB"}, {"path": "b", "drop_lines": ["x"]}]
    one, two = from_settings.posts_folders(settings_with(posts=posts))
    assert (one.name, two.name) == ("posts:a/**/*", "posts:b/**/*")
    assert one.rules != two.rules
    same, _ = from_settings.posts_folders(settings_with(posts=posts))
    assert same.rules == one.rules
    posts[0]["max_bytes"] = "2kB"
    other, _ = from_settings.posts_folders(settings_with(posts=posts))
    assert other.rules != one.rules


def test_codes_are_found_by_the_patterns_of_all_sections() -> None:
    patterns = [r"http://a\.example/(?P<code>\d{18})$", r"http://b\.example/(?P<code>NW\d{18})$"]
    rules = from_settings.identity_rules(settings_with(shares=[{"match": one} for one in patterns]))
    assert [pattern.pattern for pattern in rules.share_urls] == patterns
    assert rules.parameter == "infocode"


def test_sources_are_known_by_their_names() -> None:
    sources = {"bjsb": {"name": " 北京商报新闻 "}, "other": {"url": "http://a.example/"}}
    assert from_settings.source_keys(settings_with(sources=sources)) == {"北京商报": "bjsb"}
