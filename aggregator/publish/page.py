"""All feeds → the index page, to subscribe from: static HTML that needs no script."""

from __future__ import annotations

import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator.model.formats import feeds_of
from aggregator.model.overview import Card, Overview
from aggregator.publish import templates
from aggregator.publish.publication import OPML

_BAR, _GAP, _HEIGHT = 3, 1, 24
# The order of the sections of a page.
_KINDS = ("extra", "source", "tag")


class Row(NamedTuple):
    """A feed as the page shows it.

    `page` is where it can be read, `newest` the time of its newest article, and `chart` the path
    of its bars in an SVG of this `width`.
    """

    card: Card
    address: str
    page: str | None
    newest: datetime.datetime | None
    chart: str
    width: int


def render(overview: Overview) -> bytes:
    """Return the page in UTF-8."""
    zone = ZoneInfo(overview.timezone)
    rows = [_row(card, overview, zone) for card in overview.cards]
    sections = {kind: [row for row in rows if row.card.kind == kind] for kind in _KINDS}
    return templates.render(
        "index.html",
        overview.frame,
        "",
        overview=overview,
        combined=[row for row in rows if row.card.kind == "all"],
        sections={kind: _newest_first(found) for kind, found in sections.items() if found},
        opml=OPML,
        height=_HEIGHT,
    )


def _row(card: Card, overview: Overview, zone: ZoneInfo) -> Row:
    path = next(iter(feeds_of(card.paths).values()))
    return Row(
        card,
        overview.feeds_url + path,
        card.paths.get("html") or card.site,
        card.newest[0].published.astimezone(zone) if card.newest else None,
        _chart(card.days),
        len(card.days) * (_BAR + _GAP) - _GAP,
    )


def _newest_first(rows: list[Row]) -> list[Row]:
    """Sort by the newest article; those of the same time, and those without one, by name."""
    dated = sorted((row for row in rows if row.newest), key=_moment, reverse=True)
    return dated + [row for row in rows if not row.newest]


def _moment(row: Row) -> float:
    return row.newest.timestamp() if row.newest else 0.0


def _chart(days: tuple[int, ...]) -> str:
    """Return one bar for each day, all in one path, so that thousands of charts stay small."""
    top = max(days, default=0)
    heights = [max(round(_HEIGHT * count / top), 1) if count else 0 for count in days]
    return "".join(
        f"M{number * (_BAR + _GAP)} {_HEIGHT}v-{height}h{_BAR}V{_HEIGHT}z"
        for number, height in enumerate(heights)
        if height
    )
