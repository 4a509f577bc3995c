"""What `aggregator show` reports of one article, as plain values: times are RFC 3339."""

from __future__ import annotations

import datetime
import difflib

from sqlalchemy import Connection

from aggregator.articles.identity import code_of_entry_id, normal_code
from aggregator.articles.sanitize import plain_text, sanitize
from aggregator.cli.queries import Values, reading, time_text
from aggregator.cli.similar_query import similar_articles
from aggregator.config.schema import Settings
from aggregator.model.articles import Article, Revision
from aggregator.model.errors import AggregatorError, masked
from aggregator.model.polls import UrlState
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, selected, stories, urls
from aggregator.store import pages as site_pages
from aggregator.store.articles import articles_of, code_of_link, revisions_of
from aggregator.store.copies import copies_at, copies_of
from aggregator.store.windows import window_of


def show(settings: Settings, code: str) -> Values:
    """Return all that is known of one article, by its code or any other name: see `_find`.

    Raises `AggregatorError` if there is no such article.
    """
    publication = Publication.of(settings)
    with reading(settings) as connection:
        article = _find(settings, connection, code)
        if article is None:
            raise AggregatorError(
                f"no article {code}; name it by its code, its entry's id or link, or its post. "
                "`aggregator problems` may say why it is missing"
            )
        wanted = article.code
        revisions = revisions_of(connection, article)
        now = datetime.datetime.now(datetime.UTC)
        keys = selected.feeds_of(connection, [wanted]).get(wanted, set())
        others = [publication.spec_of(key) for key in sorted(keys)]
        others += [publication.source_spec(article.source)] if article.source else []
        specs = [*others, publication.combined_spec()]
        feeds = [
            next(iter(publication.feed_paths(spec).values()))
            for spec in specs
            if spec is not None
            and any(shown.code == wanted for shown in window_of(connection, spec, now))
        ]
        archived = [
            publication.archive_path(spec, number)
            for feed, number in archive_places.documents_of(connection, wanted)
            if (spec := publication.spec_of(feed)) is not None
        ]
        others_like_it = similar_articles(settings, connection, wanted)
        first = stories.firsts(connection, [wanted]).get(wanted, wanted)
        copies = copies_of(connection, [wanted])
        pages = urls.of_pages(connection, {copy.share_url for copy in copies if copy.share_url})
    return {
        "code": article.code,
        "title": article.title,
        "source": article.source,
        "first_seen": time_text(article.first_seen),
        "published": time_text(article.published),
        "updated": time_text(article.updated or article.published),
        "link": article.link,
        "page": _own_page(publication, article),
        "share_url": article.share_url,
        "scheduled": article.published > now,
        "removed": article.removed,
        "excluded_by_rule": article.excluded_by,
        "feeds": feeds,
        "archives": archived,
        "similar": others_like_it,
        "hidden_behind": first if first != wanted else None,
        "copies": [
            {
                "origin": copy.origin,
                "location": copy.location,
                "title": copy.title,
                "share_url": copy.share_url,
                "changed": time_text(copy.changed),
            }
            for copy in sorted(copies, key=lambda copy: (copy.origin, copy.location))
        ],
        "pages": [_page(state) for _, state in pages],
        "revisions": _history(article, revisions, publication.base(article)),
    }


def _own_page(publication: Publication, article: Article) -> str | None:
    """Return the URL of an article's page among the feeds, None if it has none there."""
    path = publication.article_path(article)
    return publication.feeds.url + path if path is not None else None


def _find(settings: Settings, connection: Connection, name: str) -> Article | None:
    """Return the article with a code, an entry's id or link, or the path of its post."""
    codes = [normal_code(name), name, code_of_entry_id(settings.site.tag, name)]
    codes.append(code_of_link(connection, name))
    codes.append(site_pages.code_of_path(connection, name.removeprefix(settings.feeds.url)))
    for posts in settings.posts:
        path = name.removeprefix(f"{posts.path.rstrip('/')}/")
        codes += [copy.code for copy in copies_at(connection, posts.name, [path]).values()]
    found = articles_of(connection, [code for code in codes if code])
    return next((found[code] for code in codes if code in found), None)


def _page(state: UrlState) -> Values:
    return {
        "url": masked(state.url),
        "last_success": time_text(state.answered_at),
        "failures_in_a_row": state.failures,
        "error": state.error,
        "gone": state.is_gone,
        "next_at": time_text(state.next_at),
    }


def _history(article: Article, revisions: list[Revision], base: str) -> list[Values]:
    """Return the revisions, oldest first, each with the lines that it changed."""
    found: list[Values] = []
    before: list[str] = []
    for revision in revisions:
        html = sanitize(revision.text, revision.media_type, base)
        lines = [revision.title]
        for paragraph in html.replace("</p>", "</p>\n").splitlines():
            words = plain_text(paragraph)
            if words:
                lines.append(words)
        changes = [
            line
            for line in difflib.unified_diff(before, lines, lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]
        found.append(
            {
                "number": revision.number,
                "seen_at": time_text(revision.seen_at),
                "title": revision.title,
                "characters": len("".join(lines[1:])),
                "changes": changes if before else [],
            }
        )
        before = lines
    return found
