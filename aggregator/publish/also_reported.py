"""The line below a text that names other outlets with the same story.  Pure.

It is no part of the text: what it names can change without a new revision.
"""

from __future__ import annotations

from html import escape

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Entry
from aggregator.publish.texts import words


def content(entry: Entry, language: str) -> str:
    """Return an entry's content as HTML, and the line below it if the entry has related ones."""
    return entry.content + line(entry, language) if entry.related else entry.content


def line(entry: Entry, language: str) -> str:
    """Return the line that names the outlets of the related entries, in the site's language."""
    say = words(language)
    links = (
        f'<a href="{_quoted(other.url)}" title="{_quoted(other.title)}">{_quoted(other.source)}</a>'
        for other in entry.related
    )
    more = say.and_more(entry.more_related) if entry.more_related else ""
    return f"<p>{say.also_reported_by}{say.between_names.join(links)}{more}</p>"


def _quoted(text: str) -> str:
    return escape(without_forbidden(text))
