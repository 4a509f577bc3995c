"""An article → its own page.  Pure."""

from __future__ import annotations

from aggregator.model.pages import ArticlePage
from aggregator.publish import templates


def render(article: ArticlePage) -> bytes:
    """Return the page in UTF-8."""
    return templates.render(
        "article.html",
        article.frame,
        "../" * article.path.count("/"),
        article=article,
        entry=article.entry,
    )
