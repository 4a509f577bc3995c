"""JSON Feed 1.0 and 1.1: the document's frame (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.errors import UnusableError
from aggregator.model.nesting import check_json


def read(data: bytes) -> tuple[str | None, list[object]]:
    """The title and the items of a JSON Feed.  Raises `UnusableError` for what is none."""
    try:
        body = data.decode("utf-8-sig")
        check_json(body)
        document = json.loads(body, parse_constant=_refuse)
    except UnusableError:
        raise
    except ValueError as error:
        raise UnusableError(f"no JSON Feed: {str(error)[:200]}") from error
    version = document.get("version") if isinstance(document, dict) else None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not str(version).startswith(
        ("https://jsonfeed.org/version/", "http://jsonfeed.org/version/",
         "https://www.jsonfeed.org/version/")
    ):  # fmt: skip
        raise UnusableError("JSON, but no JSON Feed")
    return text(document.get("title"))[:1000] or None, items


def text(value: object) -> str:
    """A text, empty for what can be none.  Some feeds write numbers where text belongs."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return without_forbidden(value) if isinstance(value, str) else ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
