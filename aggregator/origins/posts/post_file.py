"""The bytes of one post file → a copy of an article, and the problems of the post.

Everything here can be pickled: large polls parse in several processes.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aggregator.articles import dates, identity, sanitize
from aggregator.articles.sources import NEWS
from aggregator.articles.titles import MAX_TITLE, TITLE_FROM_TEXT, one_line
from aggregator.model.articles import NO_SOURCE, Clues, Copy, Problem
from aggregator.model.digests import digest
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.packing import pack
from aggregator.origins.parsers.encodings import decode
from aggregator.origins.posts import front_matter

MAX_NAME = 300
# Longer lines are not boilerplate, and could keep a pattern busy for minutes.
MAX_MATCHED = 2000

_AUTOLINK = re.compile(r"\s*<?(https?://[^\s<>]+)>?\s*", re.IGNORECASE)
_EMPTY_AUTOLINK = re.compile(r"\s*<>\s*")
# What is said of a post: a line of its file, where one is known, and the text.
_Notes = list[tuple[int | None, str]]


@dataclass(frozen=True, slots=True)
class PostRules:
    """All that reading a post depends on, apart from the file itself."""

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
    """What was read from a post.

    `copy` is None for a draft (`withdrawn`), for a file that is not a post, and for one
    that cannot be used (`problems` says why).
    """

    copy: Copy | None = None
    problems: tuple[Problem, ...] = ()
    withdrawn: bool = False


class _Post(NamedTuple):
    """A post's file, its name without the extension, its whole text, and its metadata."""

    file: PostFile
    stem: str
    text: str
    values: Mapping[str, object]


def parse(file: PostFile, rules: PostRules) -> Parsed:
    """Read one post.  Nothing that a file may contain makes it raise an error."""
    try:
        return _parse(file, rules)
    except UnusableError as error:
        problem = Problem(file.location, error.reason, error.line)
        return Parsed(problems=(problem,))
    except Exception as error:  # noqa: BLE001  # a bug of ours costs one post, and is reported
        LOGGER.debug("%s", file.location, exc_info=True)
        problem = Problem(file.location, f"cannot be read ({unforeseen(error)})")
        return Parsed(problems=(problem,))


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
    notes: _Notes = list(front.notes)

    body = _without_boilerplate(front.body, rules.drop_lines)
    body, share_url, article_url = _without_trailing_links(body, rules.identity)

    whole_title = front_matter.text_of(values.get("title"))
    title = one_line(whole_title)
    if title != whole_title:
        notes.append((None, f"the title was cut at {MAX_TITLE} characters"))
    categories = front_matter.words_of(values.get("categories")) + front_matter.words_of(
        values.get("category")
    )
    tags = front_matter.words_of(values.get("tags"), values.get("tag"))
    source = categories[0][:MAX_NAME] if categories else NO_SOURCE

    if any(marker in body for marker in ("{{", "{%")):
        body, liquid_notes = _render_liquid(body, title, values, categories, tags, rules)
        notes += [(_line_of(text, "{%"), note) for note in liquid_notes]
    body = body.strip("\n")
    kind = sanitize.media_type(body, suffix.lower())
    sanitize.check_limits(body, kind)
    if not title:
        title = _title_from(body, stem)

    post = _Post(file, stem, text, values)
    code, code_notes = _code(post, share_url, article_url, rules)
    notes += code_notes
    published, guess, date_notes = _dates(post, code, rules)
    notes += date_notes
    permalink = None
    if rules.permalink is not None:
        local = guess.astimezone(ZoneInfo(rules.timezone))
        permalink = _permalink(rules, source, local, stem, code)
    name = next((tag.removesuffix(NEWS) for tag in tags if tag.endswith(NEWS)), "")
    return Parsed(
        Copy(
            origin=rules.origin,
            location=file.location,
            code=code,
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


def _title_from(body: str, stem: str) -> str:
    """Return what stands in for a missing title: the first words of the text, or the file name.

    Raises `UnusableError` if there is no text either.
    """
    if not body.strip():
        raise UnusableError("neither a title nor a text", 1)
    return sanitize.plain_text(body[:4000], TITLE_FROM_TEXT).lstrip("># *") or stem


def _code(
    post: _Post, share_url: str | None, article_url: str | None, rules: PostRules
) -> tuple[str, _Notes]:
    """Return the article's code, with a note for each clue that names another one."""
    try:
        clues = Clues(
            front_matter=front_matter.code_of(post.values.get(rules.code_key)),
            share_url=share_url,
            article_url=article_url,
            file_name=post.stem,
            fallback=identity.path_fallback(post.file.raw_path),
        )
        found = identity.resolve(clues, rules.identity)
    except UnusableError as error:
        raise UnusableError(error.reason, _line_of(post.text, f"\n{rules.code_key}")) from error
    return found.code, [(None, disagreement) for disagreement in found.disagreements]


def _dates(
    post: _Post, code: str, rules: PostRules
) -> tuple[datetime.datetime | None, datetime.datetime, _Notes]:
    """Return the post's own date, the best guess at it, and a note if it cannot be read."""
    zone = ZoneInfo(rules.timezone)
    date = post.values.get("date")
    published = dates.parse_date(front_matter.text_of(date), zone)
    guess = (
        published
        or dates.date_of_name(post.stem, zone)
        or dates.date_of_code(code, zone)
        or datetime.datetime.fromtimestamp(int(max(post.file.modified, 0)), datetime.UTC)
    )
    if published is not None or date in (None, ""):
        return published, guess, []
    taken = f"{guess.astimezone(zone):%Y-%m-%d} was taken"
    return None, guess, [(_line_of(post.text, "\ndate:"), f"{dates.unreadable(date)}: {taken}")]


def _without_boilerplate(body: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    """Return the body without the lines that match a pattern."""
    lines = body.split("\n")
    for pattern in patterns:
        # An anchored pattern matches at the start only, but `search` tries everywhere.
        find = pattern.match if pattern.pattern.startswith("^") else pattern.search
        lines = [line for line in lines if len(line) > MAX_MATCHED or find(line) is None]
    return "\n".join(lines)


def _without_trailing_links(body: str, rules: identity.Rules) -> tuple[str, str | None, str | None]:
    """Return the body without the links to itself, and its share link and article link.

    They are alone on lines after the text; a link inside the text is about another
    article, and one on its own line without a code is text.
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


def _line_of(text: str, mark: str) -> int | None:
    """Return the first line with `mark` in it, or after its line break; None without one."""
    found = text.find(mark)
    return text.count("\n", 0, found + 1) + 1 if found >= 0 else None


def _permalink(rules: PostRules, source: str, date: datetime.datetime, stem: str, code: str) -> str:
    """Return the URL of the post's page on the site."""
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
