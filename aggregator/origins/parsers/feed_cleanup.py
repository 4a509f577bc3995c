"""The bytes of a feed in XML, made safe for feedparser.  Pure.

What feedparser, or expat under it, is known to choke on never reaches it: document types
with entities of their own, odd encodings, endless depth, authors of 100 kB.
"""

from __future__ import annotations

import re

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.encodings import decode_declared

MAX_DEPTH = 200
MAX_PERSON = 1000
_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(?:[bl]e)?|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-?125\d|"
    r"cp125\d|gb2312|gbk|gb18030|big5(?:-?hkscs)?|euc-(?:jp|kr)|shift[_-]jis|iso-2022-jp|"
    r"koi8-[ru]",
    re.IGNORECASE,
)
_DECLARED = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']"
)
_DECLARATION = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE([^>\[]{0,2000})(\[|>)", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z_][\w:.-]*)(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+(>|\Z)")
_SKIPPED = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_PERSON = re.compile(
    r"(<(?:[\w.-]+:)?(author|creator|name|email|managingEditor|webMaster|publisher|contributor)\b"
    rf"[^>]*>)([^<]{{{MAX_PERSON},}})"
)
_END_OF_FEED = re.compile(r"</(?:[\w.-]+:)?(?:rss|feed|RDF|channel)\s*>\s*", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:[\w.-]+:)?(item|entry)\s*>", re.IGNORECASE)


def prepared(data: bytes, content_type: str) -> tuple[bytes, bool]:
    """Return the document in UTF-8, and whether it was cut off.

    Of one that is cut off, the whole entries are left.  Raises `UnusableError` for a
    document that must not reach a parser.
    """
    text = without_forbidden(decode_declared(data, content_type, _DECLARED, _ENCODINGS))
    text = _DECLARATION.sub("", text, count=1).lstrip("\ufeff \t\r\n")
    match = _DOCTYPE.search(text[:100_000])
    if match is not None:
        if match[2] == "[":
            raise UnusableError("it declares its own XML entities, which is not allowed")
        text = text[: match.start()] + text[match.end() :]
    if "<!ENTITY" in text[:1_000_000]:
        raise UnusableError("it declares its own XML entities, which is not allowed")
    _check_depth(text)
    text = _PERSON.sub(lambda found: found[1] + found[3][:MAX_PERSON], text)
    is_cut = not _END_OF_FEED.search(text[-1000:])
    if is_cut:
        text = _whole_entries(text)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode("utf-8", "replace"), is_cut


def _check_depth(text: str) -> None:
    """Raise `UnusableError` for elements nested deeper than in any feed: expat recurses."""
    depth = 0
    for match in _TAG.finditer(_SKIPPED.sub("", text)):
        if match[1]:
            depth -= 1
        elif not match[0].endswith("/>"):
            depth += 1
            if depth > MAX_DEPTH:
                raise UnusableError(f"elements nested deeper than {MAX_DEPTH} levels")


def _whole_entries(text: str) -> str:
    """Return a document that is cut off, without its last piece, with its elements closed."""
    ends = list(_ITEM_END.finditer(text))
    if not ends:
        raise UnusableError("not a feed, or cut off before the end of its first entry")
    text = text[: ends[-1].end()]
    opened: list[str] = []
    for match in _TAG.finditer(_SKIPPED.sub("", text)):
        if match[1]:
            if match[2] in opened:
                while opened.pop() != match[2]:
                    pass
        elif not match[0].endswith("/>"):
            opened.append(match[2])
    return text + "".join(f"</{name}>" for name in reversed(opened))
