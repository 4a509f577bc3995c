"""All feeds of a site at a glance, as frozen values."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.model.feeds import Headline
from aggregator.model.frame import Frame


@dataclass(frozen=True, slots=True)
class Card:
    """One feed: what it is about, where it is in each format, and what it has had.

    `kind` is that of its `FeedSpec`, `slug` the name of its files.  `days` are numbers of
    articles, the newest day last; `silent` is how many days ago, seen from the newest day of all
    feeds, its own newest article came.
    """

    kind: str
    name: str
    slug: str
    paths: Mapping[str, str]
    articles: int
    days: tuple[int, ...]
    newest: tuple[Headline, ...]
    site: str | None = None
    silent: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """All feeds, the combined one first.  Times are shown in the zone `timezone`."""

    title: str
    subtitle: str | None
    language: str
    timezone: str
    site_url: str
    feeds_url: str
    author: str
    frame: Frame
    updated: datetime.datetime
    cards: tuple[Card, ...]
