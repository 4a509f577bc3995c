"""The entries of published feeds."""

import datetime
import json
from collections.abc import Callable

import pytest
from conftest import Site
from hypothesis import given
from hypothesis import strategies as st
from one_feed import PUBLISHED, UPDATED, document, entry

from aggregator.model.feeds import FeedDocument
from aggregator.publish import atom, json_feed, rss
from aggregator.publish.read_back import published_entries


def test_the_dates_of_a_lost_store_come_back_from_any_format(every_format: Site) -> None:
    every_format.configure(lambda text: text.replace("[atom, rss, json]", "[json]"))
    every_format.build()
    before = (every_format.feeds / "all.json").read_bytes()
    every_format.store.unlink()
    every_format.build()
    assert (every_format.feeds / "all.json").read_bytes() == before


@pytest.mark.parametrize(
    ("render", "ending"),
    [(atom.render, ".atom"), (rss.render, ".rss"), (json_feed.render, ".json")],
)
def test_what_each_format_wrote_is_read_back(
    render: Callable[[FeedDocument], bytes], ending: str
) -> None:
    other = entry(id="2", content="<p>a & b</p>")
    found = list(published_entries(render(document(entry(), other)), ending))
    assert [(item.id, item.html) for item in found] == [
        ("tag:a.example,2021:1", "<p>正文</p>"), ("2", "<p>a & b</p>")
    ]  # fmt: skip
    assert {item.published for item in found} == {PUBLISHED}
    assert {item.updated for item in found} == {UPDATED}


def test_of_a_torn_document_what_came_before_is_read() -> None:
    data = atom.render(document(entry(), entry(id="2"), entry(id="3")))
    cut = data[: data.index(b"<id>3</id>") + 20]
    assert [item.id for item in published_entries(cut, ".atom")][:2] == [
        "tag:a.example,2021:1", "2"
    ]  # fmt: skip
    torn = json_feed.render(document())[:-9]
    assert list(published_entries(torn, ".json")) == []


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (b"", ".atom"),
        (b"\xff\0", ".rss"),
        (b"[1]", ".json"),
        (b'{"items": {"id": "1"}}', ".json"),
        (b'{"items": [1, {"id": 2}, {}]}', ".json"),
        (b"[" * 100_000, ".json"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>", ".atom"),
    ],
)
def test_what_is_no_feed_has_no_entries(data: bytes, ending: str) -> None:
    assert list(published_entries(data, ending)) == []


@given(st.text(max_size=30))
def test_any_date_is_one_in_utc_or_none(text: str) -> None:
    item = {"id": "1", "date_published": text}
    (found,) = published_entries(json.dumps({"items": [item]}).encode(), ".json")
    assert found.published is None or found.published.utcoffset() == datetime.timedelta(0)
