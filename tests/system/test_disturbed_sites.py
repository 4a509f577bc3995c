"""Damage that a site must come out of by itself: one of each kind that was ever found."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from conftest import Result, Site, article
from system.disturbance import Injection, calls, can_trace, disturbed
from system.documents import dates_of, differing, expected_of, files_of
from system.oracle import assert_sound
from system.situations import ARCHIVES, BUILT, CHANGED, built, run_at
from system.stories import Story, plant, stories

traced = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")
# The start of a packed text, and no more.
NOISE = bytes.fromhex("28b52ffd00")


def rebuilt(site: Site, *arguments: str, expect: int | None = 0) -> Result:
    """Build at the later of the two moments; the exit status may be any if None is expected."""
    result = run_at(site, CHANGED, "build-feeds", *arguments)
    assert "Traceback" not in result.err, result.err
    assert expect is None or result.code == expect, (result.out, result.err)
    return result


def archived(site: Site) -> list[str]:
    return [path for path in files_of(site) if path.startswith("archives/")]


def rotated(site: Site, count: int = 80, left: int = 5) -> list[Story]:
    """Build a site whose older posts have left the folder; all of its articles."""
    some = stories(count)
    plant(site.posts, some, BUILT - 100)
    built(site)
    away = site.root.with_name("away")
    away.mkdir(parents=True, exist_ok=True)
    for story in some[:-left]:
        (site.posts / story.file).rename(away / story.file)
    assert run_at(site, BUILT + 1000, "build-feeds").code == 0
    return some


def execute(site: Site, statement: str, *values: object) -> int:
    """Change the store behind the program's back; how many rows that met."""
    with contextlib.closing(sqlite3.connect(site.store)) as connection, connection:
        return connection.execute(statement, values).rowcount


def test_one_feed_that_cannot_be_written_adds_nothing_to_archives(site: Site, make_site) -> None:
    twin = make_site("twin")
    revised = [story.revised() for story in stories(0, 75, 3)]
    for one in (site, twin):
        one.configure(lambda text: text + ARCHIVES)
        plant(one.posts, stories(90), BUILT - 100)
        built(one)
        plant(one.posts, revised, CHANGED - 100)
    rebuilt(twin)
    path = site.feeds / "sources" / "source1.atom"
    path.unlink()
    path.mkdir()
    counts = []
    for _ in range(10):
        result = rebuilt(site, expect=1)
        assert "source1.atom" in result.err
        counts.append(len(archived(site)))
    assert set(counts) == {counts[0]}
    path.rmdir()
    rebuilt(site)
    expected = expected_of(site.posts, revised=[story.code for story in revised])
    assert_sound(site, expected, twin=twin)


@pytest.mark.sqlite
@traced
def test_one_read_of_the_store_that_fails_costs_nothing(site: Site, tmp_path: Path) -> None:
    rotated(site)
    plant(site.posts, stories(80, 82), CHANGED - 100)
    expected = expected_of(site.posts, tmp_path / "away")
    saved = tmp_path / "saved"
    shutil.copytree(site.root, saved)
    _, found = calls(site, CHANGED, "pread64", "build-feeds")
    # Early reads are of the first page and the schema, late ones of what is built from.
    for call in found[1 :: len(found) // 5]:
        shutil.rmtree(site.root)
        shutil.copytree(saved, site.root)
        done = disturbed(site, CHANGED, Injection(call, "EIO"), "build-feeds")
        assert done.hit is not None
        assert "Traceback" not in done.result.err
        assert len(site.entries()) >= 80
        rebuilt(site)
        assert_sound(site, expected)


@pytest.mark.parametrize("table", ["body", "rendition", "both"])
def test_one_unreadable_text_is_one_problem(site: Site, tmp_path: Path, table: str) -> None:
    story = rotated(site)[40]
    before = dates_of(site)
    if table != "rendition":
        assert execute(
            site,
            "update body set text = ? where body_id = (select body_id from article where code = ?)",
            NOISE,
            story.code,
        )
    if table != "body":
        assert execute(site, "update rendition set html = ? where code = ?", NOISE, story.code)
    plant(site.posts, stories(80, 82), CHANGED - 100)
    # A text that is never read harms nobody: the feed of its source must want it.
    (site.feeds / "sources" / f"{story.source}.atom").unlink()
    result = rebuilt(site, expect=None)
    again = rebuilt(site, "--full", expect=None)
    others = {item.code for item in expected_of(site.posts, tmp_path / "away")} - {story.code}
    shown = {entry.id.rpartition(":")[2]: entry for entry in site.entries()}
    assert others <= shown.keys()
    assert {key: value for key, value in dates_of(site).items() if key in before} == before
    if table != "rendition":
        # The text is nowhere else: this has to be told, in each way.
        assert 1 in (result.code, again.code)
        assert story.code in result.err + again.err
        assert story.code in site.run("problems").out


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("feed", "activity"),
        ("article", "categories"),
        ("article", "enclosures"),
        ("copy", "categories"),
        ("copy", "enclosures"),
    ],
)
def test_a_damaged_value_stops_nothing_else(site: Site, table: str, column: str) -> None:
    some = rotated(site, 20)
    where = {"feed": "key = 'source:source1'"}.get(table, f"code = '{some[-2].code}'")
    damage = f"update {table} set {column} = substr({column}, 1, length({column}) - 1)"
    assert execute(site, f"{damage} where {where}") == 1
    # The damaged article is corrected, and others come.
    plant(site.posts, [some[-2].revised(), *stories(20, 23)], CHANGED - 100)
    for arguments in ([], ["--full"], []):
        rebuilt(site, *arguments, expect=None)
    shown = {entry.id.rpartition(":")[2] for entry in site.entries()}
    wanted = {story.code for story in [*some, *stories(20, 23)]}
    assert shown >= wanted - {some[-2].code}
    for arguments in (("status",), ("sources",), ("problems",), ("show", some[-2].code)):
        result = site.run(*arguments)
        assert "Traceback" not in result.err, arguments


def first_open_of(site: Site, path: str) -> Injection:
    """The kill of a build when it first opens a file."""
    saved = site.root.with_name("saved")
    shutil.copytree(site.root, saved)
    _, found = calls(site, CHANGED, "openat", "build-feeds")
    shutil.rmtree(site.root)
    saved.rename(site.root)
    return Injection(next(call for call in found if call.path == path), None)


@pytest.mark.sqlite
@traced
def test_killed_while_the_feeds_are_read_back_the_next_run_reads_them(site: Site) -> None:
    plant(site.posts, stories(29), BUILT - 100)
    built(site)
    revised = [story.revised() for story in stories(29)]
    plant(site.posts, revised, BUILT + 900)
    assert run_at(site, BUILT + 1000, "build-feeds").code == 0
    before = dates_of(site)
    assert all(updated > published for published, updated in before.values())
    shutil.rmtree(site.store.parent)
    killed = disturbed(site, CHANGED, first_open_of(site, "feeds/all.atom"), "build-feeds")
    assert killed.hit is not None
    rebuilt(site)
    assert dates_of(site) == before
    expected = expected_of(site.posts, revised=[story.code for story in revised])
    assert_sound(site, expected, before=before)


@pytest.mark.sqlite
@traced
@pytest.mark.parametrize("disturbance", ["killed", "unreadable"])
def test_no_store_no_posts_and_a_run_that_failed_keep_the_feeds(
    site: Site, disturbance: str
) -> None:
    plant(site.posts, stories(20), BUILT - 100)
    built(site)
    before = files_of(site)
    shutil.rmtree(site.store.parent)
    for path in site.posts.iterdir():
        path.unlink()
    if disturbance == "killed":
        injection = first_open_of(site, "feeds/all.atom")
        assert disturbed(site, CHANGED, injection, "build-feeds").hit is not None
    else:
        (site.feeds / "all.rss").mkdir()
        rebuilt(site, expect=1)
        (site.feeds / "all.rss").rmdir()
    for _ in range(2):
        assert "--allow-empty" in rebuilt(site, expect=1).err
        assert differing(files_of(site), before) == []


@pytest.mark.parametrize("change", ["edited", "no feeds", "no posts"])
def test_a_copy_of_a_site_is_a_site_of_its_own(site: Site, make_site, change: str) -> None:
    plant(site.posts, stories(20), BUILT - 100)
    built(site)
    # Only a second look has nothing left to do, and says so.
    assert "nothing changed" in run_at(site, BUILT + 1000, "build-feeds").out
    before = files_of(site)
    copy = make_site("copy")
    shutil.rmtree(copy.root)
    subprocess.run(["cp", "-a", str(site.root), str(copy.root)], check=True)
    revised = [story.revised() for story in stories(5)] if change == "edited" else []
    plant(copy.posts, revised, CHANGED - 100)
    if change == "no feeds":
        shutil.rmtree(copy.feeds)
    if change == "no posts":
        shutil.rmtree(copy.posts)
        assert "posts" in rebuilt(copy, expect=1).err
        return
    rebuilt(copy)
    expected = expected_of(copy.posts, revised=[story.code for story in revised])
    assert_sound(copy, expected, before=None if change == "no feeds" else dates_of(site))
    assert differing(files_of(site), before) == []
    assert bool(differing(files_of(copy), before)) == bool(revised)


ALTERED = (
    "archives/all.1.atom",
    "archives/all.4.atom",  # the open one
    "archives/sources/source1.1.atom",
    "all.rss.gz",
    "archives/all.1.atom.gz",
    "index.html.gz",
    "sources/source0.json",
    "feeds.opml",
    "index.html",
    "feeds.css",
)


@pytest.mark.parametrize("how", ["removed", "cut", "as long and as old"])
def test_a_published_file_that_was_altered_is_made_again(site: Site, how: str) -> None:
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(50), BUILT - 100)
    built(site)
    before = files_of(site)
    left = {}
    for path in ALTERED:
        target = site.feeds / path
        found = target.stat()
        if how == "removed":
            target.unlink()
        elif how == "cut":
            target.write_bytes(before[path][:100])
        else:
            target.write_bytes(b"x" * found.st_size)
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        # Only a look at the bytes tells of the last kind.
        rebuilt(site, *(["--full"] if how.startswith("as long") else []))
        left[path] = differing(files_of(site), before)
        for other in left[path]:
            (site.feeds / other).write_bytes(before[other])
        rebuilt(site)
    assert {path: others for path, others in left.items() if others} == {}


def damage_table(site: Site, table: str) -> None:
    """Overwrite the first page of a table with noise."""
    with contextlib.closing(sqlite3.connect(site.store)) as connection:
        size = connection.execute("pragma page_size").fetchone()[0]
        (page,) = connection.execute(
            "select rootpage from sqlite_master where name = ?", (table,)
        ).fetchone()
    data = bytearray(site.store.read_bytes())
    data[(page - 1) * size : page * size] = b"\xa5" * size
    site.store.write_bytes(data)
    Path(f"{site.store}.current").unlink(missing_ok=True)


@pytest.mark.parametrize("table", ["selected", "selection", "changed", "poll", "place", "archive"])
def test_a_damaged_table_costs_no_feed_an_article(site: Site, table: str) -> None:
    site.configure(
        lambda text: text + ARCHIVES + "  tags: true\n  extra: {all: {sources: [source1]}}\n"
    )
    rotated(site, 40)
    before = {path: data for path, data in files_of(site).items() if path.endswith(".atom")}
    assert "extra/all.atom" in before
    damage_table(site, table)
    result = run_at(site, BUILT + 2000, "build-feeds", "--full")
    assert result.code == 1
    assert "damaged" in result.err
    run_at(site, BUILT + 3000, "build-feeds", "--full")
    after = files_of(site)
    assert {path for path in before if after[path] != before[path]} == set()


def test_a_salvage_that_could_not_be_told_is_listed_until_the_file_is_deleted(site: Site) -> None:
    rotated(site, 20)
    damage_table(site, "origin")
    assert run_at(site, BUILT + 2000, "build-feeds").code == 1
    (kept,) = site.store.parent.glob("*.damaged-*")
    assert kept.name in site.run("problems").out
    assert "1 problem" in run_at(site, BUILT + 3000, "build-feeds", "--full").out
    kept.unlink()
    run_at(site, BUILT + 4000, "build-feeds", "--full")
    assert site.run("problems").out == "no problems\n"


def test_an_index_that_differs_from_its_table_is_made_again(site: Site) -> None:
    """SQLite's quick check does not compare them, and queries fail."""
    for number in range(60):
        site.post(f"2022-01-27-{number:018d}.md", article(f"T{number}"))
    site.build()
    before = site.feed_bytes()
    with contextlib.closing(sqlite3.connect(site.store)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    sound = site.store.read_bytes()
    name = f"2022-01-27-{30:018d}.md".encode()
    places = [match.start() for match in re.finditer(re.escape(name), sound)]

    def is_mismatch(place: int) -> bool:
        site.store.write_bytes(sound[: place + 4] + b"\xc2" + sound[place + 5 :])
        with contextlib.closing(sqlite3.connect(site.store)) as connection:
            checks = ("quick_check", "integrity_check")
            found = [connection.execute(f"pragma {check}").fetchone() for check in checks]
        return found[0] == ("ok",) and found[1] != ("ok",)

    assert any(is_mismatch(place) for place in reversed(places))
    site.build("--full")
    assert site.feed_bytes() == before
    with contextlib.closing(sqlite3.connect(site.store)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
