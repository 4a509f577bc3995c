"""The oracle itself: it finds nothing wrong with a sound site, and anything with another."""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Site
from system.documents import dates_of, expected_of
from system.oracle import faults_of
from system.situations import ARCHIVES, BUILT, CHANGED, built, run_at
from system.stories import plant, stories

REVISED = [story.revised() for story in stories(0, 40, 7)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with archives, corrections, all formats and packed twins."""
    site = Site(tmp_path_factory.mktemp("oracle") / "site")
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(40), BUILT - 100)
    built(site)
    plant(site.posts, REVISED, CHANGED - 100)
    assert run_at(site, CHANGED, "build-feeds").code == 0
    return site


def judged(site: Site, **options: object) -> str:
    revised = [story.code for story in REVISED]
    return "\n".join(faults_of(site, expected_of(site.posts, revised=revised), **options))


def replace(path: str, old: str, new: str) -> Callable[[Site], None]:
    """Replace the first match of a pattern in a published file, and in its packed twin."""

    def change(site: Site) -> None:
        target = site.feeds / path
        text, count = re.subn(old, new, target.read_text("utf-8"), count=1, flags=re.DOTALL)
        assert count == 1
        write(site, path, text.encode())

    return change


def write(site: Site, path: str, data: bytes) -> None:
    (site.feeds / path).write_bytes(data)
    packed = site.feeds / f"{path}.gz"
    if packed.exists():
        packed.write_bytes(gzip.compress(data))


def doubled_in_json(site: Site) -> None:
    feed = json.loads((site.feeds / "all.json").read_bytes())
    feed["items"].append(feed["items"][-1])
    write(site, "all.json", json.dumps(feed).encode())


DAMAGE: dict[str, tuple[Callable[[Site], object], str]] = {
    "doubled in an archive": (
        replace("archives/all.1.atom", r"(<entry>.*?</entry>)", r"\1\1"), "all: 1 entries are dou"
    ),
    "missing from an archive": (
        replace("archives/all.2.atom", r"<entry>.*?</entry>", ""), "all: 1 articles are missing"
    ),
    "missing from a feed": (
        replace("sources/source1.atom", r"<entry>.*?</entry>", ""), "source1.atom: shows 4 entries"
    ),
    "missing from RSS": (replace("all.rss", r"<item>.*?</item>", ""), "all.rss: shows 9 entries"),
    "doubled in JSON": (doubled_in_json, "all.json: shows 11 entries"),
    "an old text": (
        replace("all.atom", "(<content[^<]*)正文35，第1版", r"\g<1>正文35，第0版"),
        "not the last one",
    ),
    "another title in RSS": (replace("all.rss", "标题37", "标题"), "all.rss: other titles"),
    "another date": (
        replace("all.atom", "<published>[^<]*", "<published>2022-01-28T00:00:00+08:00"),
        "is published at 2022-01-28",
    ),
    "another id": (replace("all.atom", ":NW20220127", ":NW20220128"), "nothing that was to be"),
    "half a document": (replace("all.rss", "</channel>.*", ""), "all.rss: "),
    "a broken chain": (
        replace("archives/all.2.atom", 'rel="prev-archive"', 'rel="previous"'), "all.1.atom: left"
    ),
    "a twin of something else": (
        lambda site: (site.feeds / "all.atom.gz").write_bytes(gzip.compress(b"x")),
        "all.atom.gz: holds something else",
    ),
    "no twin": (lambda site: (site.feeds / "archives/all.1.atom.gz").unlink(), "all.1.atom.gz: "),
    "half a twin": (
        lambda site: (site.feeds / "all.rss.gz").write_bytes(b"\x1f\x8b\x08"), "all.rss.gz: "
    ),
    "no list": (lambda site: (site.feeds / "feeds.opml").unlink(), "feeds.opml: "),
    "a feed that is not listed": (
        replace("feeds.opml", r"<outline type=[^>]*source1[^>]*>", ""), "lists 3 feeds of 4"
    ),
    "half a page": (replace("index.html", "</html>.*", ""), "index.html: no end"),
    "a temporary file": (
        lambda site: (site.feeds / "sources" / ".aggregator-x.tmp").touch(), "x.tmp: left"
    ),
    "an unknown file": (lambda site: (site.feeds / "old.atom").touch(), "old.atom: left over"),
    "something in var": (
        lambda site: (site.store.parent / "aggregator.db.current.tmp").touch(), "current.tmp: left"
    ),
    "an unreadable store": (lambda site: site.store.write_bytes(b"x" * 5000), "status: "),
    "what a validator finds": (replace("all.atom", 'rel="self"', 'rel="other"'), "check --feeds: "),
}  # fmt: skip


def test_a_sound_site_is_sound(sound: Site, tmp_path: Path) -> None:
    assert judged(sound, twin=sound, before=dates_of(sound)) == ""


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found(
    sound: Site, tmp_path: Path, damage: Callable[[Site], object], reason: str
) -> None:
    site = Site(tmp_path / "site")
    shutil.rmtree(site.root)
    shutil.copytree(sound.root, site.root)
    damage(site)
    assert reason in judged(site, ask_commands=reason.startswith(("status", "check")))


def test_an_article_that_was_never_published_is_missed(sound: Site, tmp_path: Path) -> None:
    plant(tmp_path, stories(41))
    found = "\n".join(faults_of(sound, expected_of(tmp_path), ask_commands=False))
    assert "all: 1 articles are missing" in found
    assert "all.atom: shows 10 entries, not the newest 10" in found


def test_dates_that_moved_are_found(sound: Site) -> None:
    before = dates_of(sound)
    key = next(key for key in before if key.endswith(stories(2)[1].code))
    before[key] = (before[key][0], before[key][1].replace(year=2023))
    assert f"all: {key} had the dates" in judged(sound, before=before, ask_commands=False)


def test_another_byte_than_the_twin_has_is_found(sound: Site, tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    shutil.rmtree(site.root)
    shutil.copytree(sound.root, site.root)
    (site.feeds / "feeds.css").write_bytes(b"/* */" + (site.feeds / "feeds.css").read_bytes())
    assert (
        judged(site, twin=sound, ask_commands=False).count(
            "feeds.css: not as in the undisturbed site"
        )
        == 1
    )
