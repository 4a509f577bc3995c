"""All feeds → OPML 2.0, for readers that import a list of subscriptions."""

from __future__ import annotations

from email.utils import format_datetime

from aggregator.model.formats import feeds_of
from aggregator.model.overview import Card, Overview
from aggregator.publish.texts import words
from aggregator.publish.xml import element, text_or_html


def render(overview: Overview) -> bytes:
    """Return the list as UTF-8 XML: the combined feed, then the others by kind."""
    say = words(overview.language)
    groups = {"extra": say.topics, "source": say.sources, "tag": say.tags}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head>",
        f"    {element('title', text_or_html(overview.title))}",
        f"    {element('dateModified', format_datetime(overview.updated))}",
        f"    {element('ownerName', text_or_html(overview.author))}",
        f"    {element('ownerId', overview.site_url)}",
        f"    {element('docs', 'https://opml.org/spec2.opml')}",
        "  </head>",
        "  <body>",
    ]
    lines += [f"    {_outline(card, overview)}" for card in overview.cards if card.kind == "all"]
    for kind, name in groups.items():
        cards = [card for card in overview.cards if card.kind == kind]
        if cards:
            lines.append(f"    {element('outline', text=name).removesuffix('/>')}>")
            lines += [f"      {_outline(card, overview)}" for card in cards]
            lines.append("    </outline>")
    return "\n".join([*lines, "  </body>", "</opml>", ""]).encode()


def _outline(card: Card, overview: Overview) -> str:
    # The type of a subscription is "rss" whatever its format is (OPML 2.0).
    path = next(iter(feeds_of(card.paths).values()))
    return element(
        "outline",
        type="rss",
        text=text_or_html(card.name),
        title=text_or_html(card.name),
        xmlUrl=overview.feeds_url + path,
        htmlUrl=card.site or overview.site_url,
        language=overview.language,
    )
