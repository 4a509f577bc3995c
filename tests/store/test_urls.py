"""URLs that are polled: what is known of each, and in sum."""

import dataclasses
import datetime

import pytest
from merging import NOW, apply, code_of, copy
from sqlalchemy import text

from aggregator.model.errors import DamagedStoreError
from aggregator.model.polls import Batch, Cadence, UrlState, Validators
from aggregator.store import urls
from aggregator.store.database import Store

HOUR = datetime.timedelta(hours=1)


def test_a_state_is_read_as_it_was_saved(store: Store) -> None:
    full = UrlState(
        "http://a.example/北", NOW, Validators('W/"x"', "yesterday"), b"h", NOW, NOW, NOW,
        3, "status 500", "http://b.example/", 1, True, True, Cadence(60, (0, 5), (6,)),
    )  # fmt: skip
    assert all(getattr(full, field.name) for field in dataclasses.fields(full))
    bare = UrlState("http://b.example/", NOW)
    with store.transaction() as connection:
        urls.save(connection, "lists", [bare])
        urls.save(connection, "lists", [full, dataclasses.replace(bare, failures=1)])
        found = urls.states(connection, "lists", [full.url, bare.url, "http://c.example/"])
        assert found == {full.url: full, bare.url: dataclasses.replace(bare, failures=1)}
        assert urls.states(connection, "shares", [full.url]) == {}
        assert urls.all_states(connection) == [
            ("lists", full),
            ("lists", dataclasses.replace(bare, failures=1)),
        ]
        urls.forget_validators(connection, "lists")
        (after,) = urls.states(connection, "lists", [full.url]).values()
        assert after == dataclasses.replace(full, validators=Validators(), content_hash=b"")
        urls.forget(connection, "lists")
        assert urls.all_states(connection) == []


def test_a_page_is_wanted_once_and_what_is_known_stays(store: Store) -> None:
    known = UrlState("http://a.example/1", NOW + HOUR, failures=2)
    with store.transaction() as connection:
        urls.save(connection, "shares", [known])
        new = ["http://a.example/3", "http://a.example/2", "http://a.example/2"]
        urls.fetch_soon(connection, "shares", [known.url, *new], NOW)
        assert urls.due_once(connection, "shares") == ["http://a.example/2", "http://a.example/3"]
        assert urls.states(connection, "shares", [known.url])[known.url] == known


def test_totals_name_what_fails_longest(store: Store) -> None:
    with store.transaction() as connection:
        urls.save(
            connection,
            "lists",
            [
                UrlState("http://a.example/", NOW + HOUR, answered_at=NOW),
                UrlState("http://b.example/", NOW + 2 * HOUR, failures=1, error="cut off"),
                UrlState("http://c.example/", NOW + 3 * HOUR, failures=4, error="status 500"),
                UrlState("http://d.example/", NOW, is_gone=True),
            ],
        )
        assert urls.totals(connection) == {
            "lists": urls.UrlTotals(4, NOW, NOW + HOUR, 2, 4, "http://c.example/: status 500")
        }


def test_share_urls_of_recent_articles(store: Store) -> None:
    def shared(number: int, origin: str, date: datetime.datetime) -> None:
        url = f"http://a.example/{number}"
        made = copy(f"{number}", "x", origin, code_of(number), share_url=url, published=date)
        apply(store, Batch(origin, copies=(made,)))

    shared(1, "posts:a", NOW)
    shared(2, "posts:a", NOW - 2 * HOUR)
    shared(3, "shares", NOW)
    with store.transaction() as connection:
        found = urls.recent_share_urls(connection, NOW - HOUR, "shares")
    assert found == {"http://a.example/1": NOW}


def test_sources_by_name_and_codes_by_link(store: Store) -> None:
    link = "http://a.example/x"
    copies = [copy(f"{number}.md", "x", code=code_of(number), link=link) for number in (1, 2)]
    apply(store, Batch("posts:a", copies=tuple(copies)))
    with store.transaction() as connection:
        assert urls.source_names(connection) == {"甲": "a"}
        found = urls.codes_by_link(connection, {link, "http://a.example/y"})
    assert {key: sorted(codes) for key, codes in found.items()} == {link: [code_of(1), code_of(2)]}


def test_a_time_that_cannot_be_one_is_damage(store: Store) -> None:
    with store.transaction() as connection:
        urls.save(connection, "lists", [UrlState("http://a.example/", NOW)])
        connection.execute(text(f"update url set next_at = {2**62}"))
    with (
        pytest.raises(DamagedStoreError, match=r"the record of http://a\.example/ cannot be read"),
        store.transaction() as connection,
    ):
        urls.all_states(connection)
