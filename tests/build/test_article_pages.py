"""Articles have pages of their own, written once a revision, at places that never change."""

import shutil
import sqlite3

import pytest
from conftest import Site, article, share_url
from read_site import BASE, FORMATS, add, broken_links, code, page_of, text


@pytest.fixture
def readable(site: Site) -> Site:
    site.configure(lambda text: text + FORMATS)
    return site


def test_entries_lead_to_the_page_of_their_article(readable: Site) -> None:
    add(readable, 1, "<p>第一段。</p><p>第二段。</p>")
    readable.build()
    (entry,) = readable.entries()
    links = {link.rel: link.href for link in entry.links}
    assert links["alternate"] == BASE + page_of(1)
    assert links["via"] == share_url(code(1))
    page = text(readable, page_of(1))
    assert "<p>第一段。</p>" in page
    assert "标题1</h1>" in page
    assert f'href="{share_url(code(1))}"' in page
    assert "华夏时报" in page
    assert broken_links(readable) == []
    assert readable.run("check", "--feeds").code == 0


def test_a_page_is_written_once(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    before = (readable.feeds / page_of(1)).stat()
    add(readable, 2)
    readable.build()
    readable.build("--full")
    after = (readable.feeds / page_of(1)).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert (readable.feeds / page_of(2)).is_file()


def test_a_page_never_moves(readable: Site) -> None:
    add(readable, 1, date="2022-01-31 23:00:00 +0800")
    readable.build()
    add(readable, 1, date="2022-02-01 01:00:00 +0800")
    readable.build()
    assert (readable.feeds / page_of(1)).is_file()
    assert readable.entries()[0].link == BASE + page_of(1)
    assert not (readable.feeds / "articles/2022/02" / f"{code(1)}.html").exists()
    # Its title is listed under its date.
    assert "标题1" in text(readable, "articles/2022/02/index.html")
    assert not (readable.feeds / "articles/2022/01/index.html").exists()
    assert broken_links(readable) == []


def test_corrections_are_shown(readable: Site) -> None:
    add(readable, 1, "<p>售价为五元。</p><p>第二段。</p>")
    readable.build()
    assert 'class="corrections"' not in text(readable, page_of(1))
    add(readable, 1, "<p>售价为七元。</p><p>第二段。</p>", title="新标题")
    readable.build()
    page = text(readable, page_of(1))
    assert "<del>五</del><ins>七</ins>" in page
    assert "<del>标题1</del>" in page
    assert page.count("<p>第二段。</p>") == 1
    assert "更正" in page


def test_what_is_removed_has_no_page(readable: Site) -> None:
    readable.configure(
        lambda text: text.replace("- path: posts", "- path: posts\n    when_removed: drop")
    )
    post, _ = add(readable, 1), add(readable, 2)
    readable.build()
    post.unlink()
    readable.build()
    assert not (readable.feeds / page_of(1)).exists()
    assert "标题1" not in text(readable, "articles/2022/01/index.html")
    assert code(1) not in text(readable, "sitemap-2022-01.xml")
    add(readable, 1)
    readable.build()
    assert (readable.feeds / page_of(1)).is_file()
    assert "标题1" in text(readable, "articles/2022/01/index.html")


def test_what_is_scheduled_gets_its_page_when_it_is_due(readable: Site) -> None:
    add(readable, 1)
    add(readable, 2, date="2999-01-01 00:00:00 +0800")
    readable.build()
    assert not list(readable.feeds.rglob(f"{code(2)}.html"))
    assert "标题2" not in text(readable, "articles/index.html")
    assert not (readable.feeds / "articles/2999").exists()


def test_a_page_that_a_killed_run_wrote_goes_with_its_article(readable: Site) -> None:
    post, _ = add(readable, 1), add(readable, 2)
    readable.build()
    with sqlite3.connect(readable.store) as connection:
        connection.execute("DELETE FROM published_file WHERE feed = ?", (f"page:{code(1)}",))
    connection.close()
    post.write_text(post.read_text("utf-8").replace("---\n", "---\npublished: false\n", 1))
    readable.build()
    assert not (readable.feeds / page_of(1)).exists()
    assert (readable.feeds / page_of(2)).is_file()


def test_what_a_killed_first_run_left_is_cleaned_up(readable: Site) -> None:
    readable.build()
    add(readable, 1)
    (readable.feeds / "articles" / "2022" / "01").mkdir(parents=True)
    # As if it had been killed before it saved what it wrote.
    leftover = readable.feeds / "articles/2022/01/.aggregator-0123.tmp"
    leftover.write_text("half a page")
    readable.build()
    assert not leftover.exists()
    assert (readable.feeds / page_of(1)).is_file()


def test_a_page_that_cannot_be_written_is_said_and_made_later(readable: Site) -> None:
    add(readable, 1)
    (readable.feeds / "articles").mkdir(parents=True)
    blocked = readable.feeds / "articles" / "2022"
    blocked.write_text("a file in the way")
    result = readable.build(expect=1)
    assert "articles/2022" in result.err
    assert len(readable.entries()) == 1
    blocked.unlink()
    readable.build()
    assert (readable.feeds / page_of(1)).is_file()
    assert broken_links(readable) == []


def test_without_the_format_there_are_none(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    readable.configure(lambda text: text.replace(FORMATS, "  formats: [atom]\n"))
    readable.build()
    assert not list(readable.feeds.rglob("NW*.html"))
    assert not (readable.feeds / "all.html").exists()
    assert not (readable.feeds / "sitemap.xml").exists()
    assert readable.entries()[0].link == share_url(code(1))
    readable.configure(lambda text: text.replace("  formats: [atom]\n", FORMATS))
    readable.build()
    assert (readable.feeds / page_of(1)).is_file()
    assert broken_links(readable) == []


def test_where_the_site_has_pages_there_are_none(readable: Site) -> None:
    readable.configure(lambda text: text.replace("  tag:", "  permalink: /:year/:title/\n  tag:"))
    readable.post("2022-01-27-eins.md", article("eins"))
    readable.build()
    assert not (readable.feeds / "articles/2022/01/eins.html").exists()
    assert readable.entries()[0].link.startswith("https://finews.example.org/2022/")
    assert "eins" in text(readable, "articles/2022/01/index.html")
    # The site has a sitemap of its own.
    assert not list(readable.feeds.glob("sitemap*"))


def test_codes_are_no_paths(readable: Site) -> None:
    for name in ("CON", "a" * 200, "é b", "05", "Case", "x.."):
        readable.post(f"{name}.md", article(name[:20]))
    readable.post("index.md", article("an index"))
    readable.build()
    pages = [path.name for path in (readable.feeds / "articles/2022/01").iterdir()]
    assert len(pages) == 8
    assert all(len(name) < 80 and name.isascii() and name.lower() == name for name in pages)
    assert "an index" in text(readable, "articles/2022/01/index.html")
    assert broken_links(readable) == []


def test_a_lost_store_finds_the_pages_where_they_are(readable: Site) -> None:
    for number in range(3):
        add(readable, number)
    readable.build()
    # Its page stays where it is, though its date is another one now.
    add(readable, 2, date="2022-02-10 10:00:00 +0800")
    readable.build()
    before = {path: path.read_bytes() for path in readable.feeds.rglob("NW*.html")}
    assert readable.feeds / page_of(2) in before
    shutil.rmtree(readable.root / "var")
    readable.build()
    assert {path: path.read_bytes() for path in readable.feeds.rglob("NW*.html")} == before


def test_one_source_alone_has_its_pages(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    add(readable, 2)
    readable.build("--source", "huaxiashibao")
    assert (readable.feeds / page_of(2)).is_file()
    readable.build()
    assert broken_links(readable) == []


@pytest.mark.usefixtures("on_both")
def test_on_both_stores(readable: Site) -> None:
    for number in range(3):
        add(readable, number)
    readable.build()
    add(readable, 1, "<p>Anders.</p>")
    readable.build()
    assert "Anders" in text(readable, page_of(1))
    assert broken_links(readable) == []
    readable.configure(lambda text: text.replace(FORMATS, "  formats: [atom]\n"))
    readable.build()
    assert not list(readable.feeds.rglob("NW*.html"))


def test_other_outlets_with_the_story_are_named(readable: Site) -> None:
    story = "".join(
        f"<p>第{n}段讲的是港口二期工程的第{n}个细节，每段都不一样。</p>" for n in range(20)
    )
    add(readable, 1, story)
    add(readable, 2, "<p>另一件事。</p>", source="a", name="晨报")
    readable.build()
    assert "同题报道" not in text(readable, page_of(1))
    add(readable, 3, story, source="b", name="晚报", date="2022-01-02 11:00:00 +0800")
    readable.build()
    assert f'同题报道：<a href="../../../{page_of(3)}" title="标题3">晚报</a>' in text(
        readable, page_of(1)
    )
    assert "华夏时报</a></p>" in text(readable, page_of(3))
    assert "同题报道" not in text(readable, page_of(2))
    assert text(readable, "all.html").count("同题报道") == 2


def test_pages_link_to_a_search_where_there_is_one(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    assert 'href="search"' not in text(readable, "index.html")
    readable.configure(lambda text: text + "  search: true\n")
    readable.build()
    assert 'href="../../../search"' in text(readable, page_of(1))
    index = text(readable, "index.html")
    assert 'href="search"' in index
    assert 'rel="search"' in index


def test_an_article_is_shown_by_the_address_of_its_page(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    shown = readable.run("show", BASE + page_of(1), "--json").json
    assert (shown["code"], shown["page"]) == (code(1), BASE + page_of(1))
