"""The origins that the settings name."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from aggregator.articles import identity
from aggregator.articles.sources import normal_name
from aggregator.config import schema as settings_module
from aggregator.config.schema import Posts, Settings, Shares
from aggregator.origins.posts.folder import PostsFolder
from aggregator.origins.posts.post_file import PostRules

if TYPE_CHECKING:
    from aggregator.origins.interface import UpstreamOrigin
    from aggregator.origins.lists import ListRule
    from aggregator.origins.parsers.readers import Readers
    from aggregator.origins.share_pages import ShareRule


SHARES = "shares"


def identity_rules(settings: Settings) -> identity.Rules:
    """The patterns that find codes."""
    rules = settings.identity
    return identity.make_rules(
        rules.parameter,
        [shares.match for shares in settings.shares],
        rules.article_urls,
        rules.file_names,
    )


def posts_folders(settings: Settings, *, settle: bool = False) -> list[PostsFolder]:
    """The folders of posts, in the order of the configuration.

    `settle` leaves files that are being written for later.
    """
    codes = identity_rules(settings)
    return [
        PostsFolder(
            settings.base / posts.path,
            posts.glob,
            PostRules(
                origin=origin_name(posts),
                identity=codes,
                code_key=settings.identity.front_matter,
                drop_lines=tuple(re.compile(pattern) for pattern in posts.drop_lines),
                timezone=settings.site.timezone,
                site_url=settings.site.url,
                site_title=settings.site.title,
                permalink=settings.site.permalink,
                max_bytes=posts.max_bytes,
            ),
            settle=settle,
        )
        for posts in settings.posts
    ]


def origin_names(settings: Settings) -> list[str]:
    """Every origin, in the order of the configuration."""
    names = {
        "posts": [origin_name(posts) for posts in settings.posts],
        "shares": [SHARES],
        "lists": [f"lists:{endpoint.url}" for endpoint in settings.lists],
        "subscriptions": [f"subscriptions:{feed.url}" for feed in settings.subscriptions],
    }
    return [name for section in settings.order for name in names[section]]


def upstream_origins(
    settings: Settings, readers: Readers, kinds: Collection[str]
) -> list[UpstreamOrigin]:
    """The origins of some kinds that are asked over the network.

    Share pages come last: what the others find is read in the same poll.
    """
    from aggregator.origins.lists import ListEndpoint
    from aggregator.origins.share_pages import SharePages
    from aggregator.origins.subscriptions import Subscription, SubscriptionRule

    codes, zone = identity_rules(settings), settings.site.timezone
    shares = SharePages(
        [_share_rule(rule) for rule in settings.shares], codes, zone, settings.base, readers.page
    )
    found: list[UpstreamOrigin] = []
    if "lists" in kinds:
        found += [
            ListEndpoint(_list_rule(endpoint, settings), codes, zone, shares.accepts, readers.links)
            for endpoint in settings.lists
        ]
    if "subscriptions" in kinds:
        every = settings.schedule.subscriptions
        found += [
            Subscription(
                SubscriptionRule(feed.url, feed.source, every, feed.robots),
                codes,
                zone,
                shares.accepts,
                readers.feed,
            )
            for feed in settings.subscriptions
        ]
    if "shares" in kinds:
        found.append(shares)
    return found


def source_keys(settings: Settings) -> dict[str, str]:
    """The key of each source that the configuration names, by its name."""
    return {
        normal_name(source.name): key for key, source in settings.sources.items() if source.name
    }


def _share_rule(shares: Shares) -> ShareRule:
    from aggregator.origins.share_pages import ShareRule

    text = shares.text
    return ShareRule(
        match=re.compile(shares.match),
        address=text.url if text else None,
        format=text.format if text else "html",
        html=text.html if text else None,
        title=text.title if text else None,
        published=text.published if text else None,
        source=text.source if text else None,
        code=text.code if text else None,
        urls=shares.urls,
        refresh_for=shares.refresh.for_,
        refresh_every=shares.refresh.every,
        heed_robots=shares.robots,
    )


def _list_rule(endpoint: settings_module.ListEndpoint, settings: Settings) -> ListRule:
    from aggregator.origins.lists import SHAPES, ListRule

    items, fields = SHAPES.get(endpoint.shape or "", ("", {}))
    return ListRule(
        url=endpoint.url,
        format=endpoint.format,
        items=endpoint.items or items,
        fields={**fields, **{str(name): value for name, value in endpoint.fields.items()}},
        next=endpoint.next,
        share=endpoint.share,
        source=endpoint.source,
        every=settings.schedule.lists,
        heed_robots=endpoint.robots,
    )


def origin_name(posts: Posts) -> str:
    """What a folder of posts is called in the store and in messages."""
    return f"posts:{posts.path}/{posts.glob}"
