"""Where a site shows a post, by Jekyll's rules.  Pure."""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from aggregator.articles.identity import source_slug
from aggregator.config import permalinks

MAX_PERMALINK = 1000
# What Jekyll keeps of a title in a URL, beside letters, marks and digits.
PRETTY = frozenset("._~!$&'()+,;=@")
_UNWANTED = re.compile(r"[^A-Za-z0-9]+")
DATED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-")
# A date with a time and without a zone: YAML, and so Jekyll, reads it as UTC.
_YAML_TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|[ \t]+)\d{1,2}:\d\d:\d\d(?:\.\d*)?")
_HTML_SUFFIXES = frozenset({"", ".md", ".markdown", ".mkdown", ".mkdn", ".mkd", ".html"})
# What stays as it is in a path; a percent sign is that of an escape already.
_SAFE = "/-._~!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class Place:
    """What the URL of a post is made of.

    `path` is that of the file without its extension and without `_posts`; `slug` and `permalink`
    are those of the front matter, empty if it has none; `date` is in the zone of the site.
    """

    path: str
    suffix: str
    slug: str
    permalink: str
    categories: tuple[str, ...]
    source: str
    code: str
    date: datetime.datetime

    @property
    def stem(self) -> str:
        """The name of the file without its extension."""
        return self.path.rpartition("/")[2]


def url_of(place: Place, template: str | None, site_url: str) -> str | None:
    """Return the URL of a post, None if neither the template nor the front matter gives one."""
    if place.permalink:
        path = _filled(place.permalink[:MAX_PERMALINK], place)
    elif template is None:
        return None
    elif permalinks.is_ours(template):
        return _formatted(template, place, site_url)
    else:
        path = _filled(permalinks.STYLES.get(template, template), place)
    # As Jekyll's `sanitize_url`.
    path = re.sub("/{2,}", "/", f"/{path}".replace("..", "/").replace("./", ""))
    return site_url.rstrip("/") + quote(path, safe=_SAFE + "%?#", errors="replace")


def slug_of_stem(stem: str) -> str:
    """Return the name of a file without its date.

    >>> slug_of_stem("2021-03-01-hello")
    'hello'
    """
    return DATED.sub("", stem, count=1).rstrip(".") if DATED.match(stem) else stem.rstrip(".")


def title_of_slug(slug: str) -> str:
    """Return the title of a post without one, made from its name.

    >>> title_of_slug("hello-old-World")
    'Hello Old World'
    """
    return " ".join(word.capitalize() for word in slug.split("-"))


def slugify(text: str, kept: frozenset[str] = frozenset(), *, cased: bool = False) -> str:
    """Return a text as Jekyll has it in URLs.

    >>> slugify("Rails 3.2.10 & 3.1.9"), slugify("Rails 3.2.10 & 3.1.9", PRETTY, cased=True)
    ('rails-3-2-10-3-1-9', 'Rails-3.2.10-&-3.1.9')
    """
    if text.isascii() and not kept:
        slug = _UNWANTED.sub("-", text)
    else:
        letters = (letter if letter in kept or _is_word(letter) else " " for letter in text)
        slug = re.sub(" +", "-", "".join(letters))
    slug = slug.removeprefix("-").removesuffix("-")
    return slug if cased else slug.lower()


def is_utc_to_jekyll(date: str) -> bool:
    """Return whether Jekyll reads a date without a zone as UTC.

    >>> is_utc_to_jekyll("2021-03-10 20:30:00"), is_utc_to_jekyll("2021-03-10 20:30")
    (True, False)
    """
    return _YAML_TIME.fullmatch(date) is not None


def _is_word(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] in "LM" or category == "Nd"


def _title(place: Place) -> str:
    return slugify(place.slug or slug_of_stem(place.stem), PRETTY, cased=True)


def _formatted(template: str, place: Place, site_url: str) -> str:
    """Return a template of ours, filled in."""
    mark = "\0"
    filled = template.format(
        url=mark,
        source=source_slug(place.source) if place.source else "",
        date=place.date,
        stem=quote(place.stem, safe="", errors="replace"),
        slug=quote(_title(place), safe=_SAFE, errors="replace"),
        code=place.code,
    )
    # A post without a source leaves no empty folder.
    if not place.source:
        filled = re.sub(f"{mark}/+", mark, re.sub("(?<!:)/{2,}", "/", filled))
    return filled.replace(mark, site_url)


def _filled(template: str, place: Place) -> str:
    """Return a template of Jekyll's, filled in and escaped."""

    def value(match: re.Match[str]) -> str:
        key = match[1]
        found = _value(key, place)
        if found is None and key.endswith("_"):
            found = _value(key[:-1], place)
            return match[0] if found is None else quote(found, safe=_SAFE, errors="replace") + "_"
        return match[0] if found is None else quote(found, safe=_SAFE, errors="replace")

    return permalinks.PLACEHOLDER.sub(value, template)


def _value(key: str, place: Place) -> str | None:
    """Return the value of a placeholder, None for an unknown one."""
    if key in permalinks.DATES:
        return place.date.strftime(permalinks.DATES[key])
    match key:
        case "title":
            return _title(place)
        case "slug":
            return slugify(place.slug or slug_of_stem(place.stem))
        case "categories":
            return "/".join(dict.fromkeys(name.lower() for name in place.categories))
        case "slugified_categories":
            return "/".join(dict.fromkeys(map(slugify, place.categories)))
        case "output_ext":
            return ".html" if place.suffix in _HTML_SUFFIXES else place.suffix
        case "path":
            return place.path.rstrip(".")
        case "name":
            return slugify(place.stem)
        case "collection":
            return "posts"
        case "i_month":
            return str(place.date.month)
        case "i_day":
            return str(place.date.day)
    return None
