"""What is published, and what moves it: the main job through the command line."""

import datetime
import html
import os
import random
import re
import time
from pathlib import Path

import pytest
from conftest import ATOM, Site, article, share_url
from lxml import etree

CODE = "NW202201272264567295"
OTHER = "NW202112162216485766"


def written(site: Site) -> dict[str, int]:
    return {
        str(path.relative_to(site.feeds)): path.stat().st_mtime_ns
        for path in site.feeds.rglob("*.atom")
    }


def rewritten(before: dict[str, int], site: Site) -> set[str]:
    after = written(site)
    return {name for name in after if after[name] != before.get(name)}


@pytest.fixture
def two(site: Site) -> Site:
    """A site with an article of each of two sources, built."""
    site.post(
        f"2022-01-27-{CODE}.md",
        article("普惠金融", "<p>第一段。</p>\n <p>第二段。</p>", share=share_url(CODE)),
    )
    site.post(
        f"2021-12-16-{OTHER}.md",
        article(
            "展会收获",
            "<p>正文。</p>",
            date="2021-12-16 21:14:42 +0800",
            source="beijingshangbao",
            name="北京商报",
            share=share_url(OTHER, "other.example.net"),
        ),
    )
    site.build()
    return site


def test_an_entry_says_all_that_is_known_of_its_article(two: Site) -> None:
    first, second = two.entries()
    assert (first.title, second.title) == ("普惠金融", "展会收获")
    assert first.id == f"tag:finews.example.org,2021:{CODE}"
    assert first.published == first.updated == "2022-01-27T22:14:24+08:00"
    assert first.author == "华夏时报"
    assert first.content[0].type == "text/html"
    assert first.content[0].value == "<p>第一段。</p>\n <p>第二段。</p>"
    links = {link.rel: link.href for link in first.links}
    assert links == {"alternate": share_url(CODE), "via": share_url(CODE)}
    assert [(tag.term, tag.label) for tag in first.tags] == [("huaxiashibao", "华夏时报")]
    assert first.source.id == "tag:finews.example.org,2021:feeds/sources/huaxiashibao"
    assert first.source.title == "华夏时报 - 财经新闻"
    assert "source" not in two.entries("sources/huaxiashibao.atom")[0]


def test_a_feed_has_what_rfc_4287_asks_for(two: Site) -> None:
    ids = set()
    for path in two.feeds.rglob("*.atom"):
        root = etree.fromstring(path.read_bytes())
        assert root.tag == ATOM + "feed"
        for element in (root, *root.iter(ATOM + "entry")):
            for name in ("id", "title", "updated"):
                assert len(element.findall(ATOM + name)) == 1, (path, name)
        ids.add(root.findtext(ATOM + "id"))
        links = {link.get("rel"): link.get("href") for link in root.findall(ATOM + "link")}
        relative = path.relative_to(two.feeds)
        assert links["self"] == f"https://finews.example.org/feeds/{relative}"
        assert links["alternate"] == "https://finews.example.org/"
        assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh-CN"
        newest = max(entry.findtext(ATOM + "updated") for entry in root.iter(ATOM + "entry"))
        assert root.findtext(ATOM + "updated") == newest
    assert len(ids) == 3


def test_an_article_has_one_id_and_stands_once_in_each_feed(two: Site) -> None:
    two.post(f"2022-01-28-{CODE[2:]}.md", article("普惠金融", share=share_url(CODE, "m.example")))
    two.build()
    ids = [entry.id for entry in two.entries()]
    assert len(ids) == len(set(ids)) == 2
    of_sources = [
        two.entries(f"sources/{slug}.atom") for slug in ("huaxiashibao", "beijingshangbao")
    ]
    assert [entry.id for (entry,) in of_sources] == ids


def test_a_touched_post_moves_no_byte(two: Site) -> None:
    before, times = two.feed_bytes(), written(two)
    for path in two.posts.iterdir():
        os.utime(path)
    two.build()
    assert (two.feed_bytes(), written(two)) == (before, times)


def test_another_host_in_the_share_link_is_the_same_entry(two: Site) -> None:
    (before, _) = two.entries()
    path = two.posts / f"2022-01-27-{CODE}.md"
    path.write_text(path.read_text().replace("news.example.org", "new.example.com"))
    two.build()
    (after, _) = two.entries()
    assert (after.id, after.updated) == (before.id, before.updated)
    assert after.link == share_url(CODE, "new.example.com")


def test_a_corrected_word_is_one_revision_and_moves_two_feeds(two: Site) -> None:
    before = written(two)
    path = two.posts / f"2022-01-27-{CODE}.md"
    path.write_text(path.read_text().replace("第二段", "更正段"))
    assert "1 revised" in two.build().out
    assert rewritten(before, two) == {"all.atom", "sources/huaxiashibao.atom"}
    entry, other = two.entries()
    assert entry.updated > entry.published
    assert other.updated == other.published
    shown = two.run("show", CODE)
    assert "-第二段。" in shown.out
    assert "+更正段。" in shown.out
    found = two.run("show", CODE, "--json").json
    assert [revision["number"] for revision in found["revisions"]] == [1, 2]
    assert found["updated"] == found["revisions"][1]["seen_at"]
    assert len(found["copies"]) == 1


def test_noise_in_the_mark_up_moves_nothing(two: Site) -> None:
    before, times = two.feed_bytes(), written(two)
    path = two.posts / f"2022-01-27-{CODE}.md"
    noise = path.read_text().replace("<p>", '<p class="x" style="color: red">', 1)
    path.write_text(noise.replace("第二段。", "第二段。<!-- c --><span></span>"))
    two.build()
    assert (two.feed_bytes(), written(two)) == (before, times)


def test_a_store_that_is_deleted_changes_no_byte(two: Site) -> None:
    path = two.posts / f"2022-01-27-{CODE}.md"
    path.write_text(path.read_text().replace("第二段", "更正段"))
    two.build()
    before, times = two.feed_bytes(), written(two)
    two.store.unlink()
    two.build()
    assert (two.feed_bytes(), written(two)) == (before, times)


def test_one_more_post_moves_two_feeds(two: Site) -> None:
    before = written(two)
    code = "NW202201280000000001"
    two.post(f"2022-01-28-{code}.md", article("新的", share=share_url(code)))
    two.build()
    assert rewritten(before, two) == {"all.atom", "sources/huaxiashibao.atom"}


@pytest.mark.parametrize(("policy", "left"), [("keep", 2), ("drop", 1)])
def test_a_post_that_goes_away(two: Site, policy: str, left: int) -> None:
    two.configure(
        lambda text: text.replace("path: posts", f"path: posts\n    when_removed: {policy}")
    )
    two.build()
    (two.posts / f"2022-01-27-{CODE}.md").unlink()
    two.build()
    assert len(two.entries()) == left
    assert len(two.entries("sources/huaxiashibao.atom")) == left - 1
    two.post(f"2022-01-27-{CODE}.md", article("普惠金融", share=share_url(CODE)))
    two.build()
    assert len(two.entries()) == 2


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_an_article_that_comes_back_is_not_new(two: Site, policy: str) -> None:
    two.configure(
        lambda text: text.replace("path: posts", f"path: posts\n    when_removed: {policy}")
    )
    path = two.posts / f"2022-01-27-{CODE}.md"
    path.write_text(path.read_text().replace("第二段", "更正段"))
    two.build()
    before = two.feed_bytes()
    path.rename(two.root / path.name)
    two.build()
    (two.root / path.name).rename(path)
    two.build()
    assert two.feed_bytes() == before


def test_an_emptied_folder_of_articles_to_keep(two: Site) -> None:
    before, times = two.feed_bytes(), written(two)
    for path in two.posts.iterdir():
        path.unlink()
    assert "--allow-empty" in two.build(expect=1).err
    assert (two.feed_bytes(), written(two)) == (before, times)
    two.build("--allow-empty")
    assert (two.feed_bytes(), written(two)) == (before, times)


def test_an_emptied_folder_is_not_believed_unless_told(two: Site) -> None:
    before = two.feed_bytes()
    two.configure(lambda text: text.replace("path: posts", "path: posts\n    when_removed: drop"))
    for path in two.posts.iterdir():
        path.unlink()
    result = two.build(expect=1)
    assert "--allow-empty" in result.err
    assert two.feed_bytes() == before
    two.build("--allow-empty")
    assert two.entries() == []
    assert two.entries("sources/huaxiashibao.atom") == []


def test_a_vanished_folder_keeps_the_feeds(two: Site) -> None:
    before = two.feed_bytes()
    two.posts.rename(two.root / "away")
    result = two.build(expect=1)
    assert f"{two.posts}: no such folder" in result.err
    assert two.feed_bytes() == before


def test_one_broken_folder_does_not_stop_the_other(two: Site) -> None:
    two.configure(lambda text: text.replace("  - path: posts", "  - path: gone\n  - path: posts"))
    two.post("2022-01-28-x.md", article("neu"))
    two.build(expect=1)
    assert [entry.title for entry in two.entries()] == ["neu", "普惠金融", "展会收获"]


def test_a_feed_that_was_deleted_or_edited_is_made_again(two: Site) -> None:
    before = two.feed_bytes()
    (two.feeds / "all.atom").unlink()
    (two.feeds / "sources" / "huaxiashibao.atom").write_text("x")
    two.build()
    assert two.feed_bytes() == before


def test_a_dry_run_tells_and_changes_nothing(two: Site) -> None:
    def everything() -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(two.root.rglob("*"))
            if path.is_file() and path.suffix not in (".lock", ".db-journal")
        }

    two.post("2022-01-28-x.md", article("neu"))
    before = everything()
    result = two.build("--dry-run")
    assert "1 new" in result.out
    assert "2 of 3 feeds would be written" in result.out
    assert everything() == before


def test_a_dry_run_does_not_touch_the_store_however_much_there_is_to_do(two: Site) -> None:
    for number in range(20):
        text = random.Random(number).randbytes(500_000).hex()
        two.post(f"big{number}.md", article(f"gross {number}", f"<p>{text}</p>"))
    before = two.store.stat()
    assert "20 new" in two.build("--dry-run").out
    after = two.store.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)


def test_a_dry_run_on_nothing_makes_nothing(site: Site) -> None:
    site.post("1.md", article())
    assert "2 of 2 feeds would be written" in site.build("--dry-run").out
    assert not site.feeds.exists()
    assert not site.store.exists()


def test_without_polling_no_post_is_seen(two: Site) -> None:
    two.post("2022-01-28-x.md", article("neu"))
    two.build("--no-poll")
    assert len(two.entries()) == 2
    two.build()
    assert len(two.entries()) == 3


def test_one_source_alone(two: Site) -> None:
    before = written(two)
    two.post("2022-01-28-x.md", article("neu"))
    two.post("2022-01-28-y.md", article("neu", source="beijingshangbao", name="北京商报"))
    two.build("--source", "huaxiashibao")
    assert rewritten(before, two) == {"sources/huaxiashibao.atom"}
    two.build()
    assert rewritten(before, two) == set(before)
    result = two.build("--source", "huaxiashiba", expect=2)
    assert "did you mean huaxiashibao?" in result.err


def test_full_makes_everything_anew_and_the_same(two: Site) -> None:
    before, times = two.feed_bytes(), written(two)
    result = two.build("--full", "--json")
    assert result.json["read"] == 2
    assert result.json["written"] == []
    assert (two.feed_bytes(), written(two)) == (before, times)


def test_what_is_dated_in_the_future_is_held_back(two: Site) -> None:
    two.post("2999-01-01-x.md", article("später", date="2999-01-01"))
    two.build()
    assert len(two.entries()) == 2
    shown = two.run("show", "posts/2999-01-01-x.md")
    assert "scheduled" in shown.out


def test_what_is_held_back_appears_when_it_is_due(two: Site) -> None:
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    two.post("soon.md", article("gleich", date=due.isoformat(" ", "seconds")))
    two.build()
    assert len(two.entries()) == 2
    deadline = time.monotonic() + 20
    while len(two.entries()) == 2 and time.monotonic() < deadline:
        two.build()
    assert [entry.title for entry in two.entries()] == ["gleich", "普惠金融", "展会收获"]
    assert len(two.entries("sources/huaxiashibao.atom")) == 2
    assert time.time() >= int(due.timestamp())


def test_the_page_on_the_site_is_linked_if_there_is_one(two: Site) -> None:
    template = '"{url}{source}/{date:%Y/%m/%d}/{stem}.html"'
    two.configure(lambda text: text.replace("posts:\n", f"  permalink: {template}\nposts:\n", 1))
    two.build()
    links = {link.rel: link.href for link in two.entries()[0].links}
    assert links == {
        "alternate": f"https://finews.example.org/huaxiashibao/2022/01/27/2022-01-27-{CODE}.html",
        "via": share_url(CODE),
    }
    assert two.entries()[0].updated == two.entries()[0].published


def test_sources_are_named_by_config_first(two: Site) -> None:
    two.configure(
        lambda text: text + "sources:\n  huaxiashibao: {name: 华夏, url: https://h.example/}\n"
    )
    two.build()
    assert two.entries()[0].author == "华夏"
    feed = two.feed("sources/huaxiashibao.atom").feed
    assert feed.title.startswith("华夏")
    assert feed.link == "https://h.example/"


DEFECTS = {
    "quotes.md": article('他说"涨价"不对'),
    "bom.md": "\ufeff" + article("BOM"),
    "crlf.md": article("CRLF").replace("\n", "\r\n"),
    "gb.md": article("中国的编码", "<p>这是国标的正文，有常用的字。</p>").encode("gb18030"),
    "control.md": article("控\x08制", "<p>字\x0b符</p>"),
    "2022-01-05-nodate.md": article("没有日期", date=None),
    "2022-01-06-baddate.md": article("日期不对", date="99:99::99"),
    "2022-01-07-notitle.md": article("", "<p>没有标题的文章。</p>"),
    "unclosed.md": "---\ntitle: x\ndate: 2022-01-01\n<p>没有结尾</p>\n",
    "broken.md": "---\ntitle: x\n  - y: [\ndate: 2022-01-01\n---\n<p>坏的</p>\n",
}


@pytest.mark.usefixtures("on_both")
def test_ten_posts_with_ten_defects(site: Site) -> None:
    for name, text in DEFECTS.items():
        site.post(name, text)
    site.build()
    assert {entry.title for entry in site.entries()} == {
        '他说"涨价"不对',
        "BOM",
        "CRLF",
        "中国的编码",
        "控制",
        "没有日期",
        "日期不对",
        "没有标题的文章。",
    }
    listed = site.run("problems").out
    assert re.search(r"posts/broken\.md:\d+: not valid YAML: .+", listed)
    assert re.search(r"posts/unclosed\.md:1: the front matter is not closed", listed)
    assert "posts/2022-01-06-baddate.md:4: the date '99:99::99' cannot be read" in listed
    assert len(listed.splitlines()) == 3
    site.post("unclosed.md", article("zu"))
    site.post("2022-01-06-baddate.md", article("日期不对"))
    site.post("broken.md", article("heil"))
    site.build()
    assert site.problems() == []
    assert len(site.entries()) == 10


def plain(text: str) -> str:
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def test_the_text_is_kept_to_the_last_character(site: Site) -> None:
    body = (
        "<p>年增长39.47%，余额1253.48亿元 &amp; “引号” 5*3*2 = 30_000 [注1](见后) \\ ~</p>\n"
        ' &nbsp;<p><strong>小标题</strong></p>\n <p>末段&nbsp;。</p><p class="em_media">'
        "（文章来源：华夏时报）</p>"
    )
    site.post(f"2022-01-27-{CODE}.md", article("全文", body, share=share_url(CODE)))
    site.build()
    found = site.entries()[0].content[0].value
    assert plain(found) == plain(body)
    assert "返回" not in found
    assert "NewsShare" not in found


def test_hidden_paragraphs_comments_and_empty_mark_up_are_gone(site: Site) -> None:
    body = (
        "<!-- EM_StockImg_Start --><p style='display:none;'>图<b>表</b></p><!-- End -->"
        "<p>a</p><p></p><p>&nbsp;</p><div><span></span></div><p hidden>x</p><p><br></p><p>b</p>"
    )
    site.post("x.md", article("x", body))
    site.build()
    assert site.entries()[0].content[0].value == "<p>a</p><p>b</p>"


def test_seen_twice_through_a_reader_nothing_is_new(two: Site, tmp_path: Path) -> None:
    from reader import make_reader

    reader = make_reader(str(tmp_path / "reader.db"), feed_root=str(two.feeds))
    for path in two.feed_bytes():
        reader.add_feed(path)
    first = [feed.value for feed in reader.update_feeds_iter()]
    assert sum(found.new for found in first) == 4
    second = [feed.value for feed in reader.update_feeds_iter()]
    assert all(found is None or (found.new, found.modified) == (0, 0) for found in second)


def test_a_lost_store_and_an_empty_folder_do_not_empty_the_feeds(site: Site) -> None:
    post = site.post("a.md", article())
    site.build()
    before = site.feed_bytes()
    site.store.unlink()
    post.unlink()
    site.build(expect=1)
    assert site.feed_bytes() == before
    site.posts.rmdir()
    site.build(expect=1)
    assert site.feed_bytes() == before


def test_white_space_in_inline_elements_stays(site: Site) -> None:
    site.post("a.md", article(body="<p>hello<span>&nbsp;</span>world a<em> </em>b</p>"))
    site.build()
    assert site.entries()[0].content[0].value == "<p>hello&nbsp;world a b</p>"


def test_the_source_of_an_entry_has_the_title_of_its_feed(site: Site) -> None:
    site.post("a.md", article())
    site.build()
    assert site.entries()[0].source.title == site.feed("sources/huaxiashibao.atom").feed.title


@pytest.mark.usefixtures("on_both")
def test_a_folder_that_is_no_longer_configured_is_forgotten(site: Site) -> None:
    site.configure(
        lambda text: text.replace("- path: posts", "- path: posts\n    when_removed: drop")
    )
    site.post("a.md", article("A"))
    site.post("b.md", article("B"))
    site.post("bad.md", "no front matter")
    site.build()
    site.posts.rename(site.root / "moved")
    site.configure(lambda text: text.replace("path: posts", "path: moved"))
    (site.root / "moved" / "a.md").unlink()
    (site.root / "moved" / "bad.md").unlink()
    site.build()
    assert site.problems() == []
    assert site.run("status", "--json").json["copies"] == 1


def test_the_same_folder_twice_with_two_globs(site: Site) -> None:
    site.configure(
        lambda text: text.replace(
            "  - path: posts",
            '  - {path: posts, layout: plain}\n  - path: posts\n    glob: "*.html"',
        )
    )
    site.post("a.md", article("A"))
    site.post("b.html", article("B"))
    site.build()
    site.build()
    assert site.run("status", "--json").json["copies"] == 2


def test_full_text_that_leaves_before_its_excerpt_stays(site: Site) -> None:
    link = f"<http://finance.example.com/news/11158,{CODE[2:]}.html>"
    site.post(f"2022-01-27-{CODE[2:]}.md", article("R", f"> first words\n\n{link}"))
    full = site.post(f"2022-01-27-{CODE}.md", article("R", share=share_url(CODE)))
    site.build()
    full.unlink()
    site.build()
    assert "正文" in site.entries()[0].content[0].value


def test_removed_articles_are_not_counted(site: Site) -> None:
    site.configure(
        lambda text: text.replace("- path: posts", "- path: posts\n    when_removed: drop")
    )
    site.post("a.md", article("A"))
    gone = site.post("b.md", article("B"))
    site.build()
    gone.unlink()
    assert "1 article" in site.build().out
