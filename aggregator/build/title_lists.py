"""The lists of all titles by month, and for search engines sitemaps of the articles' pages.

Only months with a change (of long ones: days), and the neighbours of new ones, are written again;
all are if one is gone.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from aggregator.build import page_folders
from aggregator.build.context import Context
from aggregator.build.entries import SourceNames
from aggregator.model.errors import PublishError
from aggregator.model.pages import ListedTitle, Period, TitleList
from aggregator.publish import title_list
from aggregator.publish.destination import Prepared
from aggregator.publish.documents import make_entry
from aggregator.publish.publication import ARTICLES
from aggregator.store import pages
from aggregator.store.pages import ListedDay

INDEX = f"{ARTICLES}/index.html"
SITEMAP = "sitemap.xml"
# A month with more articles is a list of its days.
MAX_TITLES = 1_000


@dataclass(frozen=True)
class Section:
    """A month, or a day of a long month: one list of titles, and one sitemap."""

    name: str
    days: tuple[ListedDay, ...]

    @property
    def path(self) -> str:
        """The path of the list."""
        parts = self.name.split("-")
        last = f"{parts[2]}.html" if len(parts) == 3 else "index.html"
        return "/".join([ARTICLES, *parts[:2], last])

    @property
    def sitemap(self) -> str:
        """The path of the sitemap."""
        return f"sitemap-{self.name}.xml"

    @property
    def updated(self) -> datetime.datetime:
        """When one of its articles last changed."""
        return max(day.updated for day in self.days)

    @property
    def period(self) -> Period:
        """The section as other lists name it."""
        return Period(self.name, self.path, sum(day.articles for day in self.days))


def sections(days: Iterable[ListedDay]) -> tuple[list[Section], list[Section]]:
    """Return the sections that days form, and all months; both newest first, as the days are."""
    found: list[Section] = []
    months: list[Section] = []
    for name, some in groupby(days, lambda day: day.name[:7]):
        month = Section(name, tuple(some))
        months.append(month)
        if month.period.articles > MAX_TITLES:
            found += [Section(day.name, (day,)) for day in month.days]
        else:
            found.append(month)
    return found, months


def publish(context: Context) -> None:
    """Write the lists and sitemaps that would look different."""
    if context.dry_run or not context.publication.has_pages:
        return
    destination = context.destination
    with context.store.transaction() as connection:
        known = pages.list_files(connection)
        left = {file.path for file in known if destination.is_as_left([file], full=context.full)}
        changed = pages.unlisted(connection)
        if not changed and len(left) == len(known) and INDEX in left:
            return
        for day in changed:
            pages.count_day(connection, day)
        found, months = sections(pages.days(connection))
        wanted = {INDEX, *(month.path for month in months), *(section.path for section in found)}
        if context.publication.has_article_pages:
            wanted |= {SITEMAP, *(section.sitemap for section in found)}
        gone = {file.path for file in known} - set(destination.names(wanted))
        due = range(len(found)) if gone else _due(context, found, set(changed), left)
        contents = dict(_contents(context, connection, found, months, due))
    _write(context, contents, gone, changed)


def _contents(
    context: Context,
    connection: Connection,
    found: list[Section],
    months: list[Section],
    due: Iterable[int],
) -> Iterator[tuple[str, bytes]]:
    """Yield the lists and sitemaps of the sections with the numbers `due`, the overviews last."""
    publication = context.publication
    frame, base = publication.frame, publication.feeds.url
    names = SourceNames(context)
    has_sitemaps = publication.has_article_pages
    ordered = sorted(due)
    for done, number in enumerate(ordered, 1):
        section = found[number]
        articles = [
            item for day in section.days for item in pages.articles_of_day(connection, day.name)
        ]
        sources = names.of(connection, articles)
        entries = [make_entry(publication, item, sources[item.source]) for item in articles]
        titles = tuple(
            ListedTitle(entry.title, entry.alternate, entry.published, entry.source.name)
            for entry in entries
        )
        older = found[number + 1].period if number + 1 < len(found) else None
        newer = found[number - 1].period if number else None
        document = TitleList(frame, section.path, section.name, titles, (), older, newer)
        yield section.path, title_list.render(document)
        if has_sitemaps:
            own = [(e.alternate, e.updated) for e in entries if e.alternate.startswith(base)]
            yield section.sitemap, title_list.sitemap(own)
        context.report("lists of titles", done, len(ordered))
    by_path = {section.path for section in found}
    for month in months:
        if month.path not in by_path:
            days = tuple(Section(day.name, (day,)).period for day in month.days)
            document = TitleList(frame, month.path, month.name, periods=days)
            yield month.path, title_list.render(document)
    overview = TitleList(frame, INDEX, "", periods=tuple(month.period for month in months))
    yield INDEX, title_list.render(overview)
    if has_sitemaps:
        maps = ((base + section.sitemap, section.updated) for section in found)
        yield SITEMAP, title_list.sitemap_index(maps)


def _due(context: Context, found: list[Section], changed: set[str], left: set[str]) -> set[int]:
    """Return the numbers of sections whose lists are to be written.

    A section that is new changes the links of its neighbours.
    """
    has_sitemaps = context.publication.has_article_pages
    new = [number for number, section in enumerate(found) if section.path not in left]
    due = {number + step for number in new for step in (-1, 0, 1)}
    due |= {
        number
        for number, section in enumerate(found)
        if (has_sitemaps and section.sitemap not in left)
        or any(day.startswith(section.name) for day in changed)
    }
    return {number for number in due if 0 <= number < len(found)}


def _write(
    context: Context, contents: Mapping[str, bytes], gone: Iterable[str], changed: list[str]
) -> None:
    """Put lists into place, remove those that are gone, and save both."""
    destination, failures = context.destination, context.summary.failures
    written: list[Prepared] = []
    count = len(failures)
    removed = []
    # Lists lie in the folders of pages, which would be looked through for what was changed here.
    folders = page_folders.of_paths([*contents, *gone])
    with context.store.transaction() as connection:
        folders = set(page_folders.as_left(context, connection, folders))
    for path, data in contents.items():
        try:
            (files,) = destination.put([destination.prepare(path, data)])
            if isinstance(files, PublishError):
                raise files
            written += files
        except PublishError as error:
            failures.append(str(error))
    try:
        for path in sorted(gone):
            destination.remove(path)
            removed.append(path)
        destination.sync(written)
    except PublishError as error:
        failures.append(str(error))
    with context.store.transaction() as connection:
        # After a failure, the next build lists the same days again.
        done = changed if len(failures) == count else []
        pages.save_listed(connection, done, [file.left for file in written], removed)
        page_folders.save(context, connection, folders)
