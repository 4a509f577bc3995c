"""Work follows what changed: which files a run opens and which it writes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Site, article, share_url
from postgresql import new_database

from aggregator.store import schema
from aggregator.store.database import Store

HOOK = """
import os, sys

def _log(event, arguments, log=os.open(os.environ["OPENED"], os.O_WRONLY | os.O_APPEND)):
    if event == "open" and isinstance(arguments[0], str | bytes):
        os.write(log, os.fsencode(arguments[0]) + b"\\n")

sys.addaudithook(_log)
"""


def code(number: int) -> str:
    return f"NW20220127{number:010d}"


def fill(site: Site, count: int) -> None:
    for number in range(count):
        text = article(
            f"标题{number}",
            f"<p>正文{number}。</p>",
            date=f"2022-01-27 {number // 60:02d}:{number % 60:02d}:00 +0800",
            source=f"source{number % 5}",
            name=f"来源{number % 5}",
            share=share_url(code(number)),
        )
        age(site.post(f"2022-01-27-{code(number)}.md", text))


def age(path: Path, seconds: float = 3600) -> None:
    """Make a file look as if it had been left alone for a while."""
    now = path.stat().st_mtime
    os.utime(path, (now - seconds, now - seconds))


def posts_opened(site: Site, tmp_path: Path) -> set[str]:
    """The posts that a build opens."""
    hook = tmp_path / "hook"
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(HOOK)
    log = tmp_path / "opened"
    log.write_bytes(b"")
    site.build(environment={"PYTHONPATH": str(hook), "OPENED": str(log)})
    opened = [Path(line) for line in log.read_text().splitlines()]
    assert any(path.name == "config.yaml" for path in opened)
    return {path.name for path in opened if path.parent.name == "posts"}


def written(site: Site) -> dict[str, int]:
    return {
        str(path.relative_to(site.feeds)): path.stat().st_mtime_ns
        for path in site.feeds.rglob("*.atom")
    }


def test_the_first_build_opens_every_post_once(site: Site, tmp_path: Path) -> None:
    fill(site, 30)
    assert len(posts_opened(site, tmp_path)) == 30


def test_nothing_changed_opens_no_post_and_touches_no_feed(site: Site, tmp_path: Path) -> None:
    fill(site, 30)
    site.build()
    before = written(site)
    assert posts_opened(site, tmp_path) == set()
    (site.store.parent / "aggregator.db.current").unlink()
    assert posts_opened(site, tmp_path) == set()
    assert written(site) == before


def test_one_changed_post_is_the_only_one_opened(site: Site, tmp_path: Path) -> None:
    fill(site, 30)
    site.build()
    before = written(site)
    name = f"2022-01-27-{code(7)}.md"
    path = site.posts / name
    path.write_text(path.read_text("utf-8").replace("正文7", "更正7"), "utf-8")
    age(path)
    assert posts_opened(site, tmp_path) == {name}
    after = written(site)
    assert {key for key in after if after[key] != before[key]} == {
        "all.atom",
        "sources/source2.atom",
    }


def test_a_young_post_is_read_again_until_it_is_not(site: Site, tmp_path: Path) -> None:
    fill(site, 3)
    name = f"2022-01-27-{code(1)}.md"
    os.utime(site.posts / name)
    site.build()
    age(site.posts / name)
    assert posts_opened(site, tmp_path) == {name}
    assert posts_opened(site, tmp_path) == set()


def test_the_short_way_sees_a_change_of_any_kind(site: Site) -> None:
    fill(site, 3)
    site.build()
    assert "nothing changed" in site.build().out
    name = site.posts / f"2022-01-27-{code(1)}.md"
    same_size = name.read_text("utf-8").replace("正文1", "正文9")
    stat = name.stat()
    name.write_text(same_size, "utf-8")
    os.utime(name, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "1 revised" in site.build().out
    site.build()
    assert "nothing changed" in site.build().out
    (site.feeds / "all.atom").unlink()
    assert "1 of 4 feeds written" in site.build().out
    site.configure(lambda text: text.replace("财经新闻", "新闻"))
    assert "4 of 4 feeds written" in site.build().out


def on_postgresql(site: Site) -> str:
    url = new_database()
    site.configure(lambda text: f"{text}store: '{url}'\n")
    return url


@pytest.mark.sqlite
def test_a_store_in_a_database_is_known_by_what_was_written_to_it(
    site: Site, make_site: Callable[[str], Site]
) -> None:
    url = on_postgresql(site)
    fill(site, 3)
    site.build()
    assert site.build().out.startswith("nothing changed: 3 articles")
    # Another machine writes to it.
    with Store(url) as store, store.transaction() as connection:
        connection.execute(schema.dirty_feed.insert(), {"feed": "x"})
    assert "nothing changed" not in site.build().out
    assert "nothing changed" in site.build().out
    other = make_site("other")
    other.configure(lambda text: f"{text}store: '{url}'\n")
    assert other.build(expect=1).code == 1  # its folder of posts is empty
    assert "nothing changed" not in site.build().out


@pytest.mark.sqlite
def test_a_database_that_cannot_be_reached_is_an_error_of_the_full_run(site: Site) -> None:
    url = on_postgresql(site)
    fill(site, 1)
    site.build()
    stamp = site.root / "var" / "aggregator.db.current"
    assert url.rpartition("/")[2] not in stamp.read_text("utf-8")
    site.configure(lambda text: text.replace("?host=/", "?host=/nowhere/"))
    result = site.build(expect=1)
    assert "nowhere" in result.err
