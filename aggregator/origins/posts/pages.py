"""The URL of a post's page, and of the pages that a post links to by name.  Pure."""

from __future__ import annotations

import contextlib
import datetime
import posixpath
import re
from collections.abc import Callable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aggregator.articles import dates, identity
from aggregator.model.errors import UnusableError
from aggregator.origins.posts import front_matter, links
from aggregator.origins.posts.post import (
    Post,
    PostFile,
    PostRules,
    categories_of,
    dates_of,
    source_of,
    split,
)

Find = Callable[[str], "PostFile | None"]


def url_of(
    post: Post, code: str, published: datetime.datetime, rules: PostRules, template: str | None
) -> str | None:
    """Return the URL of the post's page on the site, None if it is not known."""
    values = post.values
    own = front_matter.text_of(values.get("url" if rules.layout == "hugo" else "permalink"))
    if template is None and not own:
        return None
    date = front_matter.text_of(values.get("date"))
    if rules.layout == "jekyll" and links.is_utc_to_jekyll(date):
        published = dates.parse_date(f"{date} +00:00", ZoneInfo("UTC")) or published
    categories = categories_of(post)
    place = links.Place(
        path=post.path,
        suffix=post.suffix,
        slug=front_matter.text_of(values.get("slug")),
        permalink=own,
        categories=tuple(categories),
        source=source_of(categories, rules),
        code=code,
        date=published.astimezone(ZoneInfo(rules.timezone)),
    )
    return links.url_of(place, template, rules.site_url)


def address_of(name: str, rules: PostRules, find: Find) -> str:
    """Return the path of another post's page, as `post_url` and `link` have it."""
    template = rules.permalink or "date"
    file = find(name)
    url = None
    if file is None and links.DATED.match(posixpath.basename(name)):
        stem, suffix = posixpath.splitext(name)
        path = stem if suffix in (".md", ".markdown", ".html", ".htm") else name
        file = PostFile(name, f"{path}.md".encode("utf-8", "replace"), b"---\n---\n", 0)
    if file is not None:
        with contextlib.suppress(UnusableError):
            post = split(file, rules)
            if post is not None:
                code = identity.code_of_file_name(post.stem, rules.identity) or ""
                url = url_of(post, code, dates_of(post, code, rules)[1], rules, template)
    if url is None:
        page = re.sub(r"\.(?:md|markdown)$", ".html", name.lstrip("/"))
        url = f"{rules.site_url.rstrip('/')}/{page}"
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
