"""An article as search sees it.  Pure.

Text is folded (case, width, spaces) and every character of it is indexed, so that any part of a
word is found, in scripts without spaces between words too.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from aggregator.articles.content_rules import words_of
from aggregator.articles.sanitize import HTML
from aggregator.articles.summary import without_inline_tags
from aggregator.model.articles import Article
from aggregator.model.packing import unpack

# Increase whenever the same article would be indexed differently: all are then indexed again.
VERSION = 1
# Characters of scripts with spaces between words.  Between two of them a space counts; elsewhere
# it is layout.
_SPACED = "0-9a-z\u00b5-\u02af\u0370-\u0dff\u10a0-\u10ff\u1200-\u137f\u1e00-\u1fff"
# Stands between title, text and names, so that no phrase reaches from one into another: a
# noncharacter, which no text has once it is folded.
_BOUNDARY = "\ufdd0"
_CONTROLS = re.compile(f"[\x00-\x1f\x7f\xad\u200b-\u200f\u2060\ufeff{_BOUNDARY}]")
_LAYOUT = re.compile(f" (?:(?<![{_SPACED}] )|(?![{_SPACED}]))")
_RUN = re.compile(f"[{_SPACED}]{{2,}}")
_IS_SPACED = re.compile(f"[{_SPACED}]")
# To normalize a text takes as long as all the rest, and most texts have no other wide characters.
_WIDE = [(wide, unicodedata.normalize("NFKC", wide)) for wide in "，：；？！（）％～\u3000"]
# Tags that divide words and that only have to go; of a text with others the sanitizer knows what
# is shown, as of one that hides something.
_TAG = re.compile(r"<([^\s<>]*)")
_MARKUP = re.compile(r"<[^<>]*>")
_DIVIDING = frozenset(
    f"{slash}{name}{end}"
    for name in (
        "p", "br", "div", "img", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
        "table", "tbody", "thead", "tr", "td", "th", "blockquote", "center", "figure",
        "figcaption", "section", "article", "pre", "a", "b", "em", "font", "i", "s", "span",
        "strong", "sub", "sup", "u",
    )
    for slash in ("", "/")
    for end in ("", "/")
)  # fmt: skip
_NO_URL = "http://localhost/"


class Searchable(NamedTuple):
    """What is searched of an article: its title, its packed raw text, and names."""

    title: str
    packed: bytes
    media_type: str
    names: tuple[str, ...]


def names_of(article: Article) -> tuple[str, ...]:
    """Return the names by which an article is found besides its title and text."""
    return tuple(filter(None, (article.author, article.source_name, article.source)))


def folded(text: str) -> str:
    """Return text without the differences that search ignores: case, width, layout.

    >>> folded("ＧＤＰ 增长  ５．２％")
    'gdp增长5.2%'
    >>> folded("Interest  Rate")
    'interest rate'
    """
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = " ".join(text.casefold().split())
    if not text.isprintable():
        text = _CONTROLS.sub("", text)
    return _LAYOUT.sub("", text)


def searched(title: str, raw: str, media_type: str, names: Iterable[str]) -> str:
    """Return all that is searched of an article, folded: what is not in it is not found."""
    return _BOUNDARY.join(map(folded, (title, _words(raw, media_type), *names)))


def _words(raw: str, media_type: str) -> str:
    """Return the words of a text that are shown; to sanitize it takes several times as long."""
    lowered = raw.lower()
    if media_type != HTML or "display" in lowered or "hidden" in lowered:
        return words_of(raw, media_type, _NO_URL)
    if not _DIVIDING.issuperset(_TAG.findall(lowered)):
        return words_of(raw, media_type, _NO_URL)
    words = _MARKUP.sub(" ", without_inline_tags(raw))
    return html.unescape(words) if "&" in words else words


def tokens(text: str) -> str:
    """Return folded text as tokens with spaces between them, one for each character.

    A character that is followed by another one of the same word has that in its token, too:
    single letters are in every article, and would tell little.

    >>> tokens("gdp增长").split()
    ['gd', 'dp', 'p', '增', '长']
    """
    coding, size = "utf-16-le", 2
    data = text.encode(coding)
    if len(data) != size * len(text):
        coding, size = "utf-32-le", 4
        data = text.encode(coding)
    following = bytearray(" ".encode(coding) * len(text))
    for run in _RUN.finditer(text):
        start, end = size * run.start(), size * run.end()
        following[start : end - size] = data[start + size : end]
    # In slices, since a loop over characters would take ten times as long.
    spaced = bytearray(" ".encode(coding) * (3 * len(text)))
    for byte in range(size):
        spaced[byte :: 3 * size] = data[byte::size]
        spaced[byte + size :: 3 * size] = following[byte::size]
    return spaced.decode(coding)


def phrase(word: str) -> tuple[list[str], bool]:
    """Return the tokens by which a folded word is found, and whether the last is a beginning.

    What follows the word in a text is unknown, and with it the token of its last character.

    >>> phrase("gdp")
    (['gd', 'dp'], False)
    >>> phrase("增a")
    (['增', 'a'], True)
    """
    found = tokens(word).split()
    if _IS_SPACED.fullmatch(word[-1:]) is None:
        return found, False
    if _RUN.fullmatch(word[-2:]):
        return found[:-1], False
    return found, True


def indexed(articles: list[Searchable]) -> list[str]:
    """Return the tokens of several articles."""
    return [
        tokens(searched(title, unpack(packed), media_type, names))
        for title, packed, media_type, names in articles
    ]
