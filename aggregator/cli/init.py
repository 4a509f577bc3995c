"""`init`: write a configuration to start from."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from aggregator.model.errors import AggregatorError


class Values(NamedTuple):
    """Values given as options; the owner fills in the others."""

    title: str | None = None
    url: str | None = None
    tag: str | None = None
    language: str | None = None
    posts: Path | None = None


def write_starter(directory: Path, values: Values) -> list[Path]:
    """Write config.yaml into `directory`, and make posts/ unless `values` name a posts folder.

    Returns the paths made.  Raises `AggregatorError` if there is a configuration already, which
    is left alone, or if the folder cannot be written.
    """
    config = directory / "config.yaml"
    posts = directory / "posts" if values.posts is None else None
    starter = files("aggregator.cli").joinpath("starter.yaml").read_text(encoding="utf-8")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write(_filled(starter, values))
        if posts is not None:
            posts.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise AggregatorError(f"{config}: there is one already; it was left alone") from error
    except OSError as error:
        raise AggregatorError(f"{directory}: cannot be written: {error.strerror}") from error
    return [config] if posts is None else [config, posts]


def _filled(text: str, values: Values) -> str:
    site, feeds = text.split("\nfeeds:")
    for key in ("title", "url", "tag", "language"):
        site = _with(site, f"  {key}", getattr(values, key))
    if values.posts is not None:
        site = _with(site, "  - path", str(values.posts.absolute()))
    if values.url is not None:
        feeds = _with(feeds, "  url", values.url.rstrip("/") + "/feeds/")
    return f"{site}\nfeeds:{feeds}"


def _with(text: str, key: str, value: str | None) -> str:
    """Return the text with the value of a key set, quoted as JSON, which is YAML, too."""
    if value is None:
        return text
    line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
    return re.sub(rf"^{re.escape(key)}:.*$", lambda _: line, text, count=1, flags=re.MULTILINE)
