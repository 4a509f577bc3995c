"""The drafts of articles' pages and their texts → files; runs in any process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from aggregator.articles.content_rules import clean
from aggregator.articles.differences import differences
from aggregator.build.rendering import Body, SanitizedText, sanitized, with_text
from aggregator.config.content import ImageRule
from aggregator.model.articles import Revision
from aggregator.model.errors import PublishError
from aggregator.model.pages import ArticlePage, Correction
from aggregator.publish import article
from aggregator.publish.destination import Destination, Prepared


@dataclass(frozen=True)
class Draft:
    """A page without its text, which is `body`; `revisions` are the last ones, with it."""

    code: str
    page: ArticlePage
    body: Body
    revisions: tuple[Revision, ...] = ()


# Articles whose pages are to be written or removed, by code, with the day under which each is
# listed, None if it is not shown; and the pages to write.
Days = dict[str, str | None]
Job = tuple[Days, tuple[Draft, ...]]


class Written(NamedTuple):
    """The files of a page, or its failure, and its text if it was sanitized for it."""

    code: str
    files: tuple[Prepared, ...]
    text: SanitizedText | None
    failure: str | None = None


def produce(
    destination: Destination, images: tuple[ImageRule, ...], sync: bool, job: Job
) -> tuple[Days, list[Written]]:
    """Render pages and prepare their files; runs in any process."""
    done = []
    days, drafts = job
    for draft in drafts:
        html, text = sanitized(draft.body)
        page = replace(
            draft.page,
            entry=with_text(draft.page.entry, html, images),
            corrections=_corrections(draft),
        )
        try:
            files = destination.prepare(page.path, article.render(page), sync=sync)
        except PublishError as error:
            done.append(Written(draft.code, (), text, str(error)))
            continue
        done.append(Written(draft.code, tuple(files), text))
    return days, done


def _corrections(draft: Draft) -> tuple[Correction, ...]:
    """Return what each revision changed, the newest first."""
    found = []
    body = draft.body
    cleaned = [
        clean(one.text, one.media_type, body.base or draft.page.frame.site_url, body.rules).html
        for one in draft.revisions
    ]
    for number in range(len(cleaned) - 1, 0, -1):
        before, now = draft.revisions[number - 1 : number + 1]
        paragraphs, is_cut = differences(cleaned[number - 1], cleaned[number])
        old_title = before.title if before.title != now.title else None
        found.append(Correction(now.seen_at, old_title, paragraphs, is_cut))
    return tuple(found)
