"""Settings → wired parts, once.  The only reader of settings below the command line."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_network
from typing import TYPE_CHECKING

from aggregator import __version__
from aggregator.articles import identity
from aggregator.articles.sources import normal_name
from aggregator.config import schema as settings_module
from aggregator.config.schema import Posts, Settings, Shares
from aggregator.origins.posts.folder import PostsFolder
from aggregator.origins.posts.post_file import PostRules
from aggregator.poll import ingest
from aggregator.poll.ingest import MergeRules
from aggregator.publish.publication import Extra, Publication

if TYPE_CHECKING:
    from aggregator.fetch.fetcher import FetchPolicy
    from aggregator.origins.interface import UpstreamOrigin
    from aggregator.origins.lists import ListRule
    from aggregator.origins.parsers.readers import Readers
    from aggregator.origins.share_pages import ShareRule


def publication(settings: Settings) -> Publication:
    """What all feeds have in common."""
    site, feeds = settings.site, settings.feeds
    return Publication(
        title=site.title,
        subtitle=site.subtitle,
        site_url=site.url,
        language=site.language,
        timezone=site.timezone,
        author=settings.author,
        tag=site.tag,
        icon=site.icon,
        logo=site.logo,
        feeds_url=feeds.url,
        entries=feeds.entries,
        combined_entries=feeds.combined_entries,
        source_names={key: source.name for key, source in settings.sources.items() if source.name},
        source_urls={key: source.url for key, source in settings.sources.items() if source.url},
        formats=feeds.formats,
        has_page=feeds.page,
        has_archives=feeds.archives,
        has_tags=feeds.tags,
        extras=tuple(
            Extra(name, extra.title or name, extra.sources, extra.tags, extra.words, extra.stocks)
            for name, extra in feeds.extra.items()
        ),
        hubs=feeds.hubs,
        codings=feeds.compress,
    )


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


def merge_rules(settings: Settings) -> MergeRules:
    """Which copy is shown, and what leaves the feeds."""
    return MergeRules(
        {name: number for number, name in enumerate(origin_names(settings))},
        frozenset(origin_name(posts) for posts in settings.posts if posts.when_removed == "drop"),
        settings.site.url,
    )


def origin_names(settings: Settings) -> list[str]:
    """Every origin, in the order of the configuration."""
    names = {
        "posts": [origin_name(posts) for posts in settings.posts],
        "shares": [ingest.SHARES],
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
            ListEndpoint(_list_rule(endpoint, settings), codes, zone, shares.matches, readers.links)
            for endpoint in settings.lists
        ]
    if "subscriptions" in kinds:
        every = settings.schedule.subscriptions
        found += [
            Subscription(
                SubscriptionRule(feed.url, feed.source, every, feed.robots),
                codes,
                zone,
                shares.matches,
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


def fetch_policy(settings: Settings) -> FetchPolicy:
    """How the network is asked."""
    from aggregator.fetch.fetcher import FetchPolicy

    fetch = settings.fetch
    contact = fetch.contact or settings.site.url
    private = fetch.allow_private_addresses
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    return FetchPolicy(
        user_agent=fetch.user_agent or f"aggregator/{__version__} (+{contact})",
        timeout=fetch.timeout.total_seconds(),
        max_bytes=fetch.max_bytes,
        concurrency=fetch.concurrency,
        per_host_concurrency=fetch.per_host.concurrency,
        per_host_delay=fetch.per_host.delay.total_seconds(),
        allowed_networks=private if isinstance(private, tuple) else everything if private else (),
        allow_downgrade=fetch.allow_downgrade,
    )


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
