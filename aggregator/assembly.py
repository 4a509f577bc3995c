"""Settings → wired parts, once.  The only reader of settings below the command line."""

from __future__ import annotations

import re

from aggregator import identity
from aggregator.feeds import Publication
from aggregator.ledger import MergeRules
from aggregator.origins.post_file import PostRules
from aggregator.origins.posts import PostsFolder
from aggregator.settings import Posts, Settings


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


def posts_folders(settings: Settings) -> list[PostsFolder]:
    """The folders of posts, in the order of the configuration."""
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
        )
        for posts in settings.posts
    ]


def merge_rules(settings: Settings) -> MergeRules:
    """Which copy is shown, and what leaves the feeds."""
    return MergeRules(
        {origin_name(posts): number for number, posts in enumerate(settings.posts)},
        frozenset(origin_name(posts) for posts in settings.posts if posts.when_removed == "drop"),
        settings.site.url,
    )


def origin_name(posts: Posts) -> str:
    """What a folder of posts is called in the store and in messages."""
    return f"posts:{posts.path}/{posts.glob}"
