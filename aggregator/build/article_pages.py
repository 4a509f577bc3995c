"""The articles' own pages: which are to be written, and how they come into place.

A page is written again when its article, or what others report of it, changes; its path never
changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator import processes
from aggregator.build import entries, page_folders
from aggregator.build.context import Context
from aggregator.build.entries import SourceNames
from aggregator.build.page_rendering import Days, Draft, Job, Written, produce
from aggregator.build.related import AlsoReported, also_reported, with_also
from aggregator.model.articles import Article, Revision
from aggregator.model.errors import PublishError
from aggregator.model.feeds import FeedSpec, PublishedFile
from aggregator.model.pages import ArticlePage, FeedLink
from aggregator.publish.destination import Prepared
from aggregator.publish.documents import make_entry
from aggregator.publish.publication import ARTICLES, Publication
from aggregator.store import pages, renditions, selected, similar
from aggregator.store.articles import articles_of, revisions_of
from aggregator.store.selected import PAGES
from aggregator.store.windows import codes_due

# Articles that are decided on, and pages that are saved, in one transaction.
BATCH, SAVED = 2_000, 250
# Pages in one job of a worker process.
TOGETHER = 50
# So many pages are each written to the disk by themselves; more of them, all at once.
FEW = 50
MAX_CORRECTIONS = 5
# Increase whenever pages or lists change: all are then written again.
VERSION = 2


def decide(context: Context, changed: Iterable[str]) -> None:
    """Save which pages are to be written: new and changed articles, and those that are due."""
    publication = context.publication
    with context.store.transaction() as connection:
        known = selected.progress(connection).get(PAGES)
        if not publication.has_pages:
            return
        rules = publication.page_rules(VERSION)
        if known is None or known.rules != rules or context.full:
            pages.write_all_again(connection)
        since = min((state.checked_at for state in context.manifest.values()), default=context.now)
        again = {
            *changed,
            *codes_due(connection, since, context.now),
            *similar.changed_codes(connection),
        }
        upto = known.upto if known is not None else 0
        pages.decide(connection, _months(context, articles_of(connection, again).values()), again)
    while True:
        with context.store.transaction() as connection:
            new = pages.arrived(connection, upto, BATCH)
            month_of = context.publication.month_of
            months = {item.code: month_of(item.published) for item in new}
            pages.decide(connection, months)
            pages.expect_folders(connection, {f"{ARTICLES}/{month}" for month in months.values()})
            upto = new[-1].number if new else upto
            selected.save_progress(connection, {PAGES: selected.Progress(rules, upto)})
        if len(new) < BATCH:
            return


def _months(context: Context, articles: Iterable[Article]) -> dict[str, str]:
    month_of = context.publication.month_of
    return {item.code: item.page_month or month_of(item.published) for item in articles}


def publish(context: Context) -> None:
    """Write the pages that are to be written, and remove those of articles that are gone."""
    if context.dry_run or not context.publication.has_pages:
        return
    page_folders.check(context)
    with context.store.transaction() as connection:
        total = pages.count_unwritten(connection)
    work = partial(produce, context.destination, context.publication.images, total <= FEW)
    days: Days = {}
    written: list[Written] = []
    done = 0
    for some, results in processes.ordered_map(work, _jobs(context)):
        days |= some
        written += results
        if len(days) >= SAVED:
            _save(context, days, written)
            done += len(days)
            context.report("pages", done, total)
            days, written = {}, []
    if days:
        _save(context, days, written)


def _jobs(context: Context) -> Iterator[Job]:
    """Yield the pages to write, some at a time."""
    names, after = SourceNames(context), ""
    while True:
        with context.store.transaction() as connection:
            codes = pages.unwritten(connection, after, TOGETHER)
            articles = articles_of(connection, codes)
            shown = [item for item in articles.values() if _is_shown(context, item)]
            drafts = tuple(_drafts(context, connection, names, shown))
        if codes:
            yield {code: _day(context, articles.get(code)) for code in codes}, drafts
            after = codes[-1]
        if len(codes) < TOGETHER:
            return


def _is_shown(context: Context, item: Article) -> bool:
    return item.revision > 0 and not item.is_withdrawn and item.published <= context.now


def _day(context: Context, item: Article | None) -> str | None:
    """Return the day under which an article is listed, None if it is not shown."""
    if item is None or not _is_shown(context, item):
        return None
    zone = ZoneInfo(context.publication.site.timezone)
    return f"{item.published.astimezone(zone):%Y-%m-%d}"


def _drafts(
    context: Context, connection: Connection, names: SourceNames, shown: list[Article]
) -> Iterator[Draft]:
    publication = context.publication
    with_pages = [item for item in shown if publication.article_path(item) is not None]
    texts = entries.bodies(context, connection, with_pages)
    sources = names.of(connection, with_pages)
    also = also_reported(
        publication, connection, with_pages, context.now, partial(names.of, connection)
    )
    for item, found in zip(with_pages, also or [AlsoReported()] * len(with_pages), strict=True):
        source = sources[item.source]
        feeds = [_link(publication, publication.site.title, publication.combined_spec())]
        if source.key:
            spec = publication.source_spec(source.key)
            feeds.insert(0, _link(publication, source.name, spec))
        yield Draft(
            item.code,
            ArticlePage(
                publication.frame,
                publication.article_path(item) or "",
                with_also(make_entry(publication, item, source), found),
                tuple(feeds),
            ),
            texts[item.code, item.revision],
            _revisions(context, connection, item),
        )


def _link(publication: Publication, name: str, spec: FeedSpec) -> FeedLink:
    return FeedLink(name, tuple(publication.feed_urls(spec).items()))


def _revisions(context: Context, connection: Connection, item: Article) -> tuple[Revision, ...]:
    """Return the last revisions of a corrected article, oldest first, in the site's time."""
    if item.revision < 2:
        return ()
    zone = ZoneInfo(context.publication.site.timezone)
    found = revisions_of(connection, item)[-MAX_CORRECTIONS - 1 :]
    return tuple(replace(one, seen_at=one.seen_at.astimezone(zone)) for one in found)


def _save(context: Context, days: Days, written: list[Written]) -> None:
    """Put pages into place, remove those that are gone, and save both."""
    codes = list(days)
    destination, summary = context.destination, context.summary
    good = [page for page in written if page.failure is None]
    failures = {page.code: page.failure for page in written if page.failure is not None}
    files: dict[str, list[PublishedFile]] = {}
    in_place: list[Prepared] = []
    outcomes = destination.put([page.files for page in good])
    for page, outcome in zip(good, outcomes, strict=True):
        if isinstance(outcome, PublishError):
            failures[page.code] = str(outcome)
            continue
        files[page.code] = [file.left for file in outcome]
        in_place += outcome
        summary.pages += any(file.is_new for file in outcome)
    with context.store.transaction() as connection:
        old = pages.paths_of(connection, codes)
        hidden = articles_of(connection, [code for code, day in days.items() if day is None])
    for code, item in hidden.items():
        # A run that was killed may have written a page without saving that.
        old.setdefault(code, []).extend(filter(None, [context.publication.article_path(item)]))
    for code, paths in old.items():
        kept = {file.path for file in files.get(code, ())}
        try:
            for path in paths if code not in failures else ():
                if path not in kept:
                    destination.remove(path)
        except PublishError as error:
            failures[code] = str(error)
    try:
        destination.sync(in_place)
    except PublishError as error:
        failures |= dict.fromkeys(codes, str(error))
    summary.failures += sorted(set(failures.values()) - set(summary.failures))
    folders = page_folders.of_paths(file.path for page in files.values() for file in page)
    folders |= page_folders.of_paths(path for paths in old.values() for path in paths)
    texts = [page.text for page in written if page.text is not None]
    with context.store.transaction() as connection:
        renditions.save_renditions(
            connection, context.publication.sanitizing, [text[:4] for text in texts]
        )
        done = {code: day for code, day in days.items() if code not in failures}
        pages.save_written(connection, done, files)
        page_folders.save(context, connection, folders)


def remove_all(context: Context) -> None:
    """Remove all pages and lists, since none are configured any more."""
    if context.dry_run:
        return
    with context.store.transaction() as connection:
        if PAGES not in selected.progress(connection):
            return
        paths = pages.all_paths(connection)
    for path in paths:
        try:
            context.destination.remove(path)
        except PublishError as error:
            context.summary.failures.append(str(error))
            return
    with context.store.transaction() as connection:
        pages.forget_all(connection)
        selected.forget(connection, PAGES, PAGES)
