"""HTML pages from templates: ours, or the owner's of the same name.

Every value is escaped, except texts that the sanitizer has made.  Pure: our own templates come
with the program, and the owner's come as texts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from urllib.parse import quote

from jinja2 import (
    ChoiceLoader,
    Environment,
    FunctionLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from markupsafe import Markup

from aggregator import __version__
from aggregator.articles.sanitize import without_forbidden
from aggregator.model.errors import PublishError
from aggregator.model.formats import FORMATS, feeds_of
from aggregator.model.frame import Frame
from aggregator.model.pages import FeedLink
from aggregator.publish.compiled_templates import CompiledTemplates
from aggregator.publish.texts import words

compiled = CompiledTemplates()
GENERATOR = f"aggregator {__version__}"
# In the page, since a plain file server sends no such header.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https:; media-src http: https:; base-uri 'none'; form-action 'self'"
)
# Web readers, and where each takes the address of a feed.
READERS = (
    ("Feedly", "https://feedly.com/i/subscription/feed%2F{}"),
    ("Inoreader", "https://www.inoreader.com/?add_feed={}"),
    ("NewsBlur", "https://www.newsblur.com/?url={}"),
    ("Feedbin", "https://feedbin.com/?subscribe={}"),
)
# An owner's template may do anything with its values.
_FAILURES = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
# As the sanitizer writes them.
_IMAGE = re.compile(r"<img(?: [^<>]*)?>")


def render(name: str, frame: Frame, root: str, **values: object) -> bytes:
    """Return a page in UTF-8: the template `name` with these values.

    `root` is the relative path from the page to the feeds folder.  Raises `PublishError` if a
    template cannot be used.
    """
    environment = _environment(frame.templates)
    try:
        text = environment.get_template(name).render(
            frame=frame,
            root=root,
            say=words(frame.language),
            part=partial(_part, frame, root),
            **values,
        )
    except _FAILURES as error:
        raise PublishError(_reason(error, name)) from error
    return without_forbidden(text).encode("utf-8", "replace") + b"\n"


@lru_cache(maxsize=512)
def _part(frame: Frame, root: str, name: str, feeds: tuple[FeedLink, ...] = ()) -> Markup:
    """Return what many pages have in common: it is rendered once.

    Ten thousand pages would otherwise take twice as long.
    """
    template = _environment(frame.templates).get_template(name)
    return Markup(  # noqa: S704
        template.render(frame=frame, root=root, say=words(frame.language), feeds=feeds)
    )


def check(templates: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the owner's templates, as far as it shows without values."""
    problems = []
    environment = _environment(tuple(sorted(templates.items())))
    for name, text in templates.items():
        if name.endswith(".html"):
            try:
                environment.compile(text, name)
            except TemplateSyntaxError as error:
                problems.append(_reason(error, name))
    return problems


def _reason(error: BaseException, name: str) -> str:
    """Return what is wrong with a template, and where, on one line."""
    if isinstance(error, TemplateSyntaxError):
        place = f"{error.name or name}, line {error.lineno}"
    else:
        place = _place(error) or name
    if isinstance(error, TemplateNotFound):
        return f"template {place}: there is no template {error}"
    is_plain = isinstance(error, TemplateError)
    text = str(error) if is_plain else f"{type(error).__name__}: {error}"
    return f"template {place}: {' '.join(text.split())}"


def _place(error: BaseException) -> str | None:
    """Return the template, and the line of it, in which an error occurred."""
    found = None
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename.rpartition("/")[2]
        if file.endswith(".html"):
            found = f"{file}, line {step.tb_lineno}"
        step = step.tb_next
    return found


def _own(templates: Mapping[str, str], name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """Return a template of the owner's, with its name for tracebacks, None if it is none."""
    text = templates.get(name)
    return (text, name, lambda: True) if text is not None else None


@lru_cache(maxsize=8)
def _environment(own: tuple[tuple[str, str], ...]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [FunctionLoader(partial(_own, dict(own))), PackageLoader("aggregator.publish")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled,
    )
    environment.globals |= {
        "generator": GENERATOR,
        "policy": POLICY,
        "formats": FORMATS,
        "readers": READERS,
    }
    environment.filters |= {
        "here": _here,
        "moment": _moment,
        "feeds": lambda paths: feeds_of(dict(paths)),
        "html": _html,
        "encoded": lambda url: quote(url, safe=""),
    }
    return environment


def _here(url: str, frame: Frame, root: str) -> str:
    """Return a URL of ours relative to the page, so that a copy of the site works anywhere."""
    return root + url.removeprefix(frame.url) if frame.url and url.startswith(frame.url) else url


def _moment(moment: datetime.datetime) -> Markup:
    """Return a time for people, with the exact one for programs."""
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M")
    )


def _html(text: str) -> Markup:
    """Return sanitized HTML: images load when they are near, and do not say where from."""

    def image(match: re.Match[str]) -> str:
        tag = match[0]
        added = ' loading="lazy" decoding="async"'
        if " alt=" not in tag:
            added += ' alt=""'
        if " referrerpolicy=" not in tag:
            added += ' referrerpolicy="no-referrer"'
        return f"<img{added}{tag[4:]}"

    return Markup(_IMAGE.sub(image, text) if "<img" in text else text)  # noqa: S704
