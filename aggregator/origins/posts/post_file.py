"""The bytes of one post file → a copy of an article, and the problems of the post.

Everything here can be pickled: large polls parse in several processes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aggregator.articles import identity, sanitize
from aggregator.articles.authors import author_of
from aggregator.articles.markdown import render_markdown
from aggregator.articles.sources import NEWS
from aggregator.articles.titles import MAX_TITLE, TITLE_FROM_TEXT, one_line
from aggregator.model.articles import Clues, Copy, Problem
from aggregator.model.digests import digest
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.packing import pack
from aggregator.origins.posts import front_matter, links
from aggregator.origins.posts.pages import Find, address_of, url_of
from aggregator.origins.posts.post import (
    MAX_NAME,
    Notes,
    Post,
    PostFile,
    PostRules,
    categories_of,
    dates_of,
    line_of,
    source_of,
    split,
)
from aggregator.origins.posts.post_text import without_boilerplate, without_trailing_links

# Hugo's own, which only Hugo can fill in.
_SHORTCODE = re.compile(r"\{\{[<%](?:(?!\}\}).){0,2000}\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read from a post.

    `copy` is None for a draft (`withdrawn`), for a file that is not a post, and for one
    that cannot be used (`problems` says why).
    """

    copy: Copy | None = None
    problems: tuple[Problem, ...] = ()
    withdrawn: bool = False


def parse(file: PostFile, rules: PostRules, find: Find = lambda name: None) -> Parsed:
    """Read one post.  Nothing that a file may contain makes it raise an error.

    `find` returns another post of the folder by its name.
    """
    try:
        return _parse(file, rules, find)
    except UnusableError as error:
        problem = Problem(file.location, error.reason, error.line)
        return Parsed(problems=(problem,))
    except Exception as error:  # noqa: BLE001  # a bug of ours costs one post, and is reported
        LOGGER.debug("%s", file.location, exc_info=True)
        problem = Problem(file.location, f"cannot be read ({unforeseen(error)})")
        return Parsed(problems=(problem,))


def _parse(file: PostFile, rules: PostRules, find: Find) -> Parsed:
    post = split(file, rules)
    if post is None:
        return Parsed()
    values = post.values
    if values.get("published") in (False, "false") or values.get("draft") in (True, "true"):
        return Parsed(withdrawn=True)
    notes: Notes = list(post.front.notes)

    body = without_boilerplate(post.front.body, rules.drop_lines)
    body, share_url, article_url = without_trailing_links(body, rules.identity)

    whole_title = front_matter.text_of(values.get("title"))
    title = one_line(whole_title)
    if title != whole_title:
        notes.append((None, f"the title was cut at {MAX_TITLE} characters"))
    categories = categories_of(post)
    tags = front_matter.words_of(values.get("tags")) + front_matter.items_of(values.get("tag"))

    code, code_notes = _code(post, share_url, article_url, rules)
    published, guess, date_notes = dates_of(post, code, rules)
    permalink = url_of(post, code, guess, rules, rules.permalink)
    if any(marker in body for marker in ("{{", "{%")):
        page = {
            **values,
            "title": title or _title_of_name(post, rules),
            "categories": categories,
            "tags": tags,
            "date": f"{guess.astimezone(ZoneInfo(rules.timezone)):%Y-%m-%d %H:%M:%S %z}",
        }
        body, liquid_notes = _render_liquid(body, page, rules, find)
        notes += [(line_of(post.text, "{%"), note) for note in liquid_notes]
    body = body.strip("\n")
    kind = sanitize.media_type(body, post.suffix)
    sanitize.check_limits(body, kind)
    if not title:
        title = _title_from(body, kind, post, rules)

    notes += code_notes + date_notes
    name = next((tag.removesuffix(NEWS) for tag in tags if tag.endswith(NEWS)), "")
    others = categories if rules.source else categories[1:]
    return Parsed(
        Copy(
            origin=rules.origin,
            location=file.location,
            code=code,
            source=source_of(categories, rules),
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
            categories=tuple(dict.fromkeys([*others, *tags]))[:20],
            author=author_of(front_matter.authors_of(values)),
        ),
        tuple(Problem(file.location, note, line) for line, note in notes),
    )


def _title_from(body: str, kind: str, post: Post, rules: PostRules) -> str:
    """Return what stands in for a missing title: that of the file name, else the first words.

    Raises `UnusableError` if there is no text either.
    """
    if not body.strip():
        raise UnusableError("neither a title nor a text", 1)
    title = _title_of_name(post, rules)
    if not title:
        start = body[:4000]
        html = render_markdown(start) if kind == sanitize.MARKDOWN else start
        title = sanitize.plain_text(html, TITLE_FROM_TEXT)
    return title or post.stem


def _title_of_name(post: Post, rules: PostRules) -> str:
    """Return the title that Jekyll takes from the file name, empty where it has another.

    A code is no title to anybody.
    """
    is_named = rules.layout == "jekyll" and post.values.get("title") is None
    if not is_named or identity.code_of_file_name(post.stem, rules.identity) is not None:
        return ""
    return one_line(links.title_of_slug(links.slug_of_stem(post.stem)))


def _code(
    post: Post, share_url: str | None, article_url: str | None, rules: PostRules
) -> tuple[str, Notes]:
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
        raise UnusableError(error.reason, line_of(post.text, f"\n{rules.code_key}")) from error
    return found.code, [(None, disagreement) for disagreement in found.disagreements]


def _render_liquid(
    body: str, page: Mapping[str, object], rules: PostRules, find: Find
) -> tuple[str, list[str]]:
    if rules.layout == "hugo":
        return _SHORTCODE.sub("", body), []
    from aggregator.origins.posts import liquid

    parts = urlsplit(rules.site_url)
    site = {
        "url": f"{parts.scheme}://{parts.netloc}",
        "title": rules.site_title,
        "baseurl": parts.path.rstrip("/"),
    }
    return liquid.render(body, site, page, lambda name: address_of(name, rules, find))
