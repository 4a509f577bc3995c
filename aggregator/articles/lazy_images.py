"""Pictures that a script would load later → pictures.  Pure.

Pages keep such a picture in an attribute of their own (`data-src`), and show a placeholder until
the script comes; or in a `noscript` beside the placeholder.  No feed reader runs the script.
"""

from __future__ import annotations

import html
import re

from aggregator.articles import srcset

# In the order in which they are believed.
SOURCES = (
    "data-src", "data-original", "data-lazy-src", "data-actualsrc", "data-lazy", "data-echo",
    "data-original-src",
)  # fmt: skip
SRCSETS = ("data-srcset", "data-lazy-srcset", "data-original-set")
_FALLBACK = "data-noscript"
ATTRIBUTES = {
    "img": frozenset({*SOURCES, *SRCSETS, _FALLBACK}),
    "source": frozenset(SRCSETS),
}
_HINTS = ("data-src", "data-orig", "data-lazy", "data-actualsrc", "data-echo", "<picture")
_NOSCRIPT = re.compile(r"<(/?)noscript\b[^>]*>?", re.IGNORECASE)
_RAW_IMAGE = re.compile(r"""<img(?=[\s/])((?:[^<>"']++|"[^"]*+"|'[^']*+'|["'])*+)""", re.IGNORECASE)
# What is kept there is a URL, or something that only the page's script understands.
# A space is allowed in what is clearly a URL.
_URL_LIKE = re.compile(
    r"""[^\s<>{}"']*[./][^\s<>{}"']*|(?:https?://|//?|\.\.?/)(?:[^\s<>{}"']| )*""", re.IGNORECASE
)
# As the sanitizer writes them: attributes have no angle brackets.
_IMAGE = re.compile(r"<(img|source)((?: [^<>]*)?)>")
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_PIXEL = ("0", "1")


def has_lazy_images(lowered: str) -> bool:
    """Return whether markup in lower case may have any."""
    if "<img" not in lowered:
        return "<noscript" in lowered
    return "<noscript" in lowered or any(hint in lowered for hint in _HINTS)


def is_url_like(value: str) -> bool:
    """Return whether a lazy attribute may have a URL."""
    return _URL_LIKE.fullmatch(value.strip()) is not None


def without_noscript(markup: str) -> str:
    """Return markup that has of each `noscript` only its images, which are marked."""
    parts, position, start = [], 0, -1
    for match in _NOSCRIPT.finditer(markup):
        if not match[1] and start < 0:
            parts.append(markup[position : match.start()])
            start = match.end()
        elif match[1] and start >= 0:
            inside = markup[start : match.start()]
            parts += [f"<img {_FALLBACK}{tag[1]}>" for tag in _RAW_IMAGE.finditer(inside)]
            position, start = match.end(), -1
    # One without an end is left open by mistake.
    parts.append(markup[max(position, start) :])
    return "".join(parts)


def resolved(markup: str) -> str:
    """Return the markup of the sanitizer with each lazy image as the script would show it.

    An image of a `noscript` takes the place of the one directly before it, unless the text
    shows the same picture anyway.
    """
    shown = {
        values.get("src", "")
        for values in map(_values, _IMAGE.finditer(markup))
        if _FALLBACK not in values
    }
    parts: list[str] = []
    position, before, sources = 0, -1, ""
    for match in _IMAGE.finditer(markup):
        values, between = _values(match), markup[position : match.start()]
        parts.append(between)
        position = match.end()
        if between.strip():
            before, sources = -1, "" if "</picture>" in between else sources
        if match[1] == "source":
            sources = values.get("srcset", sources)
        elif _FALLBACK not in values:
            if sources and not values.get("src"):
                values["src"] = srcset.best(sources) or ""
            before, sources = len(parts), ""
        elif _is_needless(values, shown):
            continue
        else:
            shown.add(values["src"])
            if before >= 0:
                parts[before] = ""
            before = -1
        parts.append(_tag(match[1], values))
    parts.append(markup[position:])
    return "".join(parts)


def _values(match: re.Match[str]) -> dict[str, str]:
    """Return the attributes of an image, `src` and `srcset` being those that a script would set."""
    values = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(match[2])}
    sets = [values.pop(name) for name in SRCSETS if name in values]
    sources = [values.pop(name) for name in SOURCES if name in values]
    if sets:
        values["srcset"] = sets[0]
    if match[1] == "img" and (sources or sets):
        # The placeholder stays only if nothing better is known.
        values["src"] = sources[0] if sources else srcset.best(sets[0]) or values.get("src", "")
    return values


def _is_needless(values: dict[str, str], shown: set[str]) -> bool:
    """Return whether an image of a `noscript` shows nothing, or nothing new."""
    is_pixel = not {values.get("width"), values.get("height")}.isdisjoint(_PIXEL)
    return is_pixel or values.get("src", "") in shown | {""}


def _tag(name: str, values: dict[str, str]) -> str:
    attributes = "".join(
        f' {key}="{html.escape(value)}"' for key, value in values.items() if key != _FALLBACK
    )
    return f"<{name}{attributes}>"
