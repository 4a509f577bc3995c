"""A post's body, less boilerplate and the links to itself.  Pure."""

from __future__ import annotations

import re

from aggregator.articles import identity

# Longer lines are not boilerplate, and could keep a pattern busy for minutes.
MAX_MATCHED = 2000
_AUTOLINK = re.compile(r"\s*<?(https?://[^\s<>]+)>?\s*", re.IGNORECASE)
_EMPTY_AUTOLINK = re.compile(r"\s*<>\s*")


def without_boilerplate(body: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    """Return the body without the lines that match a pattern."""
    lines = body.split("\n")
    for pattern in patterns:
        # An anchored pattern matches at the start only, but `search` tries everywhere.
        find = pattern.match if pattern.pattern.startswith("^") else pattern.search
        lines = [line for line in lines if len(line) > MAX_MATCHED or find(line) is None]
    return "\n".join(lines)


def without_trailing_links(body: str, rules: identity.Rules) -> tuple[str, str | None, str | None]:
    """Return the body without the links to itself, and its share link and article link.

    They are alone on lines after the text; a link inside the text is about another
    article, and one on its own line without a code is text.
    """
    share_url = article_url = None
    end = len(body.rstrip())
    while end:
        start = body.rfind("\n", 0, end) + 1
        line = body[start:end]
        match = _AUTOLINK.fullmatch(line)
        if match is not None:
            url = match[1]
            if identity.code_of_share_url(url, rules):
                share_url = url
            elif identity.code_of_article_url(url, rules):
                article_url = url
            else:
                break
        elif not _EMPTY_AUTOLINK.fullmatch(line):
            break
        end = start
        while end and body[end - 1].isspace():
            end -= 1
    return body[:end], share_url, article_url
