"""Clues → the code of an article, and the ids that follow from it.

Pure.  A code is `NW` and 18 digits; a bare 18-digit number is the same article.  A copy
without a code is identified by its fallback, which never looks like a code.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from aggregator.model.articles import Clues, Identity
from aggregator.model.errors import UnknownSourceError, UnusableError

CODE = re.compile(r"NW\d{18}", re.ASCII)
_BARE = re.compile(r"\d{18}", re.ASCII)
_SAFE_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PAGE_CODE = re.compile(r"[A-Z]{2}[0-9]{18}", re.ASCII)
_HASHED_SLUG = re.compile(r".*-[0-9a-f]{8}")
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{device}{number}" for device in ("com", "lpt") for number in range(10)]
)
MAX_SLUG = 64
MAX_FALLBACK = 500


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns that find a code; each of them has a group named `code`."""

    parameter: str
    share_urls: tuple[re.Pattern[str], ...]
    article_urls: tuple[re.Pattern[str], ...]
    file_names: tuple[re.Pattern[str], ...]


def make_rules(
    parameter: str,
    share_urls: Sequence[str],
    article_urls: Sequence[str],
    file_names: Sequence[str],
) -> Rules:
    """Compile the patterns of the configuration."""
    return Rules(
        parameter.casefold(),
        tuple(re.compile(pattern) for pattern in share_urls),
        tuple(re.compile(pattern) for pattern in article_urls),
        tuple(re.compile(pattern) for pattern in file_names),
    )


def is_share_url(url: str, rules: Rules) -> bool:
    """Return whether a URL is that of a share page."""
    return any(pattern.search(url) for pattern in rules.share_urls)


def normal_code(text: str) -> str | None:
    """Return `NW` + 18 digits for a code or a bare number, None for anything else.

    >>> normal_code("202112162216485766")
    'NW202112162216485766'
    """
    text = text.strip()
    if CODE.fullmatch(text):
        return text
    if _BARE.fullmatch(text):
        return "NW" + text
    upper = text.upper()
    return upper if CODE.fullmatch(upper) else None


def is_code(text: str) -> bool:
    """Return whether a code is a real one, not a fallback."""
    return CODE.fullmatch(text) is not None


def code_of_share_url(url: str, rules: Rules) -> str | None:
    """Return the code in the URL of a share page; its host never matters."""
    match = _first(rules.share_urls, url)
    if match is not None:
        return normal_code(match["code"])
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        return None
    for name, value in pairs:
        if name.casefold() == rules.parameter:
            code = normal_code(value)
            if code is not None:
                return code
    return None


def code_of_article_url(url: str, rules: Rules) -> str | None:
    """Return the code in an article's own URL."""
    match = _first(rules.article_urls, url)
    return normal_code(match["code"]) if match else None


def code_of_file_name(stem: str, rules: Rules) -> str | None:
    """Return the code in a file name without its suffix."""
    match = next(filter(None, (pattern.fullmatch(stem) for pattern in rules.file_names)), None)
    return normal_code(match["code"]) if match else None


def _first(patterns: Iterable[re.Pattern[str]], url: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.search(url) for pattern in patterns)), None)


def resolve(clues: Clues, rules: Rules) -> Identity:
    """Return the identity that the clues point to: the first rule wins, others may disagree.

    Raises `UnusableError` if the front matter has something that is not a code, or if
    there is no clue at all.
    """
    found: list[tuple[str, str]] = []
    if clues.front_matter is not None:
        code = normal_code(clues.front_matter)
        if code is None:
            raise UnusableError(
                f"front matter names {clues.front_matter[:40]!r}, which is not a code "
                "(NW and 18 digits)"
            )
        found.append(("front matter", code))
    for rule, clue, read in (
        ("share link", clues.share_url, code_of_share_url),
        ("article link", clues.article_url, code_of_article_url),
        ("file name", clues.file_name, code_of_file_name),
    ):
        code = read(clue, rules) if clue else None
        if code is not None:
            found.append((rule, code))
    if not found:
        if not clues.fallback:
            raise UnusableError("nothing identifies this article: no code, no URL, no GUID")
        return Identity(clues.fallback)
    winner, code = found[0]
    return Identity(
        code,
        tuple(
            f"the {rule} has the code {other}, the {winner} {code}: the {winner} was used"
            for rule, other in found[1:]
            if other != code
        ),
    )


def path_fallback(path: bytes) -> str:
    """Return the fallback code of a post without one: its path within its folder.

    Percent-encoded from the NFC form, so that it is the same on every file system and
    valid in a tag URI.
    """
    with contextlib.suppress(UnicodeDecodeError):  # then the bytes themselves are the name
        path = unicodedata.normalize("NFC", path.decode("utf-8")).encode("utf-8")
    return "posts/" + quote(path, safe="/-._~")


def url_fallback(url: str) -> str:
    """Return the fallback code of an entry that is identified by its URL alone.

    The same for http and https, for any case of the host, without password and fragment.

    >>> url_fallback("HTTPS://News.Example.org/a?b=1#c")
    'url/news.example.org/a%3Fb%3D1'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    query = f"?{parts.query}" if parts.query else ""
    return _bounded("url/" + quote(f"{host}{parts.path}{query}", safe="/-._~"))


def guid_fallback(feed_url: str, guid: str) -> str:
    """Return the fallback code of an entry that has a GUID.

    A GUID that is an http(s) URL is unique by itself, any other within its feed.
    """
    if guid.lower().startswith(("http://", "https://")):
        with contextlib.suppress(ValueError):  # then it only looks like a URL
            return url_fallback(guid)
    feed = hashlib.sha256(url_fallback(feed_url).encode()).hexdigest()[:8]
    return _bounded(f"guid/{feed}/" + quote(guid, safe="/-._~", errors="replace"))


def _bounded(code: str) -> str:
    """Return a code that is short enough for a tag URI and a key, however long the name is."""
    if len(code) <= MAX_FALLBACK:
        return code
    return f"{code[: MAX_FALLBACK - 33]}~{hashlib.sha256(code.encode()).hexdigest()[:32]}"


def entry_id(tag: str, code: str) -> str:
    """Return the entry's id, a tag URI (RFC 4151) that depends on tag and code alone."""
    return f"tag:{tag}:{code}"


def code_of_entry_id(tag: str, identifier: str) -> str | None:
    """Return the code in an entry's id, None for the id of another site."""
    prefix = entry_id(tag, "")
    return identifier.removeprefix(prefix) if identifier.startswith(prefix) else None


def source_slug(key: str) -> str:
    """Return a file name for a source, whatever its posts call it.

    The key itself where that is safe; else its safe characters and a hash of the key, so
    that no two sources clash on any file system.

    >>> source_slug("beijingshangbao")
    'beijingshangbao'
    >>> source_slug("../../etc/x")
    'etc-x-0d3cb5d1'
    """
    if (
        len(key) <= MAX_SLUG
        and _SAFE_SLUG.fullmatch(key)
        and not _HASHED_SLUG.fullmatch(key)
        and key not in _RESERVED
    ):
        return key
    return _hashed(key, 8)


def page_name(code: str) -> str:
    """Return the name of an article's page, without its extension.

    The code itself if that is safe; else its safe characters and a hash of it, so that no two
    clash on any file system.

    >>> page_name("NW202203062296027741")
    'NW202203062296027741'
    >>> page_name("guid/x y")
    'guid-x-y-1ee0abc69709bf30'
    """
    # Other codes may differ in case only, which some file systems ignore.
    return code if _PAGE_CODE.fullmatch(code) else _hashed(code, 16)


def _hashed(key: str, digits: int) -> str:
    """Return the safe characters of a key and a hash of it."""
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode().lower()
    readable = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-") or "source"
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    return f"{readable}-{digest}"


def named_source(name: str, sources: Iterable[str]) -> str:
    """Return the source with this key or slug.  Raises `UnknownSourceError`."""
    sources = list(sources)
    for source in sources:
        if name in (source, source_slug(source)):
            return source
    near = difflib.get_close_matches(name, map(source_slug, sources), n=3)
    hint = f", did you mean {' or '.join(near)}?" if near else "; `aggregator sources` lists them"
    raise UnknownSourceError(f"no source {name}{hint}")
