"""The bytes of a file in whatever encoding → text.  Pure."""

from __future__ import annotations

from aggregator.model.errors import UnusableError

# Characters so common that a GB text of some length has one, and no other text has.
_COMMON_CHINESE = frozenset("的一是不了在有人这中大为上个国我以要他时来用们")
# Guesses between the Latin alphabets of single bytes are weak, and most such files Western.
_LATIN_GUESSES = {
    "cp1250", "cp1252", "cp1254", "cp1257", "cp1258", "latin_1", "iso8859_2", "iso8859_4",
    "iso8859_9", "iso8859_10", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16",
}  # fmt: skip
_WESTERN = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŸßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœ«»‹›‘’‚“”„–—…·•°§€£©®™¿¡ºª\xa0"
)


def decode(data: bytes) -> str:
    """The text of a file in whatever encoding it is.

    Raises `UnusableError` for bytes that are no text in any.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # an older encoding: found out below
    try:
        text = data.decode("gb18030")
        if not _COMMON_CHINESE.isdisjoint(text) and _is_gb2312(text):
            return text
    except UnicodeDecodeError:
        pass  # not Chinese of the mainland either
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
        raise UnusableError(f"not text in {encoding}, as it seemed to be", 1) from error


def _is_western(data: bytes) -> bool:
    """Whether a text reads as Western European: usual letters and signs throughout."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return all(ord(character) < 128 or character in _WESTERN for character in text)


def _is_gb2312(text: str) -> bool:
    """Whether nearly all of a text is in the common set; a wrong guess gives rare signs."""
    foreign = [character for character in text if ord(character) > 127]
    common = sum(1 for character in foreign if _in_gb2312(character))
    return common >= 0.9 * len(foreign)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
