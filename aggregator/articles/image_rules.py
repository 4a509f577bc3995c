"""The owner's rules for pictures: where they are loaded from, and what is said in the request.

Pure.  They are applied when a text is rendered, since that costs less than to sanitize all
texts again when a rule changes; the stored texts, their revisions and dates stay.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from urllib.parse import quote, urlsplit

from aggregator.articles import srcset
from aggregator.model.feeds import Image

# As the sanitizer writes them: attributes have no angle brackets.
_TAG = re.compile(r"<(img|source|video)( [^<>]*)>")
_ATTRIBUTE = re.compile(r' (src|srcset|poster)="([^"]*)"')
# Of what an element may have, the attributes that lead to pictures.
_PICTURES = {"img": ("src", "srcset"), "source": ("srcset",), "video": ("poster",)}


class ImageRule(Protocol):
    """A rule as `config.content.ImageRule` has it."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names, `*.` standing for a name and all below it; none for all hosts."""
        ...

    @property
    def referrerpolicy(self) -> str | None:
        """What browsers say of the page in the request (HTML Standard §4.8.3)."""
        ...

    @property
    def proxy(self) -> str | None:
        """A template of the URL to load instead; `{url}` is the picture's, percent-encoded."""
        ...


def with_rules(text: str, rules: Sequence[ImageRule]) -> str:
    """Return sanitized HTML whose pictures are loaded as the first rule for their host says."""
    if not rules or not ("<img " in text or "<source " in text or "<video " in text):
        return text
    return _TAG.sub(lambda match: _tag(match[1], match[2], rules), text)


def of_image(image: Image | None, rules: Sequence[ImageRule]) -> Image | None:
    """Return the same picture as a rule has it loaded."""
    if image is None or not rules:
        return image
    return replace(image, url=_loaded_from(image.url, rules))


def _tag(name: str, attributes: str, rules: Sequence[ImageRule]) -> str:
    policy = None

    def attribute(match: re.Match[str]) -> str:
        nonlocal policy
        key, value = match[1], html.unescape(match[2])
        if key not in _PICTURES[name]:
            return match[0]
        if key == "srcset":
            found = [
                srcset.Candidate(_loaded_from(url, rules), size)
                for url, size in srcset.candidates(value)
            ]
            return f' srcset="{html.escape(srcset.text_of(found))}"'
        rule = _rule_of(value, rules)
        policy = rule.referrerpolicy if rule is not None else None
        return f' {key}="{html.escape(_loaded_from(value, rules))}"'

    attributes = _ATTRIBUTE.sub(attribute, attributes)
    if policy is not None and name == "img":
        attributes += f' referrerpolicy="{policy}"'
    return f"<{name}{attributes}>"


def _loaded_from(url: str, rules: Sequence[ImageRule]) -> str:
    """Return the URL that a picture is loaded from; one that the proxy serves stays."""
    rule = _rule_of(url, rules)
    if rule is None or rule.proxy is None or _host(url) == _host(rule.proxy):
        return url
    return rule.proxy.replace("{url}", quote(url, safe=""))


def _rule_of(url: str, rules: Sequence[ImageRule]) -> ImageRule | None:
    host = _host(url)
    return next((rule for rule in rules if not rule.hosts or _matches(host, rule.hosts)), None)


def _matches(host: str, patterns: Sequence[str]) -> bool:
    return any(
        host == pattern.removeprefix("*.")
        or (pattern.startswith("*.") and host.endswith(pattern.removeprefix("*")))
        for pattern in patterns
    )


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
