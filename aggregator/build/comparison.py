"""Which recent articles tell the same story.

Two articles of different sources do if their texts have enough in common, and both were
published within five days of the newest.  Among these, the order in which they came does not
matter: a step that is repeated, or taken for many articles at once, decides the same.  What was
found stays when an article gets older; of older articles that come later, nothing is found.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, islice

from sqlalchemy import Connection

from aggregator import processes
from aggregator.articles import similarity
from aggregator.articles.similarity import NOTHING, Shares
from aggregator.build import collapse
from aggregator.build.dirty import note_changed
from aggregator.model.articles import Article
from aggregator.model.digests import digest_of
from aggregator.model.packing import unpack
from aggregator.model.reports import Report, no_report
from aggregator.store import published, recent, similar
from aggregator.store.articles import articles_of, bodies_of
from aggregator.store.database import Store
from aggregator.store.recent import Place
from aggregator.store.similar import Compared, Progress
from aggregator.store.windows import last_arrival

DAYS = datetime.timedelta(days=5)
# Increase whenever the same texts would be compared in another way.
VERSION = 1
# Articles that are compared in one transaction, and texts that a worker process gets at a time.
TOGETHER = 10_000
PER_JOB = 100

SHOW, COLLAPSE = "show", "collapse"

_Job = list[tuple[Place, bytes]]


def update(store: Store, mode: str, now: datetime.datetime, report: Report = no_report) -> None:
    """Compare the articles that arrived, came due or changed since the last time.

    `mode` is `feeds.similar` of the configuration.
    """
    rules = digest_of((VERSION, similarity.VERSION, mode))
    moment = int(now.timestamp())
    with store.transaction() as connection:
        done = similar.progress(connection)
        if done is not None and done.rules != rules:
            similar.forget_sketches(connection)
            done = None
        if mode != COLLAPSE:
            collapse.undo(connection)
        if mode == SHOW:
            similar.forget_all(connection)
            return
        upto, until = (done.upto, done.until) if done is not None else (0, 0)
        since = recent.newest(connection, moment) - int(DAYS.total_seconds())
        last = last_arrival(connection)
        changed = articles_of(connection, published.changed_codes(connection))
        places = dict.fromkeys(recent.arrived(connection, upto, since, moment))
        if until:
            places |= dict.fromkeys(recent.due(connection, max(since, until + 1), moment))
        here = [place for article in changed.values() if (place := _place(article, since, moment))]
        places |= dict.fromkeys(here)
        known = similar.sketches(connection, {code for code, *_ in places} | changed.keys())
        wanted = [place for place in places if not _is_known(place, known)]
        _remove(connection, changed, {code for code, *_ in here}, known, since)
    made = processes.ordered_map(_sketch_all, _jobs(store, wanted))
    found = chain.from_iterable(_reported(made, len(wanted), report))
    while some := list(islice(found, TOGETHER)):
        with store.transaction() as connection:
            codes = {item.code for item in some}
            _replace(connection, some, similar.sketches(connection, codes).values())
    with store.transaction() as connection:
        if mode == COLLAPSE:
            collapse.decide(connection, [code for code, *_ in places], moment)
        similar.save_progress(connection, Progress(rules, last, moment))


def _place(article: Article, since: int, moment: int) -> Place | None:
    """Return the place of a changed article, None if it is not compared."""
    at = int(article.published.timestamp())
    if not article.revision or article.is_withdrawn or article.body_id is None:
        return None
    return (article.code, article.source, at, article.body_id) if since <= at <= moment else None


def _is_known(place: Place, known: Mapping[str, Compared]) -> bool:
    found = known.get(place[0])
    return found is not None and found[:4] == place


def _remove(
    connection: Connection,
    changed: Mapping[str, Article],
    here: Collection[str],
    known: Mapping[str, Compared],
    since: int,
) -> None:
    """Remove what is not compared any more, and note what becomes of those that were like it."""
    old = similar.sketches(connection, similar.sketched_before(connection, since))
    left = {code: item for code, item in known.items() if code in changed and code not in here}
    _replace(connection, (), (old | left).values())
    gone = [code for code, article in changed.items() if article.is_withdrawn]
    pairs = similar.pairs_of(connection, changed)
    similar.save_pairs(
        connection, {(code, other): NOTHING for code in gone for other in pairs.get(code, ())}
    )
    # A title or a link that the others show may have changed as well.
    note_changed(connection, {other for found in pairs.values() for other in found})


def _jobs(store: Store, places: Iterable[Place]) -> Iterator[_Job]:
    """Yield texts to make sketches of."""
    rest = iter(places)
    while some := list(islice(rest, PER_JOB)):
        with store.transaction() as connection:
            texts = bodies_of(connection, {place[3] for place in some})
        yield [(place, texts[place[3]]) for place in some if place[3] in texts]


def _reported(
    made: Iterable[list[Compared]], total: int, report: Report
) -> Iterator[list[Compared]]:
    done = 0
    for some in made:
        done += len(some)
        report("similar articles", done, total)
        yield some


def _sketch_all(job: _Job) -> list[Compared]:
    return [Compared(*place, similarity.sketch(unpack(text))) for place, text in job]


def _replace(
    connection: Connection, added: Collection[Compared], removed: Collection[Compared]
) -> None:
    """Replace sketches by others, and decide again what this says of any article."""
    if not added and not removed:
        return
    samples = _Samples(connection, added, removed)
    similar.remove_sketches(connection, removed)
    similar.add_sketches(connection, added)
    affected = samples.affected(connection)
    old = similar.pairs_of(connection, affected)
    # What is known of articles that are not compared any more stays.
    there = similar.sources(connection, {other for others in old.values() for other in others})
    pairs = {
        (code, other): NOTHING for code, others in old.items() for other in others if other in there
    }
    pairs |= samples.pairs(connection, affected)
    different = {
        (code, other): shares
        for (code, other), shares in pairs.items()
        if old.get(code, {}).get(other, NOTHING) != shares
    }
    similar.save_pairs(connection, different)
    note_changed(connection, {code for pair in different for code in pair})


class _Samples:
    """Which articles have the hashes of some sketches, before and after these are replaced."""

    def __init__(
        self, connection: Connection, added: Collection[Compared], removed: Collection[Compared]
    ) -> None:
        self._sketches = {item.code: item.sketch for item in added}
        self._sources = {item.code: item.source for item in removed}
        # A hash of one article says nothing, and most are.
        new: dict[int, set[str]] = {}
        first: dict[int, str] = {}
        for item in added:
            for found in item.sketch.hashes:
                if found in first:
                    new.setdefault(found, {first[found]}).add(item.code)
                else:
                    first[found] = item.code
        before: dict[int, set[str] | None] = {}
        touched = first.keys() | {found for item in removed for found in item.sketch.hashes}
        # A first comparison has nothing to ask for.
        if not similar.is_empty(connection):
            before = similar.holders(connection, touched, similarity.MOST_ARTICLES)
            self._learn(connection, before)
        self._common_before = self._common(before)
        self._sources |= {item.code: item.source for item in added}
        for found in before.keys() & first.keys():
            new.setdefault(found, {first[found]})
        old: dict[int, set[str]] = {}
        for item in removed:
            for found in item.sketch.hashes:
                old.setdefault(found, set()).add(item.code)
        self._after = {
            found: _changed(before.get(found, set()), new.get(found), old.get(found))
            for found in before.keys() | new.keys()
        }
        # Of hashes that very many have, only the database knows whether they still do.
        self._unsure = [found for found in old if before.get(found, ()) is None]
        self._known = touched

    def affected(self, connection: Connection) -> set[str]:
        """Return the articles whose similar ones may be others, once the sketches are replaced.

        They are those that were added, and all that have a hash which has become common, or no
        longer is.
        """
        self._after |= {found: set() for found in self._unsure}
        self._after |= similar.holders(connection, self._unsure, similarity.MOST_ARTICLES)
        self._learn(connection, self._after)
        self.common = self._common(self._after)
        flipped = self.common ^ self._common_before
        affected = set(self._sketches)
        for found in flipped:
            # One of more articles than can be counted was that before.
            affected |= self._after.get(found) or set()
        others = affected - self._sketches.keys()
        self._sketches |= {
            code: item.sketch for code, item in similar.sketches(connection, others).items()
        }
        more = {found for code in others for found in self._sketches[code].hashes} - self._known
        rest = similar.holders(connection, more, similarity.MOST_ARTICLES)
        self._learn(connection, rest)
        self.common |= self._common(rest)
        self._after |= rest
        return affected

    def pairs(
        self, connection: Connection, affected: Collection[str]
    ) -> dict[tuple[str, str], Shares]:
        """Return the similar articles of each of the given ones, with their shares."""
        candidates = {code: self._candidates(code) for code in sorted(affected)}
        others = set().union(*candidates.values()) - self._sketches.keys()
        self._sketches |= {
            code: item.sketch for code, item in similar.sketches(connection, others).items()
        }
        found = {}
        for code, near in candidates.items():
            for other in near:
                shares = similarity.shares_of(
                    self._sketches[code], self._sketches[other], self.common
                )
                if shares != NOTHING:
                    found[code, other] = shares
        return found

    def _candidates(self, code: str) -> list[str]:
        """Return the articles of other sources that share enough hashes with one."""
        lists = [
            codes
            for found in self._sketches[code].hashes
            if found not in self.common and (codes := self._after.get(found))
        ]
        source = self._sources[code]
        return sorted(
            other
            for other, count in Counter(chain.from_iterable(lists)).items()
            if count >= similarity.SHARED and self._sources[other] != source
        )

    def _learn(self, connection: Connection, holders: Mapping[int, set[str] | None]) -> None:
        """Read the sources of articles that are not known yet."""
        codes = set().union(*(codes for codes in holders.values() if codes))
        self._sources |= similar.sources(connection, codes - self._sources.keys())

    def _common(self, holders: Mapping[int, set[str] | None]) -> set[int]:
        """Return the hashes that do not count."""
        return {
            found
            for found, codes in holders.items()
            if codes is None
            or (
                len(codes) > 1
                and similarity.is_common(len(codes), len({self._sources[code] for code in codes}))
            )
        }


def _changed(
    before: set[str] | None, new: set[str] | None, old: set[str] | None
) -> set[str] | None:
    """Return the articles that have a hash once `old` ones have left and `new` ones have come."""
    if before is None:
        return None
    return (before - old if old else before) | (new or set())
