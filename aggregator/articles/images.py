"""The picture that stands for an article: the first sizeable one of its text.  Pure."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

from aggregator.model.feeds import Image

# In pixels; what is declared smaller is an icon, a spacer or a counter.
SMALL = 100
# So many images are looked at: a text of icons has no picture.
MAX_IMAGES = 30
_TYPES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif",
    "webp": "image/webp", "avif": "image/avif",
}  # fmt: skip
# As the sanitizer writes them: attributes have no angle brackets.
_IMAGE = re.compile(r"<img( [^<>]*)>")
_ATTRIBUTE = re.compile(r' (src|width|height)="([^"]*)"')
_PIXELS = re.compile(r"(\d{1,5})(?:\.\d+)?(?:px)?", re.ASCII)
# Names of what is not part of the text: counters, spacers, icons, portraits, buttons.
_NO_PICTURE = re.compile(
    r"(?:\b|_)(?:pixels?|1x1|spacer|blank|transparent|tracking|tracker|beacon|counter|favicon|icons?"
    r"|emojis?|emoticons?|smil(?:ey|ies?)|avatars?|gravatar|badges?|button|loading|placeholder"
    r"|feedburner|doubleclick|shields\.io|stats?)(?:\b|_)|\.(?:svg|ico)\Z",
    re.IGNORECASE,
)


def first_image(text: str) -> Image | None:
    """Return the first sizeable picture of sanitized HTML, None if it has none.

    Where no size is declared, the URL must not look like that of an icon or a counter.
    """
    if "<img " not in text:
        return None
    for number, match in enumerate(_IMAGE.finditer(text)):
        values = dict(_ATTRIBUTE.findall(match[1]))
        url = html.unescape(values.get("src", ""))
        width, height = _pixels(values.get("width")), _pixels(values.get("height"))
        sizes = [size for size in (width, height) if size is not None]
        is_sizeable = min(sizes) >= SMALL if sizes else not _is_no_picture(url)
        if url and is_sizeable:
            return Image(url, width, height, media_type(url))
        if number == MAX_IMAGES:
            break
    return None


def media_type(url: str) -> str | None:
    """Return the media type of a picture by the name in its URL, None if that does not say."""
    path = url.partition("?")[0].partition("#")[0]
    return _TYPES.get(path.rpartition(".")[2].lower())


def _pixels(value: str | None) -> int | None:
    """Return a width or height that is declared in pixels."""
    match = _PIXELS.fullmatch(value.strip()) if value else None
    return int(match[1]) if match else None


def _is_no_picture(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return _NO_PICTURE.search(f"{parts.netloc}{parts.path}") is not None
