"""What `aggregator init` writes."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from aggregator.model.errors import AggregatorError


class Known(NamedTuple):
    """What the owner has said already; the rest is left to be filled in."""

    title: str | None = None
    url: str | None = None
    tag: str | None = None
    language: str | None = None
    posts: Path | None = None


def write_starter(directory: Path, known: Known) -> list[Path]:
    """Write config.yaml into `directory`, and posts/ unless there is a folder of posts already.

    Returns what was made.  Raises `AggregatorError` rather than touch a configuration that
    is there.
    """
    config = directory / "config.yaml"
    posts = directory / "posts" if known.posts is None else None
    text = _filled(
        files("aggregator.cli").joinpath("starter.yaml").read_text(encoding="utf-8"), known
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write(text)
        if posts is not None:
            posts.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise AggregatorError(f"{config}: there is one already; it was left alone") from error
    except OSError as error:
        raise AggregatorError(f"{directory}: cannot be written: {error.strerror}") from error
    return [config] if posts is None else [config, posts]


def _filled(text: str, known: Known) -> str:
    site, feeds = text.split("\nfeeds:")
    for key in ("title", "url", "tag", "language"):
        site = _with(site, f"  {key}", getattr(known, key))
    if known.posts is not None:
        site = _with(site, "  - path", str(known.posts.absolute()))
    if known.url is not None:
        feeds = _with(feeds, "  url", known.url.rstrip("/") + "/feeds/")
    return f"{site}\nfeeds:{feeds}"


def _with(text: str, key: str, value: str | None) -> str:
    """The text with the value of a key; a string of JSON is one of YAML."""
    if value is None:
        return text
    line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
    return re.sub(rf"^{re.escape(key)}:.*$", lambda _: line, text, count=1, flags=re.MULTILINE)
