"""All feeds → the index page, to subscribe from: static HTML that needs no script."""

from __future__ import annotations

import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lxml import etree
from lxml.builder import ElementMaker

from aggregator import __version__
from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Headline
from aggregator.model.formats import FORMATS
from aggregator.model.overview import Card, Overview
from aggregator.publish.publication import OPML
from aggregator.publish.texts import Words, words

STYLE, SCRIPT = "feeds.css", "feeds.js"
GENERATOR = "aggregator"
# In the page, since a plain file server sends no such header.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{}; "
    "base-uri 'none'; form-action 'none'"
)
_BAR, _GAP, _HEIGHT = 5, 1, 32
_make = ElementMaker()


def render(overview: Overview) -> bytes:
    """Return the page in UTF-8.  Every value becomes a text or an attribute, never markup."""
    say = words(overview.language)
    page = _tag(
        "html",
        _head(overview, say),
        _body(overview, say),
        lang=overview.language,
    )
    html: bytes = etree.tostring(
        page, method="html", encoding="utf-8", doctype="<!DOCTYPE html>", pretty_print=False
    )
    return html + b"\n"


def _head(overview: Overview, say: Words) -> etree._Element:
    links = [
        _tag(
            "link",
            rel="alternate",
            type=FORMATS[name].media_type,
            title=card.name if card.kind != "all" else overview.title,
            href=path,
        )
        for card in overview.cards
        if card.kind in ("all", "extra")
        for name, path in card.paths.items()
    ]
    policy = POLICY.format("")
    if overview.icon:
        links.append(_tag("link", rel="icon", href=overview.icon))
        policy = POLICY.format(" {0.scheme}://{0.netloc}".format(urlsplit(overview.icon)))
    return _tag(
        "head",
        _tag("meta", charset="utf-8"),
        _tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        _tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _tag("meta", name="color-scheme", content="light dark"),
        _tag("meta", name="generator", content=f"{GENERATOR} {__version__}"),
        _tag("title", f"{say.feeds} - {overview.title}"),
        _tag("meta", name="description", content=overview.subtitle or say.introduction),
        _tag("link", rel="stylesheet", href=STYLE),
        _tag("link", {"rel": "alternate", "type": "text/x-opml", "href": OPML}),
        *links,
        _tag("script", src=SCRIPT, defer="defer"),
    )


def _body(overview: Overview, say: Words) -> etree._Element:
    zone = ZoneInfo(overview.timezone)
    by_kind: dict[str, list[Card]] = {}
    for card in overview.cards:
        by_kind.setdefault(card.kind, []).append(card)
    header = _tag(
        "header",
        _tag("h1", _tag("a", overview.title, href=overview.site_url)),
        *([_tag("p", overview.subtitle)] if overview.subtitle else []),
        _tag("p", say.introduction),
    )
    main = _tag("main", {"class": "feeds"})
    for card in by_kind.get("all", ()):
        main.append(_card(card, overview, say, zone, level="h2", classes="card all"))
    for kind, heading in (("extra", say.topics), ("source", say.sources), ("tag", say.tags)):
        cards = by_kind.get(kind)
        if not cards:
            continue
        section = _tag(
            "section",
            _tag("h2", heading, _tag("span", str(len(cards)), {"class": "count"}), id=kind),
            {"aria-labelledby": kind},
        )
        if kind == "source":
            section.append(_search(say))
        items = (
            _tag("li", _card(card, overview, say, zone), {"data-words": _search_words(card)})
            for card in cards
        )
        section.append(_tag("ul", *items, {"class": "cards"}))
        main.append(section)
    footer = _tag("footer", _tag("a", say.all_feeds, href=OPML))
    return _tag("body", header, main, footer)


def _search(say: Words) -> etree._Element:
    """The search box; the script that searches also shows it."""
    return _tag(
        "form",
        _tag("label", say.search, {"for": "search"}),
        _tag("input", id="search", type="search", autocomplete="off", spellcheck="false"),
        _tag(
            "p",
            {
                "id": "found",
                "role": "status",
                "data-found": say.found,
                "data-nothing": say.nothing_found,
            },
        ),
        {"role": "search", "hidden": "hidden"},
    )


def _card(
    card: Card,
    overview: Overview,
    say: Words,
    zone: ZoneInfo,
    *,
    level: str = "h3",
    classes: str = "card",
) -> etree._Element:
    title = _tag("a", card.name, href=card.site) if card.site else card.name
    facts = _tag("p", {"class": "facts"})
    if card.newest:
        facts.append(_tag("span", say.articles(card.articles)))
        facts.append(
            _tag("span", f"{say.newest} ", _time(card.newest[0].published.astimezone(zone)))
        )
    else:
        facts.append(_tag("span", say.empty))
    parts = [_tag(level, title), facts]
    if any(card.days):
        parts.append(_chart(card.days, say))
    if card.newest:
        parts.append(_tag("ol", *map(_headline, card.newest)))
    parts.append(_buttons(card, overview, say))
    return _tag("article", *parts, {"class": classes})


def _buttons(card: Card, overview: Overview, say: Words) -> etree._Element:
    row = _tag("p", {"class": "buttons"})
    for number, (name, path) in enumerate(card.paths.items()):
        label = FORMATS[name].label
        label = f"{say.subscribe} {label}" if number == 0 else label
        row.append(
            _tag(
                "a",
                label,
                {
                    "href": path,
                    "type": FORMATS[name].media_type,
                    "class": "subscribe" if number == 0 else "format",
                    "aria-label": f"{label}: {card.name}",
                },
            )
        )
    address = overview.feeds_url + next(iter(card.paths.values()))
    row.append(
        _tag(
            "button",
            say.copy,
            {
                "type": "button",
                "hidden": "hidden",
                "data-address": address,
                "data-copied": say.copied,
                "aria-label": say.copy_of.format(card.name),
            },
        )
    )
    return row


def _chart(days: tuple[int, ...], say: Words) -> etree._Element:
    """One bar for each day, all in one path, so that thousands of charts stay small."""
    top = max(days)
    width = len(days) * (_BAR + _GAP) - _GAP
    heights = [max(round(_HEIGHT * count / top), 1) if count else 0 for count in days]
    path = "".join(
        f"M{number * (_BAR + _GAP)} {_HEIGHT}v-{height}h{_BAR}V{_HEIGHT}z"
        for number, height in enumerate(heights)
        if height
    )
    return _tag(
        "svg",
        _tag("path", d=path),
        {
            "viewBox": f"0 0 {width} {_HEIGHT}",
            "preserveAspectRatio": "none",
            "role": "img",
            "aria-label": say.days(sum(days)),
        },
    )


def _headline(headline: Headline) -> etree._Element:
    return _tag("li", _tag("a", headline.title, href=headline.url))


def _time(moment: datetime.datetime) -> etree._Element:
    return _tag("time", f"{moment:%Y-%m-%d %H:%M}", datetime=moment.isoformat())


def _search_words(card: Card) -> str:
    return f"{card.name} {card.slug}".casefold()


def _tag(
    name: str,
    /,
    *children: etree._Element | str | dict[str, str],
    **attributes: str,
) -> etree._Element:
    """Return an element, its texts without characters that HTML and XML do not allow."""
    return _make(
        name,
        *map(_safe, children),
        **{key: without_forbidden(value) for key, value in attributes.items()},
    )


def _safe(child: etree._Element | str | dict[str, str]) -> etree._Element | str | dict[str, str]:
    if isinstance(child, str):
        return without_forbidden(child)
    if isinstance(child, dict):
        return {key: without_forbidden(value) for key, value in child.items()}
    return child
