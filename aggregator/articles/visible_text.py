"""The words of mark-up that a reader surely sees: a cheap proof that two texts differ.

Cleaning both texts is the judge of whether a change is one.  Where all of a
text's mark-up is of the plainest kind, nothing in it can be hidden or dropped, and texts
with other words surely read differently, without cleaning either.
"""

from __future__ import annotations

import hashlib
import re

# One more whenever the same text has another digest than before.
VERSION = 1
_PLAIN = (
    "p|div|span|a|b|i|u|em|strong|br|hr|img|h[1-6]|ul|ol|li|blockquote|center|font|small|sub|"
    "sup|table|thead|tbody|tfoot|tr|td|th|figure|figcaption|section|article|pre|code|strike|s"
)
# Every attribute quoted, and none with a bracket in it: what this matches is a tag to
# every parser there is.
_NAME = r"(?!style\b|hidden\b)[a-z_:][\w:.-]*+"
_STYLE = r"style=(?:\"(?:(?!(?i:display))[^\"<>])*+\"|'(?:(?!(?i:display))[^'<>])*+')"
# Every attribute quoted, none with a bracket in it, and none that hides: what this matches
# is a tag to every parser there is.
_TAG = re.compile(
    rf"</?(?:{_PLAIN})(?:>|"
    rf"(?:\s+(?:{_NAME}(?:=\"[^\"<>]*+\"|='[^'<>]*+')?|{_STYLE}))*+\s*+/?>)|"
    r"<!--[^<>-]*+-->"
)


def words(html: str) -> bytes:
    """A digest of the words, less all white space; empty where nothing can be proven."""
    text = _TAG.sub("", html)
    if "<" in text or ">" in text:
        return b""
    bare = "".join(text.replace("&nbsp;", " ").split())
    digest = hashlib.blake2b(bare.encode("utf-8", "replace"), digest_size=15)
    return bytes([VERSION]) + digest.digest()


def surely_differ(one: bytes, other: bytes) -> bool:
    """Whether two such digests prove that their texts read differently."""
    current = bytes([VERSION])
    return one != other and one[:1] == other[:1] == current
