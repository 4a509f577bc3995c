"""Markdown or HTML of strangers → safe HTML with absolute URLs.

Pure.  The sanitizer (nh3) has the last word on everything: whatever happens to the
markup before, what leaves here has been through it.  The limits stand before it, since
its time is quadratic in depth and in character references.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

import nh3

from aggregator.articles import embeds, lazy_images, srcset
from aggregator.articles.markdown import render_markdown
from aggregator.model.errors import UnusableError

# Increase whenever the same text would be sanitized differently: all texts are then
# sanitized again.
SANITIZER_VERSION = 4
HTML = "text/html"
MARKDOWN = "text/markdown"

MAX_DEPTH = 200
MAX_REFERENCES = 100_000
MAX_TAG = 64 * 1024
MAX_HTML = 20_000_000

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# Validators of feeds warn of bdo and rtc.
_TAGS = (nh3.ALLOWED_TAGS | {"audio", "main", "picture", "section", "source", "tfoot", "video"}) - {
    "area",
    "bdo",
    "map",
    "rtc",
}
_DROPPED_WITH_CONTENT = {
    "script", "style", "title", "template", "iframe", "object", "embed", "applet", "svg", "math",
    "noframes", "noembed", "frameset",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"lang", "dir", "title"},
    "a": {"href", "hreflang"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height"},
    "audio": {"src", "controls"},
    "video": {"src", "controls", "poster", "width", "height"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "time": {"datetime"},
    "ol": {"start", "type", "reversed"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "code": {"class"},
}
# An absolute URL with nothing in it that needs a closer look.
_PLAIN_URL = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w/.,~%?=&;:@!+#-]*)?", re.ASCII)
_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
WEB_SCHEMES = frozenset({"http", "https"})
# What a link in a text may lead to besides.
_TEXT_SCHEMES = _LINK_SCHEMES | {"ftp", "ftps", "irc", "ircs", "xmpp"}
_MEDIA_ATTRIBUTES = frozenset({"src", "poster"})

# Elements whose end tag is optional: a hundred open ones are not nested.
_SELF_CLOSING = {
    "p", "li", "td", "th", "tr", "dt", "dd", "thead", "tbody", "tfoot", "option", "a", "area",
    "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "nobr",
}  # fmt: skip
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Ignoring case takes three times as long; tags in mixed case only take the slow way.
_NESTING_TAG = re.compile(
    "<(?!(?:"
    + "|".join(sorted(_SELF_CLOSING | {name.upper() for name in _SELF_CLOSING}))
    + ")[^a-zA-Z0-9])[a-zA-Z]"
)
# A tag with all its attributes; possessive, so that it never backtracks.
_WHOLE_TAG = re.compile(r"""<[a-zA-Z](?:[^<>"']++|"[^"]*+"|'[^']*+'|["'])*+""")
_HIDDEN_HINT = re.compile(r"display\s*:\s*none|\shidden(?=[\s=>/])", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)
# The sanitizer's output has no < or > inside attribute values, so this can't cut one.
_EMPTY_BLOCK = re.compile(
    r"<(p|div|center|h[1-6]|blockquote|ul|ol|li|section|article|figure|figcaption|picture|header|"
    r"footer|aside|details|summary|dl|table|tbody|thead|tfoot|tr)(?: [^<>]*)?>"
    r"(?:\s|&nbsp;|<br>)*</\1>"
)
_EMPTY_INLINE = re.compile(
    r"<(span|strong|b|em|i|u|s|a|small|sub|sup|code|mark|del|ins)(?: [^<>]*)?>"
    r"((?:\s|&nbsp;|<br>)*)</\1>"
)
_SOURCELESS = re.compile(
    r"<(?:img|source)(?:(?! src=\"| srcset=\")[^<>])*>|"
    r"<(audio|video)(?:(?! src=\")[^<>])*>\s*</\1>"
)
_BLOCK_START = re.compile(
    r"(?:&nbsp;|\s|<!--(?:(?!-->).)*-->)*(?:\Z|</?(?:p|div|table|thead|tbody|tr|td|th|h[1-6]|ul|"
    r"ol|li|dl|section|article|aside|header|footer|figure|figcaption|center|blockquote|script|"
    r"style|iframe|hr|br|video|audio|form|main|nav|pre)\b)",
    re.IGNORECASE | re.DOTALL,
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_MARKUP = re.compile(r"<[^>]*>")


def without_forbidden(text: str) -> str:
    """Return `text` without the characters that XML 1.0 forbids (§2.2), surrogates too."""
    # None of them is printable; to see that all others are takes a tenth of the time.
    if text.replace("\n", "").replace("\u3000", "").isprintable():
        return text
    return _FORBIDDEN.sub("", text)


def media_type(text: str, suffix: str) -> str:
    """Return the media type of a post's body.

    To Jekyll every `.md` is Markdown.  A scraped body is HTML throughout, though, and its
    indented or starred lines are not Markdown: a body is HTML if all of its blocks start
    with a block element.
    """
    if suffix in (".html", ".htm"):
        return HTML
    blocks = _BLANK_LINE.split(text)
    return HTML if all(map(_BLOCK_START.match, blocks)) else MARKDOWN


def check_limits(text: str, kind: str) -> None:
    """Raise `UnusableError` for a body that would take the sanitizer too long."""
    html = render_markdown(text, with_all_emphasis=False) if kind == MARKDOWN else text
    if len(html) > MAX_HTML:
        raise UnusableError(f"the text becomes more than {MAX_HTML:,} characters of HTML")
    if html.count("&") > MAX_REFERENCES:
        raise UnusableError(f"more than {MAX_REFERENCES:,} character references in the text")
    if max(map(len, html.split("<"))) > MAX_TAG and any(
        match.end() - match.start() > MAX_TAG for match in _WHOLE_TAG.finditer(html)
    ):
        raise UnusableError(f"a tag of more than {MAX_TAG // 1024} KiB")
    if html.count("<") <= MAX_DEPTH or len(_NESTING_TAG.findall(html)) <= MAX_DEPTH:
        return
    depth = 0
    open_by_name: dict[str, int] = {}
    for match in _ANY_TAG.finditer(html):
        name = match[2].lower()
        if name in _SELF_CLOSING:
            continue
        if not match[1]:
            open_by_name[name] = open_by_name.get(name, 0) + 1
            depth += 1
            if depth > MAX_DEPTH:
                raise UnusableError(f"elements nested deeper than {MAX_DEPTH} levels")
        elif open_by_name.get(name):
            open_by_name[name] -= 1
            depth -= 1


def sanitize(text: str, kind: str, base: str) -> str:
    """Return the body as feeds show it: safe, with absolute URLs, without hidden parts.

    `kind` is the media type of `text`, `base` the URL that relative ones start from.  The
    same arguments always return the same HTML, and sanitizing it again changes nothing.
    """
    text = without_forbidden(text)
    html = render_markdown(text) if kind == MARKDOWN else text
    lowered = html.lower()
    if ("display" in lowered or "hidden" in lowered) and _HIDDEN_HINT.search(html):
        html = _without_hidden(html)
    has_embeds, is_lazy = embeds.has_embeds(lowered), lazy_images.has_lazy_images(lowered)
    if has_embeds or is_lazy:
        html = lazy_images.without_noscript(html) if is_lazy else html
        first = _cleaner(base, with_embeds=has_embeds, with_lazy_images=is_lazy)
        html = embeds.as_links(first.clean(embeds.with_open_tags(html)))
        html = lazy_images.resolved(html) if is_lazy else html
    cleaner = _cleaner(base)
    # Character references are resolved now: some are for characters that XML forbids.
    html = without_forbidden(str(cleaner.clean(html)))
    while True:
        shorter = _SOURCELESS.sub("", html)
        shorter = _EMPTY_INLINE.sub(r"\2", shorter)
        shorter = _EMPTY_BLOCK.sub("", shorter)
        if shorter == html:
            return html.strip()
        html = str(cleaner.clean(shorter))


def plain_text(html: str, limit: int | None = None) -> str:
    """Return the words of HTML on one line, for titles and previews."""
    import html as entities

    end = html.rfind(">") + 1  # a thousand `<` behind it would each be searched for their end
    text = _MARKUP.sub(" ", html[:end]) + html[end:]
    text = " ".join(entities.unescape(text).split())
    if limit is not None and len(text) > limit:
        return text[:limit].rstrip() + "…"
    return text


def absolute_url(url: str, base: str, schemes: frozenset[str] = _LINK_SCHEMES) -> str | None:
    """Return `url` resolved against `base`, None if its scheme is not allowed."""
    if _PLAIN_URL.fullmatch(url):
        return url
    # Joining drops what is empty of what follows the path.
    known = f"{base.partition(':')[0]}:{url}"
    if url.startswith("//") and not {*"?;#"}.intersection(url) and _PLAIN_URL.fullmatch(known):
        return known
    url = url.translate({9: None, 10: None, 13: None}).strip()
    if not url or "\\" in url[:8]:
        return None
    try:
        joined = urljoin(base, url)
        parts = urlsplit(joined)
        if parts.scheme not in schemes or (parts.scheme in WEB_SCHEMES and not parts.hostname):
            return None
    except ValueError:
        return None
    if "@" in parts.netloc and parts.scheme in WEB_SCHEMES:
        # A name and a password in a URL are private.
        joined = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return joined.replace(" ", "%20")


def _absolute_srcset(value: str, base: str) -> str | None:
    """Return a srcset with absolute URLs, without the candidates that have none."""
    found = (
        srcset.Candidate(url, size)
        for candidate, size in srcset.candidates(value)
        if (url := absolute_url(candidate, base, WEB_SCHEMES)) is not None
    )
    return srcset.text_of(found) or None


@lru_cache(maxsize=64)
def _cleaner(
    base: str, *, with_embeds: bool = False, with_lazy_images: bool = False
) -> nh3.Cleaner:
    """Return the sanitizer of texts at `base`.

    It may keep what `embeds` makes links of, and the attributes that `lazy_images` resolves.
    """

    def filter_attribute(element: str, attribute: str, value: str) -> str | None:
        if attribute in ("href", "cite"):
            if value.lstrip().startswith("#"):
                # `fragments` leads it to the article's page.
                return value.strip().replace(" ", "%20") if attribute == "href" else None
            return absolute_url(value, base, _TEXT_SCHEMES)
        if attribute in lazy_images.SOURCES and not lazy_images.is_url_like(value):
            return None
        if attribute in _MEDIA_ATTRIBUTES or attribute in lazy_images.SOURCES:
            return absolute_url(value, base, WEB_SCHEMES)
        if attribute == "srcset" or attribute in lazy_images.SRCSETS:
            return _absolute_srcset(value, base)
        if element == "code" and attribute == "class":
            return value if re.fullmatch(r"language-[\w+#.-]{1,30}", value) else None
        return value

    embedded = embeds.TAGS if with_embeds else frozenset()
    # What an `object` contains is for those who cannot show it.
    fallbacks = {"object"} if with_embeds else set()
    attributes = _ATTRIBUTES | {tag: set(embeds.ATTRIBUTES) for tag in embedded}
    if with_lazy_images:
        attributes |= {tag: _ATTRIBUTES[tag] | more for tag, more in lazy_images.ATTRIBUTES.items()}
    return nh3.Cleaner(
        tags=_TAGS | embedded,
        clean_content_tags=_DROPPED_WITH_CONTENT - embedded - fallbacks,
        attributes=attributes,
        attribute_filter=filter_attribute,
        url_schemes=set(_TEXT_SCHEMES),
        strip_comments=True,
        link_rel=None,
    )


def _without_hidden(html: str) -> str:
    """Return the markup without the elements that a browser would not show."""
    import lxml.html

    parser = lxml.html.HTMLParser(encoding="utf-8")
    root = lxml.html.fragment_fromstring(html.encode("utf-8"), create_parent="div", parser=parser)
    hidden = [
        element
        for element in root.iterdescendants()
        if isinstance(element.tag, str)
        and (
            element.get("hidden") is not None
            or _HIDDEN_STYLE.search(element.get("style") or "") is not None
        )
    ]
    if not hidden:
        return html
    for element in hidden:
        if element.getparent() is not None:
            element.drop_tree()
    inner: str = lxml.html.tostring(root, encoding="unicode")
    return inner[inner.index(">") + 1 : inner.rindex("</div>")]
