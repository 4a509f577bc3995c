"""Feed readers that are not ours subscribe, and follow the archives to their end (RFC 5005 §4)."""

import shutil
import signal
import socket
import sqlite3
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
import requests
from conftest import ATOM, COMMAND, Site, article, share_url
from reader import make_reader

COUNT = 60


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    """The address of a site's feeds of few entries, as it is served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    site.configure(
        lambda text: (
            text.replace("https://finews.example.org/feeds/", f"http://{address}/")
            + "  entries: 5\n  combined_entries: 8\n  formats: [rss, atom, json]\n"
        )
    )
    for number in range(COUNT):
        code = f"NW20220127{number:010d}"
        site.post(
            f"2022-01-27-{code}.md",
            article(
                f"标题{number}",
                f'<p><img src="/icon.gif">正文{number}。</p>'
                f'<p><img data-src="/{number}.jpg" width="600" height="400"></p>',
                date=f"2022-01-27 {number // 60:02d}:{number % 60:02d}:00 +0800",
                source=f"source{number % 3}",
                name=f"来源{number % 3}",
                share=share_url(code),
            ),
        )
    site.build()
    process = subprocess.Popen([str(COMMAND), "serve", "-q", "--listen", address], cwd=site.root)
    while process.poll() is None:
        try:
            requests.get(f"http://{address}/", timeout=5)
            break
        except requests.ConnectionError:
            continue
    yield f"http://{address}/"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def chain(start: str) -> list[str]:
    """The subscription document, and what `prev-archive` leads to."""
    found = [start]
    while True:
        root = ElementTree.fromstring(requests.get(found[-1], timeout=5).content)
        links = {link.get("rel"): link.get("href") for link in root.iter(ATOM + "link")}
        previous = links.get("prev-archive")
        if previous is None:
            return found
        found.append(previous)


@pytest.mark.parametrize(
    ("feed", "count"),
    [("all.atom", COUNT), ("all.rss", COUNT), ("sources/source1.atom", COUNT // 3)],
)
def test_reader_gets_every_article_once(url: str, feed: str, count: int) -> None:
    with make_reader(":memory:") as reader:
        documents = chain(url + feed)
        assert len(documents) > 3
        for number, document in enumerate(documents):
            if number:
                reader.change_feed_url(documents[number - 1], document)
            else:
                reader.add_feed(document)
            reader.update_feed(document)
        entries = list(reader.get_entries())
        assert len(entries) == len({entry.title for entry in entries}) == count
        assert all("正文" in (entry.get_content() or entry).value for entry in entries)
        for entry in entries:
            number = (entry.title or "").removeprefix("标题")
            assert entry.summary == f"正文{number}。"
            assert entry.authors_str == f"来源{int(number) % 3}"


@pytest.mark.parametrize("feed", ["all.atom", "all.rss"])
def test_feedparser_finds_summary_author_and_picture(url: str, feed: str) -> None:
    for entry in feedparser.parse(requests.get(url + feed, timeout=5).content).entries:
        number = entry.title.removeprefix("标题")
        picture = f"https://finews.example.org/{number}.jpg"
        assert (entry.summary, entry.author) == (f"正文{number}。", f"来源{int(number) % 3}")
        assert entry.media_thumbnail == [{"url": picture, "width": "600", "height": "400"}]
        assert entry.media_content == [
            {**entry.media_thumbnail[0], "medium": "image", "type": "image/jpeg"}
        ]
        assert not entry.enclosures


def test_json_feed_has_summary_author_and_picture(url: str) -> None:
    for item in requests.get(url + "all.json", timeout=5).json()["items"]:
        number = item["title"].removeprefix("标题")
        assert item["summary"] == f"正文{number}。"
        assert item["image"] == f"https://finews.example.org/{number}.jpg"
        assert item["authors"][0]["name"] == f"来源{int(number) % 3}"


@pytest.mark.skipif(
    shutil.which("newsboat") is None, reason="no newsboat (apt-get install newsboat)"
)
@pytest.mark.parametrize("feed", ["all.atom", "all.rss"])
def test_newsboat_gets_every_article_once(url: str, feed: str, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("\n".join(chain(url + feed)) + "\n")
    (tmp_path / "config").write_text("")
    subprocess.run(
        ["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload"],
        cwd=tmp_path,
        check=True,
        timeout=60,
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
    )
    connection = sqlite3.connect(tmp_path / "cache.db")
    rows = connection.execute("select guid, title, content, author from rss_item").fetchall()
    connection.close()
    assert len(rows) == len({guid for guid, *_ in rows}) == COUNT
    assert {title for _, title, *_ in rows} == {f"标题{number}" for number in range(COUNT)}
    assert all("正文" in content and ".jpg" in content for _, _, content, _ in rows)
    assert {author for *_, author in rows} == {f"来源{number}" for number in range(3)}
