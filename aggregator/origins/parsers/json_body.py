"""The body of an answer → JSON values, and texts out of them.  Pure."""

from __future__ import annotations

import functools
import json
from typing import Any

import jmespath

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.errors import UnusableError
from aggregator.model.nesting import check_json
from aggregator.origins.parsers.page import decode_page

MAX_TITLE = 1000


def load(data: bytes, content_type: str = "") -> object:
    """The JSON document of a body (RFC 8259), in whatever encoding.

    Raises `UnusableError` for what is none; login pages come as HTML.
    """
    if not data.strip():
        raise UnusableError("an empty answer")
    text = decode_page(data, content_type)
    if text.lstrip()[:1] == "<":
        raise UnusableError("not JSON but HTML: a login, captcha or error page?")
    check_json(text.lstrip())
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "a number of no use"
        raise UnusableError(f"not JSON: {reason}") from error


def search(expression: str, document: object) -> Any:
    """What a JMESPath expression finds, None for nothing."""
    try:
        return _compiled(expression).search(document)
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError, TypeError) as error:
        raise UnusableError(f"{expression}: {str(error).splitlines()[0]}") from error


def text(expression: str | None, document: object, name: str) -> str:
    """A text, empty where there is none.  A number becomes its digits.

    Raises `UnusableError` for a list, a section, true or false.
    """
    value = search(expression, document) if expression else None
    if value is None:
        return ""
    if isinstance(value, str):
        return without_forbidden(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    kind = {bool: "true or false", list: "a list", dict: "a section"}[type(value)]
    raise UnusableError(f"its {name} is {kind}, not text")


def line(expression: str | None, document: object, name: str, limit: int = MAX_TITLE) -> str:
    """The same on one line, clipped: for titles and names."""
    found = " ".join(text(expression, document, name).split())
    return found if len(found) <= limit else found[:limit].rstrip() + "…"


def code(expression: str, document: object) -> str:
    """The code that an answer names, empty for what can be none: a list, a section, a flag.

    Upstreams write the digits of one as a number, too.
    """
    value = search(expression, document)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


@functools.lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
