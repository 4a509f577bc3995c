"""What a search finds → a feed document, that can be subscribed to like any other feed.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from aggregator.articles import fragments
from aggregator.articles.search_query import Query
from aggregator.model.articles import NO_SOURCE, Article
from aggregator.model.feeds import FeedDocument, FeedOrigin, FeedSpec, key_of
from aggregator.publish.documents import make_document, make_entry
from aggregator.publish.publication import Publication
from aggregator.publish.xml import element

# At the server's root, as the feeds are.
PAGE, FEED, DESCRIPTION = "search", "search.atom", "opensearch.xml"
KIND = "search"
_OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"


def search_spec(publication: Publication, query: Query) -> FeedSpec:
    """The feed of a query; its id is the same however the query was written."""
    stem = f"{KIND}/{quote(query.text, safe='')}"
    return FeedSpec(key_of(KIND, query.text), stem, KIND, query.text, publication.feeds.entries)


def search_document(
    publication: Publication,
    query: Query,
    articles: Iterable[Article],
    texts: Mapping[str, str],
) -> FeedDocument:
    """Return the feed of the articles that a query finds, newest first; `texts` are by code."""
    entries, origins = [], {}
    for article in articles:
        name = publication.source_name(article.source, article.source_name)
        text = fragments.with_page(texts[article.code], article.link)
        entries.append(replace(make_entry(publication, article, name), content=text))
        if article.source != NO_SOURCE:
            own = publication.source_spec(article.source)
            origins[article.source] = FeedOrigin(
                publication.feed_id(own),
                publication.feed_title(name.name),
                publication.feed_urls(own),
            )
    document = make_document(
        publication, search_spec(publication, query), None, tuple(entries), origins
    )
    parameter = f"?q={quote_plus(query.text)}"
    return replace(
        document,
        title=publication.feed_title(query.text),
        urls={"atom": publication.feeds.url + FEED + parameter},
        alternate=publication.feeds.url + PAGE + parameter,
        hubs=(),
        # Relative to its address, not to a folder.
        root="",
    )


def description(publication: Publication) -> bytes:
    """Return how a browser or a reader can search here (OpenSearch 1.1)."""
    name, url = publication.site.title, publication.feeds.url

    def address(media_type: str, path: str) -> str:
        return element("Url", type=media_type, template=f"{url}{path}?q={{searchTerms}}")

    parts = [
        # Browsers show 16 characters.
        element("ShortName", name[:16]),
        element("Description", name),
        element("InputEncoding", "UTF-8"),
        element("Language", publication.site.language),
        *([element("Image", publication.site.icon)] if publication.site.icon else []),
        address("text/html", PAGE),
        address("application/atom+xml", FEED),
        element(
            "Url",
            type="application/opensearchdescription+xml",
            rel="self",
            template=url + DESCRIPTION,
        ),
    ]
    lines = "\n  ".join(parts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OpenSearchDescription xmlns="{_OPENSEARCH}">\n  {lines}\n</OpenSearchDescription>\n'
    ).encode()
