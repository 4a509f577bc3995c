"""Players and pages in a text (`iframe`, `embed`) → links to them.  Pure.

A feed reader shows neither, and the sanitizer removes both: the video of a post would be gone
without a word.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

TAGS = frozenset({"iframe", "embed"})
ATTRIBUTES = frozenset({"src", "data-src", "title", "width", "height"})
# Left open, it would take the rest of the text with it.
_SELF_CLOSED = re.compile(r"(<iframe\b[^<>]*)/>(?!\s*</iframe)", re.IGNORECASE)
# As the sanitizer writes them: attributes have no angle brackets, and what an iframe has is text.
_EMBED = re.compile(
    r"<(?:iframe((?: [^<>]*)?)>.*?(?:</iframe>|\Z)|embed((?: [^<>]*)?)>)", re.DOTALL
)
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_ID = r"(?P<id>[\w.=-]{1,100})"
_YOUTUBE = r"(?:www\.)?youtube(?:-nocookie)?\.com"
_BILIBILI = r"(?:player|www)\.bilibili\.com/(?:player|blackboard/html5mobileplayer)\.html"
_DAILYMOTION = "https://www.dailymotion.com/video/{id}"
_YOUTUBE_PICTURE = "https://i.ytimg.com/vi/{id}/hqdefault.jpg"
_DAILYMOTION_PICTURE = "https://www.dailymotion.com/thumbnail/video/{id}"


class _Player(NamedTuple):
    """A player by host and path, its video's page, and the picture if its address is known.

    A group of the path, or the parameter `query` of the address, names the video.
    """

    path: str
    query: str
    page: str
    picture: str = ""


_PLAYERS = (
    _Player(f"{_YOUTUBE}/embed/videoseries", "list", "https://www.youtube.com/playlist?list={id}"),
    _Player(
        rf"{_YOUTUBE}/(?:embed|v)/{_ID}",
        "",
        "https://www.youtube.com/watch?v={id}",
        _YOUTUBE_PICTURE,
    ),
    _Player(rf"player\.vimeo\.com/video/{_ID}", "", "https://vimeo.com/{id}"),
    _Player(_BILIBILI, "bvid", "https://www.bilibili.com/video/{id}"),
    _Player(_BILIBILI, "aid", "https://www.bilibili.com/video/av{id}"),
    _Player(
        rf"player\.youku\.com/(?:embed/|player\.php/(?:.*/)?sid/){_ID}(?:/.*)?",
        "",
        "https://v.youku.com/v_show/id_{id}.html",
    ),
    _Player(
        rf"(?:www\.)?dailymotion\.com/(?:embed|swf)/video/{_ID}",
        "",
        _DAILYMOTION,
        _DAILYMOTION_PICTURE,
    ),
    _Player(
        r"geo\.dailymotion\.com/player(?:/\w+)?\.html", "video", _DAILYMOTION, _DAILYMOTION_PICTURE
    ),
    _Player(r"v\.qq\.com/(?:txp/)?iframe/player\.html", "vid", "https://v.qq.com/x/page/{id}.html"),
    _Player(r"player\.twitch\.tv/?", "video", "https://www.twitch.tv/videos/{id}"),
    _Player(rf"embed\.ted\.com/talks/{_ID}", "", "https://www.ted.com/talks/{id}"),
)


def has_embeds(lowered: str) -> bool:
    """Return whether markup in lower case may have any."""
    return "<iframe" in lowered or "<embed" in lowered


def with_open_tags(markup: str) -> str:
    """Return markup in which no iframe closes itself, which HTML does not know."""
    return _SELF_CLOSED.sub(r"\1></iframe>", markup)


def as_links(markup: str) -> str:
    """Return the markup of the sanitizer with links in place of embedded pages.

    One that shows nothing, since it is a pixel wide, leaves no link.
    """
    return _EMBED.sub(_link, markup)


def page_of(url: str) -> tuple[str, str]:
    """Return the page of a player's video and its picture, if its address is known.

    >>> page_of("https://www.youtube.com/embed/abc?rel=0")
    ('https://www.youtube.com/watch?v=abc', 'https://i.ytimg.com/vi/abc/hqdefault.jpg')
    """
    parts = urlsplit(url)
    place = f"{parts.hostname}{parts.path}".rstrip("/")
    values = {key: found[0] for key, found in parse_qs(parts.query).items()}
    for player in _PLAYERS:
        match = re.fullmatch(player.path, place)
        if match is not None:
            video = values.get(player.query, "") if player.query else match["id"]
            if re.fullmatch(_ID, video, re.ASCII):
                return player.page.format(id=video), player.picture.format(id=video)
    return url, ""


def _link(match: re.Match[str]) -> str:
    attributes = _ATTRIBUTE.findall(match[1] or match[2] or "")
    values = {name: html.unescape(value) for name, value in attributes}
    url = values.get("src") or values.get("data-src", "")
    is_pixel = not {values.get("width"), values.get("height")}.isdisjoint(("0", "1"))
    if is_pixel or not url.startswith(("http:", "https:")):
        return ""
    try:
        page, picture = page_of(url)
    except ValueError:
        return ""
    words = html.escape(values.get("title") or page.partition("//")[2].rstrip("/"))
    image = f'<img src="{html.escape(picture)}" alt=""><br>' if picture else ""
    return f'<p><a href="{html.escape(page)}">{image}{words}</a></p>'
