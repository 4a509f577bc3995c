"""What `aggregator show` reports of one article, as plain values: times are RFC 3339."""

from __future__ import annotations

import datetime
import difflib

from aggregator.articles.identity import normal_code
from aggregator.articles.sanitize import plain_text, sanitize
from aggregator.cli.queries import Values, reading, time_text
from aggregator.config.schema import Settings
from aggregator.model.articles import Article, Revision
from aggregator.model.errors import AggregatorError, masked
from aggregator.model.polls import UrlState
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, selected, urls
from aggregator.store.articles import articles_of, revisions_of
from aggregator.store.copies import copies_of
from aggregator.store.windows import window_of


def show(settings: Settings, code: str) -> Values:
    """Return all that is known of one article.

    Raises `AggregatorError` if there is no such article.
    """
    wanted = normal_code(code) or code
    publication = Publication.of(settings)
    with reading(settings) as connection:
        article = articles_of(connection, [wanted]).get(wanted)
        if article is None:
            raise AggregatorError(f"no article {code}; `aggregator problems` may say why")
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
        "share_url": article.share_url,
        "scheduled": article.published > now,
        "removed": article.removed,
        "excluded_by_rule": article.excluded_by,
        "feeds": feeds,
        "archives": archived,
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
