"""Templates of permalinks: Jekyll's own, and ours.  Pure."""

from __future__ import annotations

import datetime
import difflib
import re

# https://jekyllrb.com/docs/permalinks/
STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
# Jekyll's placeholders for dates, as `strftime` has them.
DATES = {
    "year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S",
    "short_year": "%y", "short_month": "%b", "long_month": "%B", "y_day": "%j", "w_year": "%G",
    "week": "%V", "w_day": "%u", "short_day": "%a", "long_day": "%A",
}  # fmt: skip
OTHERS = frozenset({
    "title", "slug", "categories", "slugified_categories", "output_ext", "path", "name",
    "collection", "i_month", "i_day",
})  # fmt: skip
PLACEHOLDER = re.compile(r":([a-z_]+)")


def is_ours(template: str) -> bool:
    """Return whether a template has our placeholders, in braces."""
    return "{" in template


def check(template: str) -> str:
    """Return the template.  Raises `ValueError` if it has unknown placeholders."""
    if is_ours(template):
        try:
            template.format(
                url="https://example.org/",
                source="slug",
                date=datetime.datetime(2021, 12, 16),
                stem="2021-12-16-name",
                slug="name",
                code="NW1",
            )
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ValueError(
                "may use {url} {source} {date:%Y/%m/%d} {stem} {slug} {code} only, or Jekyll's "
                "placeholders"
            ) from error
        return template
    for key in PLACEHOLDER.findall(template):
        if key not in DATES and key not in OTHERS and key.removesuffix("_") not in DATES:
            near = difflib.get_close_matches(key, (*DATES, *OTHERS), n=1)
            hint = f": did you mean :{near[0]}?" if near else ""
            raise ValueError(f":{key} is not one of Jekyll's placeholders{hint}")
    if template in STYLES or "/" in template or ":" in template:
        return template
    raise ValueError(
        f"must be a template such as /:categories/:title/, or one of {', '.join(STYLES)}"
    )
