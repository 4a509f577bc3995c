"""The sample posts, as the README's first command builds them."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Site
from lxml import etree
from reader import make_reader

ROOT = Path(__file__).parents[2]


@pytest.fixture
def samples(site: Site) -> Site:
    shutil.copy(ROOT / "config.yaml", site.config)
    shutil.copytree(ROOT / "posts", site.posts, dirs_exist_ok=True)
    site.build()
    return site


def test_every_feed_is_well_formed_and_every_article_stands_once(samples: Site) -> None:
    files = samples.feed_bytes()
    assert len(files) >= 5
    ids: list[str] = []
    for path, data in files.items():
        etree.fromstring(data)
        entries = samples.entries(path)
        assert entries
        if path != "all.atom":
            ids += [entry.id for entry in entries]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(entry.id for entry in samples.entries())
    assert len(ids) == len(list(samples.posts.iterdir())) - 2
    assert samples.problems() == []


def test_the_samples_show_what_they_are_for(samples: Site) -> None:
    entries = {entry.id.rpartition(":")[2]: entry for entry in samples.entries()}
    assert len(samples.run("show", "NW202203012291870034", "--json").json["copies"]) == 2
    rolling = entries["NW202203022292104467"]
    assert "低谷时段" in rolling.content[0].value
    assert len(samples.run("show", "NW202203022292104467", "--json").json["copies"]) == 2
    assert '"芯片断供"' in entries["NW202203022292233815"].title
    assert "<table>" in entries["NW202203052295140098"].content[0].value
    assert entries["posts/2022-03-07-about-this-site.md"].author == "站点"
    assert all("返回" not in entry.content[0].value for entry in entries.values())


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_subscribed_to_over_http_nothing_changes_at_the_second_look(
    samples: Site, tmp_path: Path
) -> None:
    handler = functools.partial(Quiet, directory=str(samples.feeds))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reader = make_reader(str(tmp_path / "reader.db"))
        for path in samples.feed_bytes():
            reader.add_feed(f"http://127.0.0.1:{server.server_port}/{path}")
        first = [result.value for result in reader.update_feeds_iter()]
        second = [result.value for result in reader.update_feeds_iter()]
        server.shutdown()
    assert sum(feed.new for feed in first) == 2 * len(samples.entries())
    assert all(feed is None or (feed.new, feed.modified) == (0, 0) for feed in second)
