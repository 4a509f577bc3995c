"""Articles in a store, by merging copies of them."""

import datetime
from typing import Any

from aggregator.model.articles import Article, Copy
from aggregator.model.packing import pack
from aggregator.model.polls import Batch
from aggregator.poll.ingest import MergeRules
from aggregator.poll.ingest import apply as _apply
from aggregator.store.articles import articles_of
from aggregator.store.database import Store

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
CODE = "NW202201272264567295"
RULES = MergeRules({"posts:a": 0, "posts:b": 1}, frozenset({"posts:b"}), "https://e.example/")


def copy(
    location: str, text: str, origin: str = "posts:a", code: str = CODE, **values: Any
) -> Copy:
    plain: dict[str, Any] = {
        "origin": origin,
        "location": location,
        "code": code,
        "source": "a",
        "source_name": "甲",
        "title": "标题",
        "published": NOW,
        "published_guess": NOW,
        "body": pack(text),
        "media_type": "text/html",
        "raw_hash": text.encode(),
    }
    return Copy(**plain | values)


def apply(store: Store, batch: Batch, poll: int = 1, days: int = 0) -> list[str]:
    with store.transaction() as connection:
        changes = _apply(connection, batch, RULES, poll, NOW + datetime.timedelta(days=days))
    return [change.kind for change in changes]


def article(store: Store, code: str = CODE) -> Article:
    with store.transaction() as connection:
        return articles_of(connection, [code])[code]


def code_of(number: int) -> str:
    """The code of an article that a test has by its number."""
    return f"NW{number:018d}"
