"""The filters that Jekyll adds to Liquid, and limits for Liquid's own.  Pure."""

from __future__ import annotations

import datetime
import functools
import html
import json
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from urllib.parse import quote, quote_plus
from zoneinfo import ZoneInfo

from liquid.exceptions import ResourceLimitError

from aggregator.articles.dates import parse_date
from aggregator.origins.posts import links

Filter = Callable[..., object]
MAX_VALUE = 1_000_000
MAX_NUMBER = 10**18
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INDEX = re.compile(r"/index\.html?$")
_UTC = ZoneInfo("UTC")
# Filters over collections of the site, which a single post does not have.
_COLLECTIONS = ("where_exp", "find_exp", "group_by", "group_by_exp", "sample")


def guarded(name: str, function: Filter) -> Filter:
    """Return a filter that takes and returns no more than `MAX_VALUE` characters or items."""

    @functools.wraps(function)
    def limited(value: object, *arguments: object, **options: object) -> object:
        if not isinstance(value, str | int | float | list | dict | None):
            return value
        _check(name, value, arguments)
        found = function(value, *arguments, **options)
        if isinstance(found, str | list) and len(found) > MAX_VALUE:
            raise ResourceLimitError("a text became too long", token=None)
        if isinstance(found, int | float) and abs(found) > MAX_NUMBER:
            raise ResourceLimitError("a number became too large", token=None)
        return found

    return limited


def _check(name: str, value: object, arguments: tuple[object, ...]) -> None:
    """Raise `ResourceLimitError` for what would become too long while it is made."""
    size = 0
    if name == "replace" and isinstance(value, str) and len(arguments) > 1:
        old, new = str(arguments[0]), str(arguments[1])
        size = (len(value) // max(len(old), 1) + 1) * len(new)
    elif isinstance(value, list):
        size = len(value)
        if name in ("join", "array_to_sentence_string"):
            mark = len(str(arguments[0])) if arguments else 2
            size = sum(mark + len(item) if isinstance(item, str) else mark + 20 for item in value)
        elif name in ("jsonify", "inspect"):
            size = sum(len(item) if isinstance(item, str) else 20 for item in value)
    if size > MAX_VALUE:
        raise ResourceLimitError("a text became too long", token=None)


def jekyll_filters() -> Mapping[str, Filter]:
    """Return Jekyll's filters by name, less those of URLs, which depend on the site."""
    found: dict[str, Filter] = {
        "date_to_string": lambda value, *_: _day(value, "%d %b %Y"),
        "date_to_long_string": lambda value, *_: _day(value, "%d %B %Y"),
        "date_to_xmlschema": lambda value: _dated(value, lambda date: date.isoformat()),
        "date_to_rfc822": lambda value: _dated(value, format_datetime),
        "uri_escape": lambda value: quote(str(value), safe="/-._~!$&'()*+,;=:@?#%[]"),
        "cgi_escape": lambda value: quote_plus(str(value)),
        "xml_escape": lambda value: html.escape(str(value)),
        "normalize_whitespace": lambda value: " ".join(str(value).split()),
        "number_of_words": _number_of_words,
        "array_to_sentence_string": _sentence,
        "jsonify": lambda value: json.dumps(value, ensure_ascii=False, default=str),
        "inspect": lambda value: html.escape(json.dumps(value, ensure_ascii=False, default=str)),
        "slugify": _slugify,
        "strip_index": lambda value: _INDEX.sub("/", str(value)),
        "to_integer": _to_integer,
        "push": lambda value, item: [*value, item] if isinstance(value, list) else value,
        "unshift": lambda value, item: [item, *value] if isinstance(value, list) else value,
        "pop": lambda value, *_: value[:-1] if isinstance(value, list) else value,
        "shift": lambda value, *_: value[1:] if isinstance(value, list) else value,
    }
    for name in ("markdownify", "smartify", "sassify", "scssify"):
        found[name] = str
    for name in _COLLECTIONS:
        found[name] = _unchanged
    return found


def _unchanged(value: object, *_: object) -> object:
    return value


def _dated(value: object, written: Callable[[datetime.datetime], str]) -> str:
    """Return a date as it is written, or the value if it is none."""
    date = parse_date(str(value)[:60], _UTC)
    return str(value) if date is None else written(date)


def _day(value: object, form: str) -> str:
    # The day that is named counts, in whichever zone.
    return _dated(str(value)[:10], lambda date: date.strftime(form))


def _number_of_words(value: object, mode: object = None) -> int:
    text = str(value)
    han = len(_HAN.findall(text))
    if mode == "cjk" or (mode == "auto" and han):
        return han + len(_HAN.sub(" ", text).split())
    return len(text.split())


def _sentence(value: object, connector: object = "and") -> object:
    if not isinstance(value, list):
        return value
    words = list(map(str, value))
    if len(words) < 3:
        return f" {connector} ".join(words)
    return f"{', '.join(words[:-1])}, {connector} {words[-1]}"


def _slugify(value: object, mode: object = None) -> str:
    text = str(value)
    if mode == "none":
        return text.lower()
    if mode == "raw":
        return re.sub(r"\s+", "-", text).lower()
    if mode in ("ascii", "latin"):
        return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    return links.slugify(text, links.PRETTY if mode == "pretty" else frozenset())


def _to_integer(value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    found = re.match(r"\s*([+-]?\d{1,18})", str(value))
    return int(found[1]) if found else 0
