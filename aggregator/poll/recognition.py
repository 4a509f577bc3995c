"""Known articles that come under new ids.

A feed that renames its entries, or moves to another URL, scheme or host, must not republish
them.  What is compared with is the ledger: its articles outlive the origins that they are from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import Connection

from aggregator.articles.identity import is_code
from aggregator.model.articles import Article, Copy, Problem
from aggregator.model.kinds import UPSTREAM_KINDS, kind_of
from aggregator.model.polls import Batch
from aggregator.model.terminal import counted
from aggregator.store import urls
from aggregator.store.articles import articles_of, codes_by_title
from aggregator.store.copies import copies_at

# Of hundreds of articles with one title or link, only the newest are compared.
MAX_CANDIDATES = 50


def recognised(connection: Connection, batch: Batch) -> Batch:
    """Return the batch with the known codes of articles that came under new ids.

    An entry without a code and with an unknown id is the article that its origin had at the
    same place, else the one with its link and text (or title).  A problem says so once.
    """
    has_ids = kind_of(batch.origin) in UPSTREAM_KINDS
    nameless = [copy for copy in batch.copies if (copy.link or has_ids) and not is_code(copy.code)]
    if not nameless:
        return batch
    known = articles_of(connection, {copy.code for copy in nameless})
    strange = [copy for copy in nameless if copy.code not in known]
    if not strange:
        return batch
    before = copies_at(connection, batch.origin, [copy.location for copy in strange])
    codes = {copy.code: before[copy.location].code for copy in strange if copy.location in before}
    new = [copy for copy in strange if copy.code not in codes]
    # An article whose entry is still there was not renamed.
    present = {copy.code for copy in batch.copies} | set(codes.values())
    found = _found(new, _candidates(connection, new), present)
    problems = batch.problems
    if found:
        place = batch.read[0] if batch.read else batch.origin
        reason = f"{counted(len(found), 'entry')} had new ids and were recognized by link and text"
        problems = (*problems, Problem(place, reason))
    codes |= found
    return replace(
        batch,
        copies=tuple(replace(copy, code=codes.get(copy.code, copy.code)) for copy in batch.copies),
        problems=problems,
    )


def _found(
    copies: Sequence[Copy], candidates: Mapping[str, list[Article]], present: set[str]
) -> dict[str, str]:
    """Return the article's code by the copy's, each article once."""
    found: dict[str, str] = {}
    taken = set(present)
    for copy in copies:
        for article in candidates.get(copy.code, ()):
            if article.code not in taken:
                found[copy.code] = article.code
                taken.add(article.code)
                break
    return found


def _candidates(connection: Connection, copies: Sequence[Copy]) -> dict[str, list[Article]]:
    """Return the articles that each copy may be, by its code; the surest first."""
    links = {copy.link for copy in copies if copy.link}
    titles = {title for copy in copies if (title := _title(copy))}
    by_link = {
        link: codes[-MAX_CANDIDATES:]
        for link, codes in urls.codes_by_link(connection, links).items()
    }
    by_title = codes_by_title(connection, titles, MAX_CANDIDATES)
    codes = {code for named in (by_link, by_title) for found in named.values() for code in found}
    articles = articles_of(connection, codes)
    return {
        copy.code: [
            article
            for code in dict.fromkeys(by_link.get(copy.link or "", []))
            if (article := articles.get(code)) is not None and _has_words_of(article, copy)
        ]
        + [
            article
            for code in by_title.get(_title(copy), [])
            if (article := articles.get(code)) is not None and _is_moved(article, copy)
        ]
        for copy in copies
    }


def _has_words_of(article: Article, copy: Copy) -> bool:
    return article.raw_hash == copy.raw_hash or article.title == copy.title


def _is_moved(article: Article, copy: Copy) -> bool:
    """Return whether an article of the same title is the copy's, at another address or none.

    The path of its link must be the same, and so must its text or its date.
    """
    same_text = article.raw_hash == copy.raw_hash
    same_date = copy.published is not None and copy.published == article.published
    if copy.link is None:
        return article.link is None and article.share_url is None and same_text and same_date
    if copy.link in (article.link, article.share_url):
        return True
    path = _path(copy.link)
    return path != "" and path == _path(article.link or "") and (same_text or same_date)


def _title(copy: Copy) -> str:
    return copy.title or copy.title_guess


def _path(link: str) -> str:
    """Return path and query of a link: what a new host or scheme leaves as it was."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return f"{parts.path.rstrip('/')}?{parts.query}".strip("?")
