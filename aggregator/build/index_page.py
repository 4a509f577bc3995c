"""The files beside the feeds: the index page, and the list of all feeds (OPML)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources

from aggregator import __version__
from aggregator.build.context import Context
from aggregator.model.digests import digest_of
from aggregator.model.errors import PublishError
from aggregator.model.feeds import FeedSpec, FeedState
from aggregator.model.overview import Card, Overview
from aggregator.publish.destination import Prepared
from aggregator.publish.publication import ASSETS, OPML, PAGE, Publication
from aggregator.store import published

DAYS = 30
# Increase whenever the page or its assets change: all are then written again.
VERSION = 3
# In every page that aggregator made, and in no other.
MARK = b'<meta name="generator" content="aggregator '
_MAX_FOREIGN = 100_000


def publish(context: Context) -> None:
    """Write the files that would look different, and remove those no longer configured."""
    publication, manifest = context.publication, context.manifest
    destination = context.destination
    if not manifest:
        return  # no feed to list
    with context.store.transaction() as connection:
        known = published.page_files(connection)
    paths = [OPML]
    if publication.feeds.page or publication.has_pages:
        paths += ASSETS
    if publication.feeds.page:
        paths.append(PAGE)
    fingerprint = _fingerprint(publication, manifest)
    expected = set(destination.names(paths))
    if (
        known.keys() == expected
        and all(digest == fingerprint for digest, _ in known.values())
        and destination.is_as_left((file for _, file in known.values()), full=context.full)
    ):
        return
    if PAGE in paths and PAGE not in known and _is_foreign(context):
        paths.remove(PAGE)
    written = _write(context, paths)
    if context.dry_run:
        return
    removed = []
    for path in sorted(known.keys() - expected):
        try:
            destination.remove(path)
            removed.append(path)
        except PublishError as error:
            context.summary.failures.append(str(error))
    try:
        destination.sync(written)
    except PublishError as error:
        # What is not saved is written again.
        context.summary.failures.append(str(error))
        return
    with context.store.transaction() as connection:
        files = [(fingerprint, file.left) for file in written]
        published.save_page_files(connection, files, removed)


def _write(context: Context, paths: list[str]) -> list[Prepared]:
    """Write the given files, one after the other; return those that are in place."""
    written: list[Prepared] = []
    destination, dry_run = context.destination, context.dry_run
    for path, data in _contents(context.publication, context.manifest, paths):
        try:
            prepared = destination.prepare(path, data, dry_run=dry_run)
            (files,) = destination.put([prepared], dry_run=dry_run)
        except PublishError as error:
            files = error
        if isinstance(files, PublishError):
            context.summary.failures.append(str(files))
            continue
        context.summary.paths += [path for file in files if file.is_new]
        written += files
    return written


def make_overview(publication: Publication, manifest: Mapping[str, FeedState]) -> Overview:
    """Return all feeds as the page shows them: the combined one first, each kind by name."""
    specs = [(publication.spec_of(key), state) for key, state in manifest.items()]
    known = [(spec, state) for spec, state in specs if spec is not None]
    newest = [state.activity.newest[0].published for _, state in known if state.activity.newest]
    zone_days = [day for _, state in known for day, _ in state.activity.days]
    last_day = max(zone_days, default=0)
    order = {"all": 0, "extra": 1, "source": 2, "tag": 3}
    cards = sorted(
        (_card(publication, spec, state, last_day) for spec, state in known),
        key=lambda card: (order[card.kind], card.name, card.slug),
    )
    sources = [card for card in cards if card.kind == "source"]
    articles = sum(card.articles for card in sources)
    days = tuple(map(sum, zip(*(card.days for card in sources), strict=True)))
    return Overview(
        title=publication.site.title,
        subtitle=publication.site.subtitle,
        language=publication.site.language,
        timezone=publication.site.timezone,
        site_url=publication.site.url,
        feeds_url=publication.feeds.url,
        author=publication.author,
        frame=publication.frame,
        updated=max(newest, default=max(state.updated for _, state in known)),
        cards=tuple(
            replace(card, articles=articles, days=days) if card.kind == "all" else card
            for card in cards
        ),
    )


def _card(publication: Publication, spec: FeedSpec, state: FeedState, last_day: int) -> Card:
    from aggregator.publish.texts import words

    counts = dict(state.activity.days)
    is_combined = spec.kind == "all"
    return Card(
        kind=spec.kind,
        name=words(publication.site.language).all_sources if is_combined else state.title,
        slug=spec.stem.rpartition("/")[2],
        paths=publication.feed_paths(spec),
        articles=state.activity.articles,
        days=tuple(counts.get(last_day - DAYS + 1 + number, 0) for number in range(DAYS)),
        newest=state.activity.newest,
        silent=last_day - max(counts) if counts else 0,
        site=publication.source_url(spec.source),
    )


def _contents(
    publication: Publication, manifest: Mapping[str, FeedState], paths: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield each path and its bytes, the page last."""
    from aggregator.publish import opml, page

    overview = make_overview(publication, manifest)
    yield OPML, opml.render(overview)
    for name in ASSETS:
        if name in paths:
            yield name, _asset(publication, name)
    if PAGE in paths:
        yield PAGE, page.render(overview)


def _asset(publication: Publication, name: str) -> bytes:
    """Return what pages refer to: the owner's file of this name, else ours."""
    own = publication.templates.get(name)
    if own is not None:
        return own.encode()
    return resources.files("aggregator.publish").joinpath("assets", name).read_bytes()


def _fingerprint(publication: Publication, manifest: Mapping[str, FeedState]) -> bytes:
    shown = [
        (key, state.title, state.rules, state.activity) for key, state in sorted(manifest.items())
    ]
    return digest_of((__version__, VERSION, publication, shown))


def _is_foreign(context: Context) -> bool:
    """Return whether there is a page that aggregator did not make, or that cannot be read."""
    try:
        data = context.destination.read(PAGE, _MAX_FOREIGN)
    except PublishError as error:
        context.summary.failures.append(f"{error}; it was kept as it is")
        return True
    if data is None or MARK in data:
        return False
    context.summary.notices.append(
        f"{context.destination.place(PAGE)}: was not made by aggregator, and was kept; move it, "
        "or set feeds: page: false"
    )
    return True
