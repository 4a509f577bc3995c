"""The section `content`: how texts are shown."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, model_validator

from aggregator.config.values import Section, web_url

_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def _host(value: str) -> str:
    try:
        # As URLs name it; an asterisk is no character of a name.
        host = value.lower().encode("idna").decode("ascii") if not value.isascii() else value
    except UnicodeError:
        host = ""
    if _HOST.fullmatch(host.lower()) is None:
        raise ValueError("must be a host like img.example.org, or *.example.org for all below it")
    return host.lower()


def _proxy(value: str) -> str:
    """Check the template of a proxy's URL."""
    if set(re.findall(r"\{[^{}]*\}|[{}]", value)) != {"{url}"}:
        raise ValueError("must contain {url}, where the picture's URL goes, and no other braces")
    web_url(value.replace("{url}", quote("https://example.org/a.jpg", safe="")))
    if "{url}" in value.partition("//")[2].partition("/")[0]:
        raise ValueError("must have {url} after the host")
    return value


def _as_list(value: object) -> object:
    """Return a rule that stands alone as a list of one."""
    return [value] if isinstance(value, dict) else value


Host = Annotated[str, AfterValidator(_host)]
Proxy = Annotated[str, AfterValidator(_proxy)]
# HTML Standard §2.4.7; "" would be no rule.
ReferrerPolicy = Literal[
    "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
    "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url",
]  # fmt: skip


class ImageRule(Section):
    """How pictures of some hosts, by default of all, are loaded."""

    hosts: tuple[Host, ...] = ()
    referrerpolicy: ReferrerPolicy | None = None
    proxy: Proxy | None = None

    @model_validator(mode="after")
    def _does_something(self) -> ImageRule:
        if not (self.referrerpolicy or self.proxy):
            raise ValueError("needs referrerpolicy or proxy")
        return self


class Content(Section):
    """How texts are shown; of several rules for pictures, the first for a host counts."""

    images: Annotated[tuple[ImageRule, ...], BeforeValidator(_as_list)] = ()
