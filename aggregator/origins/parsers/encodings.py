"""Bytes in whatever encoding → text.  Pure."""

from __future__ import annotations

import re

from aggregator.model.errors import UnusableError

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
# GB2312 and GBK are parts of it.
_AS_GB18030 = frozenset({"gb2312", "gbk", "x-gbk"})

# Characters so common that a longer GB text has one of them, and no other text has.
_COMMON_CHINESE = frozenset("的一是不了在有人这中大为上个国我以要他时来用们")
# Guesses between single-byte Latin encodings are weak, and most such files are Western.
_LATIN_GUESSES = {
    "cp1250", "cp1252", "cp1254", "cp1257", "cp1258", "latin_1", "iso8859_2", "iso8859_4",
    "iso8859_9", "iso8859_10", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16",
}  # fmt: skip
_WESTERN = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŸßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœ«»‹›‘’‚“”„–—…·•°§€£©®™¿¡ºª\xa0"
)


def decode_declared(
    data: bytes, content_type: str, declared: re.Pattern[bytes], known: re.Pattern[str]
) -> str:
    """Return the text in the encoding that the bytes, the header or the document declares.

    `declared` finds the document's own declaration; names that `known` does not match are
    not believed.  Without a usable one, the text decides.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    header = _CHARSET.search(content_type)
    own = declared.search(data[:4096])
    for name in (header and header[1], own and own[1].decode("ascii", "replace")):
        if name and known.fullmatch(name):
            try:
                text = data.decode("gb18030" if name.lower() in _AS_GB18030 else name)
            except (UnicodeError, LookupError):
                continue
            return text.removeprefix("\ufeff")
    return decode(data)


def decode(data: bytes) -> str:
    """Return the text of a file in whatever encoding it is.

    Raises `UnusableError` for bytes that are not text in any.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # an older encoding
    try:
        text = data.decode("gb18030")
        if not _COMMON_CHINESE.isdisjoint(text) and _is_gb2312(text):
            return text
    except UnicodeDecodeError:
        pass  # not GB18030 either
    import charset_normalizer

    best = charset_normalizer.from_bytes(data[:200_000]).best()
    if best is None or b"\0\0\0" in data:
        raise UnusableError("not text in any known encoding", 1)
    encoding = best.encoding
    if encoding in _LATIN_GUESSES and _is_western(data):
        encoding = "cp1252"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise UnusableError(f"not text in {encoding}, which it seemed to be", 1) from error


def _is_western(data: bytes) -> bool:
    """Return whether a text is Western European: usual letters and signs throughout."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return all(ord(character) < 128 or character in _WESTERN for character in text)


def _is_gb2312(text: str) -> bool:
    """Return whether nearly all of a text is in the common set: a wrong guess has rare signs."""
    foreign = "".join(character for character in text if ord(character) > 127)
    common = foreign.encode("gb2312", "ignore").decode("gb2312")
    return len(common) >= 0.9 * len(foreign)
