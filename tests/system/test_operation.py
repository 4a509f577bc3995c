"""Slugs, full disks, kills, locks, damaged stores: what operation brings."""

import datetime
import fcntl
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from conftest import COMMAND, NAMESPACE, Site, article, need_namespace
from corpus import write_corpus
from revised import revised_site
from system.disturbance import is_alive
from system.documents import expected_of
from system.oracle import assert_sound
from waiting import has_open, wait_for

CODE = "NW202201270000000001"
SLUGS = {
    "up": "../../etc/passwd",
    "upper": "ALL",
    "device": "con",
    "long": "a" * 300,
    "chinese": "北京商报",
    "case 1": "tech",
    "case 2": "Tech",
    "composed": "caf\u00e9",
    "decomposed": "cafe\u0301",
    "dots": "..",
    "nul": "a\0b",
}


def temporary_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*.tmp")]


@pytest.mark.sqlite
def test_96_97_any_slug_is_a_safe_file_name_of_its_own(site: Site) -> None:
    for number, slug in enumerate(SLUGS.values()):
        text = article(f"Titel {number}", source=f'["{slug}"]', share=None)
        site.post(f"{number}.md", text)
    site.build()
    files = sorted(path.name for path in (site.feeds / "sources").iterdir())
    assert len(files) == len({name.casefold() for name in files}) == len(SLUGS)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}\.atom", name) for name in files)
    assert {path.name for path in site.root.iterdir()} == {"config.yaml", "feeds", "posts", "var"}
    listed = site.run("sources", "--json").json
    assert sorted(item["feed"].removeprefix("sources/") for item in listed) == files
    for item in listed:
        assert len(site.entries(item["feed"])) == 1


def in_namespace(site: Site, mount: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the feeds folder on a file system of its own."""
    need_namespace()
    site.feeds.mkdir(exist_ok=True)
    lines = f"set -e; {mount}; build() {{ '{COMMAND}' build-feeds; }}; {script}"
    return subprocess.run(
        [*NAMESPACE, "sh", "-c", lines],
        cwd=site.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SUMS = "find feeds -name '*.atom' | sort | xargs sha256sum"


def test_97_a_slug_does_not_depend_on_the_store(site: Site) -> None:
    for number, slug in enumerate(SLUGS.values()):
        site.post(f"{number}.md", article(f"Titel {number}", source=f'["{slug}"]'))
    site.build()
    before = site.feed_bytes()
    site.store.unlink()
    for number in (3, 0, 7):
        os.utime(site.posts / f"{number}.md")
    site.build()
    assert site.feed_bytes() == before


def test_98_no_space_left_keeps_the_old_feeds_and_tries_again(site: Site) -> None:
    site.post("1.md", article("eins"))
    (site.root / "big.md").write_text(article("gross", "<p>" + "x" * 900_000 + "</p>"))
    done = in_namespace(
        site,
        "mount -t tmpfs -o size=600k tmpfs feeds",
        f"build; {SUMS} > before; cp big.md posts/big.md; build && exit 9 || test $? = 1;"
        f"{SUMS} | cmp - before; find feeds -name '*.tmp' | grep . && exit 8;"
        "mount -o remount,size=10m feeds; build; grep -q gross feeds/all.atom",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No space left" in done.stderr
    assert "what was there before was kept" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.sqlite
def test_98_no_space_left_for_the_store_keeps_all_and_tries_again(site: Site) -> None:
    site.post("1.md", article("eins"))
    (site.root / "big").mkdir()
    for number in range(8):
        text = article(
            f"gross {number}", f"<p>{random.Random(number).randbytes(100_000).hex()}</p>"
        )
        (site.root / "big" / f"big{number}.md").write_text(text)
    (site.root / "var").mkdir()
    done = in_namespace(
        site,
        "mount -t tmpfs -o size=500k tmpfs var",
        f"build; {SUMS} > before; cp big/*.md posts; build && exit 9 || test $? = 1;"
        f"{SUMS} | cmp - before; mount -o remount,size=20m var; build",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aggregator.db: database or disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(site.entries()) == 9


def test_99_read_only_output_keeps_the_old_feeds(site: Site) -> None:
    site.post("1.md", article("eins"))
    site.build()
    before = site.feed_bytes()
    site.post("2.md", article("zwei"))
    done = in_namespace(
        site,
        "mount --bind feeds feeds; mount -o remount,ro,bind feeds",
        "build && exit 9 || test $? = 1",
    )
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr
    assert site.feed_bytes() == before
    assert temporary_files(site.feeds) == []
    site.build()
    assert len(site.entries()) == 2


@pytest.mark.sqlite
def test_99_a_read_only_store_keeps_the_feeds_and_can_be_read(site: Site) -> None:
    site.post("1.md", article("eins"))
    site.build()
    before = site.feed_bytes()
    site.post("2.md", article("zwei"))
    done = in_namespace(
        site,
        "mount --bind var var; mount -o remount,ro,bind var",
        f"build && exit 9 || test $? = 1; '{COMMAND}' status",
    )
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stderr
    assert "1 article" in done.stdout
    assert "Traceback" not in done.stderr
    assert site.feed_bytes() == before


@pytest.mark.parametrize(
    ("posts", "kills"), [(200, 3), pytest.param(1000, 50, marks=pytest.mark.exhaustive)]
)
def test_100_killed_at_moments_of_a_first_build(make_site, posts: int, kills: int) -> None:
    undisturbed, killed = make_site("undisturbed"), make_site("killed")
    for one in (undisturbed, killed):
        write_corpus(one.posts, posts)
    started = time.monotonic()
    undisturbed.build()
    whole = time.monotonic() - started
    random_ = random.Random(7)
    for number in range(kills):
        if number % 10 == 0:
            subprocess.run(["rm", "-rf", str(killed.root / "var"), str(killed.feeds)], check=True)
        process = subprocess.Popen(
            [str(COMMAND), "build-feeds", "-q"], cwd=killed.root, start_new_session=True
        )
        try:
            process.wait(whole * random_.uniform(0.02, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        for path in killed.feeds.rglob("*.atom"):
            assert path.read_bytes().endswith(b"</feed>\n"), path
        wait_for(lambda group=process.pid: not is_alive(group))
    killed.build()
    assert_sound(killed, expected_of(killed.posts), twin=undisturbed)


@pytest.mark.parametrize(
    "counts", [(10,), pytest.param((1, 10, 25, 40), marks=pytest.mark.exhaustive)], ids=len
)
def test_100_killed_while_feeds_are_written(make_site, counts: tuple[int, ...]) -> None:
    undisturbed, killed = make_site("undisturbed"), make_site("killed")
    for one in (undisturbed, killed):
        write_corpus(one.posts, 300)
    undisturbed.build()
    ends = []
    for count in counts:
        process = subprocess.Popen(
            [str(COMMAND), "build-feeds", "-q"], cwd=killed.root, start_new_session=True
        )

        def is_far_enough(process=process, count=count) -> bool:
            return process.poll() is not None or len(written_by(killed)) >= count

        wait_for(is_far_enough)
        process.kill()
        ends.append(process.wait())
        wait_for(lambda group=process.pid: not is_alive(group))
        left = written_by(killed)
        assert {path: undisturbed.feed_bytes()[path] for path in left} == left
        for path in left:
            (killed.feeds / path).unlink()
    assert -signal.SIGKILL in ends
    killed.build()
    assert_sound(killed, expected_of(killed.posts), twin=undisturbed)


def written_by(site: Site) -> dict[str, bytes]:
    return site.feed_bytes() if site.feeds.is_dir() else {}


@pytest.mark.parametrize("kills", [3, pytest.param(12, marks=pytest.mark.exhaustive)])
def test_100_killed_while_the_store_is_made(site: Site, kills: int) -> None:
    site.post("1.md", article())
    for number in range(kills):
        process = subprocess.Popen([str(COMMAND), "build-feeds"], cwd=site.root)
        wait_for(lambda process=process: site.store.exists() or process.poll() is not None)
        process.kill()
        process.wait()
        if number % 3 == 2:
            site.build()
            site.store.unlink()


def test_100_killed_while_merging_a_second_copy(site: Site) -> None:
    site.post(f"2022-01-27-{CODE}.md", article("eins", "<p>a</p>"))
    site.build()
    with sqlite3.connect(site.store) as connection:
        connection.execute("update poll set finished = 0")
    connection.close()
    site.post(f"2022-01-27-{CODE[2:]}.md", article("eins", "<p>b</p>", date="2022-01-28"))
    site.build()
    (entry,) = site.entries()
    assert entry.content[0].value == "<p>b</p>"
    assert entry.updated == entry.published


@pytest.mark.sqlite
def test_two_builds_at_once_end_well_one_after_the_other(site: Site) -> None:
    write_corpus(site.posts, 800)
    command = [str(COMMAND), "build-feeds"]
    both = [
        subprocess.Popen(command, cwd=site.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    assert len(site.entries()) == 100


def test_101_a_held_lock_ends_with_75_and_names_the_holder(site: Site) -> None:
    site.post("1.md", article())
    site.store.parent.mkdir()
    with Path(f"{site.store}.lock").open("w") as lock:
        lock.write("process 4711 (somebody)")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = site.build("--wait", "0.2", expect=75)
    assert "process 4711 (somebody)" in result.err
    assert not site.feeds.exists()


def test_101_a_run_that_stands_still_is_named_and_goes_on(site: Site) -> None:
    write_corpus(site.posts, 800)
    lock = Path(f"{site.store}.lock")
    process = subprocess.Popen([str(COMMAND), "build-feeds", "-q"], cwd=site.root)
    holder = f"process {process.pid} (aggregator build-feeds)"
    wait_for(lambda: lock.exists() and holder in lock.read_text())
    process.send_signal(signal.SIGSTOP)
    result = site.run("build-feeds", "--wait", "0")
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0
    assert result.code == 75
    assert f"held by {holder}" in result.err
    site.build("--wait", "0")
    assert len(site.entries()) == 100


def test_102_a_stale_lock_is_no_lock(site: Site) -> None:
    site.post("1.md", article())
    site.store.parent.mkdir()
    Path(f"{site.store}.lock").write_text("process 4711 (gone)")
    site.build("--wait", "0")


def test_104_a_store_of_a_newer_version_is_left_alone(site: Site) -> None:
    site.post("1.md", article())
    site.build()
    with sqlite3.connect(site.store) as connection:
        connection.execute("insert into migration values (999, 0)")
    connection.close()
    site.post("2.md", article("zwei"))
    before = site.store.read_bytes()
    result = site.build(expect=1)
    assert "newer version" in result.err
    assert site.store.read_bytes() == before
    assert len(site.entries()) == 1


def test_105_a_clock_that_went_back_hides_nothing_and_undoes_no_update(site: Site) -> None:
    revised_site(site)
    ahead = int(time.time()) + 86_000
    with sqlite3.connect(site.store) as connection:
        connection.execute("update feed set checked_at = ?", (ahead,))
        connection.execute(
            "update article set updated = ? where code = 'NW202201270000000107'", (ahead,)
        )
    connection.close()
    path = site.posts / "2022-01-27-NW202201270000000107.md"
    path.write_text(path.read_text().replace("<p>neu", "<p>neuer", 1))
    site.build()
    (entry,) = [entry for entry in site.entries() if entry.title == "Titel 7"]
    updated = datetime.datetime.fromisoformat(entry.updated).timestamp()
    assert updated == ahead + 1


def test_interrupted_by_the_user(site: Site) -> None:
    write_corpus(site.posts, 1500)
    process = subprocess.Popen(
        [str(COMMAND), "build-feeds"], cwd=site.root, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for(site.store.exists)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in errors, errors.decode()
    site.build()
    assert len(site.entries()) == 100


@pytest.mark.parametrize(
    "command", ["run", pytest.param("build-feeds", marks=pytest.mark.exhaustive)]
)
def test_a_signal_is_heard_while_another_program_writes(site: Site, command: str) -> None:
    site.post("1.md", article("eins"))
    site.build()
    site.post("2.md", article("zwei"))
    other = sqlite3.connect(site.store, isolation_level=None)
    other.execute("begin immediate")
    process = subprocess.Popen(
        [str(COMMAND), command], cwd=site.root, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for(lambda: has_open(process.pid, site.store))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=8)
    assert process.returncode == (130 if command == "build-feeds" else 0)
    assert b"Traceback" not in errors, errors.decode()
    other.execute("rollback")
    other.close()
    site.build()
    assert len(site.entries()) == 2


def test_99_a_first_build_into_a_place_that_is_no_folder(site: Site) -> None:
    site.post("1.md", article("eins"))
    site.feeds.write_text("a file")
    result = site.build(expect=1)
    assert "cannot be written: Not a directory; what was there before was kept" in result.err
    site.feeds.unlink()
    site.build()
    assert [entry.title for entry in site.entries()] == ["eins"]
    assert (site.feeds / "index.html").exists()
