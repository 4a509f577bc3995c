"""The body of a response → JSON values, and texts from them.  Pure."""

from __future__ import annotations

import functools
import json
from typing import Any

from aggregator.articles.sanitize import without_forbidden
from aggregator.articles.titles import MAX_TITLE, one_line
from aggregator.model.errors import UnusableError
from aggregator.model.nesting import check_json
from aggregator.origins.parsers.page import decode_page


def load(data: bytes, content_type: str = "") -> object:
    """Return the JSON document of a body (RFC 8259), in whatever encoding.

    Raises `UnusableError` if it is not JSON: login pages are often HTML.
    """
    if not data.strip():
        raise UnusableError("an empty response")
    text = decode_page(data, content_type)
    if text.lstrip()[:1] == "<":
        raise UnusableError("not JSON but HTML: a login, captcha or error page?")
    check_json(text.lstrip())
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "an unreadable number"
        raise UnusableError(f"not JSON: {reason}") from error


def search(expression: str, document: object) -> Any:
    """Return what a JMESPath expression finds, None for nothing."""
    import jmespath

    try:
        return _compiled(expression).search(document)
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError, TypeError) as error:
        raise UnusableError(f"{expression}: {str(error).splitlines()[0]}") from error


def text(expression: str | None, document: object, name: str) -> str:
    """Return a text, empty where there is none; a number becomes its digits.

    Raises `UnusableError` for a list, an object, true or false.
    """
    value = search(expression, document) if expression else None
    if value is None:
        return ""
    if isinstance(value, str):
        return without_forbidden(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    kind = {bool: "true or false", list: "a list", dict: "an object"}[type(value)]
    raise UnusableError(f"its {name} is {kind}, not text")


def line(expression: str | None, document: object, name: str, limit: int = MAX_TITLE) -> str:
    """Return a text on one line, cut at `limit` characters: for titles and names."""
    return one_line(text(expression, document, name), limit)


def code(expression: str, document: object) -> str:
    """Return the code that a response names, empty for a list, an object, true or false.

    Some upstreams write its digits as a number.
    """
    value = search(expression, document)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


@functools.lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    import jmespath

    return jmespath.compile(expression)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
