"""One bad item never stops the others: what no reader foresaw is a problem of its own."""

import datetime
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Site, article
from upstream import Upstream, send

from aggregator.model.articles import Copy, Problem
from aggregator.model.errors import StoreError
from aggregator.model.packing import pack
from aggregator.model.polls import Batch, FileState, UrlState
from aggregator.origins.posts import front_matter
from aggregator.origins.posts.post import PostFile
from aggregator.origins.posts.post_file import parse
from aggregator.poll import batches, post_files
from aggregator.poll.ingest import MergeRules
from aggregator.store import problems
from aggregator.store.copies import copies_at, copy_locations
from aggregator.store.database import Store
from aggregator.store.origins import file_states, start_poll

NOW = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)
RULES = MergeRules({"posts": 0}, frozenset(), "https://finews.example.org/")
UPSTREAM = """\
schedule: {posts: 1s, lists: 1s, subscriptions: 1s}
fetch:
  timeout: 5s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""


def copy(number: int, **values: Any) -> Copy:
    made = Copy(
        origin="posts",
        location=f"{number}.md",
        code=f"posts/{number}.md",
        source="huaxiashibao",
        source_name=None,
        title=f"T{number}",
        published=NOW,
        published_guess=NOW,
        body=pack(f"<p>{number}</p>"),
        media_type="text/html",
        raw_hash=hashlib.blake2b(str(number).encode(), digest_size=16).digest(),
        is_full=True,
    )
    return replace(made, **values)


@pytest.fixture
def store(address: Path | str) -> Iterator[Store]:
    with Store(address) as found:
        yield found


def stored(store: Store) -> tuple[set[str], dict[str, str], dict[str, FileState]]:
    """The titles, the problems and the states of files that a store has."""
    with store.transaction() as connection:
        places = copy_locations(connection, "posts")
        titles = {copy.title for copy in copies_at(connection, "posts", places).values()}
        found = {item.location: item.reason for _, item, _ in problems.open_problems(connection)}
    states = {state.path: state for state in file_states(store.transaction, "posts")}
    return titles, found, states


def batch(*copies: Copy, **values: Any) -> Batch:
    places = tuple(copy.location for copy in copies)
    states = tuple(FileState(place, 1, 1, 1, 1, b"x") for place in places)
    return replace(Batch("posts", copies=copies, read=places, states=states), **values)


BAD_COPIES: dict[str, dict[str, Any]] = {
    "half a character": {"title": "\ud800"},
    "a number as a text": {"source": ["a", "list"]},
    "no code": {"code": None},
    "an object": {"link": object()},
    "too large": {"categories": ("\udfff",), "share_url": 2**70},
}


@pytest.mark.parametrize("values", BAD_COPIES.values(), ids=BAD_COPIES)
@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_copy_that_cannot_be_stored(store: Store, values: dict[str, Any], place: int) -> None:
    copies = [copy(number) for number in range(9)]
    copies[place] = replace(copies[place], **values)
    note = Problem("1.md", "a note")
    changes = batches.store(store.transaction, batch(*copies, problems=(note,)), RULES, 1, NOW)
    titles, found, states = stored(store)
    assert titles == {f"T{number}" for number in range(9) if number != place}
    assert sorted(change.article.title for change in changes) == sorted(titles)
    assert found.pop("1.md" if place != 1 else "", "a note") == "a note"
    assert list(found) == [f"{place}.md"]
    assert "cannot be stored (" in found[f"{place}.md"]
    # It is read again, and the others are not.
    again = {path for path, state in states.items() if not state.content_hash}
    assert again == {f"{place}.md"}
    batches.store(store.transaction, batch(copy(place)), RULES, 2, NOW)
    titles, found, states = stored(store)
    assert len(titles) == 9
    assert list(found) == ["1.md"] if place != 1 else not found


def test_two_copies_at_one_place(store: Store) -> None:
    twice = (copy(1), copy(2), copy(3, location="1.md"))
    batches.store(store.transaction, batch(*twice), RULES, 1, NOW)
    titles, found, _ = stored(store)
    assert titles == {"T1", "T2"}
    assert found == {"1.md": "1.md occurs twice; the first one was used"}


def test_states_and_places_that_cannot_be_stored(store: Store) -> None:
    batches.store(store.transaction, batch(copy(1), copy(2)), RULES, 1, NOW)
    bad = replace(
        batch(copy(3)),
        gone=("1.md", "\ud800.md"),
        withdrawn=("\ud801.md", "2.md"),
        states=(FileState("big.md", 2**64, 0, 0, 0), FileState("3.md", 1, 1, 1, 1, b"x")),
        urls=(UrlState("http://a.example.org/\udc80", NOW), UrlState("http://a.example.org/", NOW)),
        problems=(Problem("\ud802.md", "\ud803"),),
    )
    batches.store(store.transaction, bad, RULES, 1, NOW)
    titles, found, states = stored(store)
    assert titles == {"T3"}
    assert "3.md" in states
    assert found.pop("\\ud802.md") == "\\ud803"
    assert set(found) == {
        "\\ud800.md", "\\ud801.md", "big.md", "http://a.example.org/\\udc80"
    }  # fmt: skip


def test_what_is_no_items_fault_is_no_items_problem(store: Store) -> None:
    class Held(Exception):
        pass

    def transaction() -> Any:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        batches.store(transaction, batch(copy(1)), RULES, 1, NOW)
    assert stored(store) == (set(), {}, {})


class Broken:
    """An origin with a defect."""

    name = "broken"
    rules = b"x"

    def poll(self, *_: Any, **__: Any) -> Iterator[Batch]:
        yield batch(copy(1))
        raise KeyError("a defect")


class Sound(Broken):
    name = "sound"

    def poll(self, *_: Any, **__: Any) -> Iterator[Batch]:
        yield batch(copy(2))


def test_an_origin_with_a_defect_stops_no_other(store: Store) -> None:
    with store.transaction() as connection:
        number = start_poll(connection)
    summary = post_files.poll(store, [Broken(), Sound()], RULES, number, NOW)
    assert summary.failures == ["broken: cannot be polled (KeyError: 'a defect')"]
    assert stored(store)[0] == {"T1", "T2"}


def test_a_reader_with_a_defect_costs_one_post(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.config.load import load_settings
    from aggregator.origins import from_settings

    split = front_matter.split

    def broken(text: str) -> Any:
        if "böse" in text:
            raise KeyError("a defect")
        return split(text)

    monkeypatch.setattr(front_matter, "split", broken)
    settings = load_settings(site.config)
    (folder,) = from_settings.posts_folders(settings)
    rules = folder._rules
    for title, expected in (("gut", ()), ("böse", ("cannot be read (KeyError: 'a defect')",))):
        data = article(title).encode()
        parsed = parse(PostFile("1.md", b"1.md", data, 0.0), rules)
        assert tuple(problem.reason for problem in parsed.problems) == expected
        assert (parsed.copy is None) == bool(expected)


def item(number: int, **values: Any) -> dict[str, Any]:
    return {
        "title": f"T{number}",
        "url": f"http://news.example.org/a/{number}",
        "showtime": "2022-01-27 22:14:24",
        **values,
    }


BAD_ITEMS: dict[str, dict[str, Any]] = {
    "no host": {"url": "http://["},
    "half a host": {"url": "//["},
    "no port": {"url": "http://h:x/"},
    "full-width": {"url": "http://a\u2100b/"},
    "surrogate in the address": {"url": "http://news.example.org/\ud800"},
    "surrogate in the title": {"title": "\ud800"},
    "surrogate in the code": {"infoCode": "\ud800"},
    "surrogate in the source": {"from": "\ud800"},
    "surrogate in the digest": {"digest": "\udfff"},
    "a huge number": {"showtime": 10**400},
    "a far date": {"showtime": "9999-12-31 23:59:59"},
}


@pytest.mark.parametrize("values", BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_a_bad_item_of_a_list(site: Site, upstream: Upstream, values: dict[str, Any]) -> None:
    items = {"record": [item(1), item(2, **values), item(3)]}
    upstream.document("/list", json.dumps(items).encode())
    names = "title: title, url: url, published: showtime, code: infoCode, source: from"
    site.configure(
        lambda text: (
            text
            + UPSTREAM
            + f"lists:\n  - {{url: '{upstream.url}/list', format: json, items: record, "
            + f"fields: {{{names}, digest: digest}}}}\n"
        )
    )
    site.post("1.md", article("Beitrag"))
    result = site.run("poll")
    assert "Traceback" not in result.err
    site.build()
    assert {"T1", "T3", "Beitrag"} <= {entry.title for entry in site.entries()}


def test_an_address_that_is_none_says_so(site: Site, upstream: Upstream) -> None:
    items = {"record": [item(1), item(2, url="http://[")], "next": "http://["}
    upstream.document("/list", items)
    upstream.answers["/moved"] = lambda handler: send(
        handler, 302, headers={"Location": "http://["}
    )
    fields = "{title: title, url: url, published: showtime}"
    site.configure(
        lambda text: (
            text
            + UPSTREAM
            + f"lists:\n  - {{url: '{upstream.url}/list', format: json, items: record, "
            + f"next: next, fields: {fields}}}\n"
            + f"subscriptions:\n  - {{url: '{upstream.url}/moved'}}\n"
        )
    )
    result = site.run("poll")
    assert "Traceback" not in result.err
    site.build()
    assert [entry.title for entry in site.entries()] == ["T1"]
    reasons = sorted(problem["reason"] for problem in site.problems())
    assert problem_of(site, "/moved") in reasons
    assert {
        "item 2: its address is not a web address: 'http://['",
        "its next page: its address is not a web address: 'http://['",
    } < set(reasons)


def problem_of(site: Site, ending: str) -> str:
    (found,) = [item for item in site.problems() if item["file"].endswith(ending)]
    reason: str = found["reason"]
    return reason


BAD_ENTRIES: dict[str, dict[str, Any]] = {
    "no host": {"url": "http://["},
    "no host in the id": {"id": "http://["},
    "surrogate in the id": {"id": "\ud800"},
    "surrogate in the link": {"url": "http://news.example.org/\ud800"},
    "surrogate in the text": {"content_html": "\ud800"},
    "surrogate in a tag": {"tags": ["\ud800"]},
    "surrogate in an attachment": {
        "attachments": [{"url": "http://news.example.org/\ud800", "mime_type": "\ud800"}]
    },
    "a huge attachment": {
        "attachments": [
            {"url": "http://news.example.org/a.mp3", "mime_type": "audio/mpeg",
             "size_in_bytes": 10**300}
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("values", BAD_ENTRIES.values(), ids=BAD_ENTRIES)
def test_a_bad_entry_of_a_feed(site: Site, upstream: Upstream, values: dict[str, Any]) -> None:
    entries = [
        {
            "id": f"http://news.example.org/a/{number}",
            "url": f"http://news.example.org/a/{number}",
            "title": f"T{number}",
            "content_html": f"<p>{number}</p>",
            **(values if number == 2 else {}),
        }
        for number in (1, 2, 3)
    ]
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": entries}
    upstream.document("/feed", json.dumps(document).encode(), "application/feed+json")
    site.configure(
        lambda text: text + UPSTREAM + f"subscriptions:\n  - {{url: '{upstream.url}/feed'}}\n"
    )
    site.post("1.md", article("Beitrag"))
    result = site.run("poll")
    assert "Traceback" not in result.err
    site.build()
    assert {"T1", "T3", "Beitrag"} <= {entry.title for entry in site.entries()}
