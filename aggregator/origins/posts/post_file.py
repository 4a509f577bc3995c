"""The bytes of one post file → a copy of an article, with the problems met on the way.

Pure, and picklable throughout: large polls parse in several processes.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aggregator.articles import dates, identity, sanitize
from aggregator.model.articles import NO_SOURCE, Clues, Copy, Problem
from aggregator.model.digests import digest
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.packing import pack
from aggregator.origins.parsers.encodings import decode
from aggregator.origins.posts import front_matter

MAX_TITLE = 1000
MAX_NAME = 300
TITLE_FROM_TEXT = 60
# Longer lines are no boilerplate, and could keep a pattern busy for minutes.
MAX_MATCHED = 2000

_AUTOLINK = re.compile(r"\s*<?(https?://[^\s<>]+)>?\s*", re.IGNORECASE)
_EMPTY_AUTOLINK = re.compile(r"\s*<>\s*")
_NEWS_TAG = "新闻"


@dataclass(frozen=True, slots=True)
class PostRules:
    """All that reading a post depends on beside the file itself."""

    origin: str
    identity: identity.Rules
    code_key: str
    drop_lines: tuple[re.Pattern[str], ...]
    timezone: str
    site_url: str
    site_title: str
    permalink: str | None
    max_bytes: int


@dataclass(frozen=True, slots=True)
class PostFile:
    """A file to parse: its location, its path as bytes, its content and its time.

    `modified` is in seconds since 1970 and not in the future.
    """

    location: str
    raw_path: bytes
    data: bytes
    modified: float


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a post gave.

    `copy` is None for a draft (`withdrawn`), for a file that is no post (neither), and
    for one that cannot be used (`problems` says why, and `failed` is set).
    """

    copy: Copy | None = None
    problems: tuple[Problem, ...] = ()
    withdrawn: bool = False
    failed: bool = False


def parse(file: PostFile, rules: PostRules) -> Parsed:
    """Read one post.  Never raises for anything that a file can hold."""
    try:
        return _parse(file, rules)
    except UnusableError as error:
        problem = Problem(file.location, error.reason, error.line)
        return Parsed(problems=(problem,), failed=True)
    except Exception as error:  # noqa: BLE001  # a defect of ours costs one post, and is seen
        LOGGER.debug("%s", file.location, exc_info=True)
        problem = Problem(file.location, f"cannot be read ({unforeseen(error)})")
        return Parsed(problems=(problem,), failed=True)


def _parse(file: PostFile, rules: PostRules) -> Parsed:
    file_name = os.path.basename(file.raw_path).decode("utf-8", "backslashreplace")
    stem, suffix = os.path.splitext(file_name)
    text = sanitize.without_forbidden(decode(file.data))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not suffix and not front_matter.has_front_matter(text):
        return Parsed()
    front = front_matter.split(text)
    values = front.values
    if values.get("published") in (False, "false") or values.get("draft") in (True, "true"):
        return Parsed(withdrawn=True)
    zone = ZoneInfo(rules.timezone)
    notes: list[tuple[int | None, str]] = list(front.notes)

    body = _without_boilerplate(front.body, rules.drop_lines)
    body, share_url, article_url = _without_trailing_links(body, rules.identity)

    title = _text_value(values.get("title"))
    if len(title) > MAX_TITLE:
        title = title[:MAX_TITLE].rstrip() + "…"
        notes.append((None, f"the title was cut at {MAX_TITLE} characters"))
    categories = _words(values.get("categories")) + _words(values.get("category"))
    tags = _words(values.get("tags")) + _words(values.get("tag"))
    source = categories[0][:MAX_NAME] if categories else NO_SOURCE

    if any(marker in body for marker in ("{{", "{%")):
        body, liquid_notes = _render_liquid(body, title, values, categories, tags, rules)
        notes += [(_line_of(text, "{%"), note) for note in liquid_notes]
    body = body.strip("\n")
    kind = sanitize.media_type(body, suffix.lower())
    sanitize.check_limits(body, kind)
    if not title:
        title = sanitize.plain_text(body[:4000], TITLE_FROM_TEXT).lstrip("># *") or stem
        if not body.strip():
            raise UnusableError("neither a title nor a text", 1)

    try:
        clues = Clues(
            front_matter=_code_value(values.get(rules.code_key)),
            share_url=share_url,
            article_url=article_url,
            file_name=stem,
            fallback=identity.path_fallback(file.raw_path),
        )
        found = identity.resolve(clues, rules.identity)
    except UnusableError as error:
        raise UnusableError(error.reason, _line_of(text, f"\n{rules.code_key}")) from error
    notes += [(None, disagreement) for disagreement in found.disagreements]
    date = values.get("date")
    published = dates.parse_date(_text_value(date), zone)
    guess = (
        published
        or dates.date_of_name(stem, zone)
        or dates.date_of_code(found.code, zone)
        or datetime.datetime.fromtimestamp(int(max(file.modified, 0)), datetime.UTC)
    )
    if published is None and date not in (None, ""):
        taken = f"{guess.astimezone(zone):%Y-%m-%d} was taken"
        notes.append((_line_of(text, "\ndate:"), f"{dates.unreadable(date)}: {taken}"))
    permalink = None
    if rules.permalink is not None:
        permalink = _permalink(rules, source, guess.astimezone(zone), stem, found.code)
    name = next((tag[: -len(_NEWS_TAG)] for tag in tags if tag.endswith(_NEWS_TAG)), "")
    return Parsed(
        Copy(
            origin=rules.origin,
            location=file.location,
            code=found.code,
            source=source,
            source_name=name[:MAX_NAME] or None,
            title=title,
            published=published,
            published_guess=guess,
            body=pack(body),
            media_type=kind,
            raw_hash=digest(f"{title}\0{kind}\0{body}".encode("utf-8", "replace")),
            # Rolling news is a quote of the article's first words.
            is_full=not body.lstrip().startswith(">"),
            permalink=permalink,
            link=article_url,
            share_url=share_url,
            categories=tuple(dict.fromkeys([*categories[1:], *tags]))[:20],
        ),
        tuple(Problem(file.location, note, line) for line, note in notes),
    )


def _without_boilerplate(body: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    """The body less the lines that match a pattern."""
    lines = body.split("\n")
    for pattern in patterns:
        # An anchored pattern can match at the start only, but `search` tries everywhere.
        find = pattern.match if pattern.pattern.startswith("^") else pattern.search
        lines = [line for line in lines if len(line) > MAX_MATCHED or find(line) is None]
    return "\n".join(lines)


def _without_trailing_links(body: str, rules: identity.Rules) -> tuple[str, str | None, str | None]:
    """The body less the links to itself, and the share link and article link found.

    They stand alone on lines after the text; a link inside the text is about another
    article, and one alone that names no article is text.
    """
    share_url = article_url = None
    end = len(body.rstrip())
    while end:
        start = body.rfind("\n", 0, end) + 1
        line = body[start:end]
        match = _AUTOLINK.fullmatch(line)
        if match is not None:
            url = match[1]
            if identity.code_of_share_url(url, rules):
                share_url = url
            elif identity.code_of_article_url(url, rules):
                article_url = url
            else:
                break
        elif not _EMPTY_AUTOLINK.fullmatch(line):
            break
        end = start
        while end and body[end - 1].isspace():
            end -= 1
    return body[:end], share_url, article_url


def _text_value(value: object) -> str:
    """A scalar of the front matter as one line of text, anything else as none."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return ""
    return " ".join(sanitize.without_forbidden(str(value)).split())


def _line_of(text: str, mark: str) -> int | None:
    """The line in which `mark` first stands, or that which follows its line break."""
    found = text.find(mark)
    return text.count("\n", 0, found + 1) + 1 if found >= 0 else None


def _code_value(value: object) -> str | None:
    """The front matter's code.  Raises `UnusableError` for what can't be one."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        kind = {bool: "true or false", list: "a list", dict: "a section"}.get(
            type(value), "no text"
        )
        raise UnusableError(f"the code in the front matter is {kind}, not a code")
    return str(value)


def _words(value: object) -> list[str]:
    """Categories or tags: a list, or a string of several words (as in Jekyll)."""
    if isinstance(value, str):
        return sanitize.without_forbidden(value).split()
    if isinstance(value, list):
        return [text for text in map(_text_value, value) if text]
    text = _text_value(value)
    return [text] if text else []


def _permalink(rules: PostRules, source: str, date: datetime.datetime, stem: str, code: str) -> str:
    """The post's page on the site."""
    slug = re.sub(r"^\d{4}-\d{1,2}-\d{1,2}-", "", stem)
    return (rules.permalink or "").format(
        url=rules.site_url,
        source=identity.source_slug(source),
        date=date,
        stem=quote(stem, safe="", errors="replace"),
        slug=quote(slug, safe="", errors="replace"),
        code=code,
    )


def _render_liquid(
    body: str,
    title: str,
    values: Mapping[str, object],
    categories: list[str],
    tags: list[str],
    rules: PostRules,
) -> tuple[str, list[str]]:
    from aggregator.origins.posts import liquid

    site = {"url": rules.site_url.rstrip("/"), "title": rules.site_title, "baseurl": ""}
    page = {**values, "title": title, "categories": categories, "tags": tags}
    return liquid.render(body, site, page)
