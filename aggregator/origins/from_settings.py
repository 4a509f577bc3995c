"""The origins that the configuration names."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from aggregator.articles import identity
from aggregator.articles.sources import normal_name
from aggregator.config.schema import Settings
from aggregator.model.kinds import SHARES, UPSTREAM_KINDS
from aggregator.origins.posts.folder import PostsFolder
from aggregator.origins.posts.post import PostRules

if TYPE_CHECKING:
    from aggregator.config.origins import Posts
    from aggregator.origins.interface import UpstreamOrigin
    from aggregator.origins.parsers.readers import Readers


def identity_rules(settings: Settings) -> identity.Rules:
    """Return the patterns that find codes."""
    rules = settings.identity
    return identity.make_rules(
        rules.parameter,
        [shares.match for shares in settings.shares],
        rules.article_urls,
        rules.file_names,
    )


def posts_folders(settings: Settings, *, settle: bool = False) -> list[PostsFolder]:
    """Return the posts folders, in the order of the configuration.

    `settle` leaves files that are still being written for later.
    """
    return [
        PostsFolder(
            settings.base / posts.path,
            posts.glob,
            post_rules(settings, posts),
            settle=settle,
        )
        for posts in settings.posts
    ]


def post_rules(settings: Settings, posts: Posts) -> PostRules:
    """Return the rules that the posts of a folder are read by."""
    return PostRules(
        origin=posts.name,
        layout=posts.layout,
        source=posts.source,
        identity=identity_rules(settings),
        code_key=settings.identity.front_matter,
        drop_lines=tuple(re.compile(pattern) for pattern in posts.drop_lines),
        timezone=settings.site.timezone,
        site_url=settings.site.url,
        site_title=settings.site.title,
        permalink=settings.site.permalink,
        max_bytes=posts.max_bytes,
    )


def upstream_origins(
    settings: Settings, readers: Readers, kinds: Collection[str]
) -> list[UpstreamOrigin]:
    """Return the origins of the given kinds that are polled over the network.

    Share pages come last, so that those that the others name are read in the same poll.
    """
    codes = identity_rules(settings)
    found: list[UpstreamOrigin] = []
    for kind in sorted(UPSTREAM_KINDS, key=SHARES.__eq__):
        if kind in kinds:
            module = importlib.import_module(UPSTREAM_KINDS[kind])
            found += module.from_settings(settings, codes, readers)
    return found


def source_keys(settings: Settings) -> dict[str, str]:
    """Return the key of each source that the configuration names, by its name."""
    return {
        normal_name(source.name): key for key, source in settings.sources.items() if source.name
    }
