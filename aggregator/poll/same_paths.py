"""Tell apart posts that have the same path in two folders.

A post without a code is known by its path within its folder, so that it stays the same article
where a site moves it to another folder.  Two posts that share their path, but neither title nor
text, are two articles: the second is named with its folder.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aggregator.articles.identity import path_fallback
from aggregator.model.articles import Article, Copy, Problem, StoredCopy
from aggregator.model.polls import Batch
from aggregator.store.articles import articles_of, bodies_of
from aggregator.store.copies import copies_of

_PREFIX = path_fallback(b"")


def told_apart(connection: Connection, batch: Batch, folders: Mapping[str, str]) -> Batch:
    """Return the batch with codes of their own for posts that are other articles.

    `folders` are the paths of the posts folders by the names of their origins, in order.
    """
    folder = folders.get(batch.origin)
    codes = {copy.code for copy in batch.copies if copy.code.startswith(_PREFIX)}
    if folder is None or not codes:
        return batch
    named = {code: _with_folder(code, folder) for code in codes}
    known = articles_of(connection, named.values()).keys()
    paths = _Paths.of(connection, codes, list(folders)) if len(folders) > 1 else None
    copies, problems = [], list(batch.problems)
    for copy in batch.copies:
        code = named.get(copy.code)
        if code is None:
            copies.append(copy)
        elif code in known or (paths is not None and paths.is_of_another(copy)):
            copies.append(replace(copy, code=code))
            reason = "another folder has a different post with the same path; both are published"
            problems.append(Problem(copy.location, reason))
        else:
            copies.append(copy)
    return replace(batch, copies=tuple(copies), problems=tuple(problems))


def _with_folder(code: str, folder: str) -> str:
    """Return the code of a post that is named with its folder; no path has two slashes."""
    place = path_fallback(posixpath.normpath(folder).strip("/").encode("utf-8", "replace"))
    return f"{place}//{code.removeprefix(_PREFIX)}"


@dataclass(frozen=True, slots=True)
class _Paths:
    """The articles and copies that have some paths."""

    articles: Mapping[str, Article]
    copies: Mapping[str, list[StoredCopy]]
    bodies: Mapping[int, bytes]
    order: list[str]

    @classmethod
    def of(cls, connection: Connection, codes: set[str], order: list[str]) -> _Paths:
        articles = articles_of(connection, codes)
        copies: dict[str, list[StoredCopy]] = {}
        for copy in copies_of(connection, articles):
            if copy.origin in order:
                copies.setdefault(copy.code, []).append(copy)
        bodies = {article.body_id for article in articles.values() if article.body_id}
        bodies |= {copy.body_id for some in copies.values() for copy in some}
        return cls(articles, copies, bodies_of(connection, bodies) if bodies else {}, order)

    def is_of_another(self, copy: Copy) -> bool:
        """Return whether the article with a copy's path is another post."""
        article = self.articles.get(copy.code)
        if article is None or not article.revision:
            return False
        copies = self.copies.get(copy.code, [])
        place = self.order.index(copy.origin)
        before = [other for other in copies if self.order.index(other.origin) < place]
        if before:
            return not any(self._agree(copy, other) for other in before)
        is_known = any(other.origin == copy.origin for other in copies)
        return not is_known and not self._agree(copy, article)

    def _agree(self, copy: Copy, other: Article | StoredCopy) -> bool:
        text = self.bodies.get(other.body_id) if other.body_id else None
        return copy.title == other.title or copy.body == text
