"""The test of many machines that matters most: both stores give the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import same_story
from conftest import Result, Site, article, commands
from postgresql import new_database
from system.dirty_posts import dirty_post, dirty_posts, publish_everything
from system.documents import differing, files_of, torn
from upstream import Upstream

# They say themselves where the store is.
pytestmark = pytest.mark.sqlite

SAMPLES = Path(__file__).parents[2] / "posts"
BEGIN = 1_700_000_000.0  # 2023-11-14T22:13:20Z
HOUR, DAY = 3600.0, 86_400.0
JSON_FEED = "https://jsonfeed.org/version/1.1"
UPSTREAM = """\
fetch:
  timeout: 30s
  # One after the other, so that articles arrive in one order.
  concurrency: 1
  per_host: {{concurrency: 1, delay: 0s}}
  allow_private_addresses: true
subscriptions:
  - {{url: '{0}/rss', source: beijing}}
  - {{url: '{0}/json'}}
  - {{url: '{0}/broken'}}
"""


@dataclass
class Twins:
    """The same posts, read by a site on SQLite and by one on PostgreSQL, by one clock."""

    posts: Path
    sites: tuple[Site, Site]
    now: float = BEGIN

    def configure(self, change: Callable[[str], str]) -> None:
        for site in self.sites:
            site.configure(change)

    def write(self, posts: Iterable[tuple[str, str | bytes]]) -> None:
        for name, text in posts:
            path = self.posts / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            os.utime(path, (self.now - 60, self.now - 60))

    def run(self, *arguments: str, after: float = HOUR) -> list[Result]:
        """Run a command on both, and compare everything that can be seen of them."""
        self.now += after
        results = [self._run(site, *arguments) for site in self.sites]
        assert [torn(site) for site in self.sites] == [[], []]
        assert differing(*map(files_of, self.sites)) == []
        one, two = (self._run(site, "problems", "--json").json for site in self.sites)
        assert one == two
        return results

    def build(self, *arguments: str, after: float = HOUR) -> set[str]:
        """Build both; return what was written."""
        one, two = (result.json for result in self.run("build-feeds", "--json", *arguments))
        assert one == two
        return set(one["written"])

    def _run(self, site: Site, *arguments: str) -> Result:
        result = commands.run(site.root, list(arguments), 600, clock=self.now)
        assert "Traceback" not in result.err
        return result


@pytest.fixture
def twins(make_site: Callable[[str], Site], tmp_path: Path, upstream: Upstream) -> Twins:
    found = Twins(tmp_path / "posts", (make_site("sqlite"), make_site("postgresql")))
    shutil.copytree(SAMPLES, found.posts)
    for site in found.sites:
        site.posts.rmdir()
        publish_everything(site)
    found.configure(lambda text: text.replace("- path: posts", "- path: ../posts"))
    found.configure(lambda text: text + UPSTREAM.format(upstream.url))
    database = new_database()
    found.sites[1].configure(lambda text: f"{text}store: '{database}'\n")
    return found


def serve(upstream: Upstream, numbers: Iterable[int], text: str) -> None:
    """Publish feeds with entries that are as dirty as feeds can be."""
    items = [
        {
            "id": f"http://a.example/{number}",
            "url": f"http://a.example/{number}?a=1&b=2",
            "title": f"{text}\ud800\0\x08{number} <b>粗</b>",
            "content_html": f"<p onclick='x'>{text}{number}\udfff\0 ]]&gt;<script>1</script></p>",
            "date_published": f"2022-01-{1 + number % 28:02d}T10:00:00+08:00",
            "tags": ["一", "\0", "x" * 300],
            "authors": [{"name": f"记者\0{number % 3}"}],
        }
        for number in numbers
    ]
    whole = {"version": JSON_FEED, "title": "J\0", "items": items}
    upstream.document("/json", json.dumps(whole).encode(), "application/feed+json")
    rss = "".join(
        f"<item><title>{text}{number}</title><guid>g{number}</guid><category>二</category>"
        f"<link>http://b.example/{number}</link><description>{text} &amp;#0; {number}</description>"
        f"<enclosure url='http://b.example/{number}.mp3' type='audio/mpeg' length='x'/></item>"
        for number in numbers
    )
    upstream.document("/rss", f"<rss version='2.0'><channel>{rss}</channel></rss>")
    upstream.document("/broken", "<html>")


@pytest.mark.parametrize("count", [30, pytest.param(3000, marks=pytest.mark.exhaustive)])
def test_the_same_site_gives_the_same_bytes(twins: Twins, upstream: Upstream, count: int) -> None:
    most = count * 2 // 3
    twins.write(dirty_posts(most))
    later = article("später", "<p>港口</p>", date="2023-11-18 00:00:00 +0800")
    twins.write([("2023-11-18-NW202311180000000001.md", later)])
    assert len(twins.build()) > 40
    assert twins.build() == set()

    # Corrections, new posts, and what the upstream has; then other entries, and no more posts.
    twins.write(dirty_posts(0, most, 5, revision=1))
    twins.write(dirty_posts(most, count))
    serve(upstream, range(count // 5), "文")
    polled = twins.run("poll", "--only", "subscriptions", "--json")
    assert polled[0].json["origins"] == polled[1].json["origins"]
    assert twins.build()
    for number in range(0, count, 11):
        (twins.posts / dirty_post(number)[0]).unlink(missing_ok=True)
    serve(upstream, range(count // 10, count // 4), "新文")
    twins.run("poll", "--only", "subscriptions", "--all", after=DAY)
    assert twins.build()

    # Other rules and other feeds; a whole build; what was scheduled.
    twins.configure(
        lambda text: text.replace("[新规新规]", "[市场, 长长]").replace("集市", "街市")
        .replace("entries: 5", "entries: 7").replace("[atom, rss, json]", "[json, atom]")
        .replace("words: [港口]", "tags: [二]")
        .replace("layout: plain", "layout: plain\n    when_removed: drop")
    )  # fmt: skip
    assert twins.build()
    twins.run("build-feeds", "--full", after=5 * DAY)
    assert twins.build("--no-poll") == set()
    assert all("später" in files_of(site)["all.atom"].decode() for site in twins.sites)
    shutil.rmtree(twins.sites[0].feeds / "sources")
    shutil.rmtree(twins.sites[1].feeds / "sources")
    assert twins.build()


@pytest.mark.parametrize("mode", ["link", "collapse"])
def test_the_same_articles_are_similar(twins: Twins, upstream: Upstream, mode: str) -> None:
    def write(numbers: Iterable[int], stories: int) -> None:
        twins.write(
            (
                f"2023-11-14-{number:02d}.md",
                article(
                    f"{number}",
                    same_story.text(number % stories, 400) + same_story.text(99, 100),
                    date=f"2023-11-14 {number:02d}:00:00 +0800",
                    source=f"outlet{number % 5}",
                    name=f"日报{number % 5}",
                ),
            )
            for number in numbers
        )

    serve(upstream, (), "")
    twins.configure(lambda text: text.replace("feeds:\n", f"feeds:\n  similar: {mode}\n", 1))
    write(range(12), 3)
    assert twins.build()
    found = twins.run("similar", "--json")
    assert found[0].json == found[1].json != []
    # Half of them get another text, and others arrive.
    write(range(6), 2)
    write(range(12, 20), 4)
    assert twins.build()
    (twins.posts / "2023-11-14-00.md").unlink()
    twins.configure(
        lambda text: text.replace("layout: plain", "layout: plain\n    when_removed: drop")
    )
    assert twins.build()
    found = twins.run("similar", "--json")
    assert found[0].json == found[1].json != []
    assert twins.build() == set()


def test_titles_links_and_tags_of_any_length(twins: Twins, upstream: Upstream) -> None:
    """PostgreSQL's indexes have limits that SQLite's have not."""
    chance = random.Random(1)

    def noise(length: int, first: int = 0x4E00, last: int = 0x9FA5) -> str:
        return "".join(chr(chance.randrange(first, last)) for _ in range(length))

    lengths = (900, 2000, 4000, 20_000)
    items: list[dict[str, object]] = [
        {"id": noise(9, 97, 123), "url": f"http://a.example/{noise(length, 97, 123)}",
         "title": noise(length), "content_html": noise(length), "tags": [noise(length)],
         "authors": [{"name": noise(length)}]}
        for length in lengths
    ]  # fmt: skip
    items += [
        {"id": noise(length, 97, 123), "title": noise(3), "content_html": "<p>x</p>"}
        for length in lengths
    ]
    serve(upstream, range(3), "文")
    upstream.document("/json", json.dumps({"version": JSON_FEED, "items": items}).encode())
    twins.write(
        (f"2022-01-2{number}-x.md", article(noise(length), source=noise(length), name=noise(200)))
        for number, length in enumerate(lengths)
    )
    polled = twins.run("poll", "--only", "subscriptions", "--json")
    assert polled[0].json["origins"] == polled[1].json["origins"]
    assert twins.build()
    assert twins.build() == set()


def test_what_is_too_long_for_an_index_is_a_problem_of_its_item(
    site: Site, upstream: Upstream
) -> None:
    site.move_to_postgresql()
    serve(upstream, (), "")
    good = [{"id": str(number), "title": f"gut{number}", "content_html": "x"} for number in "12"]
    noise = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9FA5), k=3000)))
    bad = {"id": noise, "title": "lang", "content_html": "x"}
    items = [good[0], bad, good[1]]
    upstream.document("/json", json.dumps({"version": JSON_FEED, "items": items}).encode())
    site.configure(lambda text: text + UPSTREAM.format(upstream.url))
    site.run("poll", "--only", "subscriptions")
    site.build()
    assert {entry.title for entry in site.entries()} >= {"gut1", "gut2"}
    assert any("cannot be stored" in problem["reason"] for problem in site.problems())
