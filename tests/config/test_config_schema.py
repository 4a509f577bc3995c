"""What settings mean where a key is not simply passed on."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from configured import settings_with
from pydantic import ValidationError

from aggregator import __version__
from aggregator.config.schema import Fetch

FEEDS = {"url": "https://finews.example.org/feeds/"}


@pytest.mark.parametrize(
    ("allowed", "address", "is_within"),
    [
        (False, "127.0.0.1", False),
        (True, "127.0.0.1", True),
        (True, "fe80::1", True),
        (["127.0.0.0/8"], "127.0.0.1", True),
        (["127.0.0.0/8"], "10.0.0.1", False),
    ],
)
def test_private_networks(allowed: object, address: str, is_within: bool) -> None:
    networks = Fetch.model_validate({"allow_private_addresses": allowed}).private_networks
    found = ip_address(address)
    assert any(found in one for one in networks if one.version == found.version) is is_within


def test_requests_say_who_sends_them() -> None:
    start = f"aggregator/{__version__} (+"
    assert settings_with().user_agent == start + "https://finews.example.org/)"
    contact = settings_with(fetch={"contact": "https://a.example/"})
    assert contact.user_agent == start + "https://a.example/)"
    assert settings_with(fetch={"user_agent": "x/1"}).user_agent == "x/1"


def test_origins_are_in_the_order_of_the_file_and_share_pages_are_one() -> None:
    sections = {
        "lists": [{"url": "http://a.example/", "shape": "records"}],
        "shares": [{}, {"match": "x(?P<code>.)"}],
    }
    found = settings_with(**sections, order=("shares", "lists", "posts", "subscriptions"))
    assert found.origin_names == ["shares", "lists:http://a.example/", "posts:posts/**/*"]


def test_paths_start_from_the_folder_of_the_file() -> None:
    found = settings_with(base=Path("/x"), store="sqlite:///var/a.db")
    assert found.store_path == Path("/x/var/a.db")
    assert found.feeds_address == Path("/x/feeds")
    assert settings_with(base=Path("/x"), store="/y/a.db").store_path == Path("/y/a.db")


def test_a_filter_needs_a_criterion_and_lists_have_each_value_once() -> None:
    url = "https://finews.example.org/feeds/"
    with pytest.raises(ValidationError, match="title_words, stocks, search, not, or excerpt"):
        settings_with(feeds={"url": url, "extra": {"x": {"title": "T"}}})
    found = settings_with(feeds={"url": url, "formats": ["rss", "atom", "rss"]})
    assert found.feeds.formats == ("rss", "atom")
    assert settings_with().author == "财经新闻"


@pytest.mark.parametrize(
    "place", ["s3://bucket/a/b", "s3://bucket/a/b/", "gs://b.u_c-ket", "az://cc"]
)
def test_feeds_go_into_object_storage(place: str) -> None:
    found = settings_with(feeds={**FEEDS, "directory": place, "compress": ["gzip"]})
    assert found.feeds_address == place.rstrip("/")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("s4://bucket/a", "must be a folder, or start with s3://, gs:// or az://"),
        ("s3:bucket/a", "must be a folder, or start with s3://, gs:// or az://"),
        ("s3:///a", "must name a bucket: s3://BUCKET/PREFIX"),
        ("s3://", "must name a bucket: s3://BUCKET/PREFIX"),
        ("s3://x/a", "must name a bucket: s3://BUCKET/PREFIX"),
        ("s3://bucket/a/../b", "without . and .."),
        ("s3://bucket//b", "must have a prefix of a to z"),
        ("s3://bucket/b?x=1", "must have a prefix of a to z"),
        ("s3://key:secret@bucket/b", "must have no keys in it: they come from the environment"),
    ],
)
def test_places_that_are_none(place: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_with(feeds={**FEEDS, "directory": place})
    (error,) = caught.value.errors()
    assert error["loc"] == ("feeds", "directory")
    assert reason in error["msg"]
    assert "secret" not in error["msg"]


def test_object_storage_cannot_choose_a_coding() -> None:
    with pytest.raises(ValidationError, match=r"in object storage, .* use \[gzip\]"):
        settings_with(feeds={**FEEDS, "directory": "s3://bucket", "compress": ["gzip", "br"]})
