"""Sites just before a run that will be disturbed, and the same run undisturbed.

A site is put back by copying it to the same place.  Its posts lie beside it and are never
copied: a copy has another inode and ctime, and would be read again.  What copying hides is
the note that nothing changed, which knows published files by their inodes; but before each
of these runs something has changed, so none would be believed.
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from conftest import Result, Site, commands
from system.disturbance import SECONDS, Disturbed, Injection, disturbed
from system.documents import Expected, dates_of, expected_of, torn
from system.oracle import assert_sound, differences, faults_of, left_in_var
from system.stories import plant, stories

BUILT = 1_700_000_000.0
CHANGED = BUILT + 86_400
OLD_STORE = Path(__file__).parents[1] / "data" / "store" / "1.sql"
ARCHIVES = """\
  entries: 5
  combined_entries: 10
  formats: [atom, rss, json]
  compress: [gzip]
"""
SYNCING = ("fsync", "fdatasync")
Dates = Mapping[str, tuple[datetime.datetime, datetime.datetime]]


@dataclass
class Situation:
    """A site, how it was `saved`, and its undisturbed `twin`."""

    site: Site
    saved: Path
    twin: Site
    expected: list[Expected]
    before: Dates

    def restore(self) -> None:
        """Put the site back to where it was."""
        shutil.rmtree(self.site.root)
        shutil.copytree(self.saved, self.site.root)

    def run(self, *arguments: str) -> Result:
        """An undisturbed run, by the clock of the disturbed one."""
        return run_at(self.site, CHANGED, *(arguments or ("build-feeds",)))


def run_at(site: Site, clock: float, *arguments: str) -> Result:
    """Run the command while the clock stands still."""
    return commands.run(site.root, list(arguments), SECONDS, clock=clock)


def first(site: Site) -> list[str]:
    """Posts, and nothing else."""
    plant(site.posts, stories(30), BUILT - 100)
    return []


def incremental(site: Site) -> list[str]:
    """New posts and corrected ones, in two formats."""
    site.configure(lambda text: text + "  formats: [atom, json]\n")
    plant(site.posts, stories(30), BUILT - 100)
    built(site)
    revised = [story.revised() for story in stories(2, 30, 5)]
    plant(site.posts, [*revised, *stories(30, 36)], CHANGED - 100)
    return [story.code for story in revised]


def archives(site: Site) -> list[str]:
    """Posts that fill archives and corrections of archived ones; all formats, packed twins."""
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    built(site)
    revised = [story.revised() for story in stories(1, 30, 4)]
    plant(site.posts, [*revised, *stories(30, 50)], CHANGED - 100)
    return [story.code for story in revised]


def lost(site: Site) -> list[str]:
    """A lost store; corrections that only the feeds date, posts that have left, new ones."""
    revised = archives(site)
    assert run_at(site, BUILT + 1000, "build-feeds").code == 0
    away = site.posts.with_name("away")
    away.mkdir()
    for story in stories(8):
        (site.posts / story.file).rename(away / story.file)
    assert run_at(site, BUILT + 2000, "build-feeds").code == 0
    shutil.rmtree(site.store.parent)
    plant(site.posts, stories(50, 56), CHANGED - 100)
    return revised


def upgrade(site: Site) -> list[str]:
    """A store as the first version left it, with all that it could know, and new posts."""
    revised = incremental(site)
    assert run_at(site, BUILT + 1000, "build-feeds").code == 0
    as_first_version(site.store)
    plant(site.posts, stories(36, 42), CHANGED - 100)
    return revised


def as_first_version(store: Path) -> None:
    """Make of a store one of the first version, with the articles that it has."""
    new = store.with_name("new.db")
    store.rename(new)
    for path in store.parent.glob(f"{store.name}*"):
        path.unlink()
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.executescript(OLD_STORE.read_text("utf-8"))
        for (table,) in connection.execute(
            "select name from sqlite_master where type = 'table' and name <> 'migration'"
        ).fetchall():
            connection.execute(f"delete from {table}")
        connection.commit()
        connection.execute("attach ? as new", (str(new),))
        for table in ("origin", "file", "body", "copy", "article", "revision", "poll"):
            columns = [
                {row[1] for row in connection.execute(f"pragma {schema}.table_info({table})")}
                for schema in ("main", "new")
            ]
            names = ", ".join(sorted(columns[0] & columns[1]))
            connection.execute(f"insert into {table} ({names}) select {names} from new.{table}")
        connection.commit()
    new.unlink()


SITUATIONS: dict[str, Callable[[Site], list[str]]] = {
    situation.__name__: situation for situation in (first, incremental, archives, lost, upgrade)
}


def built(site: Site) -> None:
    """Build a site before anything happens to it."""
    result = run_at(site, BUILT, "build-feeds")
    assert result.code == 0, result.err


def prepared(name: str, folder: Path) -> Situation:
    """A situation in a folder of its own; its undisturbed end is judged here, once."""
    site = Site(folder / "site")
    site.posts.rmdir()
    site.posts = folder / "posts"
    site.configure(lambda text: text.replace("- path: posts", "- path: ../posts"))
    revised = SITUATIONS[name](site)
    before = dates_of(site) if site.feeds.is_dir() else {}
    saved = folder / "saved"
    shutil.copytree(site.root, saved)
    expected = expected_of(site.posts, revised=revised)
    expected += [
        replace(item, archived_only=True) for item in expected_of(folder / "away", revised=revised)
    ]
    found = Situation(site, saved, Site(folder / "twin"), expected, before)
    result = found.run()
    assert (result.code, result.err) == (0, "")
    assert_sound(site, found.expected, before=before)
    shutil.rmtree(found.twin.root)
    shutil.copytree(site.root, found.twin.root)
    found.restore()
    return found


def faults_after(situation: Situation, injection: Injection) -> list[str]:
    """Let one call of a run fail, run again, and say what is wrong then; [] if nothing is."""
    situation.restore()
    done = disturbed(situation.site, CHANGED, injection, "build-feeds")
    if done.hit is None:
        return [MISSED] if done.result.code == 0 else [f"{MISSED}: {done.result.err[-300:]}"]
    found = [f"torn: {fault}" for fault in torn(situation.site)]
    if injection.error is not None:
        found += _of_the_run(situation, done, injection)
    return found + faults_after_the_next(situation)


def faults_after_the_next(situation: Situation) -> list[str]:
    """What is wrong after one more, normal run."""
    result = situation.run()
    found = []
    if result.code or "Traceback" in result.err:
        found.append(f"the next run ends with {result.code}: {_last(result.err)}")
    return found + _of_the_site(situation)


def _of_the_run(situation: Situation, done: Disturbed, injection: Injection) -> list[str]:
    """What is wrong with how a run ended in which a call failed."""
    if "Traceback" in done.result.err:
        return [f"Traceback: {_last(done.result.err)}"]
    if done.result.code == 0:
        # SQLite itself passes over a failed sync of the folder that its journal is in.
        is_needed = done.hit is not None and done.hit.place != "notes" and done.hit.path != "var"
        if injection.call.name in SYNCING and is_needed:
            return ["exit status 0, though something is not safe on disk"]
        return [f"exit status 0, but {fault}" for fault in _of_the_site(situation)]
    return [] if done.result.err.strip() else [f"ends with {done.result.code} and says nothing"]


def _of_the_site(situation: Situation) -> list[str]:
    """What is wrong with a site; in short where its files are those of the judged twin."""
    site = situation.site
    if differences(site, situation.twin):
        return faults_of(site, situation.expected, twin=situation.twin, before=situation.before)
    found = list(left_in_var(site))
    result = site.run("status")
    if result.code:
        found.append(f"status: {_last(result.err)}")
    return found


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2]


MISSED = "no such call was made"
