"""JSON Feed 1.0 and 1.1: the document's frame (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json

from aggregator.content import without_forbidden
from aggregator.errors import UnusableError
from aggregator.nesting import check_json


def read(data: bytes) -> tuple[str | None, list[object]]:
    """The title and the items of a JSON Feed.  Raises `UnusableError` for what is none."""
    try:
        text = data.decode("utf-8-sig")
        check_json(text)
        document = json.loads(text, parse_constant=_refuse)
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
    title = document.get("title")
    return (without_forbidden(title)[:1000] if isinstance(title, str) else None), items


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
