"""Archived feeds (RFC 5005 §4): every article is in one of the documents, sealed ones stay."""

import os
import random
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest
from conftest import ATOM, COMMAND, Site, article, share_url
from system.documents import expected_of
from system.oracle import assert_sound

HISTORY = "{http://purl.org/syndication/history/1.0}"
BASE = "https://finews.example.org/feeds/"


def code(number: int) -> str:
    return f"NW20220127{number:010d}"


def fill(site: Site, numbers: range) -> None:
    for number in numbers:
        day, minute = divmod(number, 1440)
        site.post(
            f"2022-01-{27 + day}-{code(number)}.md",
            article(
                f"标题{number}",
                f"<p>正文{number}。</p>",
                date=f"2022-01-{27 + day} {minute // 60:02d}:{minute % 60:02d}:00 +0800",
                source=f"source{number % 3}",
                name=f"来源{number % 3}",
                share=share_url(code(number)),
            ),
        )


@pytest.fixture
def small(site: Site) -> Site:
    """Feeds of five entries, the combined one of ten."""
    site.configure(lambda text: text + "  entries: 5\n  combined_entries: 10\n")
    return site


def links(path: Path) -> dict[str, str]:
    root = ElementTree.parse(path).getroot()
    return {link.get("rel", ""): link.get("href", "") for link in root.findall(ATOM + "link")}


def chain(site: Site, feed: str) -> list[Path]:
    """The subscription document, and those that `prev-archive` leads to."""
    found = [site.feeds / feed]
    while "prev-archive" in (known := links(found[-1])):
        found.append(site.feeds / known["prev-archive"].removeprefix(BASE))
    return found


def shown(paths: list[Path], site: Site) -> Counter[str]:
    return Counter(
        entry.title for path in paths for entry in site.entries(str(path.relative_to(site.feeds)))
    )


def archives(site: Site) -> dict[str, bytes]:
    return {
        str(path.relative_to(site.feeds)): path.read_bytes()
        for path in (site.feeds / "archives").rglob("*.atom")
    }


def sealed(site: Site) -> dict[str, bytes]:
    return {path: data for path, data in archives(site).items() if b'rel="next-archive"' in data}


@pytest.mark.parametrize(("feed", "count"), [("all.atom", 47), ("sources/source1.atom", 16)])
def test_every_article_stands_in_one_document(small: Site, feed: str, count: int) -> None:
    fill(small, range(47))
    small.build()
    found = shown(chain(small, feed), small)
    assert set(found.values()) == {1}
    assert len(found) == count


def test_documents_lead_to_each_other(small: Site) -> None:
    fill(small, range(47))
    small.build()
    current, *older = chain(small, "all.atom")
    assert [path.name for path in older] == ["all.4.atom", "all.3.atom", "all.2.atom", "all.1.atom"]
    root = ElementTree.parse(current).getroot()
    assert root.find(HISTORY + "archive") is None
    feed_id = root.findtext(ATOM + "id")
    for newer, path in zip([None, *older], older, strict=False):
        document = ElementTree.parse(path).getroot()
        assert document.find(HISTORY + "archive") is not None
        assert document.findtext(ATOM + "id") == feed_id
        known = links(path)
        assert known["current"] == BASE + "all.atom"
        assert known["self"] == BASE + str(path.relative_to(small.feeds))
        expected = BASE + str(newer.relative_to(small.feeds)) if newer else None
        assert known.get("next-archive") == expected
    assert "prev-archive" not in links(older[-1])


def test_rss_leads_to_the_same_archives(small: Site) -> None:
    small.configure(lambda text: text + "  formats: [rss]\n")
    fill(small, range(30))
    small.build()
    channel = ElementTree.parse(small.feeds / "all.rss").getroot()[0]
    previous = {link.get("rel"): link.get("href") for link in channel.findall(ATOM + "link")}
    assert previous["prev-archive"] == BASE + "archives/all.2.atom"
    assert links(small.feeds / "archives" / "all.2.atom")["current"] == BASE + "all.rss"


def test_a_sealed_document_never_changes(small: Site) -> None:
    fill(small, range(60))
    small.build()
    before = sealed(small)
    assert len(before) >= 4
    random_ = random.Random(3)
    number = 60
    while number < 560:
        step = random_.choice((7, 60, 250))
        fill(small, range(number, number + step))
        number += step
        small.build()
        now = sealed(small)
        assert {path: now[path] for path in before} == before
        before = now
    for feed in ("all.atom", "sources/source0.atom"):
        assert set(shown(chain(small, feed), small).values()) == {1}
    assert len(shown(chain(small, "all.atom"), small)) == number


def test_one_article_more_writes_one_document(small: Site) -> None:
    fill(small, range(40))
    small.build()
    before = {path: (small.feeds / path).stat().st_mtime_ns for path in archives(small)}
    fill(small, range(40, 41))
    result = small.build("--json").json
    written = set(result["written"])
    assert result["documents"] == 3
    assert {path for path in written if path.startswith("archives/")} == {
        "archives/all.4.atom",
        "archives/all.3.atom",
        "archives/sources/source1.2.atom",
    }
    after = {path: (small.feeds / path).stat().st_mtime_ns for path in before}
    assert {path for path in before if after[path] != before[path]} <= written


def test_an_article_that_arrives_late_is_archived_at_once(small: Site) -> None:
    fill(small, range(20, 50))
    small.build()
    fill(small, range(0, 3))
    small.build()
    found = shown(chain(small, "all.atom"), small)
    assert len(found) == 33
    assert set(found.values()) == {1}


def test_a_correction_of_a_sealed_article_comes_again(small: Site) -> None:
    fill(small, range(40))
    small.build()
    before = sealed(small)
    path = small.posts / f"2022-01-27-{code(2)}.md"
    path.write_text(path.read_text("utf-8").replace("正文2。", "更正2。"), "utf-8")
    small.build()
    now = sealed(small)
    assert {path: now[path] for path in before} == before
    texts = [
        (entry.updated, entry.content[0].value)
        for path in chain(small, "all.atom")
        for entry in small.entries(str(path.relative_to(small.feeds)))
        if entry.title == "标题2"
    ]
    assert [text for _, text in sorted(texts)] == ["<p>正文2。</p>", "<p>更正2。</p>"]
    # The newer document has the newer text, as RFC 5005 wants it.
    assert [text for _, text in texts] == ["<p>更正2。</p>", "<p>正文2。</p>"]
    now = archives(small)
    small.build("--full")
    assert archives(small) == now


def test_what_is_withdrawn_leaves_the_archives(small: Site) -> None:
    fill(small, range(40))
    small.build()
    path = small.posts / f"2022-01-27-{code(2)}.md"
    path.write_text(path.read_text("utf-8").replace("layout: post", "published: false"), "utf-8")
    assert "2 archive documents written\n" in small.build().out
    for feed in ("all.atom", "sources/source2.atom"):
        assert "标题2" not in shown(chain(small, feed), small)
    assert len(shown(chain(small, "all.atom"), small)) == 39


def test_what_is_withdrawn_leaves_the_archive_of_a_source_that_it_had_left(small: Site) -> None:
    fill(small, range(40))
    small.build()
    path = small.posts / f"2022-01-27-{code(2)}.md"
    text = path.read_text("utf-8").replace("categories: source2", "categories: source1")
    path.write_text(text, "utf-8")
    small.build()
    assert "标题2" in shown(chain(small, "sources/source2.atom"), small)
    path.write_text(text.replace("layout: post", "published: false"), "utf-8")
    small.build()
    for feed in ("all.atom", "sources/source1.atom", "sources/source2.atom"):
        assert "标题2" not in shown(chain(small, feed), small)


def test_what_is_due_later_is_in_no_archive(small: Site) -> None:
    fill(small, range(30))
    small.post("later.md", article("später", date="2222-01-01"))
    small.build()
    assert "später" not in shown(chain(small, "all.atom"), small)


def test_files_that_were_removed_come_back(small: Site) -> None:
    fill(small, range(40))
    small.build()
    before = archives(small)
    shutil.rmtree(small.feeds)
    small.build()
    assert archives(small) == before
    (small.feeds / "archives" / "all.1.atom").unlink()
    small.build("--full")
    assert archives(small) == before


def test_a_file_that_a_build_of_another_feed_misses_comes_back_with_the_next(small: Site) -> None:
    fill(small, range(40))
    small.build()
    before = archives(small)
    for path in ("archives/all.1.atom", "archives/sources/source1.1.atom"):
        (small.feeds / path).unlink()
    small.build("--source", "source0")
    small.build()
    assert archives(small) == before


def test_an_altered_document_is_found_by_its_content(small: Site) -> None:
    fill(small, range(40))
    small.build()
    before = archives(small)
    path = small.feeds / "archives" / "all.1.atom"
    found = path.stat()
    path.write_bytes(path.read_bytes().replace("正文".encode(), "更正".encode()))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    small.build("--full")
    assert archives(small) == before


@pytest.mark.parametrize("count", [40, 37], ids=["full documents", "one that is not full"])
def test_archives_outlive_the_store(small: Site, count: int) -> None:
    fill(small, range(count))
    small.build()
    before = archives(small)
    # The posts of the first articles have left the folder: only the archive has them.
    for number in range(6):
        (small.posts / f"2022-01-27-{code(number)}.md").unlink()
    small.build()
    small.store.unlink()
    small.build()
    fill(small, range(count, 60))
    small.build()
    now = archives(small)
    assert {path: now[path] for path in before} == before
    found = shown(chain(small, "all.atom"), small)
    assert len(found) == 60
    assert set(found.values()) == {1}


@pytest.mark.parametrize("place", ["head", "end"])
def test_a_damaged_document_is_not_replaced_by_one_without_entries(small: Site, place: str) -> None:
    fill(small, range(40))
    small.build()
    # The posts of its articles have left the folder: only the archive has them.
    for number in range(10):
        (small.posts / f"2022-01-27-{code(number)}.md").unlink()
    small.build()
    small.store.unlink()
    path = small.feeds / "archives" / "all.1.atom"
    whole = path.read_bytes()
    damaged = bytes(4) + whole[4:] if place == "head" else whole[:-9]
    path.write_bytes(damaged)
    found = small.run("build-feeds")
    assert path.read_bytes() == damaged
    # A torn one would be written again with all that is known, but some is known from it alone.
    assert found.code == (0 if place == "head" else 1), found.err
    assert ("is damaged, and some of its articles" in found.err) == (place == "end")


def test_without_archives(small: Site) -> None:
    small.configure(lambda text: text + "  archives: false\n")
    fill(small, range(30))
    small.build()
    assert not (small.feeds / "archives").exists()
    assert "prev-archive" not in links(small.feeds / "all.atom")
    small.configure(lambda text: text.replace("archives: false", "archives: true"))
    small.build()
    assert len(shown(chain(small, "all.atom"), small)) == 30


@pytest.mark.usefixtures("on_both")
@pytest.mark.parametrize(
    ("posts", "kills"), [(120, 2), pytest.param(600, 6, marks=pytest.mark.exhaustive)]
)
def test_a_build_killed_while_it_archives_is_gone_on_with(
    small: Site, make_site, posts: int, kills: int
) -> None:
    fill(small, range(posts))
    undisturbed = make_site("undisturbed")
    undisturbed.config.write_bytes(small.config.read_bytes())
    for path in small.posts.iterdir():
        shutil.copy2(path, undisturbed.posts)
    undisturbed.build()
    for _ in range(kills):
        process = subprocess.Popen(
            [str(COMMAND), "build-feeds", "-q"], cwd=small.root, start_new_session=True
        )
        seen = len(list(small.feeds.rglob("*.atom")))
        while process.poll() is None:
            if len(list(small.feeds.rglob("*.atom"))) >= seen + 15:
                process.send_signal(signal.SIGKILL)
        process.wait()
    small.build()
    assert_sound(small, expected_of(small.posts), twin=undisturbed)
